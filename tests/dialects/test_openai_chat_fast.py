"""The fast path makes the same record as the general path."""

from typing import Any

import pytest
from openai._models import construct_type
from openai.types.chat import ChatCompletionChunk

from streamtally import StreamRecord, Tally


def chunk(delta: dict[str, Any], index: int = 0, **more: Any) -> dict[str, Any]:
    """A chat chunk with one choice."""
    choice = {"index": index, "delta": delta, "finish_reason": None, "logprobs": None}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def call(arguments: str, **more: Any) -> dict[str, Any]:
    """A delta with one piece of a tool call."""
    named = {"name": more.pop("name")} if "name" in more else {}
    return {"tool_calls": [{"index": 0, **more, "function": {"arguments": arguments, **named}}]}


def both_ways(payloads: list[dict[str, Any]]) -> tuple[StreamRecord, StreamRecord]:
    """The records of the SDK's objects, and of mappings, which have no fast path."""
    records = []
    for chunks in ([construct_type(value=payload, type_=ChatCompletionChunk) for payload in payloads], payloads):
        with Tally().wrap(chunks) as stream:
            list(stream)
        records.append(stream.record)
    return records[0], records[1]


OPENED = [
    chunk({"role": "assistant"}),
    chunk(call("", id="a", type="function", name="f")),
    chunk(call('{"a"')),
    chunk(call(":1}")),
]
NEXT = call("", id="b", type="function", name="g")


OPENERS = [chunk(NEXT), chunk(NEXT, created=2), chunk({**NEXT, "content": "x"}), chunk(NEXT, usage={"total_tokens": 1})]


@pytest.mark.parametrize("opener", OPENERS)
def test_another_call_under_the_same_index(opener: dict[str, Any]) -> None:
    """Pieces after the start of a second call belong to it, whichever path folded the start."""
    fast, general = both_ways([*OPENED, opener, chunk(call('{"b"')), chunk(call(":2}"))])
    assert [(one.id, one.arguments) for one in fast.tool_calls] == [("a", '{"a":1}'), ("b", '{"b":2}')]
    assert fast.choices == general.choices


def test_the_role_of_another_choice() -> None:
    """The role of one choice is not that of another."""
    payloads = [chunk({"content": "a"}), chunk({"role": "tool"}, 1), chunk({"role": "tool", "content": "b"})]
    fast, general = both_ways(payloads)
    assert (fast.choices[0].role, fast.text) == ("tool", "ab")
    assert fast.choices == general.choices


def test_further_fields_that_are_null() -> None:
    """Further fields that are null on every chunk do not matter."""
    words = [chunk({"content": word, "reasoning_content": None}) for word in ("a", "b", "c")]
    fast, general = both_ways(words)
    assert fast.choices == general.choices
