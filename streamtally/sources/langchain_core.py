"""LangChain: the messages that all its integrations stream. Events come as mappings, and LangGraph's in tuples."""

from __future__ import annotations

from typing import Any

from ..dialects import langchain
from ..dialects.providers import provider_named
from ..json_readers import mapping_of
from .base import Row, Source
from .extract import Extract
from .readable import no_content


def _provider(thing: Any) -> str | None:
    """The provider that a message states; that of a generation lies in its message."""
    message = getattr(thing, "message", thing)
    return provider_named(mapping_of(getattr(message, "response_metadata", None)).get("model_provider"))


_MESSAGE = Row(langchain.DIALECT.name)

SOURCE = Source(
    "langchain_core",
    rows={
        "AIMessage": _MESSAGE,
        "GenerationChunk": _MESSAGE,
        "ChatGenerationChunk": Row(langchain.DIALECT.name, Extract(unwrap="message")),
        "BaseMessage": Row(langchain.DIALECT.name, chunk=no_content),
    },
    stated_provider=_provider,
    is_framework=True,
)
"""What tools and users wrote (`BaseMessage`) is no answer of a model; `AIMessageChunk` is an `AIMessage`."""
