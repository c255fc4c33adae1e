"""The fold of output items: answers whose text, calls and reasoning belong to items (or blocks) that stream side by side.

A piece is routed by item ID, else by output index, else to the last item. What the `done` events and the final response
say is reconciled with what streamed: the later word wins, but an empty one never does.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from ..chunks import ItemDelta
from ..dialects import Item
from ..json_values import Json
from .document import Document

_ADDRESSES = frozenset({"id", "type", "status", "call_id", "name", "role", "toolUseId", "tool_use_id"})
"""The fields that name an item, in any provider's words, and hold nothing of it."""

_MAX_PARTS = 4096
"""How far into a list of parts a position may point."""

_PRICED = frozenset({"container_id", "quality", "size"})
"""Fields of calls that decide what they cost; so does what an action is."""


def fold_item(document: Document, delta: ItemDelta) -> None:
    """Carry out one operation upon an item."""
    if delta.op == "replace":
        document.put_content([item if document.retain else skeleton(item) for item in delta.value], "final items")
    elif delta.op == "restart":
        _restart(document, delta)
    elif delta.op == "add":
        _merge_item(document, _opened(document, delta), delta, "added")
    elif delta.op == "done":
        _merge_item(document, _route(document, delta, delta.value.get("type")), delta, "done")
    else:
        _fold_piece(document, _route(document, delta), delta)


def _restart(document: Document, delta: ItemDelta) -> None:
    """From here on positions count from the end of what is there: a gateway began another answer in the same stream."""
    if delta.id and delta.id != document.get("items of"):
        document.put(delta.id, "items of")
        document.put(1 + max((_index(document, key) for key in document.members("items")), default=-1), "items before")


def _merge_item(document: Document, key: int, delta: ItemDelta, stage: str) -> None:
    item = delta.value if document.retain else skeleton(delta.value)
    for step in reversed(delta.path):
        item = {step: item}
    document.put_content(item, "item", key, stage)


def skeleton(item: Mapping[str, Json]) -> Json:
    """What names an item and what its price depends on, less what it holds."""
    kept = {name: value for name, value in item.items() if name in _ADDRESSES or (name in _PRICED and isinstance(value, str))}
    action = item.get("action")
    if isinstance(action, Mapping) and isinstance(action.get("type"), str):
        kept["action"] = {"type": action["type"]}
    return kept


def _fold_piece(document: Document, key: int, delta: ItemDelta) -> None:
    at = ("item", key, *delta.path)
    if delta.op == "append" and document.has_text(*at):
        document.append_text(delta.value, *at)
        return
    document.note(json.dumps(delta.path), "item", key, "paths")
    if delta.op == "append":
        document.append_text(delta.value, *at)
    elif delta.op == "text" and delta.value:
        document.replace_text(delta.value, *at)
    elif delta.op == "set":
        if document.retain:
            document.put(delta.value, *at, "value")
    elif delta.op == "push":
        document.push([delta.value], *at, "list")


def _opened(document: Document, delta: ItemDelta) -> int:
    """The key of the item that an `added` event opens: known only if its ID is, or if it has none and its index is."""
    known = _known(document, delta)
    return _new_item(document, delta) if known is None else known


def _known(document: Document, delta: ItemDelta) -> int | None:
    """The key of the item with this ID, or without one at this position."""
    if delta.id:
        key: int | None = document.get("item of", delta.id)
        return key
    return None if delta.position is None else key_at(document, delta.position)


def key_at(document: Document, position: int) -> int | None:
    """The key of the item at a provider's position."""
    key: int | None = document.get("item at", position + (document.get("items before") or 0))
    return key


def _route(document: Document, delta: ItemDelta, kind: str | None = None) -> int:
    """The key of the item that a delta belongs to; `kind` guards against an index that names another item."""
    known = _known(document, delta) if delta.id else None
    if known is None and delta.position is not None:
        known = key_at(document, delta.position)
    if known is None and not delta.id and delta.position is None:
        known = document.get("last item")
    if known is None or (kind and _kind(document, known) not in (None, kind)):
        return _new_item(document, delta)
    return known


