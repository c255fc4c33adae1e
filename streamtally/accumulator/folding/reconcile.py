"""Reconciles what came of an output item more than once: the later value wins, but an empty one never does."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from ...dialects import Item
from ...json_readers import name_of
from ...json_values import Json

_MAX_PARTS = 4096
"""How far into a list of parts a position may point."""

_MAX_CHECKED = 64
"""How many items that the final response leaves out are looked for in others: each is compared with all texts there."""

LOGPROBS = "logprobs"
"""The field of log probabilities: some providers round them in the whole item, so as many that streamed are more exact."""

_DESCRIBING = frozenset({"id", "type", "status", "role", "call_id", "name"})
"""The fields of an item that are no words of the model."""


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
    if is_empty(known) or (path[-1] == LOGPROBS and isinstance(known, list) and len(value) >= len(known)):
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


def reconciled(streamed: list[Item], announced: list[bool], final: list[Json]) -> list[Item]:
    """The final response's items, each completed by the same item as streamed, and the streamed ones that it leaves out.

    A streamed item that no event announced may be made of pieces that belong to another: it is left out if the final ones of its
    type have its words.
    """
    whole = [dict(item) for item in final if isinstance(item, Mapping)]
    partners = _partners(whole, streamed)
    merged: list[Item] = []
    taken = set(partners.values())
    left = deque(number for number in range(len(streamed)) if number not in taken)
    if len(left) <= _MAX_CHECKED:
        left = deque(number for number in left if announced[number] or not _is_repeated(streamed[number], whole))
    for position, item in enumerate(whole):
        partner = partners.get(position)
        if partner is None:
            merged.append(item)
            continue
        while left and left[0] < partner:
            merged.append(streamed[left.popleft()])
        merged.append(_completed(item, streamed[partner]))
    return merged + [streamed[number] for number in left]


def _partners(final: list[Item], streamed: list[Item]) -> dict[int, int]:
    """The streamed item that each of the final ones is, by position: of the same ID, of the same call, at the same place with the
    same type, or the first one of that type."""
    found: dict[int, int] = {}
    free = dict.fromkeys(range(len(streamed)))
    for name in ("id", "call_id"):
        numbers = {(name_of(item.get(name)), _type(item)): number for number, item in enumerate(streamed)}
        for position, item in enumerate(final):
            number = numbers.get((name_of(item.get(name)), _type(item)), -1) if name_of(item.get(name)) else -1
            if position not in found and number in free:
                found[position] = number
                del free[number]
    by_type: dict[str | None, dict[int, None]] = {}
    for number in free:
        by_type.setdefault(_type(streamed[number]), {})[number] = None
    for position, item in enumerate(final):
        same = by_type.get(_type(item))
        if position not in found and same:
            found[position] = position if position in same else next(iter(same))
            del same[found[position]]
    return found


def _type(item: Item) -> str | None:
    return name_of(item.get("type"))


def _is_repeated(item: Item, final: list[Item]) -> bool:
    """Whether final items of the same type have all texts of an item."""
    same = [other for other in final if _type(other) == _type(item)]
    texts = [text for other in same for text in _texts(other)]
    return bool(same) and all(any(text in other for other in texts) for text in _texts(item))


def _texts(value: Json, name: str = "") -> Iterator[str]:
    """The texts in a value, without those that identify or describe it."""
    if isinstance(value, str):
        if name not in _DESCRIBING:
            yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)


def _completed(item: Json, other: Json, name: str = "") -> Json:
    """`item`, with what only `other`, the same as streamed, has."""
    if isinstance(item, Mapping) and isinstance(other, Mapping):
        return {name: _completed(item.get(name), other.get(name), name) for name in {**item, **other}}
    if isinstance(item, list) and isinstance(other, list):
        if name == LOGPROBS and len(other) >= len(item):
            return other
        pairs = [_completed(mine, theirs) for mine, theirs in zip(item, other, strict=False)]
        return pairs + item[len(pairs) :] + (other[len(pairs) :] if not item else [])
    return other if is_empty(item) else item
