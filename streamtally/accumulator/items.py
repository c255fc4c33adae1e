"""The fold of output items: the Responses API, where text, calls and reasoning belong to items that stream side by side.

A piece is routed by item ID, else by output index, else to the last item. What the `done` events and the final response
say is reconciled with what streamed: the later word wins, but an empty one never does.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import ItemDelta
from ..jsonish import Json
from ..records import Choice, FinishReason, ToolCall
from .choices import arguments_of, normalised
from .document import Document

_KIND_OF_FIELD = {
    "arguments": "function_call",
    "input": "custom_tool_call",
    "code": "code_interpreter_call",
    "summary": "reasoning",
    "reasoning_text": "reasoning",
}
"""What an item must be whose pieces came without its `added` event, by the field that they went to."""

_CALLS = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
"""Item types that call the caller's own tools: the `ToolCall` type, and the field with the arguments."""


def fold_item(document: Document, delta: ItemDelta) -> None:
    """Carry out one operation upon an item."""
    if delta.op == "replace":
        document.put_content([item if document.retain else _skeleton(item) for item in delta.value], "final items")
    elif delta.op == "add":
        _merge_item(document, _opened(document, delta), delta.value, "added")
    elif delta.op == "done":
        _merge_item(document, _route(document, delta, delta.value.get("type")), delta.value, "done")
    else:
        _fold_piece(document, _route(document, delta), delta)


def _merge_item(document: Document, key: int, item: Json, stage: str) -> None:
    document.put_content(item if document.retain else _skeleton(item), "item", key, stage)


def _skeleton(item: Mapping[str, Json]) -> Json:
    """What names an item, less what it holds."""
    return {name: item[name] for name in ("id", "type", "status", "call_id", "name", "role") if name in item}


def _fold_piece(document: Document, key: int, delta: ItemDelta) -> None:
    at = ("item", key, *delta.path)
    document.note("/".join(map(str, delta.path)), "item", key, "paths")
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
        key = document.get("item of", delta.id)
    else:
        key = None if delta.position is None else document.get("item at", delta.position)
    return None if key is None else int(key)


def _route(document: Document, delta: ItemDelta, kind: str | None = None) -> int:
    """The key of the item that a delta belongs to; `kind` guards against an index that names another item."""
    known = _known(document, delta) if delta.id else None
    if known is None and delta.position is not None:
        known = document.get("item at", delta.position)
    if known is None and not delta.id and delta.position is None:
        known = document.get("last item")
    if known is None or (kind and _kind(document, known) not in (None, kind)):
        return _new_item(document, delta)
    return int(known)


def _new_item(document: Document, delta: ItemDelta) -> int:
    key = document.count("items")
    document.note(key, "items")
    document.put(key, "last item")
    if delta.id:
        document.put(key, "item of", delta.id)
    if delta.position is not None:
        document.put(key, "item at", delta.position)
        document.put(delta.position, "item", key, "index")
    return key


def _kind(document: Document, key: int) -> str | None:
    for stage in ("done", "added"):
        if item := document.get("item", key, stage):
            kind: str | None = item.get("type")
            return kind
    return None


def items(document: Document) -> list[dict[str, Json]]:
    """All output items in the provider's shape, in order of output index."""
    keys = sorted(document.members("items"), key=lambda key: (document.get("item", key, "index") or 0, key))
    streamed = [_item(document, key) for key in keys]
    return _reconciled(streamed, document.get("final items") or [])


def _item(document: Document, key: int) -> dict[str, Json]:
    """One item: its `done` form, else its `added` form, completed by the pieces that came."""
    added, done = document.get("item", key, "added"), document.get("item", key, "done")
    item: dict[str, Json] = copy.deepcopy(done or added or {})
    for name, value in (added or {}).items():
        if _empty(item.get(name)):
            item[name] = copy.deepcopy(value)
    paths = document.members("item", key, "paths")
    if done is None and "status" in paths:
        item.pop("status", None)  # what `added` said is out of date
    for joined in paths:
        path = tuple(int(step) if step.isdecimal() else step for step in joined.split("/"))
        _place(item, path, _piece(document, ("item", key, *path)))
    item.setdefault("type", "message")
    return item


def _piece(document: Document, at: tuple[Any, ...]) -> Json:
    """What came at one path: a list, a value, or a text."""
    found = document.get(*at, "list") or document.get(*at, "value")
    return document.text(*at) if found is None else found


