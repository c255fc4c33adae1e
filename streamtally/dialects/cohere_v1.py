"""`cohere.v1`: the events of Cohere's first Chat API, and of its Generate API before that, each with an `event_type`.

Terminal rule: `stream-end` (`is_finished`), with the finish reason and the whole response, which repeats the streamed content.
Usage rule: one report, in the `meta` of that response. The counts are `billed_units`, which all releases of this API report;
`tokens`, which were added later, are used only where those are missing.
Tool calls stream in `tool-calls-chunk`, or are sent whole in `tool-calls-generation`, or both.

Source: https://docs.cohere.com/v1/docs/streaming
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import Chunk, Delta, DetailDelta, FinishDelta, TextDelta, ToolCallDelta
from ..json_readers import count_of, json_text, mapping_of, mappings_of, name_of, said, text_of, unnamed
from ..json_values import Json, json_value
from ..records import Choice, StreamRecord, StreamType, ToolCall
from .base import Dialect
from .cohere import CHARGES, FINISH_REASONS, error_instead, error_with

_EVENT_FIELDS = frozenset(
    {"event_type", "is_finished", "generation_id", "text", "index", "tool_call_delta", "tool_calls", "citations",
     "finish_reason", "response", "error", "error_type"}
)  # fmt: skip
_RESPONSE_FIELDS = frozenset({"text", "generation_id", "finish_reason", "tool_calls", "citations", "generations"})
"""Fields of the response that repeat the stream."""
_GENERATION_FIELDS = frozenset({"text", "finish_reason", "index"})
_USAGE_FIELDS = ("billed_units", "tokens", "cached_tokens")
_WHOLE_CALLS = "tool-calls-generation"


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event."""
    if found := error_instead(payload):
        return found
    response = mapping_of(payload.get("response"))
    meta = mapping_of(response.get("meta"))
    return Chunk(
        tuple(_deltas(payload)),
        meta={"response_id": name_of(payload.get("generation_id")) or name_of(response.get("generation_id"))},
        extras={**unnamed(payload, _EVENT_FIELDS), **unnamed(response, _RESPONSE_FIELDS), **_generations(response)},
        usage={name: json_value(meta[name]) for name in _USAGE_FIELDS if name in meta} or None,
        error=error_with(payload),
        terminal=payload.get("event_type") == "stream-end" or payload.get("is_finished") is True,
    )


def _generations(response: Mapping[str, Any]) -> dict[str, Json]:
    """What the generations of a whole response state beside what was streamed."""
    rest = [unnamed(generation, _GENERATION_FIELDS) for generation in mappings_of(response.get("generations"))]
    return {"generations": rest} if any(rest) else {}


def _deltas(event: Mapping[str, Any]) -> Iterator[Delta]:
    whole = event.get("event_type") == _WHOLE_CALLS  # its text repeats streamed text
    if (text := text_of(event.get("text"))) and not whole:
        yield TextDelta(text, choice=count_of(event.get("index")) or 0)
    if piece := mapping_of(event.get("tool_call_delta")):
        yield ToolCallDelta(json_text(piece.get("parameters")), count_of(piece.get("index")), name=name_of(piece.get("name")))
        if text := text_of(piece.get("text")):
            yield TextDelta(text)
    for position, call in enumerate(mappings_of(event.get("tool_calls"))):
        extras = unnamed(call, frozenset({"name", "parameters"})) or None
        yield ToolCallDelta(
            json_text(call.get("parameters")), position, name=name_of(call.get("name")), extras=extras, final=True
        )
    if citations := [json_value(citation) for citation in mappings_of(event.get("citations"))]:
        yield DetailDelta("annotations", citations)
    if finish := name_of(event.get("finish_reason")):
        yield FinishDelta(finish, count_of(event.get("index")) or 0)


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """The report as fields of a `Usage`."""
    billed, tokens = mapping_of(report.get("billed_units")), mapping_of(report.get("tokens"))
    fields = {
        "input_tokens": said(count_of(billed.get("input_tokens")), count_of(tokens.get("input_tokens"))),
        "output_tokens": said(count_of(billed.get("output_tokens")), count_of(tokens.get("output_tokens"))),
        "searches": count_of(billed.get("search_units")),
    }
    return {name: value for name, value in fields.items() if value is not None}


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as the object that the API returns without streaming."""
    choice = record.choices[0] if record.choices else Choice(finish_reason=None)
    meta = {**mapping_of(record.extras.get("meta")), **(record.usage.raw if record.usage else {})}
    return {
        **record.extras,
        "text": choice.text,
        "generation_id": record.response_id or record.request_id,
        "finish_reason": choice.finish_reason_raw or "ERROR",
        **({"citations": list(choice.annotations)} if choice.annotations else {}),
        **({"tool_calls": [_response_call(call) for call in choice.tool_calls]} if choice.tool_calls else {}),
        **({"meta": meta} if meta else {}),
    }


def _response_call(call: ToolCall) -> dict[str, Json]:
    return {**call.extras, "name": call.name or "", "parameters": dict(mapping_of(call.arguments_json))}


def _is_event(payload: Mapping[str, Any]) -> bool:
    kind = payload.get("event_type")
    return isinstance(kind, str) and kind in _EVENT_TYPES


def _may_be_event(payload: Mapping[str, Any]) -> bool:
    """Events of the Generate API have no type."""
    return isinstance(payload.get("is_finished"), bool) and bool(payload.keys() & {"text", "finish_reason", "response"})


_EVENT_TYPES = frozenset(
    {"stream-start", "search-queries-generation", "search-results", "text-generation", "citation-generation",
     "tool-calls-chunk", "tool-calls-generation", "stream-end", "stream-error"}
)  # fmt: skip
"""All types of event (https://docs.cohere.com/v1/docs/streaming)."""


DIALECT = Dialect(
    "cohere.v1",
    StreamType.CHAT,
    chunk,
    usage,
    FINISH_REASONS,
    provider="cohere",
    response=response,
    recognises=_is_event,
    resembles=_may_be_event,
    charges=CHARGES,
)

DIALECTS = (DIALECT,)
