"""The fold of answers: chat, text completion, and every dialect that speaks of choices.

All functions take the document that holds the stream; `fold_…` write one delta to it, the others read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..chunks import DetailDelta, FinishDelta, TextDelta, ToolCallDelta
from ..jsonish import Json
from ..records import Choice, FinishReason, ToolCall
from .document import Document


def fold_text(document: Document, delta: TextDelta) -> None:
    """Append words to a choice; an empty text says only that the choice is there."""
    document.note(delta.choice, "choices")
    if delta.text:
        document.append_text(delta.text, "choice", delta.choice, delta.channel)


def fold_finish(document: Document, delta: FinishDelta) -> None:
    """Note why a choice ended; the last word wins."""
    document.note(delta.choice, "choices")
    document.put(delta.reason, "choice", delta.choice, "finish")


def fold_detail(document: Document, delta: DetailDelta) -> None:
    """Note a role, log probabilities, annotations, reasoning details, or whatever else was said of a choice."""
    document.note(delta.choice, "choices")
    _DETAILS[delta.field](document, delta.value, delta.choice)


def _fold_role(document: Document, value: Json, choice: int) -> None:
    document.put(value or None, "choice", choice, "role")


def _fold_logprobs(document: Document, value: Json, choice: int) -> None:
    """Lists grow (top level, or under their key), anything else: the last word wins."""
    for key, item in value.items() if isinstance(value, Mapping) else (("", value),):
        document.note(key, "choice", choice, "logprobs")
        if isinstance(item, list | tuple):
            document.push(list(item), "choice", choice, "logprobs", key)
        elif item is not None and document.retain:
            document.push([item], "choice", choice, "logprobs", key)


def _fold_annotations(document: Document, value: Json, choice: int) -> None:
    document.push([item for item in value if isinstance(item, Mapping)], "choice", choice, "annotations")


def _fold_reasoning_details(document: Document, value: Json, choice: int) -> None:
    """One entry per (index, type): text, summary and data grow, everything else is last non-null (OpenRouter's form)."""
    for position, detail in enumerate(value):
        if not isinstance(detail, Mapping) or not document.retain:
            continue
        index = detail.get("index")
        key = f"{index if type(index) is int else position}/{detail.get('type')}"
        document.note(key, "choice", choice, "details")
        entry = document.values.setdefault(("choice", choice, "detail", key), {})
        for name, item in detail.items():
            if name in ("text", "summary", "data") and isinstance(item, str):
                document.append_text(item, "choice", choice, "detail", key, name)
                entry.setdefault(name, "")
            elif item is not None:
                entry[name] = item


def _fold_extras(document: Document, value: Json, choice: int) -> None:
    document.merge(value, "choice", choice, "extras")


_DETAILS = {
    "role": _fold_role,
    "logprobs": _fold_logprobs,
    "annotations": _fold_annotations,
    "reasoning_details": _fold_reasoning_details,
    "extras": _fold_extras,
}


def fold_tool_call(document: Document, delta: ToolCallDelta) -> None:
    """Add a piece to the tool call that it belongs to."""
    choice = delta.choice
    document.note(choice, "choices")
    call = _route(document, delta)
    document.note(call, "choice", choice, "calls")
    document.put(call, "choice", choice, "last call")
    at = ("choice", choice, "call", call)
    if delta.position is not None:
        document.put(delta.position, *at, "index")
        document.put(call, "choice", choice, "call at", delta.position)
    if delta.id:
        document.put(delta.id, *at, "id")
        document.put(call, "choice", choice, "call of", delta.id)
    document.put(delta.name or None, *at, "name")
    document.put(delta.type or None, *at, "type")
    if delta.extras:
        document.merge(delta.extras, *at, "extras")
    if delta.arguments:
        document.append_text(delta.arguments, *at, "arguments")


def _route(document: Document, delta: ToolCallDelta) -> int:
    """Which call a piece belongs to: an index names one, another id under the same index opens one.

    Without an index, an id or a name opens a call, and a bare piece goes on with the last.
    """
    new = document.count("choice", delta.choice, "calls")
    if delta.position is None:
        last = document.get("choice", delta.choice, "call of", delta.id) if delta.id else None
        if last is not None:
            return int(last)
        last = document.get("choice", delta.choice, "last call")
        opens = bool(delta.id) or (delta.name and _is_named(document, delta.choice, last))
    else:
        last = document.get("choice", delta.choice, "call at", delta.position)
        if last is not None and delta.id:
            last = _call_of_id(document, delta, last)
        opens = last is not None and not delta.id and _begins(delta) and _is_over(document, delta, last)
    return new if last is None or opens else int(last)


def _call_of_id(document: Document, delta: ToolCallDelta, last: int) -> int | None:
    """The call under this index with this id, or the last one there if it has no id yet."""
    at = ("choice", delta.choice, "call")
    known = document.get("choice", delta.choice, "call of", delta.id or "")
    if known is not None and document.get(*at, known, "index") == delta.position:
        return int(known)
    # Some servers give the same id to all calls: then the index alone tells them apart.
    return last if document.get(*at, last, "id") in (None, delta.id) else None


def _begins(delta: ToolCallDelta) -> bool:
    """Whether a piece looks like the first of a call: it has a name, and its arguments do not start in mid-object."""
    return bool(delta.name) and delta.arguments.lstrip()[:1] in ("", "{")


def _is_named(document: Document, choice: int, call: int | None) -> bool:
    return call is not None and document.get("choice", choice, "call", call, "name") is not None


def _is_over(document: Document, delta: ToolCallDelta, call: int) -> bool:
    """Whether a name without an id begins another call: it is another name, or this call has whole arguments."""
    at = ("choice", delta.choice, "call", call)
    if not _is_named(document, delta.choice, call):
        return False
    if document.get(*at, "name") != delta.name:
        return True
    return _is_whole(document, *at)


_MARKS = re.compile(r'["{}\[\]]|\\.?', re.DOTALL)
_NEVER = -1


def _is_whole(document: Document, *call: str | int) -> bool:
    """Whether the arguments are a whole object. Each character is looked at once, however often this is asked."""
    start, depth, quoted, begun = document.get(*call, "scan") or (0, 0, False, False)
    if depth == _NEVER:
        return False
    piece = document.text_from(start, *call, "arguments")
    depth, quoted, end = _scanned(piece, depth, quoted)
    begun = begun or bool(piece.strip())
    whole = False
    if begun and not depth and not quoted:
        arguments = (document.text(*call, "arguments") or "").rstrip()
        whole = arguments.endswith("}") and _parsed(arguments) is not None
        depth = depth if whole else _NEVER  # nothing that follows makes it one
    document.put([start + end, depth, quoted, begun], *call, "scan")
    return whole


def _scanned(piece: str, depth: int, quoted: bool) -> tuple[int, bool, int]:
    """How deep a piece of JSON text ends, whether inside a string, and how much of it was read: half an escape waits."""
    for mark in _MARKS.finditer(piece):
        sign = mark[0]
        if sign == "\\":
            return depth, quoted, mark.start()
        if sign == '"':
            quoted = not quoted
        elif not quoted and len(sign) == 1:
            depth += 1 if sign in "{[" else -1
            if depth < 0:
                return _NEVER, quoted, len(piece)
    return depth, quoted, len(piece)


def finished(document: Document) -> bool:
    """Whether every choice that was seen has its finish reason."""
    choices = document.members("choices")
    return bool(choices) and all(document.get("choice", choice, "finish") is not None for choice in choices)


def choices(document: Document, vocabulary: Mapping[str, FinishReason]) -> tuple[Choice, ...]:
    """The answers, in order of index; `vocabulary` normalises the provider's finish reasons."""
    return tuple(_choice(document, index, vocabulary) for index in sorted(document.members("choices")))


def _choice(document: Document, index: int, vocabulary: Mapping[str, FinishReason]) -> Choice:
    at = ("choice", index)
    finish = document.get(*at, "finish")
    return Choice(
        index=index,
        role=document.get(*at, "role"),
        text=document.text(*at, "text") or "",
        reasoning=document.text(*at, "reasoning"),
        reasoning_details=tuple(_detail(document, index, key) for key in _sorted_details(document, index)),
        refusal=document.text(*at, "refusal"),
        tool_calls=_tool_calls(document, index, ended=finish is not None),
        annotations=tuple(document.get(*at, "annotations") or ()),
        logprobs=_logprobs(document, index),
        finish_reason=normalised(finish, vocabulary),
        finish_reason_raw=finish,
        extras=document.get(*at, "extras") or {},
    )


def normalised(finish: str | None, vocabulary: Mapping[str, FinishReason]) -> FinishReason | None:
    """The provider's finish reason in our vocabulary; a word that nobody knows is a "stop"."""
    return None if finish is None else vocabulary.get(finish.lower(), "stop")


def _sorted_details(document: Document, choice: int) -> list[str]:
    return sorted(document.members("choice", choice, "details"), key=lambda key: int(key.split("/")[0]))


def _detail(document: Document, choice: int, key: str) -> dict[str, Any]:
    at = ("choice", choice, "detail", key)
    entry = document.get(*at)
    return {name: document.text(*at, name) if document.has_text(*at, name) else value for name, value in entry.items()}


def _logprobs(document: Document, choice: int) -> Json:
    keys = document.members("choice", choice, "logprobs")
    found = {key: document.get("choice", choice, "logprobs", key) for key in keys}
    told = bool(keys) if document.retain else any(item is not None for item in found.values())
    return found.get("", found) if told else None


def _tool_calls(document: Document, choice: int, *, ended: bool) -> tuple[ToolCall, ...]:
    calls = document.members("choice", choice, "calls")
    places = {call: document.get("choice", choice, "call", call, "index") for call in calls}
    ordered = sorted(calls, key=lambda call: (call if places[call] is None else places[call], call))
    return tuple(tool_call(document, ("choice", choice, "call", call), index, ended) for index, call in enumerate(ordered))


def tool_call(document: Document, at: tuple[str | int, ...], index: int, ended: bool) -> ToolCall:
    """One call whose parts lie under the address `at`; with `ended`, no arguments at all are whole ones."""
    kind = document.get(*at, "type") or "function"
    arguments = document.text(*at, "arguments") or ""
    return ToolCall(
        index=index,
        id=document.get(*at, "id"),
        name=document.get(*at, "name"),
        type=kind,
        extras=document.get(*at, "extras") or {},
        **arguments_of(arguments, kind, ended, lost=document.lost(*at, "arguments")),
    )


def arguments_of(arguments: str, kind: str, ended: bool, *, lost: bool = False) -> dict[str, Any]:
    """The fields of a `ToolCall` that follow from its raw arguments; with `lost`, some of them were not kept."""
    if lost:
        return {"arguments": arguments, "complete": False}
    if kind == "custom":
        return {"arguments": arguments, "complete": ended}
    parsed = _parsed(arguments) if arguments.strip() else ({} if ended else None)
    return {"arguments": arguments, "arguments_json": parsed, "complete": parsed is not None}


def _parsed(arguments: str) -> Json:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return None
