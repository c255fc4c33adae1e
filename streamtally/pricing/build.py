"""Makes the bundled catalog from its sources: `python -m streamtally.pricing.build`.

A development tool, for which `genai-prices` has to be installed; nothing else imports this file. The sources are that
package's data (history, tiers, variants) and our own `data_sources/overrides.json` (what it lacks or has wrong, each
entry with its source). Prices for what `Usage` does not count (pages, video, storage, citations, text messages) are
left out, and the run says how many.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import snapshot
from .rows import parse_prices
from .units import UNITS

HERE = Path(__file__).parent
OVERRIDES = HERE / "data_sources" / "overrides.json"
TARGET = HERE / "data" / snapshot.BUNDLED

UNIT_OF = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cache_audio_read",
    "input_image_mtok": "input_image",
    "cache_image_read_mtok": "cache_image_read",
    "output_mtok": "output",
    "output_audio_mtok": "output_audio",
    "output_image_mtok": "output_image",
    "output_reasoning_mtok": "reasoning",
    "audio_hours": "seconds",
    "input_audio_hours": "seconds",
    "input_mchars": "characters",
    "web_searches_kcount": "web_searches",
    "requests_kcount": "requests",
}
"""The source's price keys and our units. Hours come twice where input has its own key; they are the same hours."""

WORDS = {"service_tier": "tier", "processing": "tier", "speed": "tier"}
"""The source's three ways of saying which tier was served."""

NOT_ALIASES = ("us-gov.",)
"""Names that the source gives the price of commercial regions; AWS's price list has them dearer (overrides.json)."""

FREE = {"input": "0", "output": "0"}

dropped: Counter[str] = Counter()


def text_of(price: Decimal) -> str:
    """A rate as decimal text; float noise beyond nine decimals is rounded away.

    >>> text_of(Decimal("0.13999999999999999"))
    '0.14'
    """
    return format(round(price, 9).normalize(), "f")


def rates_of(prices: Mapping[str, Any], above: int | None = None) -> dict[str, str]:
    """The rates of one of the source's price sets, or those that hold above a number of input tokens."""
    rates: dict[str, str] = {}
    for key, price in sorted(prices.items()):
        tiers = {tier.start: tier.price for tier in getattr(price, "tiers", ())}
        amount = getattr(price, "base", price) if above is None else tiers.get(above)
        if amount is None:
            continue
        if key not in UNIT_OF:
            dropped[key] += 1
        elif rates.setdefault(UNIT_OF[key], text_of(amount)) != text_of(amount):
            raise ValueError(f"two rates for {UNIT_OF[key]}: {prices}")
    return rates


def rows_of(prices: Mapping[str, Any], **conditions: Any) -> Iterator[dict[str, Any]]:
    """The rows of one price set: the base, and one for every context length from which other rates hold."""
    held = {key: value for key, value in conditions.items() if value}
    yield {**held, "rates": rates_of(prices)}
    for start in sorted({tier.start for price in prices.values() for tier in getattr(price, "tiers", ())}):
        # xAI charges from 200,000 on, which the source can only write as "more than 199,999"
        above = {"input": start + 1, "op": ">="} if start % 1000 == 999 else {"input": start}
        yield {**held, "above": above, "rates": rates_of(prices, start)}


def _start(constraint: Any) -> str | None:
    start: date | None = getattr(constraint, "start_date", None)
    return start.isoformat() if start else None


def standard_rows(model: Any) -> Iterator[dict[str, Any]]:
    """The rows of the standard tier: eras that follow one another, then the hours of the day on which others hold."""
    listed = model.prices if isinstance(model.prices, list) else [model]
    sets: list[tuple[Any, dict[str, Any]]] = [(getattr(item, "constraint", None), item.prices.__dict__) for item in listed]
    hourly = [(constraint, prices) for constraint, prices in sets if hasattr(constraint, "start_time")]
    eras = [(_start(constraint), prices) for constraint, prices in sets if not hasattr(constraint, "start_time")]
    for index, (start, prices) in enumerate(eras):
        end = eras[index + 1][0] if index + 1 < len(eras) else None
        yield from rows_of(prices, **{"from": start, "to": end})
    for constraint, prices in hourly:
        hours = [f"{moment:%H:%M}" for moment in (constraint.start_time, constraint.end_time)]
        yield from rows_of(prices, **{"from": eras[-1][0], "window": {"hours": hours}})


def variant_rows(model: Any) -> Iterator[dict[str, Any]]:
    """The rows of other tiers. In the source the first variant wins, here the last row does."""
    for variant in reversed(model.price_variants or ()):
        when = {WORDS.get(key, key): value for key, value in variant.when.items()}
        if when != {"tier": "default"}:
            yield from rows_of(variant.prices.__dict__, **{"when": when, "from": _start(variant.constraint)})


