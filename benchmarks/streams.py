"""Streams to measure with: the official SDK's chunk objects, parsed before the clock starts.

The pool is small and warm (500 distinct chunks, used again and again), so that what is measured is the wrapper and not the
memory of the machine.
"""

from __future__ import annotations

from typing import Any

from openai._models import construct_type
from openai.types.chat import ChatCompletionChunk

POOL = 500
ENVELOPE: dict[str, Any] = {
    "id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012",
    "object": "chat.completion.chunk",
    "created": 1_763_000_000,
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "system_fingerprint": "fp_0123456789",
}


def payload(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One Chat Completions chunk as it stands on the wire."""
    return {**ENVELOPE, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}], **more}


def word(number: int) -> str:
    """The text of a chunk: a new string at every call."""
    return f" word{number % POOL:03d}"


def payloads(kind: str, count: int) -> list[dict[str, Any]]:
    """A stream of `count` payloads: "text", "nulls" (as compatible servers write text) or "tool" (arguments)."""
    opening: dict[str, Any] = {"role": "assistant", "content": ""}
    if kind == "tool":
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
        opening = {"role": "assistant", "content": None, "tool_calls": [call]}
    middle = [_delta(kind, number) for number in range(min(count, POOL))]
    chunks = [middle[number % len(middle)] for number in range(count - 2)]
    return [payload(opening), *chunks, payload({}, "tool_calls" if kind == "tool" else "stop")]


def _delta(kind: str, number: int) -> dict[str, Any]:
    if kind == "tool":
        return payload({"tool_calls": [{"index": 0, "function": {"arguments": word(number)}}]})
    if kind == "nulls":
        delta = {"role": "assistant", "content": word(number), "refusal": None, "tool_calls": None, "function_call": None}
        return payload(delta, usage=None)
    return payload({"content": word(number)})


def sdk_chunks(kind: str, count: int) -> list[Any]:
    """The same stream as the SDK's objects."""
    made: dict[int, Any] = {}
    chunks = []
    for chunk in payloads(kind, count):
        if id(chunk) not in made:
            made[id(chunk)] = construct_type(value=chunk, type_=ChatCompletionChunk)
        chunks.append(made[id(chunk)])
    return chunks
