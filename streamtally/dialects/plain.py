"""Streams without a wire format: any iterable of `str`, any iterable of audio bytes, and payloads that no dialect recognises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import AudioDelta, Chunk, PayloadDelta, TextDelta
from ..json_readers import unnamed
from ..json_values import Json, json_value, stated
from ..records import StreamType
from .base import Dialect, named_usage
from .openai_common import FINISH_REASONS, error_fields, error_in
from .openai_usage import usage_fields
from .origin import ObjectFields


def text_chunk(payload: Any) -> Chunk:
    """A piece of text; whatever else comes between the pieces is kept as it is."""
    return Chunk((TextDelta(payload),)) if isinstance(payload, str) else opaque_chunk(payload)


def audio_chunk(payload: Any) -> Chunk:
    """A piece of audio."""
    if not isinstance(payload, bytes | bytearray | memoryview):
        raise TypeError(f"raw audio comes as bytes, not {type(payload).__name__}")
    return Chunk((AudioDelta(bytes(payload)),))


_ERROR_FIELDS = frozenset({"type", "code", "status", "status_code", "error_type", "error_code"})
"""Fields of an error, or beside it, one of which an error of unknown format has; or a message inside."""


def error_in_unknown(payload: Mapping[str, Any]) -> dict[str, Json] | None:
    """The error that a payload of unknown format is: it has a type, a code or a message, or nothing is beside it. The name
    `error` among other fields says nothing, nor do the fields of an object of the user's."""
    if isinstance(payload, ObjectFields):
        return None
    error = payload.get("error")
    beside = any(payload.get(name) for name in _ERROR_FIELDS) or len(stated(payload)) == 1
    if isinstance(error, Mapping):
        inside = isinstance(error.get("message"), str) or any(error.get(name) is not None for name in _ERROR_FIELDS)
        return error_in(payload) if inside or beside else None
    if isinstance(error, str) and error and beside:
        return error_in(payload)
    if payload.get("type") == "error" or payload.get("object") == "error":
        return error_fields(payload)
    return None


def extracted_usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """A report by the names of OpenAI or of `Usage`, as fields of a `Usage`."""
    return {**usage_fields(report), **named_usage(report)}


def opaque_chunk(payload: Any) -> Chunk:
    """A payload of unknown format: the error that it is, its fields as `extras` (of each name the last value), and itself."""
    value = json_value(payload)
    fields = value if isinstance(value, dict) else {} if value is None else {"payload": value}
    error = error_in_unknown(payload) if isinstance(payload, Mapping) else None
    if error is not None:
        return Chunk(extras=unnamed(fields, _ERROR_FIELDS | {"error", "message", "object"}), error=error)
    return Chunk((PayloadDelta(value),) if fields else (), extras=fields)


TEXT = Dialect("text", StreamType.TEXT, text_chunk, framing="text", states_finish=False)
"""Terminal rule: the end of the source. Usage rule: there is no report."""

RAW_AUDIO = Dialect("raw.audio", StreamType.SPEECH, audio_chunk, framing="bytes", states_finish=False)
"""Terminal rule: the end of the body. Usage rule: there is no report."""

OPAQUE = Dialect("opaque", StreamType.TEXT, opaque_chunk, states_finish=False)
"""For payloads that no dialect recognises. Terminal rule: the end of the source. Usage rule: there is no report."""

EXTRACT = Dialect("extract", StreamType.CHAT, opaque_chunk, extracted_usage, FINISH_REASONS, states_finish=False)
"""For items that are read field by field, as `Extract` or the class of the items states. Terminal rule: the end of the source.
Usage rule: reports are final or cumulative, by the names of `Usage` or those of OpenAI; or each is an increment."""

DIALECTS = (TEXT, RAW_AUDIO, OPAQUE, EXTRACT)
