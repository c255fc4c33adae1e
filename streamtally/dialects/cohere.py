"""`cohere.v2`: the events of Cohere's Chat API, each with a `type`; content blocks and tool calls are numbered separately.

Terminal rule: `message-end`, which also has the finish reason and, if the request failed, the error.
Usage rule: one report, in `message-end`. `tokens` are all tokens processed, `billed_units` those charged.
The plan that a model writes before it calls tools (`tool_plan`) is an entry of the reasoning details, not part of its thinking.

Source: https://docs.cohere.com/v2/docs/streaming
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import Chunk, Delta, DetailDelta, FinishDelta, TextDelta, ToolCallDelta
from ..json_readers import count_of, json_text, mapping_of, mappings_of, name_of, said, text_of, unnamed
from ..json_values import Json, json_value
from ..records import Choice, FinishReason, StreamRecord, StreamType, ToolCall, Usage
from .base import Dialect
from .charges import ChargeRules, Counts, raw_usage
from .openai_common import bare_error_chunk, error_chunk, error_fields

FINISH_REASONS: Mapping[str, FinishReason | None] = {
    "complete": None,
    "stop_sequence": "stop",
    "user_cancel": "stop",
    "max_tokens": "length",
    "error_limit": "length",
    "tool_call": "tool_calls",
    "error_toxic": "content_filter",
    "error": "error",
    "timeout": "error",
}
"""The finish reasons of both versions of the API."""

_EVENTS = frozenset(
    {
        "message-start",
        "content-start",
        "content-delta",
        "content-end",
        "tool-plan-delta",
        "tool-call-start",
        "tool-call-delta",
        "tool-call-end",
        "citation-start",
        "citation-end",
        "message-end",
    }
)
_EVENT_FIELDS = frozenset({"type", "id", "index", "delta", "logprobs"})
_DELTA_FIELDS = frozenset({"message", "finish_reason", "usage", "error", "error_type"})
_MESSAGE_FIELDS = frozenset({"role", "content", "tool_plan", "tool_calls", "citations"})
_PART_FIELDS = frozenset({"type", "text", "thinking"})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event; its deltas follow from the fields of its message, and not from its type."""
    if found := error_instead(payload):
        return found
    delta = mapping_of(payload.get("delta"))
    return Chunk(
        tuple(_deltas(payload, delta, mapping_of(delta.get("message")))),
        meta={"response_id": name_of(payload.get("id"))},
        extras=unnamed(payload, _EVENT_FIELDS),
        usage=json_value(mapping_of(delta.get("usage"))) or None,
        error=error_with(delta),
        terminal=payload.get("type") == "message-end",
    )


def error_instead(payload: Mapping[str, Any]) -> Chunk | None:
    """The chunk of an error that is sent instead of events."""
    return error_chunk(payload) or bare_error_chunk(payload)


def error_with(end: Mapping[str, Any]) -> Mapping[str, Json] | None:
    """The error with which an answer ended, which may be stated by its finish reason alone; None if it did not fail."""
    finish = text_of(end.get("finish_reason")).lower()
    if not end.get("error") and FINISH_REASONS.get(finish) != "error":
        return None
    fields = error_fields(end.get("error") or {})
    return {**fields, "type": name_of(end.get("error_type")) or fields["type"]}


def _deltas(event: Mapping[str, Any], delta: Mapping[str, Any], message: Mapping[str, Any]) -> Iterator[Delta]:
    if role := name_of(message.get("role")):
        yield DetailDelta("role", role)
    yield from _content(message.get("content"))
    if plan := text_of(message.get("tool_plan")):
        yield DetailDelta("reasoning_details", [{"type": "tool_plan", "index": 0, "text": plan}])
    for call in _entries(message.get("tool_calls")):
        yield _call(call, count_of(event.get("index")))
    if citations := [json_value(citation) for citation in _entries(message.get("citations"))]:
        yield DetailDelta("annotations", citations)
    if logprobs := mapping_of(event.get("logprobs")):
        yield DetailDelta("logprobs", [json_value(logprobs)])
    if rest := {**unnamed(delta, _DELTA_FIELDS), **unnamed(message, _MESSAGE_FIELDS)}:
        yield DetailDelta("extras", rest)
    if finish := name_of(delta.get("finish_reason")):
        yield FinishDelta(finish)


