"""Lists the changes between two catalogs: models that are new, gone, or have other rates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from .rate_tables import Condition, condition_of

TENFOLD = 10


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """One line per difference of two catalogs' contents: `+` new, `-` gone, `~` changed, `!` changed tenfold or more."""
    before, after = _models(old), _models(new)
    for key in sorted(after.keys() - before.keys()):
        yield f"+ {'/'.join(key)}"
    for key in sorted(before.keys() - after.keys()):
        yield f"- {'/'.join(key)}"
    for key in sorted(before.keys() & after.keys()):
        yield from (f"{mark} {'/'.join(key)}: {text}" for mark, text in _changed(before[key], after[key]))


def _models(content: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {
        (provider, name): model for provider, entry in content["providers"].items() for name, model in entry["models"].items()
    }


Place = tuple[Condition, str | None, str, str]


def _rates(model: Mapping[str, Any]) -> dict[Place, str]:
    return {
        (condition_of(row), row.get("from"), str(row.get("window", "")), unit): text
        for row in model["rows"]
        for unit, text in row["rates"].items()
    }


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    old, new = _rates(before), _rates(after)
    for place in sorted(old.keys() | new.keys(), key=str):
        one, other = old.get(place), new.get(place)
        if one != other:
            yield _mark(one, other), f"{_words(place)} {one or 'none'} → {other or 'none'}"


def _mark(one: str | None, other: str | None) -> str:
    if not one or not other:
        return "~"
    low, high = sorted((Decimal(one), Decimal(other)))
    return "!" if high >= low * TENFOLD else "~"


def _words(place: Place) -> str:
    condition, start, window, unit = place
    when = ",".join(f"{key}={word}" for key, word in condition.when.items())
    above = f">{condition.above}" if condition.above else ""
    parts = [unit, when, above, f"from {start}" if start else "", window]
    return " ".join(text for text in parts if text)
