"""DashScope: the wire, objects of both interfaces of the SDK, the form without streaming; quirks are in `tests/quirks`."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

import streamtally
from streamtally import Extract, replay, to_response
from tests.dialects.wire import Payload, facts
from tests.quirks.dashscope import FAILED, calls, choice, item, says, single, used

ANSWER = [says("Hel"), says("lo", outputs=2), says("", "stop", 2)]


def wired(payloads: Sequence[Payload]) -> bytes:
    """A body as the service sends it: numbered and named events, with the status in a comment."""
    frames = (
        f"id:{number}\nevent:{'result' if 'output' in each else 'error'}\n:HTTP_STATUS/{200 if 'output' in each else 400}\n"
        f"data:{json.dumps(each)}\n\n"
        for number, each in enumerate(payloads, 1)
    )
    return "".join(frames).encode()


class GenerationResponse(dict[str, Any]):
    """An item of the SDK's first interface, which is a mapping that has its fields as attributes too."""

    __getattr__ = dict.__getitem__


class ChatCompletionChunk:
    """A chunk of the SDK's second interface."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


GenerationResponse.__module__ = "dashscope.api_entities.dashscope_response"
ChatCompletionChunk.__module__ = "dashscope.v2.types.completions"


def of_sdk(payload: Payload, status: int = 200) -> GenerationResponse:
    """A payload as an item of the first interface."""
    absent = {"code": "", "message": "", "output": None, "usage": None, "headers": {"x-a": "b"}, "status_code": status}
    return GenerationResponse({**absent, **payload})


def chunk(content: str = "", finish: str = "null", **delta: Any) -> ChatCompletionChunk:
    """A chunk of the second interface."""
    delta = {"role": "assistant", "content": content, **delta}
    choices = [{"index": 0, "finish_reason": finish, "delta": delta}]
    return ChatCompletionChunk(request_id="r-1", model="qwen-plus", choices=choices, usage=used(), search_info=None)


def test_the_wire() -> None:
    """The names of events mean nothing; an error is told by its event."""
    assert facts(replay(wired(ANSWER))) == facts(replay(ANSWER))
    record = replay(wired([*ANSWER[:1], FAILED]))
    assert (record.text, record.outcome.value if record.outcome else None) == ("Hel", "error")
    assert record.error is not None
    assert (record.error.type, record.error.message, record.response_id) == ("DataInspectionFailed", "gone", "r-1")


def test_items_of_the_first_interface() -> None:
    """They make the same record; headers of the response are no part of it."""
    assert facts(replay([of_sdk(each) for each in ANSWER])) == facts(replay(ANSWER))
    failed = replay([of_sdk({"request_id": "r-2", "message": "gone"}, status=503)])
    assert failed.error is not None
    assert (failed.dialect, failed.error.status, failed.error.message) == ("dashscope", 503, "gone")


def test_chunks_of_the_second_interface() -> None:
    """They look like OpenAI's, and their class decides."""
    arguments = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
    record = replay([chunk("Hel"), chunk("lo", reasoning_content="so"), chunk(tool_calls=[arguments]), chunk("", "tool_calls")])
    assert (record.dialect, record.provider, record.text, record.reasoning) == ("dashscope", "alibaba", "Hello", "so")
    assert (record.response_id, record.model, record.finish_reason) == ("r-1", "qwen-plus", "tool_calls")
    assert [(call.name, call.arguments_json) for call in record.tool_calls] == [("f", {})]
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (9, 1)


def test_a_short_answer_that_is_declared_cumulative() -> None:
    """Two texts do not show whether they are pieces, so that the caller may have to state it."""
    payloads = [single("Hel"), single("Hello"), single("Hello", "stop")]
    with streamtally.wrap(payloads, dialect="dashscope", extract=Extract(cumulative=True)) as stream:
        list(stream)
    assert stream.record.text == "Hello"


@pytest.mark.parametrize(
    "payload",
    [
        {"request_id": "r", "output": {"task_id": "t", "task_status": "RUNNING"}},
        {"request_id": "r", "code": "", "message": "fine"},
        {"code": "c", "message": "m"},
        {"request_id": "r", "code": "c", "message": "m", "more": 1},
        {"output": {"choices": []}},
    ],
)
def test_what_is_no_item(payload: Payload) -> None:
    """Other services have an output or an ID, too."""
    assert replay([payload]).dialect != "dashscope"


def test_the_form_without_streaming() -> None:
    """It has the whole message in a choice, and is read as the same answer."""
    payloads = [says("Hel", reasoning_content="so"), calls("{}", "f", id="c"), item(choice("lo", "tool_calls"), usage=used(2))]
    record = replay(payloads)
    again = replay([to_response(record)])
    assert (again.text, again.reasoning, again.finish_reason) == ("Hello", "so", "tool_calls")
    assert [(call.id, call.name) for call in again.tool_calls] == [("c", "f")]
    assert again.usage == record.usage
