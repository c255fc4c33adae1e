"""The fold of output items: answers whose text, calls and reasoning belong to items (or blocks) that stream side by side.

A piece is routed by item ID, else by output index, else to the last item. What the `done` events and the final response carry is
reconciled with what streamed, see `reconcile`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from ...chunks import ItemDelta
from ...dialects import Item
from ...json_values import Json
from . import skeletons
from .answer import Answer, ItemsState, ItemState, PieceState
from .growing import Text
from .reconcile import fill, is_empty, reconciled


def fold_item(answer: Answer, delta: ItemDelta) -> None:
    """Carry out one operation upon an item."""
    if answer.items is None:
        answer.items = ItemsState()
    items = answer.items
    if delta.op == "replace":
        final = delta.value if answer.retention.keep else skeletons.of_items(delta.value)
        items.final = answer.retention.swap(items.final, list(final))
    elif delta.op == "restart":
        _restart(items, delta)
    elif delta.op == "add":
        item = items.items[_opened(items, delta)]
        item.added = answer.retention.swap(item.added, _carried(answer, delta))
    elif delta.op == "done":
        item = items.items[_route(items, delta, delta.value.get("type"))]
        item.done = answer.retention.swap(item.done, _carried(answer, delta))
    else:
        _fold_piece(answer, items.items[_route(items, delta)], delta)


def _restart(items: ItemsState, delta: ItemDelta) -> None:
    """Count positions from the end of what is there: a gateway began another response in the same stream."""
    if delta.id and delta.id != items.restarted_by:
        items.restarted_by = delta.id
        items.offset = 1 + max((item.index or 0 for item in items.items), default=-1)


def _carried(answer: Answer, delta: ItemDelta) -> dict[str, Json]:
    """The item that an event carries, or what it has at a path."""
    item: dict[str, Json] = dict(delta.value) if answer.retention.keep else skeletons.of_item(delta.value)
    for step in reversed(delta.path):
        item = {step: item}  # type: ignore[dict-item]  # a position in a list stands for a name here
    return item


def _fold_piece(answer: Answer, item: ItemState, delta: ItemDelta) -> None:
    piece = item.pieces.get(delta.path)
    if piece is None:
        piece = item.pieces[delta.path] = PieceState()
    if delta.op == "append" or (delta.op == "text" and delta.value):
        if piece.text is None:
            piece.text = Text(answer.retention)
        (piece.text.append if delta.op == "append" else piece.text.replace)(delta.value)
    elif delta.op == "set" and answer.retention.keep and delta.value is not None:
        piece.value = answer.retention.swap(piece.value, delta.value)
    elif delta.op == "push":
        piece.listed = answer.retention.extend(piece.listed, [delta.value])


def _opened(items: ItemsState, delta: ItemDelta) -> int:
    """The number of the item that an `added` event opens: a known one only if its ID is, or if it has none and its index is."""
    known = _named(items, delta)
    return _new_item(items, delta) if known is None else known


def _named(items: ItemsState, delta: ItemDelta) -> int | None:
    """The number of the item with this ID, or without an ID at this position."""
    if delta.id:
        return items.by_id.get(delta.id)
    return None if delta.position is None else number_at(items, delta.position)


def number_at(items: ItemsState, position: int) -> int | None:
    """The number of the item at a provider's position."""
    return items.by_index.get(position + items.offset)


def _route(items: ItemsState, delta: ItemDelta, kind: str | None = None) -> int:
    """The number of the item that a delta belongs to; `kind` guards against an index that names another item."""
    known = _named(items, delta) if delta.id else None
    if known is None and delta.position is not None:
        known = number_at(items, delta.position)
    if known is None and not delta.id and delta.position is None:
        known = items.last
    if known is None or (kind and _kind(items.items[known]) not in (None, kind)):
        return _new_item(items, delta)
    return known


def _new_item(items: ItemsState, delta: ItemDelta) -> int:
    number = items.last = len(items.items)
    item = ItemState()
    items.items.append(item)
    if delta.id:
        items.by_id[delta.id] = number
    if delta.position is not None:
        item.index = delta.position + items.offset
        items.by_index[item.index] = number
    return number


def _kind(item: ItemState) -> str | None:
    for event in (item.done, item.added):
        if event:
            kind: str | None = event.get("type")
            return kind
    return None


def output_items(answer: Answer, assemble: Callable[[Item], Item]) -> list[Item]:
    """All output items, in order of output index, each in the form that the dialect gives to what was assembled."""
    if answer.items is None:
        return []
    ordered = sorted(enumerate(answer.items.items), key=lambda entry: (entry[1].index or 0, entry[0]))
    return reconciled([assemble(_item(item)) for _, item in ordered], answer.items.final or [])


def _item(state: ItemState) -> Item:
    """One item: its `done` form, else its `added` form, completed by the pieces that came."""
    item: Item = copy.deepcopy(state.done or state.added or {})
    for name, value in (state.added or {}).items():
        if is_empty(item.get(name)):
            item[name] = copy.deepcopy(value)
    if state.done is None and ("status",) in state.pieces:
        item.pop("status", None)  # what `added` stated is out of date
    for path, piece in state.pieces.items():
        fill(item, list(path), _value(piece))
    return item


def _value(piece: PieceState) -> Any:
    """What came at one path: a list, a value, or a text."""
    found: Any = piece.listed or piece.value
    if found is None and piece.text is not None:
        return piece.text.value()
    return found
