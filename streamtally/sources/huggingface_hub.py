"""The huggingface_hub client: chunks that look like OpenAI's, and are read as such, and tokens of text-generation-inference."""

from __future__ import annotations

from ..dialects import huggingface_tgi, openai_chat
from .base import Row, Source

SOURCE = Source(
    "huggingface_hub",
    provider="huggingface",
    rows={
        "ChatCompletionStreamOutput": Row(openai_chat.DIALECT.name),
        "TextGenerationStreamOutput": Row(huggingface_tgi.DIALECT.name),
    },
)