def _new_item(document: Document, delta: ItemDelta) -> int:
    key = document.count("items")
    document.note(key, "items")
    document.put(key, "last item")
    if delta.id:
        document.put(key, "item of", delta.id)
    if delta.position is not None:
        index = delta.position + (document.get("items before") or 0)
        document.put(key, "item at", index)
        document.put(index, "item", key, "index")
    return key


def _index(document: Document, key: int) -> int:
    """Where an item stands among all."""
    return document.get("item", key, "index") or 0


def _kind(document: Document, key: int) -> str | None:
    for stage in ("done", "added"):
        if item := document.get("item", key, stage):
            kind: str | None = item.get("type")
            return kind
    return None


def items(document: Document, formed: Callable[[Item], Item]) -> list[Item]:
    """All output items, in order of output index, each in the form that the dialect gives to what was pieced together."""
    keys = sorted(document.members("items"), key=lambda key: (_index(document, key), key))
    streamed = [formed(_item(document, key)) for key in keys]
    return _reconciled(streamed, document.get("final items") or [])


def _item(document: Document, key: int) -> Item:
    """One item: its `done` form, else its `added` form, completed by the pieces that came."""
    added, done = document.get("item", key, "added"), document.get("item", key, "done")
    item: Item = copy.deepcopy(done or added or {})
    for name, value in (added or {}).items():
        if _empty(item.get(name)):
            item[name] = copy.deepcopy(value)
    paths = [json.loads(path) for path in document.members("item", key, "paths")]
    if done is None and ["status"] in paths:
        item.pop("status", None)  # what `added` said is out of date
    for path in paths:
        _place(item, path, _piece(document, ("item", key, *path)))
    return item


def _piece(document: Document, at: tuple[Any, ...]) -> Json:
    """What came at one path: a list, a value, or a text."""
    found = document.get(*at, "list") or document.get(*at, "value")
    return document.text(*at) if found is None else found


def _place(item: Item, path: list[str | int], value: Json) -> None:
    """Fill the place that `path` names, unless there is something already."""
    if not path or _empty(value):
        return
    spot: Any = item
    for step, following in pairwise(path):
        spot = _entered(spot, step, list if isinstance(following, int) else dict)
    known = _at(spot, path[-1])
    if _empty(known):
        _put(spot, path[-1], copy.deepcopy(value))
    elif isinstance(known, dict) and isinstance(value, Mapping):
        known.update({name: more for name, more in value.items() if _empty(known.get(name))})


def _entered(spot: Any, step: str | int, kind: type) -> Any:
    """What stands one step further in, made where nothing does; a thing of its own where something else does."""
    known = _at(spot, step)
    if not isinstance(known, kind):
        made = kind()
        if _empty(known):
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


def _empty(value: Json) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _reconciled(streamed: list[Item], final: list[Json]) -> list[Item]:
    """The final response's items, each completed by its streamed twin, and the streamed ones that it leaves out."""
    left = dict(enumerate(streamed))
    merged = []
    for position, item in enumerate(final):
        if not isinstance(item, Mapping):
            continue
        twin = _twin(item, position, left)
        merged.append(_completed(dict(item), left.pop(twin)) if twin is not None else dict(item))
    return merged + list(left.values())


def _twin(item: Mapping[str, Json], position: int, left: Mapping[int, Mapping[str, Json]]) -> int | None:
    """The streamed item that is meant: of the same ID, else at the same place, else the first of the same type."""
    same_id = (key for key, other in left.items() if item.get("id") and other.get("id") == item.get("id"))
    same_type = [key for key, other in left.items() if other.get("type") == item.get("type")]
    return next(same_id, position if position in same_type else next(iter(same_type), None))


def _completed(item: Json, other: Json) -> Json:
    """`item`, with what only `other` knows."""
    if isinstance(item, Mapping) and isinstance(other, Mapping):
        return {name: _completed(item.get(name), other.get(name)) for name in {**item, **other}}
    if isinstance(item, list) and isinstance(other, list):
        pairs = [_completed(mine, theirs) for mine, theirs in zip(item, other, strict=False)]
        return pairs + item[len(pairs) :] + (other[len(pairs) :] if not item else [])
    return other if _empty(item) else item
