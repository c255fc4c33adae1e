"""The tencentcloud-sdk-python: events as mappings, whose data is Hunyuan's chat in JSON: OpenAI's format with other names.

Source: https://cloud.tencent.com/document/api/1729/105701
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..dialects import openai_chat
from ..json_readers import mapping_of
from .base import Row, Source
from .extract import Extract

_NAMES: Mapping[str, str] = {
    "Id": "id", "Model": "model", "Created": "created", "Usage": "usage", "Choices": "choices",
    "Index": "index", "Delta": "delta", "Message": "message", "FinishReason": "finish_reason",
    "Role": "role", "Content": "content", "ReasoningContent": "reasoning_content", "ToolCalls": "tool_calls",
    "Type": "type", "Function": "function", "Name": "name", "Arguments": "arguments",
    "PromptTokens": "prompt_tokens", "CompletionTokens": "completion_tokens", "TotalTokens": "total_tokens",
    "PromptTokensDetails": "prompt_tokens_details", "CompletionTokensDetails": "completion_tokens_details",
    "CachedTokens": "cached_tokens", "ReasoningTokens": "reasoning_tokens",
    "ErrorMsg": "error", "Error": "error", "Msg": "message", "Code": "code",
}  # fmt: skip
"""OpenAI's name for each of Tencent's; others stay as they are."""


def _unwrap(event: Mapping[str, Any]) -> Any:
    """The chunk in an event, in OpenAI's form; the end marker is handed on."""
    data = event.get("data")
    if not isinstance(data, str):
        return [] if not event else None
    try:
        payload = json.loads(data)
    except ValueError:
        return data
    if not isinstance(payload, dict):
        return None
    whole = mapping_of(payload.get("Response")) or payload
    return {"object": "chat.completion.chunk", **_renamed(whole)}


def _renamed(value: Any) -> Any:
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {_NAMES.get(name, name): item for name, item in value.items()}
    return {name: _renamed(item) if name in _KNOWN else item for name, item in named.items()}


_KNOWN = frozenset(_NAMES.values())

SOURCE = Source("tencentcloud", provider="tencent", mappings=Row(openai_chat.DIALECT.name, Extract(unwrap=_unwrap)))
