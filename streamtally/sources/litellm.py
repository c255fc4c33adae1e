"""LiteLLM: converts the answers of many providers to OpenAI's formats, and names the provider on its streams and chunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .base import Source


def _provider(thing: Any) -> str | None:
    """The provider: an attribute of a stream, a hidden parameter of a chunk."""
    hidden = getattr(thing, "_hidden_params", None)
    stated = getattr(thing, "custom_llm_provider", None)
    if stated is None and isinstance(hidden, Mapping):
        stated = hidden.get("custom_llm_provider")
    return stated if isinstance(stated, str) else None


SOURCE = Source(
    "litellm",
    stated_provider=_provider,
    closes="completion_stream",
    private={"_hidden_params": "litellm 1.110"},
)
"""Streams of older releases have no `close`, but `completion_stream` has."""
