"""The anthropic SDK: its stream helpers, and the calls that stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dialects import anthropic_messages
from .base import Calls, Helper, Methods, Source


def _streams(arguments: Mapping[str, Any]) -> bool:
    return arguments.get("stream") is True


_MESSAGES = Methods(("Messages", "AsyncMessages"), ("create",), ("stream",), anthropic_messages.DIALECT.name)

SOURCE = Source(
    "anthropic",
    errors=lambda _: anthropic_messages.DIALECT.name,
    items="_cast_to",
    streams={
        "anthropic.types.raw_message": anthropic_messages.DIALECT.name,
        "anthropic.types.beta.beta_raw_message": anthropic_messages.DIALECT.name,
    },
    helper=Helper("until_done", events="_iterator", reads="_raw_stream._iterator"),
    calls=Calls(
        {
            "anthropic.resources.messages.messages": _MESSAGES,
            "anthropic.resources.beta.messages.messages": _MESSAGES,
        },
        _streams,
        transport=frozenset({"extra_headers", "extra_query", "extra_body", "timeout"}),
        base_url="_client.base_url",
    ),
    private={
        "_raw_stream._cast_to": "anthropic 0.125 to 2.14",
        "_iterator": "anthropic 0.125 to 2.14",
        "_raw_stream._iterator": "anthropic 0.125 to 2.14",
        "_client.base_url": "anthropic 0.125 to 2.14",
    },
)
"""It states no provider: the SDK is used with Bedrock, Vertex AI and other servers too."""
