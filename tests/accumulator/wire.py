"""Short constructors of payloads in a provider's wire format."""

from collections.abc import Mapping
from typing import Any

from streamtally import StreamRecord

DONE = "[DONE]"


def chat(**parts: Any) -> dict[str, Any]:
    """Return a chat chunk of one choice (`index`, `finish_reason`, `logprobs`; anything else is in the delta)."""
    beside = {name: parts.pop(name) for name in ("index", "finish_reason", "logprobs") if name in parts}
    return {"object": "chat.completion.chunk", "model": "gpt-4o", "choices": [{"index": 0, **beside, "delta": parts}]}


def text_chunk(text: str, choice: int = 0) -> dict[str, Any]:
    """Return a chat chunk with text."""
    return chat(content=text, index=choice)


def finish_chunk(reason: str = "stop", choice: int = 0) -> dict[str, Any]:
    """Return a chat chunk with a finish reason."""
    return chat(finish_reason=reason, index=choice)


def call_piece(index: int | None = None, arguments: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a piece of a tool call: an entry of `tool_calls`."""
    place = {} if index is None else {"index": index}
    function = {name: fields.pop(name) for name in ("name",) if name in fields}
    function |= {} if arguments is None else {"arguments": arguments}
    return {**place, **fields, **({"function": function} if function else {})}


def call_chunk(*calls: Mapping[str, Any], choice: int = 0) -> dict[str, Any]:
    """Return a chat chunk with pieces of tool calls."""
    return chat(tool_calls=list(calls), index=choice)


def usage_chunk(input_tokens: int = 3, output_tokens: int = 4, **more: Any) -> dict[str, Any]:
    """Return a chat chunk with usage and no choices."""
    usage = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens, **more}
    return {"object": "chat.completion.chunk", "choices": [], "usage": usage}


def event(kind: str, number: int | None = None, **fields: Any) -> dict[str, Any]:
    """Return an event of the Responses API."""
    return {"type": f"response.{kind}", **({} if number is None else {"sequence_number": number}), **fields}


class CollectedRecords(list[StreamRecord]):
    """An `on_end` callback that collects the records of ended streams."""

    def __call__(self, record: StreamRecord) -> StreamRecord:
        """Collect a record, and return it."""
        self.append(record)
        return record
