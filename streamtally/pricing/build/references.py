"""Two reference sources of the makers' token prices, used only to resolve disputes: model-prices and models.dev.

Each states the current standard rates by provider and name; model-prices also has earlier rates, which identify outdated rates
of other sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .rate_tables import Condition, Rates, RateTable, rate_text

MODEL_PRICES = {
    "openai": "openai", "anthropic": "anthropic", "google": "google", "mistral": "mistral", "deepseek": "deepseek",
    "xai": "x-ai", "cohere": "cohere", "moonshotai": "moonshotai", "minimax": "minimax", "zai": "zai",
    "perplexity": "perplexity", "meta": "meta", "alibaba": "alibaba",
}  # fmt: skip
MODELS_DEV = {key: name for key, name in MODEL_PRICES.items() if key != "meta"}
"""The providers of each source that are makers of models in the catalog."""

UNITS_OF = {
    "input": "input", "output": "output", "cache_read": "cache_read", "cache_write": "cache_write",
    "input_audio": "input_audio", "output_audio": "output_audio", "reasoning": "reasoning",
}  # fmt: skip
MODES = {"standard": "", "batch": "batch", "fast": "fast"}


@dataclass(frozen=True, slots=True)
class ReferencePrices:
    """The prices of one model in a reference source: current rates, and all earlier ones as (condition, unit, rate)."""

    table: RateTable
    earlier: frozenset[tuple[Condition, str, str]] = frozenset()


Reference = Mapping[tuple[str, str], ReferencePrices]
"""The prices of a reference source, by provider and case-folded model name."""


def _rates(stated: Mapping[str, Any]) -> Rates:
    return {unit: rate_text(Decimal(repr(stated[key]))) for key, unit in UNITS_OF.items() if stated.get(key)}


def _table(stated: Mapping[str, Any], tier: str, above: str) -> RateTable:
    found = {Condition(tier=tier): _rates(stated)}
    for step in stated.get("tiers") or ():
        limit = step.get(above) or step.get("tier", {}).get("size")
        if limit:
            found[Condition(tier=tier, above=int(limit))] = _rates(step)
    return {condition: rates for condition, rates in found.items() if rates}


def model_prices(source: Mapping[str, Any]) -> Reference:
    """The prices of model-prices, whose timelines end with the current rates.

    Models whose price depends on the hour are left out, because the source stores the hours elsewhere.
    """
    scheduled = {item["provider"] for item in source["schedules"]["schedule"]}
    found: dict[tuple[str, str], ReferencePrices] = {}
    for key, provider in MODEL_PRICES.items():
        if key in scheduled:
            continue
        for name, modes in source["prices"].get(key, {}).items():
            found[provider, name.casefold()] = _timeline(modes)
    return found


def _timeline(modes: Mapping[str, Any]) -> ReferencePrices:
    now: RateTable = {}
    earlier: set[tuple[Condition, str, str]] = set()
    for mode, tier in MODES.items():
        intervals = [item["rates"] for item in modes.get(mode, ()) if item["rates"]]
        if intervals:
            now |= _table(intervals[-1], tier, "above")
        for stated in intervals[:-1]:
            earlier |= set(_flat(_table(stated, tier, "above")))
    return ReferencePrices(now, frozenset(earlier) - set(_flat(now)))


def _flat(table: RateTable) -> Iterator[tuple[Condition, str, str]]:
    return ((condition, unit, text) for condition, rates in table.items() for unit, text in rates.items())


def models_dev(source: Mapping[str, Any]) -> Reference:
    """The prices of models.dev: one set of rates per model and context length."""
    found: dict[tuple[str, str], ReferencePrices] = {}
    for key, provider in MODELS_DEV.items():
        for name, model in source.get(key, {}).get("models", {}).items():
            if cost := model.get("cost"):
                found[provider, name.casefold()] = ReferencePrices(_models_dev(cost))
    return found


def _models_dev(cost: Mapping[str, Any]) -> RateTable:
    """The rates of one model; the older field `context_over_200k` is only read without `tiers`, which have the exact limit."""
    table = _table(cost, "", "size")
    long = cost.get("context_over_200k")
    return table if cost.get("tiers") or not long else {**table, Condition(above=200_000): _rates(long)}


def is_outdated(references: Iterable[ReferencePrices], condition: Condition, unit: str, text: str) -> bool:
    """Whether a reference source lists the rate among earlier ones."""
    return any((condition, unit, text) in reference.earlier for reference in references)
