"""Readers that the wire formats of OpenAI, and of compatible servers, have in common: usage, errors, finish reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import Chunk, PayloadDelta
from ..json_readers import count_of, mapping_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import FinishReason, Usage

FINISH_REASONS: Mapping[str, FinishReason | None] = {
    "stop": None,
    "eos": None,
    "eos_token": None,
    "end_turn": None,
    "stop_sequence": "stop",
    "length": "length",
    "max_length": "length",
    "token_limit": "length",
    "time_limit": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "blocklist": "content_filter",
    "guardrail_intervened": "content_filter",
    "sensitive": "content_filter",
    "refusal": "content_filter",
    "error": "error",
    "failed": "error",
    "abort": "error",
    "network_error": "error",
    "malformed_function_call": "error",
    "malformed_response": "error",
    "insufficient_system_resource": "error",
    "timeout": "error",
    "complete": None,
    "completed": None,
    "end": None,
    "eos_found": None,
    "stop_token": None,
    "continue": "length",
    "max_tokens_reached": "length",
    "maximum_tokens": "length",
    "end_of_text": None,
    "stop_sequence_reached": "stop",
    "blacklist": "content_filter",
    "max_input_tokens": "length",
    "content_policy": "content_filter",
    "content-filter": "content_filter",
    "tool-calls": "tool_calls",
    "function_calls": "tool_calls",
}
"""The finish reasons of OpenAI and compatible servers (Mistral, Z.ai, DeepSeek, TGI, vLLM, watsonx, Aleph Alpha, GigaChat, and
gateways of Gemini and Claude). If the request prescribes the tool to call, OpenAI reports "stop" for an answer with a call."""


def response_usage(usage: Usage | None, shape: Mapping[str, Json]) -> dict[str, Json]:
    """The report as the field `usage` of a response object; no field if there is no report.

    `shape` has the fields that the object requires, with the values for those that the report lacks.
    """
    if usage is None or not usage.raw:
        return {}
    filled = {
        name: {**default, **mapping_of(usage.raw.get(name))} if isinstance(default, Mapping) else usage.raw.get(name, default)
        for name, default in shape.items()
    }
    return {"usage": {**usage.raw, **filled}}


def total_of(usage: Usage | None) -> int:
    """The total of tokens for a response object: as reported, else input plus output."""
    if usage is None:
        return 0
    return (usage.input_tokens or 0) + (usage.output_tokens or 0) if usage.total_tokens is None else usage.total_tokens


def error_fields(error: Any, status: Any = None) -> dict[str, Json]:
    """An in-band error of any form as the fields of an `ErrorDetails`; what it does not state is None, the type too."""
    if not isinstance(error, Mapping):
        return {"type": None, "message": text_of(error) or None, "body": json_value(error)}
    code = error.get("code")
    number = count_of(status) or count_of(error.get("status")) or (count_of(code) if isinstance(code, int) else None)
    kind = name_of(error.get("type")) if isinstance(error.get("type"), str) else None
    return {
        "type": kind if kind != "error" and kind else name_of(code),
        "message": name_of(error.get("message")) or name_of(error.get("detail")),
        "code": name_of(code),
        "status": number if number is not None and 100 <= number < 600 else None,
        "body": json_value(error) or None,
    }


def error_in(payload: Mapping[str, Any], error: Any = None) -> dict[str, Json]:
    """The error in a payload (or `error`), with a status or (TGI) an error type from the fields beside it."""
    fields = error_fields(error or payload.get("error"), payload.get("status_code") or payload.get("status"))
    return {**fields, "type": fields["type"] or name_of(payload.get("error_type"))}


def error_chunk(payload: Mapping[str, Any]) -> Chunk | None:
    """The chunk of a payload that is an error and nothing else, or None."""
    if payload.get("error"):
        return Chunk(error=error_in(payload), extras=unnamed(payload, _BESIDE_ERROR))
    if payload.get("type") == "error" or payload.get("object") == "error":
        return Chunk(error=error_fields(payload))
    return None


_BESIDE_ERROR = frozenset({"error", "type", "object", "status", "status_code", "error_type", "sequence_number"})
"""The fields beside an error that the error has, or that state that it is one."""


def unknown_event(kind: str, payload: Mapping[str, Any]) -> Chunk:
    """The chunk of an event that is not known: `events` of the extras has a list of those of its type. Deltas may be equal."""
    value = json_value({name: field for name, field in payload.items() if name not in _NUMBERS})
    return Chunk((PayloadDelta(value, repeats=kind.endswith("delta"), event=kind or "event"),))


_NUMBERS = frozenset({"sequence_number"})
"""Fields by which events differ that state the same."""

EVENTS = "events"
"""The key of the extras under which events of the stream are that do not belong to the answer."""

OF_THE_STREAM = frozenset({EVENTS, "payloads", "tail", "observation_faults"})
"""The keys of the extras that hold nothing of the answer."""


def of_the_answer(extras: Mapping[str, Json]) -> dict[str, Json]:
    """The extras that belong to the answer, and not to the stream that brought it.

    What stands beside the response in an event with the whole of it (`response.<stage>`) is among the extras twice: by its name,
    and as the event's.
    """
    found = {name: value for name, value in extras.items() if name not in OF_THE_STREAM}
    for kind, fields in mapping_of(extras.get(EVENTS)).items():
        if kind.startswith("response.") and kind.count(".") == 1:
            for name, value in mapping_of(fields).items():
                if found.get(name) == value:
                    del found[name]
    return found


_ENVELOPE_FIELDS = frozenset({"choices", "object", "type", "event_type"})


def bare_error_chunk(payload: Mapping[str, Any]) -> Chunk | None:
    """The chunk of an error without an envelope, as gateways and web frameworks send it: a message or a detail. Else None."""
    if (isinstance(payload.get("message"), str) or "detail" in payload) and not payload.keys() & _ENVELOPE_FIELDS:
        return Chunk(error=error_in(payload, payload))
    return None
