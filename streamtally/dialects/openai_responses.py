"""`openai.responses`: the typed events of the Responses API.

Terminal rule: `response.completed`, `.incomplete`, `.failed` or `.cancelled`; there is no `[DONE]`.
Usage rule: one final report, in the response of the terminal event.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import Chunk, Delta, FinishDelta, ItemDelta
from ..json_readers import count_of, is_list, mapping_of, mappings_of, name_of, text_of, unnamed
from ..json_values import json_value
from ..records import StreamType
from .base import Dialect, ItemRules, Vocabulary
from .openai_common import EVENTS, FINISH_REASONS, error_chunk, error_fields, unknown_event
from .openai_responses_charges import CHARGES
from .openai_responses_events import FAMILIES, PARTS, event_chunk
from .openai_responses_items import NAMES, assemble, to_deltas, waits
from .openai_responses_response import response
from .openai_usage import report_in, usage_fields

_ENVELOPE = frozenset({"created", "queued", "in_progress", "completed", "incomplete", "failed", "cancelled"})
_ENVELOPE_FIELDS = frozenset({"type", "response", "sequence_number"})
_TERMINAL = frozenset({"completed", "incomplete", "failed", "cancelled"})
_RESPONSE_FIELDS = frozenset({"id", "object", "model", "output", "usage", "error", "service_tier"})
_WORDS: Vocabulary = {**FINISH_REASONS, "completed": None, "incomplete": "length", "cancelled": "cancelled"}


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event of a response stream, or a whole response."""
    kind = text_of(payload.get("type"))
    family, _, stage = kind.removeprefix("response.").rpartition(".")
    if not kind and payload.get("object") == "response":
        return _response(payload, name_of(payload.get("status")) or "completed")
    if not kind.startswith("response.") or kind == "response.error":
        found = error_chunk(payload) or _unknown_event(payload, kind)
    elif stage in _ENVELOPE and not family and isinstance(payload.get("response"), Mapping):
        found = _envelope(payload, stage)
    else:
        found = event_chunk(payload, family, stage)
    return found._replace(sequence=count_of(payload.get("sequence_number")))


def _unknown_event(payload: Mapping[str, Any], kind: str) -> Chunk:
    """An error with its fields in the event, or an event of unknown type."""
    if kind == "response.error":
        return Chunk(error={**error_fields({**payload, "type": None}), "body": json_value(payload)})
    return unknown_event(kind, payload)


def _envelope(event: Mapping[str, Any], stage: str) -> Chunk:
    """An event with the whole response. What stands beside the response is the event's: Copilot's bill, llama.cpp's times."""
    found = _response(event["response"], stage)
    beside = unnamed(event, _ENVELOPE_FIELDS)
    if not beside:
        return found
    extras = {**beside, **found.extras, EVENTS: {event["type"]: beside}}
    return found._replace(extras=extras, usage=report_in(event, found.usage))


def _response(response: Mapping[str, Any], stage: str) -> Chunk:
    """The response so far; the last one has its status, and all items again."""
    terminal = stage in _TERMINAL
    deltas: list[Delta] = []
    if terminal:
        if is_list(response.get("output")) and response["output"]:
            deltas.append(ItemDelta("replace", None, None, (), json_value(list(mappings_of(response["output"])))))
        incomplete = name_of(mapping_of(response.get("incomplete_details")).get("reason"))
        status = name_of(response.get("status")) or stage
        deltas.append(FinishDelta("cancelled" if "cancelled" in (stage, status) else incomplete or status))
    error = response.get("error")
    if error is None and stage == "failed":
        error = {}
    return Chunk(
        tuple(deltas),
        meta={
            "response_id": name_of(response.get("id")),
            "model": name_of(response.get("model")),
            "service_tier": name_of(response.get("service_tier")),
        },
        extras=unnamed(response, _RESPONSE_FIELDS),
        usage=json_value(response["usage"]) if isinstance(response.get("usage"), Mapping) else None,
        error=None if error is None else error_fields(error),
        terminal=terminal,
        starts=not terminal,
    )


def is_of_session(payload: Mapping[str, Any]) -> bool:
    """Whether an event of a response is one of a Realtime session: those have an ID of their own, and no number."""
    if not isinstance(payload.get("event_id"), str) or "sequence_number" in payload:
        return False
    whole = payload.get("response")
    if isinstance(whole, Mapping):
        return bool(whole.get("object", "realtime.response") == "realtime.response")
    return isinstance(payload.get("response_id"), str) or isinstance(payload.get("item_id"), str)


def _is_response(payload: Mapping[str, Any]) -> bool:
    """An event that the API documents, with what it carries, or a whole response."""
    if is_of_session(payload):
        return False
    kind = text_of(payload.get("type"))
    family, _, stage = kind.removeprefix("response.").rpartition(".")
    if not kind.startswith("response."):
        return payload.get("object") == "response" and is_list(payload.get("output"))
    if not family:
        return stage in _ENVELOPE and isinstance(payload.get("response"), Mapping)
    return not _CARRIED.isdisjoint(payload) and (family in _FAMILIES or not _PLACES.isdisjoint(payload))


def _may_be_event(payload: Mapping[str, Any]) -> bool:
    kind = text_of(payload.get("type"))
    is_placed = kind == "response.error" or not _PLACES.isdisjoint(payload)
    return kind.startswith("response.") and is_placed and not is_of_session(payload)


_FAMILIES = frozenset({*FAMILIES, *PARTS, "output_item"})
_PLACES = frozenset({"sequence_number", "item_id", "output_index", "response_id"})
_CARRIED = frozenset({"delta", "text", "item", "part", "arguments", "annotation", "input", "code", "refusal", "command"})


DIALECT = Dialect(
    "openai.responses",
    StreamType.RESPONSES,
    chunk,
    usage_fields,
    _WORDS,
    response=response,
    recognises=_is_response,
    resembles=_may_be_event,
    items=ItemRules(to_deltas, assemble, waits=waits, names=NAMES),
    charges=CHARGES,
)

DIALECTS = (DIALECT,)
