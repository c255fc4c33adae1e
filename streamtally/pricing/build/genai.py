"""Converts the data of genai-prices, the base of the catalog, with its history, tiers and variants, to catalog form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from .rate_tables import Models, RawModel, RawRow, condition_of, rate_text

UNIT_OF = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cache_audio_read",
    "input_image_mtok": "input_image",
    "cache_image_read_mtok": "cache_image_read",
    "input_video_mtok": "input_video",
    "output_mtok": "output",
    "output_audio_mtok": "output_audio",
    "output_image_mtok": "output_image",
    "output_video_mtok": "output_video",
    "output_reasoning_mtok": "reasoning",
    "output_citation_mtok": "citations",
    "audio_hours": "seconds",
    "input_audio_hours": "seconds",
    "input_mchars": "characters",
    "input_document_kpages": "pages",
    "input_annotated_document_kpages": "annotated_pages",
    "web_searches_kcount": "web_searches",
    "storage_searches_kcount": "file_searches",
    "requests_kcount": "requests",
}
"""The source's price keys and our units. Both keys for hours mean the same hours."""

WORDS = {"service_tier": "tier", "processing": "tier", "speed": "tier", "search_type": "search"}
"""The source's condition words and ours; three of them mean the service tier."""

GROUNDED = {"35": "grounded_prompts", "14": "grounded_queries"}
"""Google's two fees in dollars per thousand: for prompts before Gemini 3, for queries since (Google's pricing page)."""

GEOGRAPHY = re.compile(r"/?(?:us-gov|us|eu|apac|jp|au|in|global|regional)\.(?=[a-z])")
"""The geography prefix of a Bedrock name, which is a condition of a row and not part of the model's name."""

FREE = {"input": "0", "output": "0"}


def rates_of(prices: Mapping[str, Any], left_out: Counter[str], above: int | None = None) -> dict[str, str]:
    """The rates of one of the source's price sets; with `above`, those above that number of input tokens."""
    rates: dict[str, str] = {}
    for key, price in sorted(prices.items()):
        amount = getattr(price, "base", price) if above is None else _tiers(price).get(above)
        if amount is None:
            continue
        if key not in UNIT_OF:
            left_out[key] += 1
        elif rates.setdefault(UNIT_OF[key], rate_text(amount)) != rate_text(amount):
            raise ValueError(f"two rates for {UNIT_OF[key]}: {prices}")
    return rates


def _tiers(price: Any) -> dict[int, Decimal]:
    return {tier.start: tier.price for tier in getattr(price, "tiers", ())}


def rows_of(prices: Mapping[str, Any], left_out: Counter[str], **conditions: Any) -> Iterator[RawRow]:
    """The rows of one price set: the base row, and a row for every context length threshold."""
    fixed = {key: value for key, value in conditions.items() if value}
    yield {**fixed, "rates": rates_of(prices, left_out)}
    for start in sorted({start for price in prices.values() for start in _tiers(price)}):
        # xAI's threshold is "200,000 or more", which the source can only state as "more than 199,999"
        above = {"input": start + 1, "op": ">="} if start % 1000 == 999 else {"input": start}
        yield {**fixed, "above": above, "rates": rates_of(prices, left_out, start)}


def _start(constraint: Any) -> str | None:
    start: date | None = getattr(constraint, "start_date", None)
    return start.isoformat() if start else None


def standard_rows(model: Any, left_out: Counter[str]) -> Iterator[RawRow]:
    """The rows of the standard tier: consecutive periods, then the rows for hours of the day."""
    listed = model.prices if isinstance(model.prices, list) else [model]
    sets: list[tuple[Any, dict[str, Any]]] = [(getattr(item, "constraint", None), item.prices.__dict__) for item in listed]
    hourly = [(constraint, prices) for constraint, prices in sets if hasattr(constraint, "start_time")]
    eras = [(_start(constraint), prices) for constraint, prices in sets if not hasattr(constraint, "start_time")]
    for index, (start, prices) in enumerate(eras):
        end = eras[index + 1][0] if index + 1 < len(eras) else None
        yield from rows_of(prices, left_out, **{"from": start, "to": end})
    for constraint, prices in hourly:
        hours = [f"{moment:%H:%M}" for moment in (constraint.start_time, constraint.end_time)]
        yield from rows_of(prices, left_out, **{"from": eras[-1][0], "window": {"hours": hours}})


