"""Which dialect a payload speaks, told by what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import openai_audio, openai_chat, openai_completions, openai_images, openai_responses, plain
from .base import Dialect

_BY_OBJECT = {
    "chat.completion.chunk": openai_chat.DIALECT,
    "chat.completion": openai_chat.DIALECT,
    "text_completion": openai_completions.DIALECT,
    "response": openai_responses.DIALECT,
    "transcription.chunk": openai_audio.TRANSCRIPTION,
}
_BY_TYPE = {
    "response.": openai_responses.DIALECT,
    "speech.audio.": openai_audio.SPEECH,
    "transcript.text.": openai_audio.TRANSCRIPTION,
    "image_generation.": openai_images.DIALECT,
    "image_edit.": openai_images.DIALECT,
}


def detected(payload: Any) -> Dialect:
    """The dialect of a payload (mapping, text or bytes); `plain.OPAQUE` where it does not tell."""
    if isinstance(payload, str):
        return plain.TEXT
    if isinstance(payload, bytes):
        return plain.RAW_AUDIO
    if not isinstance(payload, Mapping):
        return plain.OPAQUE
    kind, form = payload.get("type"), payload.get("object")
    if isinstance(kind, str):
        for start, dialect in _BY_TYPE.items():
            if kind.startswith(start):
                return dialect
    if isinstance(form, str) and form in _BY_OBJECT:
        return _BY_OBJECT[form]
    return _by_shape(payload)


def _by_shape(payload: Mapping[str, Any]) -> Dialect:
    """Servers that leave out `object` still have choices with a delta or a text."""
    choices = payload.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(first, Mapping):
        return openai_completions.DIALECT if "text" in first and "delta" not in first else openai_chat.DIALECT
    return openai_chat.DIALECT if isinstance(choices, list) else plain.OPAQUE
