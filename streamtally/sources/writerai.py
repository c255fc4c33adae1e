"""The writer-sdk: chat in OpenAI's format, and pieces of text of completions, applications and questions."""

from __future__ import annotations

from ..dialects import openai_chat
from .base import Row, Source
from .extract import Extract

SOURCE = Source(
    "writerai",
    provider="writer",
    rows={
        "ChatCompletionChunk": Row(openai_chat.DIALECT.name),
        "CompletionChunk": Row(extract=Extract(text="value", cumulative=False)),
        "ApplicationGenerateContentChunk": Row(extract=Extract(text="delta.content")),
        "QuestionResponseChunk": Row(extract=Extract(text="data.answer")),
    },
)
