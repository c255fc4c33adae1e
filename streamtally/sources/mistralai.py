"""The mistralai SDK: chunks that look like OpenAI's."""

from __future__ import annotations

from ..dialects import mistral_chat
from .base import Source

SOURCE = Source(
    "mistralai",
    provider="mistral",
    dialects={"CompletionChunk": mistral_chat.DIALECT.name, "CompletionEvent": mistral_chat.DIALECT.name},
)