def variant_rows(model: Any, left_out: Counter[str]) -> Iterator[RawRow]:
    """The rows of other tiers, in reverse order: in the source the first variant wins, in the catalog the last row."""
    for variant in reversed(model.price_variants or ()):
        when = {WORDS.get(key, key): value for key, value in variant.when.items()}
        if when != {"tier": "default"}:
            yield from rows_of(variant.prices.__dict__, left_out, **{"when": when, "from": _start(variant.constraint)})


def literals(clause: Any) -> Iterator[str]:
    """Every literal name in a match clause of the source."""
    for part in (*getattr(clause, "or_", ()), *getattr(clause, "and_", ())):
        yield from literals(part)
    for kind in ("equals", "starts_with", "ends_with", "contains"):
        if (text := getattr(clause, kind, None)) is not None:
            yield text


def aliases_of(provider: Any, model: Any) -> list[str]:
    """The names that the source resolves to this model, among the literals of its match clause."""
    ids = {other.id.casefold() for other in provider.models}
    spelled = {*literals(model.match), model.id.removeprefix("regional.")}
    names = {name.casefold() for name in spelled if name and name[-1].isalnum()} - ids
    found = {name for name in names if provider.find_model(name) is model}
    return sorted({GEOGRAPHY.sub("", name) for name in found} if provider.id == "aws" else found)


def model_of(provider: Any, model: Any, left_out: Counter[str]) -> RawModel:
    """One model in catalog form."""
    rows = [*standard_rows(model, left_out), *variant_rows(model, left_out)]
    if model.id.endswith(":free") and not model.prices.__dict__:
        rows = [{"rates": FREE}]
    rows = [row for row in rows if row["rates"] or "when" in row]
    aliases = aliases_of(provider, model)
    return {"rows": rows, **({"aliases": aliases} if aliases else {})}


def providers_of(source: Iterable[Any], left_out: Counter[str]) -> dict[str, Models]:
    """The models of all providers of the source in catalog form.

    Args:
        source: the source's providers.
        left_out: counter of the price keys without a unit of ours.
    """
    found = {provider.id: {model.id: model_of(provider, model, left_out) for model in provider.models} for provider in source}
    if "aws" in found:
        found["aws"] = by_region(found["aws"])
    if routed := _routed(found):
        found["huggingface"] = routed
    for model in found.get("google", {}).values():
        _set_search_units(model["rows"])
    return found


def _routed(found: dict[str, Models]) -> Models:
    """The models behind Hugging Face's router, which the source lists as a provider for each host; they are removed from `found`.

    The router takes the host after the model's name: `openai/gpt-oss-120b:groq`. Without one it chooses by itself, so there is no
    price. Source: https://huggingface.co/docs/inference-providers
    """
    hosts = {name: name.removeprefix("huggingface_") for name in found if name.startswith("huggingface_")}
    return {
        f"{model}:{host}": {
            **entry,
            **({"aliases": [f"{alias}:{host}" for alias in entry["aliases"]]} if "aliases" in entry else {}),
        }
        for name, host in hosts.items()
        for model, entry in found.pop(name).items()
    }


def _set_search_units(rows: Iterable[RawRow]) -> None:
    """Replace the unit of Google's search fee by the one it charges: the grounded prompt, or each query."""
    for row in rows:
        fee = row["rates"].get("web_searches")
        if fee in GROUNDED:
            row["rates"][GROUNDED[fee]] = row["rates"].pop("web_searches")


def by_region(models: Models) -> Models:
    """Merge the models that the source lists twice, as `regional.…` and `global.…`; the region becomes a condition of the row.

    The bare name, and any geography without a row of its own, has the regional rates; only `global.` has others.
    """
    found: Models = {}
    for name, model in sorted(models.items(), key=lambda item: item[0].startswith("global.")):
        bare = GEOGRAPHY.sub("", name)
        names = set(model.get("aliases", ()))
        if name.startswith("global.") and bare in found:
            names |= set(found[bare].get("aliases", ()))
            found[bare]["rows"] += list(_global_rows(model["rows"], found[bare]["rows"]))
        else:
            found[bare] = {"rows": model["rows"]}
        if names := names - {bare.casefold()}:
            found[bare]["aliases"] = sorted(names)
    return found


def _global_rows(rows: Iterable[RawRow], base: Iterable[RawRow]) -> Iterator[RawRow]:
    """The rows of the global endpoint: all standard ones, and other rows that differ from those of the base."""
    stated = [(condition_of(row), row.get("from"), row["rates"]) for row in base]
    for row in rows:
        if "when" not in row or (condition_of(row), row.get("from"), row["rates"]) not in stated:
            yield {**row, "when": {**row.get("when", {}), "region": "global"}}