def literals(clause: Any) -> Iterator[str]:
    """Every name that a clause of the source's matching spells out."""
    for part in (*getattr(clause, "or_", ()), *getattr(clause, "and_", ())):
        yield from literals(part)
    for kind in ("equals", "starts_with", "ends_with", "contains"):
        if (text := getattr(clause, kind, None)) is not None:
            yield text


def aliases_of(provider: Any, model: Any) -> list[str]:
    """The whole names that the source resolves to this model. Its prefixes are names only where they are whole."""
    ids = {other.id.casefold() for other in provider.models}
    spelled = {*literals(model.match), model.id.removeprefix("regional.")}
    names = {name.casefold() for name in spelled if name and name[-1].isalnum() and not name.startswith(NOT_ALIASES)}
    return sorted(name for name in names - ids if provider.find_model(name) is model)


def model_of(provider: Any, model: Any) -> dict[str, Any]:
    """One model in the catalog's form."""
    rows = [*standard_rows(model), *variant_rows(model)]
    if model.id.endswith(":free") and not model.prices.__dict__:
        rows = [{"rates": FREE}]
    rows = [row for row in rows if row["rates"] or "when" in row]
    aliases = aliases_of(provider, model)
    return {"rows": rows, **({"aliases": aliases} if aliases else {})}


def providers_of(source: Iterable[Any]) -> dict[str, Any]:
    """All providers of the source in the catalog's form."""
    return {provider.id: {"models": {model.id: model_of(provider, model) for model in provider.models}} for provider in source}


def apply_overrides(providers: dict[str, Any], overrides: Mapping[str, Any]) -> None:
    """Put our own entries over those of the source: hosts and aliases, further rows (which win), whole models."""
    for name, fields in overrides["providers"].items():
        providers.setdefault(name, {"models": {}}).update(fields)
    for entry in overrides["models"]:
        models = providers[entry["provider"]]["models"]
        for name in entry["model"] if isinstance(entry["model"], list) else [entry["model"]]:
            _apply_entry(models, name, entry)
    for provider in providers.values():
        _settle_aliases(provider["models"])


def _apply_entry(models: dict[str, Any], name: str, entry: Mapping[str, Any]) -> None:
    model = models.setdefault(name, {"rows": []})
    if entry.get("replace"):
        model["rows"] = []
    model["rows"] = [*model["rows"], *entry.get("rows", ())]
    if names := {*model.get("aliases", ()), *entry.get("aliases", ())}:
        model["aliases"] = sorted(names)
    model.update({key: entry[key] for key in ("undivided", "defaults", "minimum", "maximum") if key in entry})


def _settle_aliases(models: dict[str, Any]) -> None:
    """Drop the aliases that are models of their own; one alias must not mean two models."""
    owners: dict[str, str] = {name.casefold(): name for name in models}
    for name, model in models.items():
        kept = [alias for alias in model.get("aliases", ()) if owners.setdefault(alias.casefold(), name) == name]
        model.pop("aliases", None)
        if kept:
            model["aliases"] = kept


def build() -> dict[str, Any]:
    """The catalog's content, of the installed source and our overrides.

    Raises:
        ImportError: `genai-prices` is not installed.
        ValueError: another version of it is.
    """
    from genai_prices.data import providers as source

    dropped.clear()
    overrides = json.loads(OVERRIDES.read_text(encoding="utf-8"))
    if (installed := version("genai-prices")) != (wanted := overrides["sources"][0]["version"]):
        raise ValueError(f"overrides.json was checked against genai-prices {wanted}, not {installed}")
    providers = providers_of(source)
    apply_overrides(providers, overrides)
    for provider in providers.values():
        for entry in provider["models"].values():
            parse_prices(entry)
    return {
        "schema": snapshot.SCHEMA,
        "generated_at": overrides["sources"][0]["date"],
        "sources": overrides["sources"],
        "units": {unit.name: f"US dollars per {unit.label}" for unit in UNITS.values()},
        "providers": providers,
    }


def main() -> None:
    """Write the bundled catalog and say what is in it."""
    data = snapshot.pack(build())
    TARGET.write_bytes(data)
    content = snapshot.unpack(data)
    models = sum(len(provider["models"]) for provider in content["providers"].values())
    left_out = ", ".join(f"{key} {count}" for key, count in sorted(dropped.items()))
    sys.stdout.write(f"{models} models, {len(data):,} bytes, revision {content['revision']}\nleft out: {left_out}\n")


if __name__ == "__main__":
    main()
