"""The registry of dialects: finds a dialect by its name, or by which of them recognises a payload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from ..errors import UnknownDialect
from .base import Dialect
from .plain import OPAQUE, RAW_AUDIO, TEXT

_MODULES = (
    # What these recognise is in no other dialect, and what they resemble neither: their order makes no difference.
    "anthropic_completions",
    "anthropic_messages",
    "bedrock_invoke",
    "bedrock_converse",
    "openai_realtime",
    "openai_responses",
    "openai_audio",
    "openai_images",
    "cohere",
    "cohere_v1",
    "dashscope",
    "gemini",
    "gemini_interactions",
    "gemini_live",
    "huggingface_tgi",
    "llamacpp",
    "ollama",
    "mistral_chat",
    "mistral_conversations",
    "langchain",
    "deepgram",
    "assemblyai",
    "elevenlabs",
    "cartesia",
    "vercel_ui",
    # A completion resembles chat too, which has `choices` in common with it: chat comes after all others.
    "openai_completions",
    "openai_chat",
    # Recognise no mapping.
    "pydantic_ai",
    "plain",
)
"""The modules of this package whose `DIALECTS` are registered, in the order in which they are asked to recognise a payload."""

_added: dict[str, Dialect] = {}
"""What `register_dialect` added, the latest first."""


@cache
def _built_in() -> Mapping[str, Dialect]:
    """The dialects of `_MODULES` by name, in that order. Importing the package does not import the modules."""
    modules = (import_module(f"{__package__}.{name}") for name in _MODULES)
    return {dialect.name: dialect for module in modules for dialect in module.DIALECTS}


def load_dialects() -> None:
    """Import the built-in dialects, if that has not been done: ahead of the first payload, which would have to wait for it."""
    _built_in()


def _registered() -> Iterator[Dialect]:
    """All dialects in the order of detection: those that were added, then the built-in ones that they do not replace."""
    yield from _added.values()
    yield from (dialect for name, dialect in _built_in().items() if name not in _added)


def dialect_named(name: str | Dialect) -> Dialect:
    """The dialect of this name; a `Dialect` is returned as it is.

    Raises:
        UnknownDialect: no dialect of this name is registered.
    """
    if isinstance(name, Dialect):
        return name
    found = _added.get(name) or _built_in().get(name)
    if found is None:
        raise UnknownDialect(name, dialect_names())
    return found


def known_dialect(name: str) -> Dialect:
    """The dialect of this name, or `OPAQUE` if none is registered: a record may come from another process."""
    return _added.get(name) or _built_in().get(name, OPAQUE)


def register_dialect(dialect: Dialect) -> Dialect:
    """Register a dialect under its name, in place of one of the same name, and return it.

    It is asked before all others whether it recognises, or resembles, a payload.
    """
    global _added
    _added = {dialect.name: dialect, **{name: other for name, other in _added.items() if name != dialect.name}}
    return dialect


def detected(payload: Any) -> Dialect:
    """The dialect of a payload (mapping, text or bytes); `OPAQUE` if no dialect recognises it."""
    if isinstance(payload, str):
        return TEXT
    if isinstance(payload, bytes):
        return RAW_AUDIO
    if not isinstance(payload, Mapping):
        return OPAQUE
    return recognised(payload)[0]


def recognised(payload: Mapping[str, Any]) -> tuple[Dialect, bool]:
    """The dialect that recognises a mapping, and True; else the first that it resembles, or `OPAQUE`, and False."""
    for dialect in _registered():
        if dialect.recognises(payload):
            return dialect, True
    return next((dialect for dialect in _registered() if dialect.resembles(payload)), OPAQUE), False


def dialect_names() -> tuple[str, ...]:
    """The names of all registered dialects, sorted."""
    return tuple(sorted(dialect.name for dialect in _registered()))
