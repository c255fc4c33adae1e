"""The huggingface_hub client: chunks that look like OpenAI's, and are read as such, and tokens of text-generation-inference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dialects import huggingface_tgi, openai_chat
from .base import Row, Source
from .extract import Extract


def _unwrap(item: Any) -> Any:
    """The fields of an item. What the client does not know is an attribute of a nested object, and not in it as a mapping."""
    if isinstance(item, list):
        return [_unwrap(one) for one in item]
    if not isinstance(item, Mapping):
        return item
    return {name: _unwrap(value) for name, value in {**item, **getattr(item, "__dict__", {})}.items()}


SOURCE = Source(
    "huggingface_hub",
    provider="huggingface",
    rows={
        "ChatCompletionStreamOutput": Row(openai_chat.DIALECT.name, Extract(unwrap=_unwrap)),
        "TextGenerationStreamOutput": Row(huggingface_tgi.DIALECT.name),
    },
)
