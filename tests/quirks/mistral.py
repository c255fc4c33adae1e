"""Quirks of Mistral's chat API, which looks like OpenAI's (https://docs.mistral.ai/api/endpoint/chat)."""

from __future__ import annotations

from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import Row, by_dialect

COUNTS = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


def chunk(finish: str | None = None, *, usage: Any = None, **delta: Any) -> Payload:
    """One chunk of one choice."""
    whole = {"id": "cmpl_1", "object": "chat.completion.chunk", "created": 1, "model": "mistral-1"}
    whole["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {**whole, "usage": usage} if usage else whole


def call(call_id: str, name: str, arguments: str, **fields: Any) -> dict[str, Any]:
    """A whole call, as Mistral sends it: without an index."""
    return {"id": call_id, "function": {"name": name, "arguments": arguments}, **fields}


def thinking(*words: str) -> dict[str, Any]:
    """A part of the content that is reasoning."""
    return {"type": "thinking", "thinking": [{"type": "text", "text": word} for word in words]}


START = chunk(role="assistant", content="")
REFERENCE = {"type": "reference", "reference_ids": [1, 2]}

ROWS: list[Row] = [
    ("usage comes with the last choice", [
        START, chunk(content="Hel"), chunk(content="lo"), chunk("stop", content="", usage=COUNTS)],
        {"text": "Hello", "usage.input_tokens": 9, "usage.output_tokens": 4, "finish": ("stop", "stop")}),
    ("two whole calls in one delta, without an index", [
        START, chunk("tool_calls", content="", usage=COUNTS,
                     tool_calls=[call("aaaaaaaaa", "f", '{"a": 1}'), call("bbbbbbbbb", "g", '{"b": 2}')])],
        {"calls": [("aaaaaaaaa", "f", {"a": 1}), ("bbbbbbbbb", "g", {"b": 2})], "finish": ("tool_calls", "tool_calls")}),
    ("two calls, each at index 0 with an id of its own", [
        START, chunk(tool_calls=[call("aaaaaaaaa", "f", '{"a": 1}', index=0)]),
        chunk("tool_calls", tool_calls=[call("bbbbbbbbb", "g", '{"b": 2}', index=0)])],
        {"calls": [("aaaaaaaaa", "f", {"a": 1}), ("bbbbbbbbb", "g", {"b": 2})]}),
    ("content may be parts of thinking, then parts of text, then a text", [
        START, chunk(content=[thinking("let ")]), chunk(content=[thinking("me")]),
        chunk(content=[{"type": "text", "text": "so"}]),
        chunk(content=" be"), chunk("stop", content="", usage=COUNTS)],
        {"reasoning": "let me", "text": "so be"}),
    ("both in one chunk", [START, chunk("stop", content=[thinking("hm"), {"type": "text", "text": "so"}])],
        {"reasoning": "hm", "text": "so"}),
    ("the model's own limit is a length", [START, chunk("model_length", content="a")],
        {"finish": ("length", "model_length")}),
    ("an answer may end with an error as its reason", [START, chunk("error", content="a")],
        {"text": "a", "finish": ("error", "error"), "outcome": "error"}),
    ("an answer without a reason was cut off", [START, chunk(content="a")],
        {"text": "a", "outcome": "truncated", "usage": None}),
    ("an error takes nothing away", [START, chunk(content="a"), {"error": {"message": "gone", "code": 503}}],
        {"text": "a", "outcome": "error", "error.message": "gone"}),
]  # fmt: skip

QUIRKS = by_dialect("mistral.chat", ROWS, same_as="openai.chat")
