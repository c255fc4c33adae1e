"""Pydantic AI's events and generators, under the names of theirs; `make far` reads the real ones."""

import asyncio
from types import SimpleNamespace as Plain
from typing import Any

import pytest

from streamtally import StreamRecord, Tally

from .shapes import counts, made, read

_EVENTS = "pydantic_ai.messages"


def part(kind: str, **fields: Any) -> Any:
    """A part of an answer."""
    return Plain(part_kind=kind, **{"signature": None, **fields})


def started(index: int, of: Any) -> Any:
    """A `PartStartEvent`."""
    return made(f"{_EVENTS}.PartStartEvent", index=index, part=of)


def continued(index: int, kind: str, **fields: Any) -> Any:
    """A `PartDeltaEvent`."""
    filled = {"signature_delta": None, "tool_name_delta": None, "tool_call_id": None, **fields}
    return made(f"{_EVENTS}.PartDeltaEvent", index=index, delta=Plain(part_delta_kind=kind, **filled))


def used(**fields: int) -> Any:
    """A usage; what was not counted is 0."""
    return Plain(**{"input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0, "output_reasoning_tokens": 0, **fields})


def answer(*parts: Any, model: str = "m-1", finish: str | None = "stop", usage: Any = None) -> Any:
    """A `ModelResponse`."""
    said = {"finish_reason": finish, "provider_name": "google-gla", "provider_response_id": "r-1", "kind": "response"}
    return made(f"{_EVENTS}.ModelResponse", parts=list(parts), model_name=model, usage=usage or used(), **said)


def result(*answers: Any, usage: Any) -> Any:
    """An `AgentRunResultEvent`."""
    messages = [one for each in answers for one in (Plain(kind="request"), each)]
    found = Plain(new_messages=lambda: messages, usage=usage, response=answers[-1] if answers else None)
    return made("pydantic_ai.run.AgentRunResultEvent", result=found)


CALL = part("tool-call", tool_name="f", args='{"a"', tool_call_id="c1")
RUN = [
    started(0, part("thinking", content="h")),
    continued(0, "thinking", content_delta="m", signature_delta="s"),
    made(f"{_EVENTS}.PartEndEvent", index=0, part=part("thinking", content="hm")),
    started(1, CALL),
    continued(1, "tool_call", args_delta=":1}"),
    made(f"{_EVENTS}.FunctionToolCallEvent", part=CALL),
    made(f"{_EVENTS}.FunctionToolResultEvent", part=part("tool-return", content="rain"), content="rain"),
    started(0, part("text", content="a")),
    made(f"{_EVENTS}.FinalResultEvent", tool_name=None),
    continued(0, "text", content_delta="b"),
    made(f"{_EVENTS}.PartEndEvent", index=0, part=part("text", content="ab")),
]


def test_a_run() -> None:
    """The first piece of a part is in its start; usage and end come with the result."""
    record = read([*RUN, result(answer(), answer(), usage=used(input_tokens=6, output_tokens=4, output_reasoning_tokens=1))])
    assert (record.text, record.reasoning, record.dialect) == ("ab", "hm", "pydantic.ai")
    assert [(call.name, call.arguments_json, call.id) for call in record.tool_calls] == [("f", {"a": 1}, "c1")]
    assert counts(record) == {"input_tokens": 6, "output_tokens": 4, "reasoning_tokens": 1}
    assert (record.finish_reason, record.model, record.provider, record.response_id) == ("stop", "m-1", "google", "r-1")
    assert record.extras == {}


def test_a_run_without_its_end() -> None:
    """The events alone have no usage, and no finish reason."""
    record = read(RUN)
    assert (record.usage, record.finish_reason, record.model) == (None, None, None)


def test_a_run_of_several_models() -> None:
    """No single one answered, so that its usage has no price of one."""
    record = read([*RUN, result(answer(), answer(model="m-2"), usage=used(input_tokens=1))])
    assert (record.model, counts(record)) == (None, {"input_tokens": 1})
    assert read([result(usage=used(output_tokens=1))]).model is None


def test_whole_answers() -> None:
    """Each has all parts so far: texts, calls, pictures."""
    picture = part("file", content=Plain(media_type="image/png", data=b"abc"))
    first = answer(part("thinking", content="h"), part("text", content="a"), finish=None)
    last = answer(
        part("thinking", content="hm", signature="s"),
        part("text", content="a"),
        part("text", content="b"),
        part("tool-call", tool_name="f", args={"a": 1}, tool_call_id="c1"),
        picture,
        finish="tool_call",
        usage=used(input_tokens=3, cache_read_tokens=2),
    )
    record = read([first, last, last])
    assert (record.text, record.reasoning, len(record.tool_calls), len(record.images)) == ("ab", "hm", 1, 1)
    assert (record.finish_reason, counts(record)) == ("tool_calls", {"input_tokens": 3, "cache_read_tokens": 2})


SOURCE = """
class StreamedRunResult:
    async def stream_text(self, *, delta=False, debounce_by=0.1):
        for text in self.texts:
            yield text

    async def stream_output(self):
        for text in self.texts:
            yield text

    async def other(self):
        for text in self.texts:
            yield text
"""


def drained(method: str, **options: Any) -> StreamRecord:
    """The record of a generator of a class with the module of theirs."""
    namespace: dict[str, Any] = {"__name__": "pydantic_ai.result"}
    exec(SOURCE, namespace)
    streamed = namespace["StreamedRunResult"]()
    streamed.texts = ["a", "ab", "ab"]

    async def read_all() -> StreamRecord:
        stream: Any = Tally().wrap(getattr(streamed, method)(**options))
        async with stream:
            assert [item async for item in stream] == streamed.texts
        record: StreamRecord = stream.record
        return record

    return asyncio.run(read_all())


@pytest.mark.parametrize(
    ("method", "options", "text"),
    [
        ("stream_text", {}, "ab"),
        ("stream_text", {"delta": False}, "ab"),
        ("stream_text", {"delta": True}, "aabab"),
        ("stream_output", {}, "ab"),
        ("other", {}, "aabab"),
    ],
)
def test_texts_so_far(method: str, options: dict[str, Any], text: str) -> None:
    """Two of its methods yield all of the text each time, unless pieces are asked for."""
    assert drained(method, **options).text == text
