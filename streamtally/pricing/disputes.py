"""The sources of a catalog's prices, and the disputes between them: rates for which sources state different values.

The catalog stores for each dispute the rate of every source, the rate in use and the rule that picked it; `docs/pricing.md`
lists the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Dispute(NamedTuple):
    """A rate for which the sources of a model maker's own prices differ by more than a thousandth.

    `rates` are by source and `picked` is the rate in use, both in US dollars per published unit; `rule` describes why it was
    picked. `when` and `above` are the conditions of its row (`streamtally.pricing.rows`).
    """

    provider: str
    model: str
    unit: str
    when: Mapping[str, str]
    above: int
    rates: Mapping[str, str]
    picked: str
    rule: str


def disputes(content: Mapping[str, Any]) -> Iterator[Dispute]:
    """All disputes of a catalog's content."""
    rules = content.get("rules", {})
    for provider, table in content.get("disputes", {}).items():
        for model, items in table.items():
            for item in items:
                rule = rules.get(item["rule"], item["rule"])
                conditions = (item.get("when", {}), item.get("above", 0))
                yield Dispute(provider, model, item["unit"], *conditions, item["rates"], item["picked"], rule)


def sources(content: Mapping[str, Any], provider: str, model: str) -> tuple[str, ...]:
    """The names of the sources of a model's prices; empty if the catalog does not state them."""
    origin = content["providers"][provider]["models"][model].get("source")
    return () if origin is None else tuple(content["origins"][origin].split(", "))
