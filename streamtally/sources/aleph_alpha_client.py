"""The aleph-alpha-client: items of completions and of chat, each of a class of its own, read in OpenAI's form.

Source: https://docs.aleph-alpha.com
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dialects import openai_chat, openai_completions
from ..json_values import deep_fields
from .base import Row, Source
from .extract import Extract


def _completion(item: Any) -> Mapping[str, Any]:
    choice = {"index": item.index, "text": item.completion, "logprobs": item.log_probs}
    return {"object": "text_completion", "choices": [choice]}


def _completion_end(item: Any) -> Mapping[str, Any]:
    choice = {"index": item.index, "text": "", "finish_reason": item.finish_reason}
    return {"object": "text_completion", "model": item.model_version, "choices": [choice]}


def _summary(item: Any) -> Mapping[str, Any]:
    """The end of all choices, with the tokens of all."""
    usage = {"prompt_tokens": item.num_tokens_prompt_total, "completion_tokens": item.num_tokens_generated}
    return {"object": "text_completion", "choices": [], "usage": usage}


def _chat(delta: Mapping[str, Any], finish: Any = None, usage: Any = None) -> Mapping[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "choices": [] if usage else [choice], "usage": usage}


def _call(call: Any) -> Mapping[str, Any]:
    """A whole tool call, as the SDK assembles it."""
    return _chat({"tool_calls": [deep_fields(call)]})


def _of(dialect: str, unwrap: Any) -> Row:
    return Row(dialect, Extract(unwrap=unwrap))


_CHAT, _TEXT = openai_chat.DIALECT.name, openai_completions.DIALECT.name

SOURCE = Source(
    "aleph_alpha_client",
    provider="aleph-alpha",
    rows={
        "StreamChunk": _of(_TEXT, _completion),
        "StreamSummary": _of(_TEXT, _completion_end),
        "CompletionSummary": _of(_TEXT, _summary),
        "ChatStreamChunk": _of(_CHAT, lambda item: _chat(deep_fields(item) or {})),
        "ToolCall": _of(_CHAT, _call),
        "FinishReason": _of(_CHAT, lambda item: _chat({}, finish=item.value)),
        "Usage": _of(_CHAT, lambda item: _chat({}, usage=deep_fields(item))),
    },
)
