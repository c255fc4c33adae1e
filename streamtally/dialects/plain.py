"""Streams without a wire format: any iterable of `str`, any iterable of audio bytes, and payloads that no dialect recognises."""

from __future__ import annotations

from typing import Any

from ..chunks import AudioDelta, Chunk, TextDelta
from ..json_values import json_value, plain_fields
from ..records import StreamType
from .base import Dialect
from .openai_common import error_chunk


def text_chunk(payload: Any) -> Chunk:
    """A piece of text."""
    return Chunk((TextDelta(payload if isinstance(payload, str) else str(payload)),))


def audio_chunk(payload: Any) -> Chunk:
    """A piece of audio."""
    if not isinstance(payload, bytes | bytearray | memoryview):
        raise TypeError(f"raw audio comes as bytes, not {type(payload).__name__}")
    return Chunk((AudioDelta(bytes(payload)),))


def opaque_chunk(payload: Any) -> Chunk:
    """A payload of unknown format: an error, or else its fields as `extras`, where the last value of each name counts."""
    fields = plain_fields(payload)
    if fields and (found := error_chunk(fields)):
        return found
    return Chunk(extras=json_value(fields) if fields else {"payload": json_value(payload)})


TEXT = Dialect("text", StreamType.TEXT, text_chunk, framing="text", states_finish=False)
"""Terminal rule: the end of the source. Usage rule: there is no report."""

RAW_AUDIO = Dialect("raw.audio", StreamType.SPEECH, audio_chunk, framing="bytes", states_finish=False)
"""Terminal rule: the end of the body. Usage rule: there is no report."""

OPAQUE = Dialect("opaque", StreamType.TEXT, opaque_chunk, states_finish=False)
"""For payloads that no dialect recognises. Terminal rule: the end of the source. Usage rule: there is no report."""

DIALECTS = (TEXT, RAW_AUDIO, OPAQUE)
