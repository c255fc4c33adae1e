"""Two further sources of the makers' token prices, asked only to tell who is right: model-prices and models.dev.

Each says, by provider and name, the standard rates of today, and those that it held earlier: a witness that says what
was right once is late, not of another opinion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .sheets import Condition, Rates, Sheets, text_of

MODEL_PRICES = {
    "openai": "openai", "anthropic": "anthropic", "google": "google", "mistral": "mistral", "deepseek": "deepseek",
    "xai": "x-ai", "cohere": "cohere", "moonshotai": "moonshotai", "minimax": "minimax", "zai": "zai",
    "perplexity": "perplexity", "meta": "meta", "alibaba": "alibaba",
}  # fmt: skip
MODELS_DEV = {key: name for key, name in MODEL_PRICES.items() if key != "meta"}
"""The providers of either source that are makers of models in the catalog."""

UNITS_OF = {
    "input": "input", "output": "output", "cache_read": "cache_read", "cache_write": "cache_write",
    "input_audio": "input_audio", "output_audio": "output_audio", "reasoning": "reasoning",
}  # fmt: skip
MODES = {"standard": "", "batch": "batch", "fast": "fast"}


@dataclass(frozen=True, slots=True)
class Statement:
    """What one source says of one model: its rates now, and every rate that it held before, by condition and unit."""

    sheets: Sheets
    earlier: frozenset[tuple[Condition, str, str]] = frozenset()


Witness = Mapping[tuple[str, str], Statement]
"""By provider and case-folded name."""


def _rates(stated: Mapping[str, Any]) -> Rates:
    return {unit: text_of(Decimal(repr(stated[key]))) for key, unit in UNITS_OF.items() if stated.get(key)}


def _sheets(stated: Mapping[str, Any], tier: str, above: str) -> Sheets:
    found = {Condition(tier=tier): _rates(stated)}
    for step in stated.get("tiers") or ():
        limit = step.get(above) or step.get("tier", {}).get("size")
        if limit:
            found[Condition(tier=tier, above=int(limit))] = _rates(step)
    return {condition: rates for condition, rates in found.items() if rates}


def model_prices(source: Mapping[str, Any]) -> Witness:
    """The timelines of model-prices: the last interval is what holds now.

    Models whose price depends on the hour are left out: the source keeps their hours elsewhere.
    """
    scheduled = {item["provider"] for item in source["schedules"]["schedule"]}
    found: dict[tuple[str, str], Statement] = {}
    for key, provider in MODEL_PRICES.items():
        if key in scheduled:
            continue
        for name, modes in source["prices"].get(key, {}).items():
            found[provider, name.casefold()] = _timeline(modes)
    return found


def _timeline(modes: Mapping[str, Any]) -> Statement:
    now: Sheets = {}
    earlier: set[tuple[Condition, str, str]] = set()
    for mode, tier in MODES.items():
        intervals = [item["rates"] for item in modes.get(mode, ()) if item["rates"]]
        if intervals:
            now |= _sheets(intervals[-1], tier, "above")
        for stated in intervals[:-1]:
            earlier |= set(_flat(_sheets(stated, tier, "above")))
    return Statement(now, frozenset(earlier) - set(_flat(now)))


def _flat(sheets: Sheets) -> Iterator[tuple[Condition, str, str]]:
    return ((condition, unit, text) for condition, rates in sheets.items() for unit, text in rates.items())


def models_dev(source: Mapping[str, Any]) -> Witness:
    """The prices of models.dev: one set per model, and its context lengths."""
    found: dict[tuple[str, str], Statement] = {}
    for key, provider in MODELS_DEV.items():
        for name, model in source.get(key, {}).get("models", {}).items():
            if cost := model.get("cost"):
                found[provider, name.casefold()] = Statement(_models_dev(cost))
    return found


def _models_dev(cost: Mapping[str, Any]) -> Sheets:
    """Where the true limit is given, the older field for 200,000 tokens only repeats it."""
    sheets = _sheets(cost, "", "size")
    long = cost.get("context_over_200k")
    return sheets if cost.get("tiers") or not long else {**sheets, Condition(above=200_000): _rates(long)}


def outdated(witnesses: Iterable[Statement], condition: Condition, unit: str, text: str) -> bool:
    """Whether some witness knows the rate as one that held earlier."""
    return any((condition, unit, text) in witness.earlier for witness in witnesses)
