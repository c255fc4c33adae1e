"""The sambanova SDK: chunks in OpenAI's formats, with times and rates in the usage; events of Responses and Messages."""

from __future__ import annotations

from ..dialects import openai_chat, openai_completions
from .base import Row, Source

SOURCE = Source(
    "sambanova",
    provider="sambanova",
    rows={
        "ChatCompletionStreamResponse": Row(openai_chat.DIALECT.name),
        "CompletionStreamResponse": Row(openai_completions.DIALECT.name),
    },
)
