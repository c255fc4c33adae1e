"""The fireworks-ai SDK: chunks in OpenAI's formats."""

from __future__ import annotations

from ..dialects import openai_chat, openai_completions
from .base import Row, Source

SOURCE = Source(
    "fireworks",
    provider="fireworks",
    rows={
        "ChatCompletionChunk": Row(openai_chat.DIALECT.name),
        "CompletionChunk": Row(openai_completions.DIALECT.name),
    },
)
