"""Semantic Kernel: contents of one choice each, with the provider's chunk inside; several choices come as a list of contents.

Each content of a list has the whole chunk inside, which is read once: where the content is that of its first choice. An agent
yields the contents with text or usage of each of its calls of the model, and keeps the others: they are read by their own fields.

Source: https://learn.microsoft.com/semantic-kernel/concepts/ai-services/chat-completion/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..chunks import Chunk, FinishDelta, TextDelta, ToolCallDelta
from ..json_readers import is_list
from .base import Row, Source
from .extract import Extract
from .extracted import extracted
from .readable import is_readable


def _inner(content: Any) -> Any:
    inner = getattr(content, "inner_content", None)
    if not is_readable(inner):
        return None
    choices = getattr(inner, "choices", None)
    first = getattr(choices[0], "index", None) if is_list(choices) and choices else None
    return inner if first is None or first == getattr(content, "choice_index", first) else Chunk()


def _items(content: Any, kind: str) -> Iterator[Any]:
    return (item for item in getattr(content, "items", None) or () if getattr(item, "content_type", None) == kind)


def _texts(content: Any, kind: str) -> str:
    return "".join(getattr(item, "text", None) or "" for item in _items(content, kind))


def _call(item: Any) -> dict[str, Any]:
    return {"index": item.index, "id": item.id, "name": item.name or None, "arguments": item.arguments}


_CONTENT = Extract(
    text=lambda content: _texts(content, "text"),
    reasoning=lambda content: _texts(content, "reasoning"),
    tool_calls=lambda content: [_call(item) for item in _items(content, "function_call")],
    finish="finish_reason",
    usage="metadata.usage",
    model="ai_model_id",
    cumulative=False,
)
_IN_RUN = replace(_CONTENT, usage_adds=True)
_TEXT = Extract(text="text", usage="metadata.usage", model="ai_model_id", cumulative=False)


def _read(content: Any, extract: Extract) -> Chunk:
    """The chunk of a content by its own fields. What tools and users wrote is no content of a model."""
    role = getattr(content, "role", None)
    if role is not None and getattr(role, "value", role) != "assistant":
        return Chunk()
    found = extracted(content, extract).chunk
    choice = getattr(content, "choice_index", 0)
    ours = (TextDelta, ToolCallDelta, FinishDelta)
    return found._replace(deltas=tuple(one._replace(choice=choice) if isinstance(one, ours) else one for one in found.deltas))


SOURCE = Source(
    "semantic_kernel",
    rows={
        "StreamingChatMessageContent": Row(extract=Extract(unwrap=_inner), chunk=lambda content: _read(content, _CONTENT)),
        "StreamingTextContent": Row(extract=Extract(unwrap=_inner), chunk=lambda content: _read(content, _TEXT)),
        "AgentResponseItem": Row(chunk=lambda item: _read(item.message, _IN_RUN)),
    },
    is_framework=True,
)
