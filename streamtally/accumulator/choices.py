"""The fold of answers: chat, text completion, and every dialect that speaks of choices.

All functions take the document that holds the stream; `fold_…` write one delta to it, the others read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from ..chunks import DetailDelta, FinishDelta, TextDelta, ToolCallDelta
from ..json_values import Json
from ..records import Choice, FinishReason, ToolCall
from .arguments import assembled, fold_pieces
from .document import Document

Vocabulary = Mapping[str, FinishReason | None]


def fold_text(document: Document, delta: TextDelta) -> None:
    """Append words to a choice; an empty text says only that the choice is there."""
    document.note(delta.choice, "choices")
    if delta.text:
        document.append_text(delta.text, "choice", delta.choice, delta.channel)


def fold_finish(document: Document, delta: FinishDelta) -> None:
    """Note why a choice ended; the last word wins."""
    document.note(delta.choice, "choices")
    document.put(delta.reason, "choice", delta.choice, "finish")
    document.put(delta.number, "choice", delta.choice, "finish number")


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
    """What was noted before says nothing new: some servers repeat all citations on every chunk."""
    fresh = [item for item in value if isinstance(item, Mapping) and document.retain and _is_new(document, item, choice)]
    document.push(fresh, "choice", choice, "annotations")


def _is_new(document: Document, annotation: Json, choice: int) -> bool:
    seen = ("choice", choice, "annotations seen")
    count = document.count(*seen)
    document.note(_digest(annotation), *seen)
    return document.count(*seen) > count


def _digest(value: Json) -> int:
    """What stands for a value where many are compared with each other."""
    return int.from_bytes(blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).digest())


def _fold_reasoning_details(document: Document, value: Json, choice: int) -> None:
    """One entry per (index, type): text, summary and data grow, everything else is last non-null (OpenRouter's form)."""
    for position, detail in enumerate(value):
        if not isinstance(detail, Mapping) or not document.retain:
            continue
        key = _detail_key(document, detail, position, choice)
        document.note(key, "choice", choice, "details")
        entry = document.values.setdefault(("choice", choice, "detail", key), {})
        for name, item in detail.items():
            if name in ("text", "summary", "data") and isinstance(item, str):
                document.append_text(item, "choice", choice, "detail", key, name)
                entry.setdefault(name, "")
            elif item is not None:
                entry[name] = item


def _detail_key(document: Document, detail: Mapping[str, Json], position: int, choice: int) -> str:
    """What names the entry that a detail belongs to. Without an index, another signature belongs to another entry."""
    index, signature = detail.get("index"), detail.get("signature")
    place = index if type(index) is int else position
    if type(index) is not int and signature:
        place = _signed_place(document, detail, position, choice)
    return f"{place}/{detail.get('type')}"


def _signed_place(document: Document, detail: Mapping[str, Json], position: int, choice: int) -> int:
    """The first place from `position` on whose entry has this signature, or none: noted, for a walk would be quadratic."""
    kind, signature = str(detail.get("type")), detail["signature"]
    signed, end = ("choice", choice, "signed", kind, _digest(signature)), ("choice", choice, "signed up to", kind, position)
    place = document.get(*signed)
    if place is None or place < position:
        place = document.get(*end) or position
        while (known := document.get("choice", choice, "detail", f"{place}/{kind}")) is not None:
            if known.get("signature") in (None, signature):
                break
            place += 1
        document.put(place, *signed)
        document.put(place, *end)
    return int(place)


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
        document.put(document.get(*at, "id") or delta.id, *at, "id")
        document.put(call, "choice", choice, "call of", delta.id)
    document.put(delta.name or None, *at, "name")
    document.put(delta.type or None, *at, "type")
    document.put(delta.goes_on, *at, "goes on")
    if delta.pieces:
        fold_pieces(document, delta.pieces, *at)
    if delta.extras:
        document.merge(delta.extras, *at, "extras")
    if delta.final and delta.arguments:
        document.replace_text(delta.arguments, *at, "arguments")
    elif delta.arguments:
        document.append_text(delta.arguments, *at, "arguments")


def _route(document: Document, delta: ToolCallDelta) -> int:
    """Which call a piece belongs to: an index names one, another id under the same index opens one.

    Without an index, an id or a name opens a call, and a bare piece goes on with the last.
    """
    new = document.count("choice", delta.choice, "calls")
    if delta.position is None:
        last = document.get("choice", delta.choice, "call of", delta.id) if delta.id else None
        if last is not None:
            return new if _is_another(document, delta, last) else int(last)
        last = document.get("choice", delta.choice, "last call")
        opens = bool(delta.id) or (delta.name and _is_named(document, delta.choice, last) and not _goes_on(document, delta, last))
    else:
        last = document.get("choice", delta.choice, "call at", delta.position)
        if last is not None and delta.id:
            last = _call_of_id(document, delta, last)
        opens = last is not None and not delta.id and not delta.final and _begins(delta) and _is_over(document, delta, last)
    return new if last is None or opens else int(last)


def _call_of_id(document: Document, delta: ToolCallDelta, last: int) -> int | None:
    """The call under this index with this id, or the last one there if it has no id yet."""
    at = ("choice", delta.choice, "call")
    known = document.get("choice", delta.choice, "call of", delta.id or "")
    if known is not None and document.get(*at, known, "index") == delta.position:
        return int(known)
    # Some servers give the same id to all calls, some another to each piece: then the index alone tells calls apart.
    return last if document.get(*at, last, "id") in (None, delta.id) or _is_piece(document, delta, last) else None


def _is_piece(document: Document, delta: ToolCallDelta, call: int) -> bool:
    """Whether a piece without a name goes on with the arguments of a call that has one, whatever its ID."""
    if delta.name or not _is_named(document, delta.choice, call):
        return False
    return not _is_whole(document, "choice", delta.choice, "call", call)


def _begins(delta: ToolCallDelta) -> bool:
    """Whether a piece looks like the first of a call: it has a name, and its arguments do not start in mid-object."""
    return bool(delta.name) and delta.arguments.lstrip()[:1] in ("", "{")


def _is_another(document: Document, delta: ToolCallDelta, call: int) -> bool:
    """Whether a call that is whole is said once more, under the same ID: then it is called twice."""
    is_whole_object = _begins(delta) and bool(delta.arguments.strip()) and not delta.final
    return is_whole_object and _is_whole(document, "choice", delta.choice, "call", call)


def _goes_on(document: Document, delta: ToolCallDelta, call: int) -> bool:
    """Whether a call said that more of it is to come, and a piece with a name is that."""
    at = ("choice", delta.choice, "call", call)
    return document.get(*at, "goes on") is True and document.get(*at, "name") == delta.name


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


def choices(document: Document, vocabulary: Vocabulary, *, kept: bool = True) -> tuple[Choice, ...]:
    """The answers, in order of index; `vocabulary` normalises the provider's finish reasons.

    Where content is not `kept`, a call without arguments may have had some.
    """
    return tuple(_choice(document, index, vocabulary, kept=kept) for index in sorted(document.members("choices")))


def _choice(document: Document, index: int, vocabulary: Vocabulary, *, kept: bool) -> Choice:
    at = ("choice", index)
    finish = document.get(*at, "finish")
    calls = _tool_calls(document, index, ended=finish is not None and kept)
    return Choice(
        index=index,
        role=document.get(*at, "role"),
        text=document.text(*at, "text") or "",
        reasoning=document.text(*at, "reasoning"),
        reasoning_details=tuple(_detail(document, index, key) for key in _sorted_details(document, index)),
        refusal=document.text(*at, "refusal"),
        tool_calls=calls,
        annotations=tuple(document.get(*at, "annotations") or ()),
        logprobs=_logprobs(document, index),
        finish_reason=normalised(finish, vocabulary, calls=bool(calls)),
        finish_reason_raw=finish if (number := document.get(*at, "finish number")) is None else number,
        extras=document.get(*at, "extras") or {},
    )


def normalised(finish: str | None, vocabulary: Vocabulary, *, calls: bool = False) -> FinishReason | None:
    """The provider's finish reason in our vocabulary; a word that nobody knows is a "stop".

    A word that stands for None only says that the answer is complete: what it is depends on whether it has `calls`.
    """
    if finish is None:
        return None
    return vocabulary.get(finish.lower(), "stop") or ("tool_calls" if calls else "stop")


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
    arguments = assembled(document, at) or document.text(*at, "arguments") or ""
    cut = document.get(*at, "goes on") is True or document.lost(*at, "arguments")
    return ToolCall(
        index=index,
        id=document.get(*at, "id"),
        name=document.get(*at, "name"),
        type=kind,
        extras=document.get(*at, "extras") or {},
        **arguments_of(arguments, kind, ended, lost=cut),
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
