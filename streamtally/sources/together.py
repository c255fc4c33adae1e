"""The together SDK: chunks in OpenAI's formats, whose completions have the finish reason beside the choices; and speech."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import AudioDelta, Chunk
from ..dialects import openai_chat, openai_completions
from ..json_readers import mappings_of
from ..json_values import deep_fields
from .base import Row, Source
from .extract import Extract


def _completion(item: Any) -> Mapping[str, Any]:
    """A chunk of a completion in OpenAI's format: its text may be in a delta, and its finish reason beside the choices."""
    fields = deep_fields(item) or {}
    choices = [dict(choice) for choice in mappings_of(fields.get("choices"))]
    for choice in choices:
        delta = choice.pop("delta", None) or {}
        choice["text"] = choice.get("text") or delta.get("content")
        choice["finish_reason"] = choice.get("finish_reason") or fields.get("finish_reason")
    others = {name: value for name, value in fields.items() if name not in ("finish_reason", "token")}
    return {**others, "object": "text_completion", "choices": choices}


def _speech(item: Any) -> Chunk:
    return Chunk((AudioDelta(item.b64),), {"model": item.model})


SOURCE = Source(
    "together",
    provider="together",
    rows={
        "ChatCompletionChunk": Row(openai_chat.DIALECT.name),
        "CompletionChunk": Row(openai_completions.DIALECT.name, Extract(unwrap=_completion)),
        "AudioSpeechStreamChunk": Row(chunk=_speech),
    },
)
