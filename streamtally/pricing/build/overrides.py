"""Applies our own entries on top of all sources: additions and corrections, each with its source.

An entry of `data_sources/overrides.json` has `provider`; `model` (a name, a list of names, or `{"match": regular expression}` for
all models of the provider whose whole name matches); `source` (the page that states the price), `read` (what was read), `day`
(when), `checked` (false if the page itself could not be read); and any of `rows` (which win), `replace` (drop the rows of the
sources), `aliases`, `undivided`, `alike`, `defaults`, `minimum`, `maximum`, `note`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .rate_tables import Models, RawRow, condition_of, ordered

FIELDS = ("undivided", "alike", "defaults", "minimum", "maximum")


def apply_overrides(providers: dict[str, dict[str, Any]], overrides: Mapping[str, Any]) -> None:
    """Apply the overrides to the providers in place: hosts and aliases of providers, rows, aliases and whole models.

    Args:
        providers: the providers by name, each with its `models`; modified.
        overrides: the content of the override file.
    """
    for name, fields in overrides["providers"].items():
        providers.setdefault(name, {"models": {}}).update(fields)
    for entry in overrides["models"]:
        models = providers[entry["provider"]]["models"]
        for name in _matching_models(models, entry["model"]):
            _apply_entry(models, name, entry)
    for provider in providers.values():
        _drop_duplicate_aliases(provider["models"])


def _matching_models(models: Models, model: str | list[str] | dict[str, str]) -> list[str]:
    if isinstance(model, str):
        return [model]
    if isinstance(model, list):
        return model
    return [name for name in models if re.fullmatch(model["match"], name)]


def _apply_entry(models: Models, name: str, entry: Mapping[str, Any]) -> None:
    model = models.setdefault(name, {"rows": [], "source": "own"})
    if entry.get("replace"):
        model["rows"] = []
    for row in entry.get("rows", ()):
        _add_row(model["rows"], row)
    model["rows"] = ordered(model["rows"])
    if entry.get("rows") and "own" not in model["source"]:
        model["source"] = "own" if entry.get("replace") else f"{model['source']}, own"
    for alias in entry.get("aliases", ()):
        _move_alias(models, name, alias)
    model.update({key: entry[key] for key in FIELDS if key in entry})


def _add_row(rows: list[RawRow], row: RawRow) -> None:
    """Add a row that wins: merged into the rows of its condition if it has no dates and these cover all dates, else appended."""
    same = [other for other in rows if condition_of(other) == condition_of(row) and "window" not in other]
    if {"from", "to", "window"} & row.keys() or not any("from" not in other for other in same):
        rows.append(row)
        return
    for other in same:
        other["rates"] = {**other["rates"], **row["rates"]}


def _move_alias(models: Models, name: str, alias: str) -> None:
    """Give a model an alias and remove it from any other model, because moving aliases change their model."""
    low = alias.casefold()
    for other in [other for other in models if other.casefold() == low and other != name]:
        models[name].setdefault("aliases", []).extend(models.pop(other).get("aliases", ()))
    for other, model in models.items():
        if other != name and low in map(str.casefold, model.get("aliases", ())):
            model["aliases"] = [kept for kept in model["aliases"] if kept.casefold() != low]
    models[name]["aliases"] = sorted({*models[name].get("aliases", ()), alias})


def _drop_duplicate_aliases(models: Models) -> None:
    """Drop aliases that are names of models or aliases of an earlier model, so that each name means one model."""
    owners: dict[str, str] = {name.casefold(): name for name in models}
    for name, model in models.items():
        kept = [alias for alias in model.get("aliases", ()) if owners.setdefault(alias.casefold(), name) == name]
        model.pop("aliases", None)
        if kept and {alias.casefold() for alias in kept} != {name.casefold()}:
            model["aliases"] = sorted({alias for alias in kept if alias.casefold() != name.casefold()})


def unverified(overrides: Mapping[str, Any]) -> Iterator[str]:
    """A line for each override whose source page itself was not read."""
    for entry in overrides["models"]:
        if not entry.get("checked", True):
            yield f"{entry['provider']}/{entry['model']}: {entry['read']}"
