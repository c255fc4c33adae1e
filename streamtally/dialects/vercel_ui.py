"""`vercel.ui`: the UI message stream of Vercel's AI SDK; an answer is a message whose parts stream by ID.

Terminal rule: `finish`, or `abort`; steps are calls of the model inside one message. `[DONE]` follows.
Usage rule: the protocol has no report; an application may put the SDK's usage into the message's metadata, where it is read.

The parts of the message are `output_items`, in the form that the SDK gives them in a `UIMessage`. The server of the stream is an
application: what model it asked, and of which provider, only its metadata may state.

Source: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..chunks import AudioDelta, Channel, Chunk, Delta, DetailDelta, FinishDelta, ImageDelta, ItemDelta, TextDelta, ToolCallDelta
from ..json_readers import count_of, data_url, json_text, mapping_of, name_of, parsed_json, text_of, unnamed
from ..json_values import Json, json_value
from ..records import StreamType
from .base import Dialect, Item, ItemRules, Vocabulary
from .openai_common import FINISH_REASONS, error_fields, unknown_event

_WORDS: Vocabulary = {**FINISH_REASONS, "stop": "stop", "finish": None, "abort": "cancelled"}
"""The SDK's finish reasons, and the types of the events that end a message without one."""

_CHANNELS: Mapping[str, Channel] = {"text": "text", "reasoning": "reasoning"}

_STATES: Mapping[str, str] = {
    "tool-input-start": "input-streaming",
    "tool-input-delta": "input-streaming",
    "tool-input-available": "input-available",
    "tool-input-error": "output-error",
    "tool-approval-request": "approval-requested",
    "tool-output-available": "output-available",
    "tool-output-error": "output-error",
    "tool-output-denied": "output-denied",
}
"""The events about a tool call: the state in which each puts its part."""

