"""The dashscope SDK: items of its first interface, which are mappings, and chunks of its second, which look like OpenAI's.

The first interface has OpenAI's chat too, whose chunks have the same name as those of the second.
"""

from __future__ import annotations

from typing import Any

from ..dialects import dashscope, openai_chat
from .base import Row, Source

_NATIVE = Row(dashscope.DIALECT.name)

_SNAPSHOTS = ("_merge", "_server_cumulative")
"""Attributes of the second interface's streams: the SDK joins pieces itself, or has asked the server for all so far."""


def _cumulative(stream: Any) -> bool | None:
    """Whether each item has all so far. Of the first interface only a generator that joins pieces shows it."""
    code = getattr(stream, "gi_code", None) or getattr(stream, "ag_code", None)
    if code is not None:
        return True if code.co_name.startswith("_merge_") else None
    stated = [getattr(stream, name, None) for name in _SNAPSHOTS]
    return None if None in stated else any(stated)


SOURCE = Source(
    "dashscope",
    provider=dashscope.DIALECT.provider,
    rows={
        "GenerationResponse": _NATIVE,
        "MultiModalConversationResponse": _NATIVE,
        "ApplicationResponse": _NATIVE,
        "dashscope.v2.types.completions.ChatCompletionChunk": _NATIVE,
        "dashscope.api_entities.chat_completion_types.ChatCompletionChunk": Row(openai_chat.DIALECT.name),
    },
    cumulative=_cumulative,
    private=dict.fromkeys((*_SNAPSHOTS, "_merge_generation_response"), "dashscope 2.0 to 2.0"),
)
