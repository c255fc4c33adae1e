"""The fold of output items: answers whose text, calls and reasoning belong to items (or blocks) that stream side by side.

Servers leave out ID or index, repeat them for several items, and change them from event to event. A delta is routed by the first
rule that holds. "Of its kind" is an item whose type is the one that the delta implies, or is not known yet:

| the delta | and | it belongs to |
| --- | --- | --- |
| has an ID, or else a call ID, that names an item | nothing contradicts that | that item |
| has an index | an item of its kind is open there | the last one of them |
| | an item of its kind is there, and the delta has no ID of its own | the last one of them |
| | else | a new item |
| has no index | it has an ID of its own, and no item of its kind, which it states, was opened and is open | a new item |
| | an item of its kind is open | the last one of them |
| | an item of its kind is there, and the delta adds no text | the last one of them |
| | else | a new item |

An ID is a delta's own if it names no item yet. A delta contradicts an ID

- if it opens an item (`add`), and the one that is named is closed, or was opened with another type, index or call ID;
- if it closes an item (`done`) of another type;
- if type and index are both others;

and then the ID is shared: it names no item from here on. That of a closed item may be used again, for the one that is opened. An
event that opens an item belongs to one that is there already only if that was not opened before, or if it is the same event once
more: nothing that both state differs.

What the `done` events and the final response carry is reconciled with what streamed, see `reconcile`.
"""

from __future__ import annotations

import copy
from bisect import insort
from collections.abc import Mapping
from typing import Any, TypeAlias

from ...chunks import LAST, ItemDelta
from ...dialects import Item, ItemRules
from ...json_values import Json
from . import skeletons
from .answer import Answer, ItemsState, ItemState, PieceState
from .growing import Text
from .reconcile import fill, is_empty, reconciled

Path: TypeAlias = tuple[str | int, ...]

_SHARED = -1
"""In place of an item's number: several items have this ID."""

_UNKNOWN = ""
"""In place of an item's type, where it is not known yet."""

_MAX_IDS = 8
"""How many IDs of one item are remembered: some servers give each event another."""

_PLACEHOLDER = "{}"
"""What servers put where arguments are going to be."""


def fold_item(answer: Answer, delta: ItemDelta) -> None:
    """Carry out one operation upon an item."""
    if answer.items is None:
        answer.items = ItemsState()
    items = answer.items
    if delta.op == "replace":
        final = delta.value if answer.retention.keep else skeletons.of_items(delta.value)
        items.final = answer.retention.swap(items.final, list(final))
        return
    if delta.op == "restart":
        _restart(items, delta)
        return
    item = items.items[_route(items, delta)]
    if delta.op == "add":
        item.opened = True
        item.added = answer.retention.swap(item.added, _carried(answer, delta))
    elif delta.op == "done":
        item.closed = True
        item.done = answer.retention.swap(item.done, _carried(answer, delta))
    else:
        _fold_piece(answer, item, delta)


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
        _fold_words(answer, piece, piece.text, delta)
    elif delta.op == "set" and answer.retention.keep and delta.value is not None:
        piece.value = answer.retention.swap(piece.value, delta.value)
    elif delta.op == "push":
        piece.listed = answer.retention.extend(piece.listed, [delta.value])


def _fold_words(answer: Answer, piece: PieceState, text: Text, delta: ItemDelta) -> None:
    """Fold a piece of a text. While pieces repeat the text with which the item started, they may be new or not."""
    words, start = delta.value, piece.start
    if delta.op == "first":
        known = text.value()
        if not known.startswith(words):  # else the event came before, or comes late
            text.append(words)
            piece.start = answer.retention.swap(start, words) if answer.retention.keep and not known else None
        return
    if delta.op == "append" and not words:
        return
    end = piece.repeated + len(words)
    if delta.op == "append" and start is not None and start[piece.repeated : end] == words and end < len(start):
        text.append(words)
        piece.repeated = end
        return
    if start is not None:
        repeats = delta.op == "append" and start[piece.repeated :] == words
        is_placeholder = start == _PLACEHOLDER and delta.channel == "other"
        if repeats or is_placeholder:
            text.replace(start if repeats else "")
        piece.start, piece.repeated = answer.retention.swap(start, None), 0
        if repeats:
            return
    (text.replace if delta.op == "text" else text.append)(words)


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
    """The number of the last item at a provider's position."""
    return _last(items, position + items.offset, None)


def _route(items: ItemsState, delta: ItemDelta) -> int:
    """The number of the item that a delta belongs to, by the table above."""
    index = None if delta.position is None else delta.position + items.offset
    number = _named(items, delta, index)
    if number is None:
        number = _opening(items, delta, index) if delta.op == "add" else _going_on(items, delta, index)
    if number is None:
        number = len(items.items)
        items.items.append(ItemState())
        _place(items, number, None)
    _learn(items, number, delta, index)
    return number


def _named(items: ItemsState, delta: ItemDelta, index: int | None) -> int | None:
    """The item that an ID of the delta names."""
    for name, is_call in ((delta.id, False), (delta.call, True)):
        number = items.by_id.get(name, _SHARED) if name else _SHARED
        if name is None or number == _SHARED:
            continue
        item = items.items[number]
        if not _contradicts(item, delta, index, is_call=is_call):
            return number
        if delta.op == "add" and item.closed:
            del items.by_id[name]
        elif not (is_call and _differ(item.type, delta.kind)):  # the output of a call has its ID too
            items.by_id[name] = _SHARED
    return None