_CALL_FIELDS = frozenset(
    {"type", "toolCallId", "toolName", "state", "input", "output", "errorText", "partial_input", "inputEncoding", "approval"}
)
_SOURCES = ("source-url", "source-document")
_USAGE = ("inputTokens", "outputTokens", "totalTokens", "promptTokens", "completionTokens")
"""Names that a usage report of the SDK has, the last two before its version 5."""


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One part of the stream."""
    kind = text_of(payload.get("type"))
    family, _, stage = kind.rpartition("-")
    if family in _CHANNELS and stage in ("start", "delta", "end"):
        return Chunk(tuple(_text(payload, family, stage)))
    if kind in _STATES:
        return Chunk(tuple(_tool(payload, kind)))
    if kind in _EVENTS:
        return _EVENTS[kind](payload)
    if kind.startswith("data-"):
        return _data(payload, kind)
    if kind == "error":
        return Chunk(error={**error_fields(payload), "type": None, "message": _message(payload)})
    return unknown_event(kind, payload)


def _message(payload: Mapping[str, Any]) -> str | None:
    return name_of(payload.get("errorText")) or name_of(payload.get("error"))


def _text(payload: Mapping[str, Any], family: str, stage: str) -> Iterator[Delta]:
    """The beginning, a piece, or the end of a part of words. IDs may come again, also for the other kind of words."""
    part_id = f"{family} {name_of(payload.get('id'))}"
    if stage == "delta":
        yield ItemDelta("append", part_id, None, (family,), text_of(payload.get("delta")), _CHANNELS[family])
    fields = {"type": family, **({"state": "done"} if stage == "end" else {})}
    if metadata := payload.get("providerMetadata"):
        yield ItemDelta("set", part_id, None, ("providerMetadata",), json_value(metadata))
    if stage == "start":
        yield ItemDelta("add", part_id, None, (), fields)
    elif stage == "end":
        yield ItemDelta("done", part_id, None, (), fields)


def _tool(payload: Mapping[str, Any], kind: str) -> Iterator[Delta]:
    """An event about a tool call. Its input may come in pieces, as a whole, or both."""
    call_id = name_of(payload.get("toolCallId"))
    fields = unnamed(payload, frozenset({"type", "toolCallId", "inputTextDelta", "approvalId", "dynamic"}))
    if name := name_of(payload.get("toolName")):
        fields["type"] = "dynamic-tool" if payload.get("dynamic") is True else f"tool-{name}"
    if kind == "tool-approval-request":
        fields = {"approval": {"id": payload.get("approvalId"), **fields}}
    for field, value in {"toolCallId": call_id, **fields}.items():
        yield ItemDelta("set", call_id, None, (field,), value, "other" if field in ("toolName", "input") else None)
    if kind == "tool-input-delta":
        yield ItemDelta("append", call_id, None, ("partial_input",), text_of(payload.get("inputTextDelta")), "other")
    yield ItemDelta("set", call_id, None, ("state",), _STATES[kind])


def _start(payload: Mapping[str, Any]) -> Chunk:
    found = _with_metadata(payload)
    return found._replace(meta={**found.meta, "response_id": name_of(payload.get("messageId"))}, starts=True)


def _finish(payload: Mapping[str, Any]) -> Chunk:
    reason = name_of(payload.get("finishReason")) or "finish"
    return _with_metadata(payload)._replace(deltas=(FinishDelta(reason),), terminal=True)


def _abort(payload: Mapping[str, Any]) -> Chunk:
    reason = name_of(payload.get("reason"))
    details = (DetailDelta("extras", {"reason": reason}),) if reason else ()
    return Chunk((FinishDelta("abort"), *details), terminal=True)


def _with_metadata(payload: Mapping[str, Any]) -> Chunk:
    """What the application states of the message: anything, of which the model and the usage are known by their names."""
    metadata = payload.get("messageMetadata")
    if metadata is None:
        return Chunk()
    fields = mapping_of(metadata)
    reports = (fields.get("usage"), fields.get("totalUsage"), fields)
    report = next((each for each in reports if isinstance(each, Mapping) and any(name in each for name in _USAGE)), None)
    return Chunk(
        meta={"model": name_of(fields.get("model")) or name_of(fields.get("modelId"))},
        extras={"metadata": json_value(metadata)},
        usage=None if report is None else {name: json_value(report[name]) for name in _REPORT if report.get(name) is not None},
    )


_REPORT = (*_USAGE, "reasoningTokens", "cachedInputTokens", "inputTokenDetails", "outputTokenDetails")


def _part(payload: Mapping[str, Any]) -> Chunk:
    """A part that is whole: a source, or the beginning of a step."""
    kind = text_of(payload.get("type"))
    fields = {"type": "step-start"} if kind == "start-step" else json_value(dict(payload))
    source = name_of(payload.get("sourceId"))
    return Chunk((ItemDelta("add", f"source {source}" if source else None, None, (), fields),))


def _file(payload: Mapping[str, Any]) -> Chunk:
    """A file that the model made: an image and sound are those of the record."""
    url, kind = text_of(payload.get("url")), text_of(payload.get("mediaType"))
    deltas: list[Delta] = [ItemDelta("add", None, None, (), json_value(dict(payload)), "other")]
    mime_type, data = data_url(url) or (kind, None)
    fields = {"mime_type": kind or mime_type or None}
    if kind.startswith("image/"):
        deltas.append(ImageDelta(data=data, fields=fields if data else {**fields, "url": url or None}))
    elif kind.startswith("audio/") and data:
        deltas.append(AudioDelta(data, fields=fields))
    return Chunk(tuple(deltas))


def _data(payload: Mapping[str, Any], kind: str) -> Chunk:
    """A part of the application's own; one with the same ID takes its place, and a transient one is no part of the message."""
    if payload.get("transient") is True:
        return unknown_event(kind, payload)
    part_id = name_of(payload.get("id"))
    return Chunk((ItemDelta("add", f"{kind} {part_id}" if part_id else None, None, (), json_value(dict(payload))),))


_EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Chunk]] = {
    "start": _start,
    "finish": _finish,
    "abort": _abort,
    "message-metadata": _with_metadata,
    "start-step": _part,
    "finish-step": lambda _: Chunk(),
    "file": _file,
    **dict.fromkeys(_SOURCES, _part),
}
"""The readers of events that are known by their whole type."""


