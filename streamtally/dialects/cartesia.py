"""`cartesia.speech`: Cartesia's speech, as server-sent events, and as messages of its WebSocket.

Terminal rule: `done`. Usage rule: there is no report.

Source: https://docs.cartesia.ai/api-reference/tts/sse
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import AudioDelta, Chunk, PayloadDelta
from ..json_readers import text_of, unnamed
from ..records import StreamType
from .base import Dialect
from .openai_common import error_fields

_NAMED = frozenset({"type", "data", "done", "status_code", "context_id", "step_time", "flush_id"})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """A piece of sound, or when words or phonemes are spoken, or the end."""
    kind, context = payload.get("type"), payload.get("context_id")
    meta = {"response_id": context} if isinstance(context, str) and context else {}
    if kind == "error" or payload.get("error") or payload.get("title"):
        message = payload.get("message") or payload.get("error") or payload.get("title")
        code = payload.get("error_code") or payload.get("title")
        return Chunk(meta=meta, error=error_fields({"message": message, "code": code}, payload.get("status_code")), terminal=True)
    times = unnamed(payload, _NAMED)
    data = text_of(payload.get("data"))
    return Chunk(
        (*([AudioDelta(data)] if data else []), *([PayloadDelta(times, repeats=True)] if times else [])),
        meta,
        times,
        terminal=payload.get("done") is True and kind != "flush_done",
    )


def _recognises(payload: Mapping[str, Any]) -> bool:
    if payload.get("type") == "chunk":
        return isinstance(payload.get("data"), str) and "step_time" in payload
    return payload.get("type") in ("timestamps", "phoneme_timestamps") and "status_code" in payload


def _resembles(payload: Mapping[str, Any]) -> bool:
    return isinstance(payload.get("done"), bool) and "status_code" in payload


DIALECT = Dialect("cartesia.speech", StreamType.SPEECH, chunk, provider="cartesia", recognises=_recognises, resembles=_resembles)

DIALECTS = (DIALECT,)
