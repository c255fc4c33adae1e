"""Scenario builder for the events of OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from .scenario import Scenario
from .wire import CREATED, Call, Pieces, answer_pieces, event, interleaved, split_words

Status = Literal["completed", "incomplete", "failed"]


def responses(
    text: Pieces | None = None,
    *,
    model: str = "gpt-4.1-mini",
    reasoning: Pieces = (),
    tool_calls: Sequence[Call] = (),
    usage: Mapping[str, Any] | None = None,
    status: Status = "completed",
) -> Scenario:
    """A Responses stream: all events in order, numbered from 0, without `[DONE]`.

    The format is that of the official SDK's `ResponseStreamEvent`.

    Args:
        text: the message; by default a greeting, or nothing beside tool calls.
        model: the model named in the response.
        reasoning: a reasoning summary, as an item before the message.
        tool_calls: function calls, whose arguments are interleaved.
        usage: the usage of the last event; plausible counts by default.
        status: the final status; `incomplete` at the token limit, `failed` by a server error.
    """
    stream = _Stream(model)
    if reasoning:
        stream.reasoning(split_words(reasoning))
    if pieces := answer_pieces(text, tool_calls):
        stream.message(pieces, "completed" if status == "completed" else "incomplete")
    if tool_calls:
        stream.call(tool_calls)
    stream.end(status, usage)
    return Scenario(tuple(stream.frames))


class _Stream:
    """Builds the events of one response, and keeps its items for the last event."""

    def __init__(self, model: str) -> None:
        self.frames: list[bytes] = []
        self.output: list[dict[str, Any]] = []
        self.tokens = 0
        self.reasoning_tokens = 0
        self.model = model
        self.send("response.created", response=self.response("in_progress"))
        self.send("response.in_progress", response=self.response("in_progress"))

    def send(self, kind: str, **fields: Any) -> None:
        self.frames.append(event({"type": kind, "sequence_number": len(self.frames), **fields}, name=kind))

    def reasoning(self, pieces: Sequence[str]) -> None:
        at = self.open({"id": "rs_0", "type": "reasoning", "summary": []})
        place = {"item_id": "rs_0", "output_index": at, "summary_index": 0}
        part = {"type": "summary_text", "text": "".join(pieces)}
        self.send("response.reasoning_summary_part.added", **place, part={**part, "text": ""})
        for piece in pieces:
            self.send("response.reasoning_summary_text.delta", **place, delta=piece)
        self.send("response.reasoning_summary_text.done", **place, text=part["text"])
        self.send("response.reasoning_summary_part.done", **place, part=part)
        self.close(at, summary=[part])
        self.reasoning_tokens += len(pieces)

    def message(self, pieces: Sequence[str], status: str) -> None:
        at = self.open({"id": "msg_0", "type": "message", "status": "in_progress", "content": [], "role": "assistant"})
        place = {"item_id": "msg_0", "output_index": at, "content_index": 0}
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": "".join(pieces)}
        self.send("response.content_part.added", **place, part={**part, "text": ""})
        for piece in pieces:
            self.send("response.output_text.delta", **place, delta=piece, logprobs=[])
        self.send("response.output_text.done", **place, text=part["text"], logprobs=[])
        self.send("response.content_part.done", **place, part=part)
        self.close(at, status=status, content=[part])
        self.tokens += len(pieces)

    def call(self, calls: Sequence[Call]) -> None:
        first = len(self.output)
        for number, call in enumerate(calls):
            item = {"id": f"fc_{number}", "type": "function_call", "status": "in_progress", "arguments": ""}
            self.open({**item, "call_id": call.id or f"call_{number}", "name": call.name})
        for number, piece in interleaved(calls):
            place = {"item_id": f"fc_{number}", "output_index": first + number}
            self.send("response.function_call_arguments.delta", **place, delta=piece)
            self.tokens += 1
        for number, call in enumerate(calls):
            place = {"item_id": f"fc_{number}", "output_index": first + number}
            arguments = "".join(call.pieces)
            self.send("response.function_call_arguments.done", **place, arguments=arguments)
            self.close(first + number, status="completed", arguments=arguments)

    def open(self, item: dict[str, Any]) -> int:
        self.output.append(item)
        at = len(self.output) - 1
        self.send("response.output_item.added", output_index=at, item=item)
        return at

    def close(self, at: int, **fields: Any) -> None:
        self.output[at] = {**self.output[at], **fields}
        self.send("response.output_item.done", output_index=at, item=self.output[at])

    def end(self, status: Status, usage: Mapping[str, Any] | None) -> None:
        fields: dict[str, Any] = {"output": self.output, "usage": self.usage() if usage is None else usage}
        if status == "incomplete":
            fields["incomplete_details"] = {"reason": "max_output_tokens"}
        if status == "failed":
            fields |= {"output": [], "usage": None, "error": {"code": "server_error", "message": "The server had an error."}}
        self.send(f"response.{status}", response=self.response(status, **fields))

    def usage(self) -> dict[str, Any]:
        output = self.tokens + self.reasoning_tokens
        return {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning_tokens},
            "total_tokens": 9 + output,
        }

    def response(self, status: str, **fields: Any) -> dict[str, Any]:
        return {
            "id": "resp_0",
            "object": "response",
            "created_at": CREATED,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": None,
            "model": self.model,
            "output": [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None},
            "service_tier": "default" if status == "completed" else "auto",
            "store": True,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": None,
            "user": None,
            "metadata": {},
            **fields,
        }
