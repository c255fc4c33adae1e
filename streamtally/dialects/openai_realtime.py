"""`openai.realtime`: the server events of a Realtime session, of OpenAI, Azure (also Voice Live) and xAI.

A session has any number of responses, also at the same time; each is a part of the record. Its items, texts and calls are those
of the Responses API.

Terminal rule: `response.done` ends a response, and nothing ends the session but its source; an `error` does not end it.
Usage rule: `response.done` has the only report of its response, xAI beside the response. What the transcription of the user's
speech used is another model's: it stays with the transcript, in `extras`.

Names of the beta (`response.text.delta`, `response.audio.delta`, …) are read as those that took their place.

Sources: https://platform.openai.com/docs/api-reference/realtime-server-events,
https://learn.microsoft.com/azure/ai-services/speech-service/voice-live-api-reference, https://docs.x.ai/docs/guides/voice
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..chunks import AudioDelta, Chunk, Delta, DetailDelta, FinishDelta, ItemDelta
from ..json_readers import count_of, is_list, mapping_of, mappings_of, name_of, number_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import Outcome, StreamRecord, StreamType
from . import openai_responses, openai_responses_items
from .base import Dialect, Item, ItemRules, Vocabulary
from .openai_common import FINISH_REASONS, error_fields, unknown_event
from .openai_usage import usage_fields

_WORDS: Vocabulary = {**FINISH_REASONS, "completed": None, "incomplete": "length", "cancelled": "cancelled"}

_BETA: Mapping[str, str] = {"text": "output_text", "audio": "output_audio", "audio_transcript": "output_audio_transcript"}
"""The families of the beta: those that took their place."""

_RESPONSE_FIELDS = frozenset({"id", "object", "status", "status_details", "output", "usage", "model"})
_TRANSCRIPTION = "conversation.item.input_audio_transcription."
_INPUT = "input."
"""The start of the keys of the extras under which the items of the user are, by their ID."""

_OF_SESSIONS = (
    "conversation.created",
    "conversation.item.",
    "input_audio_buffer.",
    "output_audio_buffer.",
    "rate_limits.",
    "mcp_list_tools.",
)
"""How the types of the events start that belong to no response."""


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One server event."""
    kind = text_of(payload.get("type"))
    if kind == "error":
        return Chunk(error=error_fields(payload.get("error") or {}))
    if kind in ("response.created", "response.done") and isinstance(payload.get("response"), Mapping):
        return _response(payload, payload["response"], ends=kind == "response.done")
    if kind.startswith("response."):
        return _of_response(payload, kind)._replace(answer=name_of(payload.get("response_id")))
    if kind.startswith("conversation.item.") and (item_id := _item_id(payload)):
        return _input(payload, kind, item_id)
    found = unknown_event(kind, payload)
    return found._replace(meta={"model": name_of(mapping_of(payload.get("session")).get("model"))})


def _response(event: Mapping[str, Any], whole: Mapping[str, Any], *, ends: bool) -> Chunk:
    """The event that begins or ends a response."""
    response_id = name_of(whole.get("id"))
    report = mapping_of(whole.get("usage")) or mapping_of(event.get("usage"))
    failure = mapping_of(whole.get("status_details")).get("error") if whole.get("status") == "failed" else None
    return Chunk(
        tuple(_ending(whole)) if ends else (),
        meta={"response_id": response_id, "model": name_of(whole.get("model"))},
        extras=unnamed(whole, _RESPONSE_FIELDS),
        usage=json_value(report) or None,
        error=None if failure is None else error_fields(failure),
        terminal=ends,
        starts=not ends,
        answer=response_id,
    )


def _ending(whole: Mapping[str, Any]) -> Iterator[Delta]:
    """The deltas of the end: all items, how the response ended, and why, which xAI states as text."""
    if is_list(whole.get("output")) and whole["output"]:
        yield ItemDelta("replace", None, None, (), json_value(list(mappings_of(whole["output"]))))
    status, details = name_of(whole.get("status")) or "completed", whole.get("status_details")
    reason = name_of(mapping_of(details).get("reason"))
    yield FinishDelta(reason if status == "incomplete" and reason else status)
    if details:
        yield DetailDelta("extras", {"status_details": json_value(details)})


def _of_response(event: Mapping[str, Any], kind: str) -> Chunk:
    """An event within a response; what the Responses API has too is read by its dialect."""
    family, _, stage = kind.removeprefix("response.").rpartition(".")
    family = _BETA.get(family, family)
    item_id, index = _item_id(event), count_of(event.get("output_index"))
    place = ("content", count_of(event.get("content_index")) or 0, "transcript")
    if family == "output_audio":
        return Chunk((AudioDelta(text_of(event.get("delta"))),) if stage == "delta" else ())
    if family == "output_audio_transcript" and stage == "delta":
        words = text_of(event.get("delta"))
        return Chunk((AudioDelta(transcript=words), ItemDelta("append", item_id, index, place, words, "other")))
    if family == "output_audio_transcript":
        return Chunk((ItemDelta("text", item_id, index, place, text_of(event.get("transcript"))),))
    name = f"response.{family}.{stage}" if family else kind
    return openai_responses.chunk({**event, "type": name})._replace(sequence=None)


