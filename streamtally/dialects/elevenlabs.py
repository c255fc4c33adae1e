"""`elevenlabs.speech`: ElevenLabs' speech with timestamps, as JSON lines, and as messages of its WebSocket.

Terminal rule: the end of the source; `isFinal` over a WebSocket. Usage rule: there is no report.

Source: https://elevenlabs.io/docs/api-reference/text-to-speech/stream-with-timestamps
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import AudioDelta, Chunk, PayloadDelta
from ..json_readers import is_list, mapping_of, text_of, unnamed
from ..records import StreamType
from .base import Dialect
from .openai_common import bare_error_chunk, error_chunk

_AUDIO = ("audio_base64", "audio_base_64", "audio")
_NAMED = frozenset({*_AUDIO, "isFinal"})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """A piece of sound, with the characters that are spoken in it, and when."""
    if found := error_chunk(payload) or bare_error_chunk(payload):
        return found
    data = next(filter(None, (text_of(payload.get(name)) for name in _AUDIO)), "")
    alignment = mapping_of(payload.get("alignment"))
    characters: Any = alignment.get("characters") or alignment.get("chars")
    spoken = "".join(map(text_of, characters)) if is_list(characters) else ""
    times = unnamed(payload, _NAMED)
    return Chunk(
        (*([AudioDelta(data, spoken)] if data or spoken else []), *([PayloadDelta(times, repeats=True)] if times else [])),
        extras=times,
        terminal=payload.get("isFinal") is True,
    )


def _recognises(payload: Mapping[str, Any]) -> bool:
    if isinstance(payload.get("audio_base64"), str):
        return "alignment" in payload or "normalized_alignment" in payload
    return "audio" in payload and ("normalizedAlignment" in payload or "isFinal" in payload)


DIALECT = Dialect(
    "elevenlabs.speech",
    StreamType.SPEECH,
    chunk,
    provider="elevenlabs",
    states_finish=False,
    recognises=_recognises,
)

DIALECTS = (DIALECT,)