def _contradicts(item: ItemState, delta: ItemDelta, index: int | None, *, is_call: bool) -> bool:
    """Whether a delta cannot belong to the item that an ID of it names."""
    other_kind, other_index = _differ(item.type, delta.kind), _differ(item.index, index)
    if delta.op == "add" and item.opened:
        other_id = is_call and index is None and _differ(item.id, delta.id)
        return item.closed or other_kind or other_index or other_id or _differ(item.call, delta.call)
    return other_kind and (other_index or is_call or delta.op in ("add", "done"))


def _opening(items: ItemsState, delta: ItemDelta, index: int | None) -> int | None:
    """The open item at the index of an event that opens one: if the event comes late, or once more."""
    number = None if index is None else _last(items, index, delta.kind)
    if number is None or items.items[number].closed:
        return None
    item = items.items[number]
    another = item.opened and (_differ(item.id, delta.id) or _differ(item.call, delta.call))
    return None if another else number


def _going_on(items: ItemsState, delta: ItemDelta, index: int | None) -> int | None:
    """The item of its kind that a delta without a known ID goes on with."""
    number = _last(items, index, delta.kind)
    if number is None or _differ(items.items[number].call, delta.call):
        return None
    item = items.items[number]
    has_own_id = any(name and name not in items.by_id for name in (delta.id, delta.call))
    if item.closed:
        return None if has_own_id or (index is None and delta.op in ("append", "first", "done")) else number
    return None if has_own_id and index is None and not (item.opened and delta.kind) else number


def _last(items: ItemsState, index: int | None, kind: str | None) -> int | None:
    """The last item at an index (None: at any) and of a kind (None: of any) that is open, else the last of them."""
    keys = ((index, None),) if kind is None else ((index, kind), (index, _UNKNOWN))
    found = [number for key in keys if (number := _top(items, key)) is not None]
    return max(found, key=lambda number: (not items.items[number].closed, number), default=None)


def _top(items: ItemsState, key: tuple[int | None, str | None]) -> int | None:
    """The last open item at a place, else the last one. Closed ones are removed, so that each is looked at once."""
    numbers = items.places.get(key, [])
    closed = None
    while numbers:
        item = items.items[numbers[-1]]
        is_elsewhere = key[1] == _UNKNOWN and item.type is not None
        if not (item.closed or is_elsewhere):
            return numbers[-1]
        number = numbers.pop()
        closed = number if closed is None and not is_elsewhere else closed
    if closed is not None:
        numbers.append(closed)
    return closed


def _place(items: ItemsState, number: int, index: int | None) -> None:
    """Make an item one of those at an index."""
    for kind in (None, items.items[number].type or _UNKNOWN):
        known = items.places.setdefault((index, kind), [])
        if number not in known[-1:]:
            insort(known, number)


def _learn(items: ItemsState, number: int, delta: ItemDelta, index: int | None) -> None:
    """Remember what a delta states of the identity of its item."""
    item = items.items[number]
    if item.type is None and delta.kind:
        item.type = delta.kind
        _place(items, number, None)
        if item.index is not None:
            _place(items, number, item.index)
    if item.index is None and index is not None:
        item.index = index
        _place(items, number, index)
    item.id = item.id or delta.id
    item.call = item.call or delta.call
    for name in (delta.id, delta.call):
        if name and name not in items.by_id and item.ids < _MAX_IDS:
            items.by_id[name] = number
            item.ids += 1


def _differ(first: str | int | None, second: str | int | None) -> bool:
    """Whether both are stated, and not the same."""
    return first is not None and second is not None and first != second


def output_items(answer: Answer, rules: ItemRules) -> list[Item]:
    """All output items, in order of output index, each in the form that the dialect gives to what was assembled."""
    if answer.items is None:
        return []
    ordered = sorted(enumerate(answer.items.items), key=lambda entry: (entry[1].index or 0, entry[0]))
    found = [rules.assemble(_item(item, rules.names)) for _, item in ordered]
    announced = [item.opened or item.closed for _, item in ordered]
    return reconciled(found, announced, answer.items.final or [])


def _item(state: ItemState, names: Mapping[str, str]) -> Item:
    """One item: its `done` form, else its `added` form, completed by the pieces that came."""
    item: Item = copy.deepcopy(state.done or state.added or {})
    for name, value in (state.added or {}).items():
        if is_empty(item.get(name)):
            item[name] = copy.deepcopy(value)
    if state.done is None and ("status",) in state.pieces:
        item.pop("status", None)  # what `added` stated is out of date
    for path, piece in state.pieces.items():
        fill(item, list(path), _value(piece))
    for what, value in (("id", state.id), ("kind", state.type), ("call", state.call)):
        if value is not None and what in names and is_empty(item.get(names[what])):
            item[names[what]] = value
    return item


def _value(piece: PieceState) -> Any:
    """What came at one path: a list, a value, or a text. Of two lists the longer: some events have all that came in pieces."""
    listed, value = piece.listed, piece.value
    if listed and isinstance(value, list) and len(value) > len(listed):
        return value
    found: Any = listed or value
    if found is None and piece.text is not None:
        return piece.text.value()
    return found