def _item_id(event: Mapping[str, Any]) -> str | None:
    return name_of(event.get("item_id")) or name_of(mapping_of(event.get("item")).get("id"))


def _input(event: Mapping[str, Any], kind: str, item_id: str) -> Chunk:
    """An item of the conversation, or what is known of it. Those of the assistant are items of a response."""
    item = mapping_of(event.get("item"))
    if kind.startswith(_TRANSCRIPTION) and not kind.endswith("delta"):  # what comes in pieces comes as a whole too
        transcript = unnamed(event, frozenset({"type", "event_id", "item_id"}))
        return Chunk(extras={f"{_INPUT}{item_id}": {"transcription": transcript}})
    if item.get("role") == "assistant" or text_of(item.get("type")) in ("function_call", "mcp_call"):
        return Chunk()
    if item:
        return Chunk(extras={f"{_INPUT}{item_id}": {"item": json_value(item)}})
    return unknown_event(kind, event)


def assemble(item: Item) -> Item:
    """An item assembled from pieces, with the types that were not sent."""
    whole = openai_responses_items.assemble(item)
    if is_list(whole.get("content")):
        whole["content"] = [_formed_part(part) for part in whole["content"]]
    return whole


def _formed_part(part: Json) -> Json:
    """A part as items have it: the events of parts have other types, those of the beta."""
    if not isinstance(part, dict):
        return part
    kind = text_of(part.get("type")) or ("output_audio" if "transcript" in part else "output_text")
    return {**part, "type": _BETA.get(kind, kind)}


def to_deltas(items: Sequence[Item]) -> Iterator[Delta]:
    """The deltas of all items, as those of the Responses API; the beta has texts of another type."""
    return openai_responses_items.to_deltas([_with_texts(item) for item in items])


def _with_texts(item: Item) -> Item:
    if not is_list(item.get("content")):
        return item
    parts = [{**part, "type": "output_text"} if part.get("type") == "text" else part for part in mappings_of(item["content"])]
    return {**item, "content": parts}


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """A report as fields of a `Usage`. xAI charges for seconds of sound."""
    seconds = number_of(report.get("billable_audio_seconds"))
    return {**usage_fields(report), **({} if seconds is None else {"seconds": seconds})}


_STATES = {None: "in_progress", Outcome.COMPLETED: "completed", Outcome.CANCELLED: "cancelled", Outcome.ERROR: "failed"}
"""The status for an outcome, where no response ended: any other one is "incomplete"."""


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as a `realtime.response` object; the responses of a session are one."""
    answer = record.choices[0] if record.choices else None
    stated = answer.finish_reason_raw if answer else None
    status = _STATES.get(record.outcome, "incomplete")
    if stated is not None:
        status = str(stated) if stated in _STATES.values() else "incomplete"
    details = mapping_of(answer.extras.get("status_details")) if answer else {}
    extras = {name: value for name, value in record.extras.items() if not name.startswith(_INPUT)}
    return {
        **extras,
        "object": "realtime.response",
        "id": record.response_id or record.request_id,
        "status": status,
        **({"status_details": details} if details else {}),
        "output": list(record.output_items),
        "usage": dict(record.usage.raw) if record.usage and record.usage.raw else None,
    }


def _is_event(payload: Mapping[str, Any]) -> bool:
    """An event of a session, by its ID and its type. The types of a response's are those of the Responses API."""
    if not isinstance(payload.get("event_id"), str):
        return False
    kind = text_of(payload.get("type"))
    if kind.startswith("response."):
        return openai_responses.is_of_session(payload)
    if kind.startswith("session."):
        return _is_session(kind, mapping_of(payload.get("session")))
    return kind.startswith(_OF_SESSIONS)


def _is_session(kind: str, session: Mapping[str, Any]) -> bool:
    """Whether it is a Realtime session: OpenAI's live sessions have an event of the same type."""
    names = (text_of(session.get("object")), text_of(session.get("type")))
    is_named = names[0].startswith("realtime.") or names[1] in ("realtime", "transcription")
    return kind in ("session.created", "session.updated") and (is_named or "modalities" in session)


def _may_be_event(payload: Mapping[str, Any]) -> bool:
    return isinstance(payload.get("event_id"), str) and bool(name_of(payload.get("type")))


DIALECT = Dialect(
    "openai.realtime",
    StreamType.RESPONSES,
    chunk,
    usage,
    _WORDS,
    response=response,
    recognises=_is_event,
    resembles=_may_be_event,
    items=ItemRules(to_deltas, assemble, waits=openai_responses_items.waits, names=openai_responses_items.NAMES),
    sessions=True,
)

DIALECTS = (DIALECT,)
