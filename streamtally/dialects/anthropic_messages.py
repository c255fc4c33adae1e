"""`anthropic.messages`: the events of Anthropic's Messages API; an answer is a list of content blocks that stream by index.

Terminal rule: `message_stop`. Usage rule: reports are cumulative and partial, so the last value of each key counts: the input,
and the lifetime of a cache write, are only in `message_start`, where the output count is a placeholder.

The SDK's `messages.stream()` inserts events of its own between those of the wire; they repeat these, and are ignored.

Source: https://docs.claude.com/en/api/messages-streaming
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ..chunks import Channel, Chunk, Delta, DetailDelta, FinishDelta, ItemDelta, TextDelta, ToolCallDelta
from ..errors import RETRYABLE_STATUS
from ..json_readers import (
    count_of,
    is_list,
    json_text,
    mapping_of,
    mappings_of,
    name_of,
    parsed_json,
    said,
    sum_at,
    text_of,
    unnamed,
)
from ..json_values import Json, json_value, merged
from ..records import FinishReason, StreamRecord, StreamType, Usage
from .anthropic_messages_charges import charge_rules
from .anthropic_messages_fast import fast_path
from .base import Dialect, Item, ItemRules
from .openai_common import EVENTS, error_fields, unknown_event
from .stated_costs import cost_fields

FINISH_REASONS: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "compaction": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}

_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The HTTP status that each type of error has in a response (https://docs.claude.com/en/api/errors)."""

_EVENT_FIELDS = frozenset({"type", "index", "message", "content_block", "delta", "usage"})
_MESSAGE_FIELDS = frozenset({"id", "type", "role", "model", "content", "stop_reason", "usage"})
_CALL_FIELDS = frozenset({"type", "id", "name", "input", "partial_json"})
_REPEATS = frozenset({"text", "thinking", "signature", "citation", "input_json", "compaction"})
"""Events that the SDK adds: their content is in other events too."""


class _Piece(NamedTuple):
    """What a field of a block's delta changes in the block."""

    op: Literal["append", "set", "push"]
    field: str
    channel: Channel | Literal["other"] | None = None


_PIECES: Mapping[str, tuple[str, _Piece]] = {
    "text_delta": ("text", _Piece("append", "text", "text")),
    "thinking_delta": ("thinking", _Piece("append", "thinking", "reasoning")),
    "input_json_delta": ("partial_json", _Piece("append", "partial_json", "other")),
    "signature_delta": ("signature", _Piece("set", "signature")),
    "citations_delta": ("citation", _Piece("push", "citations")),
}
"""The field of each type of delta, and how it changes the block. The JSON of an input is parsed only by `present`."""

_FIRST: Mapping[str, _Piece] = {piece.field: piece for _, piece in _PIECES.values()}
"""Fields that may have content already in the event that starts a block."""

