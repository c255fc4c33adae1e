"""How far a catalog's prices can be trusted: what its sources are, and where they contradict one another.

The catalog keeps, beside the rate that holds, what each source said and the rule that picked; `docs/pricing.md` has the
rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Dispute(NamedTuple):
    """One rate on which the sources of a maker's own prices differ by more than a thousandth.

    `rates` are by source, `picked` is the one that holds, both in US dollars per published unit; `rule` says in words
    why it was picked. `when` and `above` are the conditions of its row (`streamtally.pricing.rows`).
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
    """All disputes of a catalog's content; one without a table of them has none."""
    rules = content.get("rules", {})
    for provider, table in content.get("disputes", {}).items():
        for model, items in table.items():
            for item in items:
                rule = rules.get(item["rule"], item["rule"])
                where = (item.get("when", {}), item.get("above", 0))
                yield Dispute(provider, model, item["unit"], *where, item["rates"], item["picked"], rule)


def sources(content: Mapping[str, Any], provider: str, model: str) -> tuple[str, ...]:
    """The sources of a model's prices; empty where the catalog does not say."""
    place = content["providers"][provider]["models"][model].get("source")
    return () if place is None else tuple(content["origins"][place].split(", "))
