"""The gigachat SDK: two APIs whose chunks have the same name; those of the second are read in OpenAI's form.

Source: https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/gigachat-api
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..dialects import openai_chat
from ..json_readers import mapping_of, mappings_of, text_of
from ..json_values import deep_fields
from .base import Row, Source
from .extract import Extract

_OF_CHOICE = ("messages", "finish_reason")


def _unwrap(item: Any) -> Mapping[str, Any]:
    """A chunk of the second API: messages, each with parts, one of which may be a whole call of a function."""
    fields = deep_fields(item) or {}
    choices = [_choice(message) for message in mappings_of(fields.get("messages"))]
    if finish := fields.get("finish_reason"):
        choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    others = {name: value for name, value in fields.items() if name not in _OF_CHOICE}
    return {**others, "object": "chat.completion.chunk", "choices": choices}


def _choice(message: Mapping[str, Any]) -> dict[str, Any]:
    parts = list(mappings_of(message.get("content")))
    field = "reasoning_content" if message.get("role") == "reasoning" else "content"
    delta = {
        "role": message.get("role"),
        field: "".join(text_of(part.get("text")) for part in parts),
        "tool_calls": [{"type": "function", "function": call} for call in _calls(message, parts)],
    }
    return {"index": 0, "delta": delta, "finish_reason": message.get("finish_reason")}


def _calls(message: Mapping[str, Any], parts: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return filter(None, (mapping_of(holder.get("function_call")) for holder in (message, *parts)))


_NAME = "ChatCompletionChunk"

SOURCE = Source(
    "gigachat",
    provider="gigachat",
    rows={
        f"gigachat.models.chat.{_NAME}": Row(openai_chat.DIALECT.name),
        f"gigachat.models.chat_completions.{_NAME}": Row(openai_chat.DIALECT.name, Extract(unwrap=_unwrap)),
    },
)
