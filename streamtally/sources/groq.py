"""The groq SDK: chunks in OpenAI's format."""

from __future__ import annotations

from ..dialects import openai_chat
from .base import Row, Source

SOURCE = Source("groq", provider="groq", rows={"ChatCompletionChunk": Row(openai_chat.DIALECT.name)})
