"""`assemblyai.live`: AssemblyAI's live transcription (version 3), as JSON messages of its WebSocket.

`Turn` has all of the turn `turn_order` so far, and `end_of_turn` ends it; after that the formatted text of the turn may come once
more. `SpeakerRevision` replaces the words of turns.

Terminal rule: `Termination`; without it a transcript is complete if all turns have ended. Usage rule: final, in seconds of sound,
in `Termination`.

Source: https://www.assemblyai.com/docs/api-reference/streaming-api/streaming-api
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import Chunk, TranscriptDelta
from ..json_readers import count_of, mapping_of, mappings_of, name_of, number_of, text_of, unnamed
from ..json_values import json_value, stated
from ..records import StreamType
from .base import Dialect
from .charges import LIVE
from .openai_common import error_fields, unknown_event
from .openai_usage import usage_fields

_TURN_FIELDS = frozenset({"type", "transcript", "words"})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One message."""
    kind = text_of(payload.get("type"))
    if kind == "Turn":
        return Chunk((_turn(payload),))
    if kind == "Begin":
        model = name_of(mapping_of(payload.get("configuration")).get("model"))
        return Chunk(meta=stated({"response_id": name_of(payload.get("id")), "model": model}))
    if kind == "Termination":
        return _end(payload)
    if kind == "SpeakerRevision":
        return Chunk(tuple(_revised(one) for one in mappings_of(payload.get("revisions"))))
    if kind == "Error" or (not kind and payload.get("error")):
        return Chunk(error=error_fields({"message": payload.get("error"), "code": payload.get("error_code")}))
    return unknown_event(kind, payload)


def _turn(payload: Mapping[str, Any]) -> TranscriptDelta:
    text, language = text_of(payload.get("transcript")), name_of(payload.get("language_code"))
    segment = {"text": text, **unnamed(payload, _TURN_FIELDS)}
    return TranscriptDelta(
        text,
        final=payload.get("end_of_turn") is True,
        fields={"language": language} if language else None,
        lists={"words": json_value(list(mappings_of(payload.get("words")))), "segments": [segment]},
        turn=(count_of(payload.get("turn_order")) or 0,),
    )


def _revised(revision: Mapping[str, Any]) -> TranscriptDelta:
    """The words of a turn that has ended, with the speakers as they are known now."""
    words = json_value(list(mappings_of(revision.get("words"))))
    return TranscriptDelta(final=True, lists={"words": words}, turn=(count_of(revision.get("turn_order")) or 0,))


def _end(payload: Mapping[str, Any]) -> Chunk:
    seconds = number_of(payload.get("audio_duration_seconds"))
    report = {"seconds": seconds, **unnamed(payload, frozenset({"type"}))}
    return Chunk(
        (TranscriptDelta(final=True, fields={"duration": seconds}),),
        usage=stated(report) or None,
        terminal=True,
    )


def _recognises(payload: Mapping[str, Any]) -> bool:
    kind = payload.get("type")
    return (kind == "Turn" and "turn_order" in payload) or (kind == "Begin" and "expires_at" in payload)


_KEYS: Mapping[str, str] = {
    "Termination": "audio_duration_seconds",
    "SpeakerRevision": "revisions",
    "SpeechStarted": "timestamp",
    "Warning": "warning_code",
    "Heartbeat": "total_audio_received_ms",
    "Silence": "start_ms",
    "Error": "error_code",
}
"""A key of the messages that are told from those of others by it."""


def _resembles(payload: Mapping[str, Any]) -> bool:
    return _KEYS.get(text_of(payload.get("type"))) in payload


DIALECT = Dialect(
    "assemblyai.live",
    StreamType.TRANSCRIPTION,
    chunk,
    usage_fields,
    provider="assemblyai",
    recognises=_recognises,
    resembles=_resembles,
    charges=LIVE,
)

DIALECTS = (DIALECT,)
