"""The fold of output items: answers whose text, calls and reasoning belong to items (or blocks) that stream side by side.

Servers leave out ID or index, repeat them for several items, and change them from event to event. A delta is routed by the first
rule that holds; an ID that several items were opened with, at different indexes, is shared and identifies none of them:

| delta has | and | it belongs to |
| --- | --- | --- |
| ID and index, not shared | it opens an item (`add`), and the item of this ID has another index | a new item; the ID is shared |
| | an item has this ID, or was opened with this call ID | that item |
| | it opens an item, and the item at this index has another ID | a new item |
| | else | as if it had no ID |
| an index, or a shared ID and an index | an item at this index, of the same type if the delta states one | that item |
| | else | a new item |
| only an ID | it opens an item, and the item of this ID is done | a new item, which has the ID from here on |
| | an item of this ID | that item |
| | else | a new item |
| neither | | the last item, or a new one if there is none |

What the `done` events and the final response carry is reconciled with what streamed, see `reconcile`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeAlias

from ...chunks import LAST, ItemDelta
from ...dialects import Item
from ...json_values import Json
from . import skeletons
from .answer import Answer, ItemsState, ItemState, PieceState
from .growing import Text
from .reconcile import fill, is_empty, reconciled

Path: TypeAlias = tuple[str | int, ...]


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
        item = items.items[_route(items, delta, opens=True)]
        item.added = answer.retention.swap(item.added, _carried(answer, delta))
    elif delta.op == "done":
        item = items.items[_route(items, delta)]
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
    path = _placed(item, delta.path) if LAST in delta.path else delta.path
    piece = item.pieces.get(path)
    if piece is None:
        piece = item.pieces[path] = PieceState()
    if delta.op in ("append", "first") or (delta.op == "text" and delta.value):
        if piece.text is None:
            piece.text = Text(answer.retention)
        repeats = piece.may_repeat and delta.op == "append" and delta.value == piece.text.value()
        piece.may_repeat = delta.op == "first" and bool(delta.value)
        if not repeats:
            (piece.text.replace if delta.op == "text" else piece.text.append)(delta.value)
    elif delta.op == "set" and answer.retention.keep and delta.value is not None:
        piece.value = answer.retention.swap(piece.value, delta.value)
    elif delta.op == "push":
        piece.listed = answer.retention.extend(piece.listed, [delta.value])


def _placed(item: ItemState, path: Path) -> Path:
    """A path with the position that `LAST` stands for: its list grows only at the end, so that is where the newest piece is."""
    at = path.index(LAST)
    names, rest = path[:at], path[at + 1 :]
    newest = next((known for known in reversed(item.pieces) if known[:at] == names and len(known) > at + 1), None)
    if newest is None:
        return (*names, 0, *rest)
    position: Any = newest[at]
    goes_on = newest[at + 1] == rest[0] and len(rest) > 1
    return (*names, position if goes_on else position + 1, *rest)


def number_at(items: ItemsState, position: int) -> int | None:
    """The number of the item at a provider's position."""
    return items.by_index.get(position + items.offset)


def _route(items: ItemsState, delta: ItemDelta, *, opens: bool = False) -> int:
    """The number of the item that a delta belongs to, by the table above."""
    number = _known(items, delta, opens=opens)
    kind = delta.value.get("type") if delta.op in ("add", "done") and not delta.path else None
    if number is None or (kind and not opens and _kind(items.items[number]) not in (None, kind)):
        number = _new_item(items, delta)
    call_id = delta.value.get("call_id") if kind and str(kind).endswith("call") else None
    if isinstance(call_id, str):
        items.by_id.setdefault(call_id, number)
    return number


def _known(items: ItemsState, delta: ItemDelta, *, opens: bool) -> int | None:
    """The number of the item that there is already."""
    there = None if delta.position is None else number_at(items, delta.position)
    if not delta.id or (delta.id in items.shared and delta.position is not None):
        return items.last if not delta.id and delta.position is None and not opens else there
    named = items.by_id.get(delta.id)
    if named is None:
        return None if opens else there
    if opens and delta.position is None and items.items[named].done is not None:
        del items.by_id[delta.id]
        return None
    index = items.items[named].index
    if opens and delta.position is not None and index not in (None, delta.position + items.offset):
        items.shared[delta.id] = None
        return there if there is not None and _is_same(items.items[there], delta) else None
    return named


def _is_same(item: ItemState, delta: ItemDelta) -> bool:
    """Whether an item was opened with the same ID as a delta: then the event came twice."""
    return bool(item.added) and (item.added or {}).get("id") == delta.id


def _new_item(items: ItemsState, delta: ItemDelta) -> int:
    number = items.last = len(items.items)
    item = ItemState()
    items.items.append(item)
    if delta.id:
        items.by_id.setdefault(delta.id, number)
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
