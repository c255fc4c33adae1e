"""`openai.speech` and `openai.transcription`: text to speech, and speech to text.

Speech. Terminal rule: `speech.audio.done`, or the end of a body of raw bytes. Usage rule: final, only in
`speech.audio.done`; raw bytes have none.

Transcription. Terminal rule: `transcript.text.done`, whose text replaces that of the deltas. Usage rule: final, in that event,
in tokens or seconds.

Source: https://platform.openai.com/docs/api-reference/audio
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import AudioDelta, Chunk, FinishDelta, TextDelta, TranscriptDelta
from ..json_readers import is_list, mappings_of, name_of, number_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import StreamRecord, StreamType, Transcript, Usage
from . import openai_chat
from .base import Dialect, by_type
from .openai_common import error_chunk, response_usage, total_of, unknown_event
from .openai_usage import usage_fields
from .plain import audio_chunk


def speech_chunk(payload: Any) -> Chunk:
    """One speech event, or a piece of a body that is audio."""
    if not isinstance(payload, Mapping):
        return audio_chunk(payload)
    kind = text_of(payload.get("type"))
    if found := error_chunk(payload):
        return found
    fields = unnamed(payload, frozenset({"type", "audio", "delta", "usage"})) or None
    data = text_of(payload.get("audio")) or text_of(payload.get("delta"))
    return Chunk(
        (AudioDelta(data, fields=fields),) if data or fields else (),
        usage=json_value(payload["usage"]) if isinstance(payload.get("usage"), Mapping) else None,
        terminal=kind == "speech.audio.done",
    )


def transcription_chunk(payload: Mapping[str, Any]) -> Chunk:
    """One transcription event; a whole transcription object is read as the final event."""
    if found := error_chunk(payload):
        return found
    kind = text_of(payload.get("type"))
    if is_list(payload.get("choices")):
        return _of_choices(payload)
    if kind == "transcript.text.delta":
        return Chunk((TranscriptDelta(text_of(payload.get("delta")), lists=_lists(payload, "logprobs")),))
    if kind == "transcript.text.segment":
        return Chunk((TranscriptDelta(lists={"segments": [json_value(unnamed(payload, frozenset({"type"})))]}),))
    if kind and kind != "transcript.text.done":
        return unknown_event(kind, payload)
    return _final_transcript(payload)


def _of_choices(payload: Mapping[str, Any]) -> Chunk:
    """A chunk of a server that sends a transcription in the format of chat (vLLM): the finish reason makes the text final."""
    whole = openai_chat.chunk(payload)
    text = "".join(delta.text for delta in whole.deltas if isinstance(delta, TextDelta))
    final = any(isinstance(delta, FinishDelta) for delta in whole.deltas)
    deltas = (TranscriptDelta(text), *([TranscriptDelta(final=True)] if final else []))
    return whole._replace(deltas=deltas)


def _final_transcript(payload: Mapping[str, Any]) -> Chunk:
    named = frozenset({"type", "text", "language", "languages", "duration", "words", "segments", "logprobs", "usage"})
    text = payload.get("text")
    delta = TranscriptDelta(
        text if isinstance(text, str) else None,
        final=True,
        fields={"language": _language(payload), "duration": number_of(payload.get("duration"))},
        lists=_lists(payload, "words", "segments", "logprobs"),
    )
    usage = payload.get("usage")
    return Chunk(
        (delta,),
        extras={
            **unnamed(payload, named),
            **({"languages": json_value(payload["languages"])} if payload.get("languages") else {}),
        },
        usage=json_value(usage) if isinstance(usage, Mapping) else None,
        terminal=True,
    )


def _language(payload: Mapping[str, Any]) -> str | None:
    """The language; the first of several."""
    first = next(mappings_of(payload.get("languages")), {})
    return name_of(payload.get("language")) or name_of(first.get("code")) or name_of(first.get("language"))


def _lists(payload: Mapping[str, Any], *names: str) -> dict[str, list[Json]] | None:
    lists = {name: list(json_value(payload[name])) for name in names if is_list(payload.get(name)) and payload[name]}
    return lists or None


def transcription_response(record: StreamRecord) -> dict[str, Json]:
    """The record as a transcription object, with the fields of its verbose forms that were sent."""
    transcript = record.transcript or Transcript()
    known = {"language": transcript.language, "duration": transcript.duration, "languages": record.extras.get("languages")}
    lists = {"words": transcript.words, "segments": map(_response_segment, transcript.segments), "logprobs": transcript.logprobs}
    return {
        "text": record.text,
        **{name: value for name, value in known.items() if value is not None},
        **{name: found for name, items in lists.items() if (found := list(items))},
        **_response_usage(record.usage),
    }


def _response_segment(segment: Mapping[str, Json]) -> dict[str, Json]:
    """A segment as it is in a response: those of the diarised form state their type."""
    return {"type": "transcript.text.segment", **segment} if "speaker" in segment else dict(segment)


def _response_usage(usage: Usage | None) -> dict[str, Json]:
    if usage is None or usage.seconds is not None:
        return response_usage(usage, {"type": "duration"})
    tokens = {"input_tokens": usage.input_tokens or 0, "output_tokens": usage.output_tokens or 0}
    return response_usage(usage, {"type": "tokens", **tokens, "total_tokens": total_of(usage)})


_is_transcript_event = by_type("transcript.text.")


def _is_transcription(payload: Mapping[str, Any]) -> bool:
    return payload.get("object") == "transcription.chunk" or _is_transcript_event(payload)


SPEECH = Dialect(
    "openai.speech",
    StreamType.SPEECH,
    speech_chunk,
    usage_fields,
    framing="events or bytes",
    states_finish=False,
    recognises=by_type("speech.audio."),
)
TRANSCRIPTION = Dialect(
    "openai.transcription",
    StreamType.TRANSCRIPTION,
    transcription_chunk,
    usage_fields,
    response=transcription_response,
    recognises=_is_transcription,
)

DIALECTS = (SPEECH, TRANSCRIPTION)
