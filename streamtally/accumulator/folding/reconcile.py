"""Reconciles what came of an output item more than once: the later value wins, but an empty one never does."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ...dialects import Item
from ...json_values import Json

_MAX_PARTS = 4096
"""How far into a list of parts a position may point."""


def is_empty(value: Json) -> bool:
    """Whether a value is null, or an empty text, list or object."""
    return value is None or value == "" or value == [] or value == {}


def fill(item: Item, path: list[str | int], value: Json) -> None:
    """Put a value in the place that `path` names, unless there is something already."""
    if not path or is_empty(value):
        return
    spot: Any = item
    for step, following in pairwise(path):
        spot = _entered(spot, step, list if isinstance(following, int) else dict)
    known = _at(spot, path[-1])
    if is_empty(known):
        _put(spot, path[-1], copy.deepcopy(value))
    elif isinstance(known, dict) and isinstance(value, Mapping):
        known.update({name: more for name, more in value.items() if is_empty(known.get(name))})


def _entered(spot: Any, step: str | int, kind: type) -> Any:
    """What is one step further in, made where nothing is; a new value of its own where something of another kind is."""
    known = _at(spot, step)
    if not isinstance(known, kind):
        made = kind()
        if is_empty(known):
            _put(spot, step, made)
        known = made
    return known


def _at(spot: Any, step: str | int) -> Json:
    if isinstance(spot, dict):
        return spot.get(step)
    return spot[step] if isinstance(step, int) and step < len(spot) else None


def _put(spot: Any, step: str | int, value: Json) -> None:
    if isinstance(spot, dict):
        spot[step] = value
    elif isinstance(step, int) and step < _MAX_PARTS:
        spot.extend(type(value)() for _ in range(len(spot), step + 1))
        spot[step] = value


def reconciled(streamed: list[Item], final: list[Json]) -> list[Item]:
    """The final response's items, each completed by the same item as streamed, and the streamed ones that it leaves out."""
    left = dict(enumerate(streamed))
    merged = []
    for position, item in enumerate(final):
        if not isinstance(item, Mapping):
            continue
        found = _matching(item, position, left)
        merged.append(_completed(dict(item), left.pop(found)) if found is not None else dict(item))
    return merged + list(left.values())


def _matching(item: Mapping[str, Json], position: int, left: Mapping[int, Mapping[str, Json]]) -> int | None:
    """The streamed item that is meant: of the same ID, else at the same place, else the first of the same type."""
    same_id = (key for key, other in left.items() if item.get("id") and other.get("id") == item.get("id"))
    same_type = [key for key, other in left.items() if other.get("type") == item.get("type")]
    return next(same_id, position if position in same_type else next(iter(same_type), None))


def _completed(item: Json, other: Json) -> Json:
    """`item`, with what only `other` has."""
    if isinstance(item, Mapping) and isinstance(other, Mapping):
        return {name: _completed(item.get(name), other.get(name)) for name in {**item, **other}}
    if isinstance(item, list) and isinstance(other, list):
        pairs = [_completed(mine, theirs) for mine, theirs in zip(item, other, strict=False)]
        return pairs + item[len(pairs) :] + (other[len(pairs) :] if not item else [])
    return other if is_empty(item) else item
