"""The dialects by name."""

from __future__ import annotations

from ..errors import UnknownDialect
from . import openai_audio, openai_chat, openai_completions, openai_images, openai_responses, plain
from .base import Dialect

_DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        openai_chat.DIALECT,
        openai_completions.DIALECT,
        openai_responses.DIALECT,
        openai_audio.SPEECH,
        openai_audio.TRANSCRIPTION,
        openai_images.DIALECT,
        plain.TEXT,
        plain.RAW_AUDIO,
        plain.OPAQUE,
    )
}


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
    """Make a dialect known by its name, in place of one that had it; returns it."""
    _DIALECTS[dialect.name] = dialect
    return dialect


def dialect_names() -> tuple[str, ...]:
    """The names that are known, sorted."""
    return tuple(sorted(_DIALECTS))
