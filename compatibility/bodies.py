"""Makes the bodies that the server sends, of words of our own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from .case import Reply

CALL = ("look_up", {"city": "Ulm"})
"""The name and the arguments of the tool call in `chat_chunks`."""


def sse(payloads: Iterable[Any], *, done: bool = True, names: Sequence[str | None] = (), **fields: Any) -> Reply:
    """Server-sent events of JSON payloads. `done` adds `[DONE]`; `names` are the names of the events, None for no name."""
    pieces = [_event(payload, name) for payload, name in zip_longest(payloads, names)]
    return Reply([*pieces, *([b"data: [DONE]\n\n"] if done else [])], **fields)


def _event(payload: Any, name: str | None) -> bytes:
    head = "" if name is None else f"event: {name}\n"
    return f"{head}data: {json.dumps(payload, ensure_ascii=False)}\n\n".encode()


def lines(payloads: Iterable[Any], **fields: Any) -> Reply:
    """JSON payloads, one a line."""
    pieces = [json.dumps(payload, ensure_ascii=False).encode() + b"\n" for payload in payloads]
    return Reply(pieces, **{"content_type": "application/x-ndjson", **fields})


def whole(payload: Any, **fields: Any) -> Reply:
    """One JSON body."""
    return Reply([json.dumps(payload).encode()], **{"content_type": "application/json", **fields})


def chat_chunks(
    *deltas: Mapping[str, Any],
    finish: str = "stop",
    usage: Mapping[str, Any] | None = None,
    last: Mapping[str, Any] | None = None,
    **fields: Any,
) -> list[dict[str, Any]]:
    """Chunks in the form of OpenAI's chat: one for each delta, one with the finish reason, and one with the usage.

    Args:
        deltas: the deltas of the only choice.
        finish: the finish reason.
        usage: the usage report, in a chunk without choices; None for no such chunk.
        last: fields of the chunk with the finish reason.
        fields: fields of all chunks, such as `model`.
    """
    head = {"id": "c-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "m-1", **fields}
    chunks = [{**head, "choices": [_choice(delta)]} for delta in deltas]
    chunks.append({**head, "choices": [_choice({}, finish)], **(last or {})})
    return chunks if usage is None else [*chunks, {**head, "choices": [], "usage": usage}]


def _choice(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": dict(delta), "finish_reason": finish}


def words(*texts: str, field: str = "content") -> list[dict[str, Any]]:
    """Deltas of a text in pieces; the first states the role."""
    return [{"role": "assistant", field: texts[0]}, *({field: text} for text in texts[1:])]


def call_deltas() -> Sequence[dict[str, Any]]:
    """Deltas of one tool call, `CALL`, with its arguments in pieces."""
    name, arguments = CALL
    text = json.dumps(arguments)
    begun = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}
    pieces = (text[:6], text[6:])
    return [
        {"role": "assistant", "content": None, "tool_calls": [begun]},
        *({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces),
    ]