_GROWS: Mapping[str, type[Any]] = {"append": str, "push": list, "set": str}
"""The Python type of such a field, by operation."""


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event, or a whole message."""
    kind = text_of(payload.get("type"))
    if kind == "content_block_delta":
        found = _block_delta(payload)
    elif kind in _REPEATS:
        return Chunk()
    elif payload.get("error") or kind == "error":
        return _error(payload)
    elif kind in _EVENTS:
        found = _EVENTS[kind](payload)
    else:
        return unknown_event(kind, payload)
    if payload.keys() <= _EVENT_FIELDS or kind == "message":
        return found
    rest = unnamed(payload, _EVENT_FIELDS)
    if kind != "message_delta":  # whose fields are the message's
        rest = {EVENTS: {kind: rest}} if rest else {}
    return found._replace(extras=merged(found.extras, rest))


def _message(message: Mapping[str, Any], *, whole: bool = False) -> Chunk:
    """The message of `message_start`, which is usually empty. A gateway may send the event again to start over."""
    deltas: list[Delta] = [ItemDelta("restart", name_of(message.get("id")), None)]
    if role := name_of(message.get("role")):
        deltas.append(DetailDelta("role", role))
    blocks = [mapping_of(block) for block in message["content"]] if is_list(message.get("content")) else []
    if whole:  # it may come after its pieces
        deltas = [ItemDelta("replace", None, None, (), json_value(blocks), "text")]
    for index, block in enumerate(() if whole else blocks):
        deltas.extend(_opened(block, index))
    if reason := name_of(message.get("stop_reason")):
        deltas.append(FinishDelta(reason))
    usage = mapping_of(message.get("usage"))
    return Chunk(
        tuple(deltas),
        meta={
            "response_id": name_of(message.get("id")),
            "model": name_of(message.get("model")),
            "service_tier": name_of(usage.get("service_tier")),
        },
        extras=unnamed(message, _MESSAGE_FIELDS),
        usage=json_value(usage) or None,
        terminal=whole,
        starts=not whole,
    )


def _message_delta(payload: Mapping[str, Any]) -> Chunk:
    """The stop reason and the usage."""
    delta, usage = mapping_of(payload.get("delta")), mapping_of(payload.get("usage"))
    reason = name_of(delta.get("stop_reason"))
    return Chunk(
        (FinishDelta(reason),) if reason else (),
        meta={"service_tier": name_of(usage.get("service_tier"))},
        extras=unnamed(delta, frozenset({"stop_reason"})),
        usage=json_value(usage) or None,
    )


def _block_start(payload: Mapping[str, Any]) -> Chunk:
    block = mapping_of(payload.get("content_block"))
    # After a fallback another model answers; the SDK reports it as the message's model too.
    model = name_of(mapping_of(block.get("to")).get("model")) if block.get("type") == "fallback" else None
    return Chunk(tuple(_opened(block, count_of(payload.get("index")))), meta={"model": model} if model else {})


def _opened(block: Mapping[str, Any], index: int | None) -> Iterator[Delta]:
    """A block as it starts; the content of fields that grow is yielded as their first pieces."""
    first = {name: value for name, value in block.items() if name in _FIRST and value and type(value) is _GROWS[_FIRST[name].op]}
    # A field whose name is a Python keyword ends with an underscore in the SDK's objects.
    fields = {name.removesuffix("_"): json_value(type(value)() if name in first else value) for name, value in block.items()}
    says = fields.get("type") not in ("text", "thinking") and any(value for name, value in fields.items() if name != "type")
    yield ItemDelta("add", None, index, (), fields, "other" if says else None)
    for name, value in first.items():
        op, field, channel = _FIRST[name]
        for piece in value if op == "push" else [value]:
            first_op: Any = "first" if op == "append" else op
            yield ItemDelta(first_op, None, index, (field,), piece if isinstance(piece, str) else json_value(piece), channel)


def _block_delta(payload: Mapping[str, Any]) -> Chunk:
    """A piece of a block. In a delta of unknown type, texts are appended, and other values replace the earlier ones."""
    delta, index = mapping_of(payload.get("delta")), count_of(payload.get("index"))
    known = _PIECES.get(text_of(delta.get("type")))
    if known is None:
        pieces = ((name, value) for name, value in delta.items() if name != "type" and value is not None)
        return Chunk(tuple(_unknown_piece(index, name, value) for name, value in pieces))
    name, (op, field, channel) = known
    value = delta.get(name)
    value = text_of(value) if op == "append" else json_value(value)
    deltas = (ItemDelta(op, None, index, (field,), value, channel),) if value is not None else ()
    rest = {} if len(delta) <= 2 else unnamed(delta, frozenset({"type", name}))
    return Chunk(deltas, extras={EVENTS: {"content_block_delta": rest}}) if rest else Chunk(deltas)


def _unknown_piece(index: int | None, name: str, value: Any) -> ItemDelta:
    if isinstance(value, str):
        return ItemDelta("append", None, index, (name,), value, "other")
    return ItemDelta("set", None, index, (name,), json_value(value), "other")


def _error(payload: Mapping[str, Any]) -> Chunk:
    """An error inside the stream. `body` keeps the request ID, which Anthropic's support asks for."""
    fields = error_fields(payload.get("error") or {**payload, "type": None})
    status = fields.get("status") or _STATUS.get(str(fields["type"]))
    retryable = None if status is None else status in RETRYABLE_STATUS
    return Chunk(error={**fields, "status": status, "retryable": retryable, "body": json_value(payload)})


_EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Chunk]] = {
    "message_start": lambda payload: _message(mapping_of(payload.get("message"))),
    "message": lambda payload: _message(payload, whole=True),
    "content_block_start": _block_start,
    "content_block_stop": lambda _: Chunk(),
    "message_delta": _message_delta,
    "message_stop": lambda _: Chunk(terminal=True),
    "ping": lambda _: Chunk(),
}
"""The readers of all events but `content_block_delta`."""


def usage_fields(report: Mapping[str, Json]) -> dict[str, Any]:
    """A usage report as fields of a `Usage`. `input_tokens` of the report excludes cache reads and writes."""
    by_lifetime = mapping_of(report.get("cache_creation"))
    read, written = count_of(report.get("cache_read_input_tokens")), count_of(report.get("cache_creation_input_tokens"))
    written = said(written, sum_at(by_lifetime, "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"))
    prompt = count_of(report.get("input_tokens"))
    fields = {
        "input_tokens": None if prompt is None else prompt + (read or 0) + (written or 0),
        "output_tokens": count_of(report.get("output_tokens")),
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": count_of(by_lifetime.get("ephemeral_1h_input_tokens")),
        "reasoning_tokens": count_of(mapping_of(report.get("output_tokens_details")).get("thinking_tokens")),
        "searches": count_of(mapping_of(report.get("server_tool_use")).get("web_search_requests")),
        **cost_fields(report),
    }
    return {name: value for name, value in fields.items() if value is not None}


