"""`deepgram.live`: Deepgram's live transcription, as JSON messages of its WebSocket, of both versions of its API.

| message | read as |
| --- | --- |
| `Results` | the words of a stretch of sound, which begins at `start`; until `is_final` the next one replaces it |
| `TurnInfo` (version 2) | all of the turn `turn_index` so far; `EndOfTurn` ends it |
| `Metadata` | the end, with the seconds of sound |
| `Error` | an error |
| any other | an event beside the transcript |

Terminal rule: `Metadata`; without it (version 2 has none) a transcript is complete if all that began is final. Usage rule: final,
in seconds, in `Metadata`.

Source: https://developers.deepgram.com/reference/speech-to-text/listen-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import Chunk, TranscriptDelta
from ..json_readers import count_of, is_list, mapping_of, mappings_of, name_of, number_of, text_of, unnamed
from ..json_values import Json, json_value, stated
from ..records import StreamType
from .base import Dialect
from .charges import LIVE
from .openai_common import error_fields, unknown_event
from .openai_usage import usage_fields

_RESULT_FIELDS = frozenset({"type", "channel", "metadata", "channel_index", "start", "duration", "is_final", "speech_final"})
_TURN_FIELDS = frozenset({"type", "request_id", "sequence_id", "turn_index", "transcript", "words", "event"})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One message."""
    kind = text_of(payload.get("type"))
    sequence = count_of(payload.get("sequence_id"))
    if kind == "Results":
        found = _results(payload)
    elif kind == "TurnInfo":
        found = _turn(payload)
    elif kind == "Metadata":
        found = _end(payload)
    elif kind == "Error":
        found = Chunk(error=error_fields({**payload, "type": payload.get("variant"), "detail": payload.get("description")}))
    else:
        found = unknown_event(kind, payload)
    request = name_of(payload.get("request_id"))
    return found._replace(sequence=sequence, meta={**found.meta, **({"response_id": request} if request else {})})


def _results(payload: Mapping[str, Any]) -> Chunk:
    spoken = next(mappings_of(mapping_of(payload.get("channel")).get("alternatives")), {})
    metadata, final = mapping_of(payload.get("metadata")), payload.get("is_final") is not False
    start, channel = number_of(payload.get("start")) or 0.0, _channel(payload)
    segment = {"start": start, "duration": number_of(payload.get("duration")), "channel": channel, "is_final": final}
    delta = _delta(spoken, segment, (round(start * 1000), channel), final=final)
    model = mapping_of(metadata.get("model_info"))
    named = {"response_id": name_of(metadata.get("request_id")), "model": name_of(model.get("name"))}
    return Chunk((delta,), stated(named), unnamed(payload, _RESULT_FIELDS))


def _channel(payload: Mapping[str, Any]) -> int:
    index = payload.get("channel_index")
    return count_of(index[0]) or 0 if is_list(index) and index else 0


def _turn(payload: Mapping[str, Any]) -> Chunk:
    index, final = count_of(payload.get("turn_index")) or 0, payload.get("event") == "EndOfTurn"
    segment = {"turn_index": index, "is_final": final, **unnamed(payload, _TURN_FIELDS)}
    return Chunk((_delta(payload, segment, (index,), final=final),))


def _delta(spoken: Mapping[str, Any], segment: Mapping[str, Json], turn: tuple[int, ...], *, final: bool) -> TranscriptDelta:
    text, words = text_of(spoken.get("transcript")), json_value(list(mappings_of(spoken.get("words"))))
    languages = spoken.get("languages")
    language = name_of(languages[0]) if is_list(languages) and languages else None
    lists = {"words": words, "segments": [{"text": text, **stated(segment)}]} if text else None
    return TranscriptDelta(text, final=final, fields={"language": language} if language else None, lists=lists, turn=turn)


def _end(payload: Mapping[str, Any]) -> Chunk:
    seconds = number_of(payload.get("duration"))
    return Chunk(
        (TranscriptDelta(final=True, fields={"duration": seconds}),),
        extras=unnamed(payload, frozenset({"type", "request_id"})),
        usage={"seconds": seconds} if seconds is not None else None,
        terminal=True,
    )


def _recognises(payload: Mapping[str, Any]) -> bool:
    kind = payload.get("type")
    if kind == "Results":
        return is_list(mapping_of(payload.get("channel")).get("alternatives"))
    return (kind == "TurnInfo" and "turn_index" in payload) or (kind == "Metadata" and "transaction_key" in payload)


_KEYS: Mapping[str, frozenset[str]] = {
    "Metadata": frozenset({"duration", "channels"}),
    "UtteranceEnd": frozenset({"last_word_end"}),
    "SpeechStarted": frozenset({"timestamp"}),
    "Connected": frozenset({"request_id", "sequence_id"}),
    "Warning": frozenset({"description"}),
    "Error": frozenset({"description"}),
}
"""Keys of the messages that are told from those of others by them."""


def _resembles(payload: Mapping[str, Any]) -> bool:
    keys = _KEYS.get(text_of(payload.get("type")))
    return keys is not None and keys <= payload.keys()


DIALECT = Dialect(
    "deepgram.live",
    StreamType.TRANSCRIPTION,
    chunk,
    usage_fields,
    provider="deepgram",
    recognises=_recognises,
    resembles=_resembles,
    charges=LIVE,
)

DIALECTS = (DIALECT,)
