"""The ai21 SDK: chat in OpenAI's format, without `object`."""

from __future__ import annotations

from ..dialects import openai_chat
from .base import Row, Source

SOURCE = Source("ai21", provider="ai21", rows={"ChatCompletionChunk": Row(openai_chat.DIALECT.name)})