def assemble(part: Item) -> Item:
    """A part with its type, which is inferred if its start is missing, and without an input in pieces that came as a whole."""
    words = next((name for name in _CHANNELS if name in part and part.get("type", name) == name), None)
    if words is not None:
        rest = {name: value for name, value in part.items() if name != words}
        return {"type": words, **rest, "text": part[words]}
    if "type" not in part:
        part = {"type": "dynamic-tool", **part}
    if "input" not in part and (whole := parsed_json(text_of(part.get("partial_input")))) is not None:
        part = {**part, "input": whole}
    return {name: value for name, value in part.items() if name != "partial_input" or "input" not in part}


def to_deltas(parts: Sequence[Item]) -> Iterator[Delta]:
    """The deltas of all parts: text, reasoning with what its provider needs back, sources, and tool calls."""
    yield from (TextDelta(text_of(part.get("text"))) for part in parts if part.get("type") == "text")
    thoughts = [part for part in parts if part.get("type") == "reasoning"]
    yield from (TextDelta(words, "reasoning") for part in thoughts if (words := text_of(part.get("text"))))
    signed = [{"type": "reasoning", **part} for part in thoughts if part.get("providerMetadata")]
    yield DetailDelta("reasoning_details", signed)
    yield DetailDelta("annotations", [part for part in parts if part.get("type") in _SOURCES])
    calls = (part for part in parts if "toolCallId" in part and name_of(part.get("type")) is not None)
    yield from (_call(part, position) for position, part in enumerate(calls))


def _call(part: Item, position: int) -> ToolCallDelta:
    name = name_of(part.get("toolName")) or text_of(part.get("type")).removeprefix("tool-")
    arguments = text_of(part.get("partial_input")) or json_text(part.get("input"))
    kind = "custom" if part.get("inputEncoding") == "text" else "function"
    return ToolCallDelta(arguments, position, name_of(part.get("toolCallId")), name, kind, unnamed(part, _CALL_FIELDS) or None)


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """The SDK's report as fields of a `Usage`. Its totals are inclusive, whichever the provider."""
    inputs, outputs = mapping_of(report.get("inputTokenDetails")), mapping_of(report.get("outputTokenDetails"))
    fields = {
        "input_tokens": _first(report, "inputTokens", "promptTokens"),
        "output_tokens": _first(report, "outputTokens", "completionTokens"),
        "total_tokens": _first(report, "totalTokens"),
        "cache_read_tokens": _first({**report, **inputs}, "cacheReadTokens", "cachedInputTokens"),
        "cache_write_tokens": _first(inputs, "cacheWriteTokens"),
        "reasoning_tokens": _first({**report, **outputs}, "reasoningTokens"),
        "text_output_tokens": _first(outputs, "textTokens"),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _first(report: Mapping[str, Json], *names: str) -> int | None:
    return next((count for name in names if (count := count_of(report.get(name))) is not None), None)


_REQUIRED: Mapping[str, str] = {
    **dict.fromkeys(("text-start", "text-end", "reasoning-start", "reasoning-end"), "id"),
    **dict.fromkeys(("text-delta", "reasoning-delta"), "delta"),
    **dict.fromkeys(_STATES, "toolCallId"),
    **dict.fromkeys(_SOURCES, "sourceId"),
    "file": "mediaType",
    "error": "errorText",
}
"""The field of text that an event has beside its type."""


def _is_event(payload: Mapping[str, Any]) -> bool:
    """An event with what the protocol requires of it."""
    kind = text_of(payload.get("type"))
    return kind in _REQUIRED and isinstance(payload.get(_REQUIRED[kind]), str)


def _may_be_event(payload: Mapping[str, Any]) -> bool:
    """An event whose type others may have too. A message ends with a reason, or with metadata, or it is no guess."""
    kind = text_of(payload.get("type"))
    if kind in ("finish", "message-metadata"):
        return isinstance(payload.get("finishReason"), str) or isinstance(payload.get("messageMetadata"), Mapping)
    return kind in ("start", "start-step", "finish-step") or (kind.startswith("data-") and "data" in payload)


DIALECT = Dialect(
    "vercel.ui",
    StreamType.CHAT,
    chunk,
    usage,
    _WORDS,
    recognises=_is_event,
    resembles=_may_be_event,
    items=ItemRules(to_deltas, assemble),
)

DIALECTS = (DIALECT,)
