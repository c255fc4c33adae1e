"""The mistralai SDK: chunks that look like OpenAI's, and events of conversations."""

from __future__ import annotations

from ..dialects import mistral_chat, mistral_conversations
from .base import Row, Source

SOURCE = Source(
    "mistralai",
    provider="mistral",
    rows={
        "CompletionChunk": Row(mistral_chat.DIALECT.name),
        "CompletionEvent": Row(mistral_chat.DIALECT.name),
        "ConversationEvents": Row(mistral_conversations.DIALECT.name),
    },
)
