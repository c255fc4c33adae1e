"""elevenlabs: speech as bytes, and as chunks with timestamps."""

from __future__ import annotations

import base64
from typing import Any

from ..bodies import lines
from ..case import Case, Far, Reply, Row, Truth

_AUDIO = (b"ID3\x04" + bytes(60), bytes(64))


def _client(far: Far) -> Any:
    from elevenlabs import ElevenLabs

    return ElevenLabs(api_key="none", base_url=far.url)


def _bytes(far: Far) -> None:
    far.read(lambda: _client(far).text_to_speech.stream(voice_id="v-1", text="Bring a coat."))


def _timestamps(far: Far) -> None:
    far.read(lambda: _client(far).text_to_speech.stream_with_timestamps(voice_id="v-1", text="Bring a coat."))


def _chunk(data: bytes, text: str) -> dict[str, Any]:
    times = [index / 10 for index in range(len(text))]
    alignment = {
        "characters": [*text],
        "character_start_times_seconds": times,
        "character_end_times_seconds": [time + 0.1 for time in times],
    }
    return {"audio_base64": base64.b64encode(data).decode(), "alignment": alignment, "normalized_alignment": alignment}


_SPOKEN = Truth("elevenlabs", finish_reason=None, audio=sum(map(len, _AUDIO)))
_CHUNKS = [_chunk(data, text) for data, text in zip(_AUDIO, ("Bring a ", "coat."), strict=True)]

ROW = Row(
    "elevenlabs",
    "2.78.0",
    (
        Case("stream", _bytes, {"/v1/text-to-speech/v-1/stream": Reply(_AUDIO, "audio/mpeg")}, _SPOKEN),
        Case("stream_with_timestamps", _timestamps, {"/v1/text-to-speech/v-1/stream/with-timestamps": lines(_CHUNKS)}, _SPOKEN),
    ),
)
