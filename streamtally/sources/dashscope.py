"""The dashscope SDK: items of its first interface, which are mappings, and chunks of its second, which look like OpenAI's."""

from __future__ import annotations

from ..dialects import dashscope
from .base import Row, Source

_ROW = Row(dialect=dashscope.DIALECT.name)

SOURCE = Source(
    "dashscope",
    provider=dashscope.DIALECT.provider,
    rows=dict.fromkeys(
        ("GenerationResponse", "MultiModalConversationResponse", "ApplicationResponse", "ChatCompletionChunk"), _ROW
    ),
)
