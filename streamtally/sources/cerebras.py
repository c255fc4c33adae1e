"""The cerebras-cloud-sdk: chunks in OpenAI's formats, with times beside the usage."""

from __future__ import annotations

from ..dialects import openai_chat, openai_completions
from .base import Row, Source

SOURCE = Source(
    "cerebras",
    provider="cerebras",
    rows={
        "ChatChunkResponse": Row(openai_chat.DIALECT.name),
        "CompletionResponse": Row(openai_completions.DIALECT.name),
    },
)
