"""The dialects: by name, and by what a payload says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import UnknownDialect
from . import (
    anthropic_messages,
    bedrock_converse,
    bedrock_invoke,
    cohere,
    cohere_v1,
    gemini,
    mistral_chat,
    ollama,
    openai_audio,
    openai_chat,
    openai_completions,
    openai_images,
    openai_responses,
    plain,
)
from .base import Dialect

_DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        anthropic_messages.DIALECT,
        bedrock_invoke.dialect(lambda payload: detected(payload)),
        bedrock_converse.DIALECT,
        openai_responses.DIALECT,
        openai_audio.SPEECH,
        openai_audio.TRANSCRIPTION,
        openai_images.DIALECT,
        cohere.DIALECT,
        cohere_v1.DIALECT,
        gemini.DIALECT,
        ollama.CHAT,
        ollama.GENERATE,
        mistral_chat.DIALECT,
        openai_completions.DIALECT,
        openai_chat.DIALECT,
        plain.TEXT,
        plain.RAW_AUDIO,
        plain.OPAQUE,
    )
}
"""In the order in which they are asked whether a payload is theirs: the more a dialect's payloads say, the earlier."""


def dialect_named(name: str | Dialect) -> Dialect:
    """The dialect of this name; a `Dialect` stands for itself.

    Raises:
        UnknownDialect: nobody registered the name.
    """
    if isinstance(name, Dialect):
        return name
    try:
        return _DIALECTS[name]
    except KeyError:
        raise UnknownDialect(name, _DIALECTS) from None


def register_dialect(dialect: Dialect) -> Dialect:
    """Make a dialect known by its name, in place of one that had it; returns it.

    It is asked before all others whether a payload is its own.
    """
    global _DIALECTS
    _DIALECTS = {dialect.name: dialect, **{name: other for name, other in _DIALECTS.items() if name != dialect.name}}
    return dialect


def detected(payload: Any) -> Dialect:
    """The dialect of a payload (mapping, text or bytes); `plain.OPAQUE` where it does not tell."""
    if isinstance(payload, str):
        return plain.TEXT
    if isinstance(payload, bytes):
        return plain.RAW_AUDIO
    if not isinstance(payload, Mapping):
        return plain.OPAQUE
    return next((dialect for dialect in _DIALECTS.values() if dialect.recognises(payload)), plain.OPAQUE)


def dialect_names() -> tuple[str, ...]:
    """The names that are known, sorted."""
    return tuple(sorted(_DIALECTS))