def _entries(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in a field that is one object in an event, and a list of them in a message."""
    return mappings_of([value] if isinstance(value, Mapping) else value)


def _content(content: Any) -> Iterator[Delta]:
    if isinstance(content, str):
        yield TextDelta(content)
    for part in _entries(content):
        if thinking := text_of(part.get("thinking")):
            yield TextDelta(thinking, "reasoning")
        if text := text_of(part.get("text")):
            yield TextDelta(text)
        if not part.keys() <= _PART_FIELDS:
            yield DetailDelta("annotations", [json_value(part)])


def _call(call: Mapping[str, Any], position: int | None) -> ToolCallDelta:
    function = mapping_of(call.get("function"))
    return ToolCallDelta(
        json_text(function.get("arguments")),
        position,
        name_of(call.get("id")),
        name_of(function.get("name")),
        name_of(call.get("type")),
        unnamed(call, frozenset({"id", "type", "function"})) or None,
    )


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """The report as fields of a `Usage`; billed units where it has no tokens."""
    tokens = mapping_of(report.get("tokens"))
    billed = mapping_of(report.get("billed_units"))
    fields = {
        "input_tokens": said(count_of(tokens.get("input_tokens")), count_of(billed.get("input_tokens"))),
        "output_tokens": said(count_of(tokens.get("output_tokens")), count_of(billed.get("output_tokens"))),
        "cache_read_tokens": count_of(report.get("cached_tokens")) if tokens.get("input_tokens") else None,
        "image_input_tokens": count_of(tokens.get("image_tokens")),
        "searches": count_of(billed.get("search_units")),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _tool_counts(record: StreamRecord) -> Counts:
    """Billed units of search and reranking."""
    yield "search_units", count_of(mapping_of(raw_usage(record).get("billed_units")).get("search_units"))


def billed(usage: Usage) -> Usage:
    """The billed units, if both are reported.

    `tokens` are all tokens processed, Cohere's own instructions included; `billed_units` are those charged
    (https://docs.cohere.com/docs/how-does-cohere-pricing-work).
    """
    units = mapping_of(usage.raw.get("billed_units"))
    counts = {name: count_of(units.get(name)) for name in ("input_tokens", "output_tokens")}
    if None in counts.values():
        return usage
    parts = dict.fromkeys(("total_tokens", "cache_read_tokens", "image_input_tokens", "reasoning_tokens"))
    return usage.model_copy(update={**parts, **counts})


CHARGES = ChargeRules(_tool_counts, billed)
"""What both versions of the API charge besides tokens."""


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as the object that the Chat API returns without streaming."""
    choice = record.choices[0] if record.choices else Choice(finish_reason=None)
    logprobs = {"logprobs": choice.logprobs} if isinstance(choice.logprobs, list) else {}
    return {
        **record.extras,
        "id": record.response_id or record.request_id,
        "finish_reason": choice.finish_reason_raw or "ERROR",
        "message": _response_message(choice),
        **({"usage": record.usage.raw} if record.usage and record.usage.raw else {}),
        **logprobs,
    }


def _response_message(choice: Choice) -> dict[str, Json]:
    content: list[Json] = [{"type": "thinking", "thinking": choice.reasoning}] if choice.reasoning is not None else []
    if choice.text:
        content.append({"type": "text", "text": choice.text})
    plan = next((detail for detail in choice.reasoning_details if detail.get("type") == "tool_plan"), {})
    fields = {
        "content": content,
        "tool_plan": plan.get("text"),
        "tool_calls": [_response_call(call) for call in choice.tool_calls],
        "citations": list(choice.annotations),
    }
    return {**choice.extras, "role": "assistant", **{name: value for name, value in fields.items() if value}}


def _response_call(call: ToolCall) -> dict[str, Json]:
    function = {"name": call.name or "", "arguments": call.arguments}
    return {**call.extras, "id": call.id or "", "type": "function", "function": function}


def _is_event(payload: Mapping[str, Any]) -> bool:
    kind = payload.get("type")
    return isinstance(kind, str) and kind in _EVENTS


DIALECT = Dialect(
    "cohere.v2",
    StreamType.CHAT,
    chunk,
    usage,
    FINISH_REASONS,
    provider="cohere",
    response=response,
    recognises=_is_event,
    charges=CHARGES,
)

DIALECTS = (DIALECT,)
