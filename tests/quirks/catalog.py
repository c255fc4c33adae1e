"""All quirks. A new one is a row in the file of its provider."""

from __future__ import annotations

from streamtally.dialects.registry import dialect_names
from tests.quirks import (
    anthropic,
    bedrock,
    cohere,
    dashscope,
    gemini,
    huggingface,
    interactions,
    live,
    llamacpp,
    mistral,
    mistral_conversations,
    ollama,
    openai,
    realtime,
    vercel,
)
from tests.quirks.quirk import Quirk

ALL: tuple[Quirk, ...] = (
    *openai.QUIRKS,
    *realtime.QUIRKS,
    *vercel.QUIRKS,
    *anthropic.QUIRKS,
    *anthropic.COMPLETIONS,
    *dashscope.QUIRKS,
    *gemini.QUIRKS,
    *live.QUIRKS,
    *interactions.QUIRKS,
    *huggingface.QUIRKS,
    *llamacpp.QUIRKS,
    *bedrock.QUIRKS,
    *bedrock.INVOKE,
    *cohere.QUIRKS,
    *cohere.V1,
    *mistral.QUIRKS,
    *mistral_conversations.QUIRKS,
    *ollama.QUIRKS,
    *ollama.GENERATE,
)

KNOWN = tuple(quirk for quirk in ALL if quirk.dialect in dialect_names())