_TYPES = {"text": "text", "citations": "text", "thinking": "thinking", "signature": "thinking", "partial_json": "tool_use"}
"""The type of a block whose start is missing, by a field that its pieces have."""


def assemble(block: Item) -> Item:
    """A block with its type, which is inferred from its fields if its start is missing."""
    kind = next((kind for name, kind in _TYPES.items() if name in block), None)
    return block if "type" in block or kind is None else {"type": kind, **block}


def present(block: Item) -> Item:
    """A block with its input parsed. JSON that is cut short stays in `partial_json`, as text."""
    parsed = parsed_json(text_of(block.get("partial_json")))
    if parsed is None:
        return block
    return {**{name: value for name, value in block.items() if name != "partial_json"}, "input": parsed}


def to_deltas(blocks: Sequence[Item]) -> Iterator[Delta]:
    """The deltas of all blocks: text with its citations, thinking with its signatures, and tool calls, also of the server."""
    for block in blocks:
        if block.get("type") == "text":
            yield TextDelta(text_of(block.get("text")))
        elif block.get("type") == "thinking" and (words := text_of(block.get("thinking"))):
            yield TextDelta(words, "reasoning")
    yield DetailDelta("annotations", [note for block in blocks for note in mappings_of(block.get("citations"))])
    thoughts = [block for block in blocks if block.get("type") in ("thinking", "redacted_thinking")]
    yield DetailDelta("reasoning_details", thoughts)
    calls = (block for block in blocks if text_of(block.get("type")).endswith("tool_use"))
    yield from (_call(block, position) for position, block in enumerate(calls))


def _call(block: Item, position: int) -> ToolCallDelta:
    """A tool call. The input in the event that starts a block counts only if no JSON follows: it is not the beginning of that."""
    arguments = text_of(block.get("partial_json")) or json_text(block.get("input") or "")
    kind = "function" if block["type"] == "tool_use" else block["type"]
    extras = unnamed(block, _CALL_FIELDS) or None
    return ToolCallDelta(arguments, position, name_of(block.get("id")), name_of(block.get("name")), kind, extras)


_STOP_REASONS: Mapping[FinishReason, str | None] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "error": None,
}
"""The word of the Messages API for each finish reason, where the provider's own word is none of them."""


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as a `message` object."""
    answer = record.choices[0] if record.choices else None
    reason = answer.finish_reason_raw if answer else None
    if answer and reason not in FINISH_REASONS:
        reason = None if answer.finish_reason is None else _STOP_REASONS[answer.finish_reason]
    return {
        "stop_sequence": None,
        **record.extras,
        "id": record.response_id or record.request_id,
        "type": "message",
        "role": "assistant",
        "model": record.model or record.requested_model or "",
        "content": list(record.output_items),
        "stop_reason": reason,
        "usage": _response_usage(record.usage),
    }


def _response_usage(usage: Usage | None) -> dict[str, Json]:
    """The report, with the counts that the object requires."""
    raw = usage.raw if usage else {}
    tools = {"web_search_requests": 0, "web_fetch_requests": 0, **mapping_of(raw.get("server_tool_use"))}
    counts = {name: count_of(raw.get(name)) or 0 for name in ("input_tokens", "output_tokens")}
    return {**raw, **counts, **({"server_tool_use": tools} if raw.get("server_tool_use") else {})}


def _is_event(payload: Mapping[str, Any]) -> bool:
    kind = payload.get("type")
    if kind == "message":
        return is_list(payload.get("content")) and "stop_reason" in payload
    return kind == "content_block_delta" or (isinstance(kind, str) and kind != "ping" and kind in _EVENTS)


def _may_be_error(payload: Mapping[str, Any]) -> bool:
    """An error in the form of Anthropic's: those of OpenAI have a code."""
    error = payload.get("error")
    return payload.get("type") == "error" and isinstance(error, Mapping) and "type" in error and "code" not in error


DIALECT = Dialect(
    "anthropic.messages",
    StreamType.CHAT,
    chunk,
    usage_fields,
    FINISH_REASONS,
    fast_path=fast_path,
    response=response,
    recognises=_is_event,
    resembles=_may_be_error,
    items=ItemRules(to_deltas, assemble, present),
    charges=charge_rules(usage_fields),
)

DIALECTS = (DIALECT,)