def _place(item: dict[str, Json], path: tuple[Any, ...], value: Json) -> None:
    """Fill the place that `path` names, unless the item has something there already."""
    if _empty(value):
        return
    if path != ("type",):
        item.setdefault("type", next((kind for name, kind in _KIND_OF_FIELD.items() if name in path), "message"))
    if len(path) == 1:
        _fill(item, {path[0]: value})
    elif path[0] == "commands":
        _place_command(item, path[1], value)
    elif len(path) == 2:
        _fill(_part(item, path[0], path[1]), value if isinstance(value, Mapping) else {})
    else:
        _fill(_part(item, path[0], path[1]), _leaf(path[2], value))


def _fill(fields: dict[str, Json], more: Mapping[str, Json]) -> None:
    """Add what is not there yet."""
    fields.update({name: value for name, value in more.items() if _empty(fields.get(name))})


def _leaf(name: str, value: Json) -> dict[str, Json]:
    """A value that belongs to a part, with the type of the part where the value's name tells it."""
    if name in ("output_text", "reasoning_text", "summary_text"):
        return {"type": name, "text": value}
    return {"type": name, name: value} if name == "refusal" else {name: value}


def _place_command(item: dict[str, Json], position: int, command: Json) -> None:
    """Fill the place of one command of a shell call: its action holds them as a list of texts."""
    action = item["action"] if isinstance(item.get("action"), dict) else {}
    commands = list(action["commands"]) if isinstance(action.get("commands"), list) else []
    commands += [""] * (min(position, 4096) + 1 - len(commands))
    commands[min(position, 4096)] = commands[min(position, 4096)] or command
    item["action"] = {**action, "commands": commands}


def _part(item: dict[str, Json], field: str, position: int) -> dict[str, Json]:
    """The part at `position` of a list field, made where it is not there."""
    if not isinstance(item.get(field), list):
        item[field] = []
    parts: list[Json] = item[field]
    while len(parts) <= min(position, 4096):
        parts.append({})
    part = parts[min(position, 4096)]
    return part if isinstance(part, dict) else {}


def _empty(value: Json) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _reconciled(streamed: list[dict[str, Json]], final: list[Json]) -> list[dict[str, Json]]:
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


def item_choice(
    found: list[dict[str, Json]], finish: str | None, vocabulary: Mapping[str, FinishReason], *, kept: bool = True
) -> Choice | None:
    """The answer that the items make together: their words, reasoning, refusal and calls; None where there is nothing.

    Where content is not `kept`, a call without arguments may have had some.
    """
    if not found and finish is None:
        return None
    calls = tuple(_tool_calls(found, ended=finish is not None, kept=kept))
    reason = normalised(finish, vocabulary)
    summary, reasoning = _joined(found, "summary", "summary_text"), _joined(found, "content", "reasoning_text")
    return Choice(
        role=next((item["role"] for item in found if isinstance(item.get("role"), str)), None),
        text=_joined(found, "content", "output_text") or "",
        reasoning=summary or reasoning,
        refusal=_joined(found, "content", "refusal"),
        tool_calls=calls,
        annotations=tuple(_annotations(found)),
        logprobs=_logprobs(found),
        finish_reason="tool_calls" if reason == "stop" and calls else reason,
        finish_reason_raw=finish,
    )


def _parts(found: list[dict[str, Json]], field: str, kind: str) -> Iterator[dict[str, Json]]:
    for item in found:
        parts = item.get(field)
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and part.get("type", kind) == kind:
                yield part


def _joined(found: list[dict[str, Json]], field: str, kind: str) -> str | None:
    leaf = "refusal" if kind == "refusal" else "text"
    texts = [part[leaf] for part in _parts(found, field, kind) if isinstance(part.get(leaf), str)]
    return "".join(texts) if texts else None


def _annotations(found: list[dict[str, Json]]) -> Iterator[dict[str, Json]]:
    for part in _parts(found, "content", "output_text"):
        notes = part.get("annotations")
        yield from (note for note in notes if isinstance(note, dict)) if isinstance(notes, list) else ()


def _logprobs(found: list[dict[str, Json]]) -> Json:
    lists = [part["logprobs"] for part in _parts(found, "content", "output_text") if isinstance(part.get("logprobs"), list)]
    return {"content": [entry for entries in lists for entry in entries]} if any(lists) else None


def _tool_calls(found: list[dict[str, Json]], *, ended: bool, kept: bool) -> Iterator[ToolCall]:
    calls = [item for item in found if _text(item.get("type")) in _CALLS]
    for index, item in enumerate(calls):
        kind, field = _CALLS[item["type"]]
        arguments = _text(item.get(field)) or ""
        yield ToolCall(
            index=index,
            id=_text(item.get("call_id")) or _text(item.get("id")),
            name=_text(item.get("name")),
            type=kind,
            **arguments_of(arguments, kind, ended, lost=not kept and not arguments),
        )


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
