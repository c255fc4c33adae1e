"""The elevenlabs SDK: bytes of sound, or chunks with timestamps. Both come from generators, whose code names the SDK."""

from __future__ import annotations

from ..dialects import elevenlabs
from .base import Row, Source

_CHUNK = Row(elevenlabs.DIALECT.name)

SOURCE = Source(
    "elevenlabs",
    provider="elevenlabs",
    rows={
        "StreamingAudioChunkWithTimestampsResponse": _CHUNK,
        "StreamingAudioChunkWithTimestampsAndVoiceSegmentsResponseModel": _CHUNK,
    },
)
