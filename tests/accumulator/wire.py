"""Payloads in a provider's form, short to write."""

from collections.abc import Mapping
from typing import Any

from streamtally import StreamRecord

DONE = "[DONE]"


def chat(**parts: Any) -> dict[str, Any]:
    """A chat chunk of one choice (`index`, `finish_reason`, `logprobs`, and anything else in the delta)."""
    beside = {name: parts.pop(name) for name in ("index", "finish_reason", "logprobs") if name in parts}
    return {"object": "chat.completion.chunk", "model": "gpt-4o", "choices": [{"index": 0, **beside, "delta": parts}]}


def said(text: str, choice: int = 0) -> dict[str, Any]:
    """Words."""
    return chat(content=text, index=choice)


def finish(reason: str = "stop", choice: int = 0) -> dict[str, Any]:
    """The end of a choice."""
    return chat(finish_reason=reason, index=choice)


def call(index: int | None = None, arguments: str | None = None, **fields: Any) -> dict[str, Any]:
    """A piece of a tool call, as an entry of `tool_calls`."""
    place = {} if index is None else {"index": index}
    function = {name: fields.pop(name) for name in ("name",) if name in fields}
    function |= {} if arguments is None else {"arguments": arguments}
    return {**place, **fields, **({"function": function} if function else {})}


def called(*calls: Mapping[str, Any], choice: int = 0) -> dict[str, Any]:
    """A chunk with pieces of tool calls."""
    return chat(tool_calls=list(calls), index=choice)


def used(input_tokens: int = 3, output_tokens: int = 4, **more: Any) -> dict[str, Any]:
    """A chunk with usage and nothing else."""
    usage = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens, **more}
    return {"object": "chat.completion.chunk", "choices": [], "usage": usage}


def event(kind: str, number: int | None = None, **fields: Any) -> dict[str, Any]:
    """An event of the Responses API."""
    return {"type": f"response.{kind}", **({} if number is None else {"sequence_number": number}), **fields}


class Ends(list[StreamRecord]):
    """An `on_end` that remembers what ended."""

    def __call__(self, record: StreamRecord) -> StreamRecord:
        """Note a record."""
        self.append(record)
        return record
