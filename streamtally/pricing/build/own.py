"""Our own entries, put over all sources: what they lack or have wrong, each with its source.

An entry of `data_sources/overrides.json`: `provider`; `model` (a name, several, or `{"match": regular expression}` for
all models of the provider whose whole name it matches); `source` (the page that states it), `read` (what was read),
`day` (when), `checked` (false where the page itself could not be read); and any of `rows` (which win), `replace` (the
sources' rows are dropped), `aliases`, `undivided`, `defaults`, `minimum`, `maximum`, `note`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .sheets import Models, RawRow, condition_of, ordered

FIELDS = ("undivided", "defaults", "minimum", "maximum")


def apply(providers: dict[str, dict[str, Any]], overrides: Mapping[str, Any]) -> None:
    """Put the entries over the providers' models: hosts and names, rows that win, whole models.

    Args:
        providers: by name, each with its `models`; changed.
        overrides: the content of the file.
    """
    for name, fields in overrides["providers"].items():
        providers.setdefault(name, {"models": {}}).update(fields)
    for entry in overrides["models"]:
        models = providers[entry["provider"]]["models"]
        for name in _meant(models, entry["model"]):
            _apply(models, name, entry)
    for provider in providers.values():
        _settle_aliases(provider["models"])


def _meant(models: Models, model: str | list[str] | dict[str, str]) -> list[str]:
    if isinstance(model, str):
        return [model]
    if isinstance(model, list):
        return model
    return [name for name in models if re.fullmatch(model["match"], name)]


def _apply(models: Models, name: str, entry: Mapping[str, Any]) -> None:
    model = models.setdefault(name, {"rows": [], "source": "own"})
    if entry.get("replace"):
        model["rows"] = []
    for row in entry.get("rows", ()):
        _put(model["rows"], row)
    model["rows"] = ordered(model["rows"])
    if entry.get("rows") and "own" not in model["source"]:
        model["source"] = "own" if entry.get("replace") else f"{model['source']}, own"
    for alias in entry.get("aliases", ()):
        _claim(models, name, alias)
    model.update({key: entry[key] for key in FIELDS if key in entry})


def _put(rows: list[RawRow], row: RawRow) -> None:
    """Add a row that wins: into the rows of its condition, where it has no dates of its own and they have all days."""
    same = [other for other in rows if condition_of(other) == condition_of(row) and "window" not in other]
    if {"from", "to", "window"} & row.keys() or not any("from" not in other for other in same):
        rows.append(row)
        return
    for other in same:
        other["rates"] = {**other["rates"], **row["rates"]}


def _claim(models: Models, name: str, alias: str) -> None:
    """Give a model a name, which whoever had it loses: a moving alias has moved."""
    low = alias.casefold()
    for other in [other for other in models if other.casefold() == low and other != name]:
        models[name].setdefault("aliases", []).extend(models.pop(other).get("aliases", ()))
    for other, model in models.items():
        if other != name and low in map(str.casefold, model.get("aliases", ())):
            model["aliases"] = [kept for kept in model["aliases"] if kept.casefold() != low]
    models[name]["aliases"] = sorted({*models[name].get("aliases", ()), alias})


def _settle_aliases(models: Models) -> None:
    """Drop the aliases that are models of their own; one alias must not mean two models."""
    owners: dict[str, str] = {name.casefold(): name for name in models}
    for name, model in models.items():
        kept = [alias for alias in model.get("aliases", ()) if owners.setdefault(alias.casefold(), name) == name]
        model.pop("aliases", None)
        if kept and {alias.casefold() for alias in kept} != {name.casefold()}:
            model["aliases"] = sorted({alias for alias in kept if alias.casefold() != name.casefold()})


def unchecked(overrides: Mapping[str, Any]) -> Iterator[str]:
    """The entries whose page was not read itself."""
    for entry in overrides["models"]:
        if not entry.get("checked", True):
            yield f"{entry['provider']}/{entry['model']}: {entry['read']}"
