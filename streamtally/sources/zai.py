"""The zai-sdk: chat in OpenAI's format, without `object`; agents, and speech whose content is audio."""

from __future__ import annotations

from typing import Any

from ..chunks import AudioDelta, Chunk, Delta, FinishDelta
from ..dialects import openai_chat
from .base import Row, Source

_CHAT = Row(openai_chat.DIALECT.name)


def _speech(item: Any) -> Chunk:
    """Audio in base64 where a chat has text."""
    deltas: list[Delta] = []
    for choice in item.choices:
        deltas.append(AudioDelta(choice.delta.content or ""))
        if choice.finish_reason:
            deltas.append(FinishDelta(choice.finish_reason))
    error = item.error
    return Chunk(
        tuple(deltas),
        {"response_id": item.request_id},
        error=None if error is None else {"code": error.code, "message": error.message},
    )


SOURCE = Source(
    "zai",
    provider="zai",
    rows={"ChatCompletionChunk": _CHAT, "AgentsCompletionChunk": _CHAT, "AudioSpeechChunk": Row(chunk=_speech)},
)
