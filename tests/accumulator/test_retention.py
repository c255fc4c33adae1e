"""What is not kept leaves no trace but its size, and what has no name in a record counts like all else."""

import json
from typing import Any

import pytest

from streamtally import Accumulator, Limits, StreamRecord, replay
from streamtally.accumulator.folding import Answer, Fold
from streamtally.accumulator.folding.growing import Retention
from streamtally.chunks import Chunk, DetailDelta, ToolCallDelta
from tests.work import work_of

SECRET = "XKCDMARK"


def test_fields_without_a_name_are_content() -> None:
    """Where no content is kept, only their numbers are."""
    fold = Fold(Answer.empty(keep=False))
    fields = {"words": SECRET, "nested": {"a": SECRET}, "created": 1, "flag": True}
    deltas = (DetailDelta("extras", fields), ToolCallDelta("{}", 0, "c", "f", extras=fields))
    fold.apply(Chunk(deltas, extras=fields, error={"type": "t", "body": SECRET}))
    assert SECRET not in json.dumps(fold.answer.dump())
    assert fold.answer.extras == fold.answer.choices[0].extras == {"created": 1, "flag": True}
    assert fold.answer.retention.dropped > 4 * len(SECRET)


def test_fields_without_a_name_have_bounds() -> None:
    """They fill a stream as words do: what is said again takes no room, and beyond the bound all but numbers is dropped."""
    retention, known = Retention(), dict[str, Any]()
    for _ in range(3):
        retention.merge(known, {"a": "x" * 10, "b": {"c": "d"}})
    assert retention.kept == len("a" + "x" * 10) + len("bcd")
    retention.merge(known, {"a": "x"})
    assert retention.kept == len("ax") + len("bcd")
    retention.stop()
    retention.merge(known, {f"n{number}": number for number in range(1_000)})
    assert len(known) < 100
    accumulator = Accumulator(limits=Limits(stream_bytes=1_000))
    for index in range(100):
        choice = {"index": 0, "delta": {f"c{index}": "x" * 50}}
        accumulator.add("r", {"object": "chat.completion.chunk", "choices": [choice], f"t{index}": "x" * 50}, index=index)
    record = accumulator.finish("r")
    assert len(record.extras) + len(record.choices[0].extras) < 40
    assert record.dropped_bytes > 5_000


def _called(arguments: str, **settings: Any) -> StreamRecord:
    accumulator = Accumulator(**settings)
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": arguments}}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    accumulator.add("r", {"object": "chat.completion.chunk", "choices": [choice]}, index=0)
    return accumulator.finish("r")


@pytest.mark.parametrize(("arguments", "complete"), [('{"a": 1}', False), ("", True)])
def test_arguments_that_were_not_kept(arguments: str, complete: bool) -> None:
    """They are not whole ones, and not an empty object; those that never came are."""
    (call,) = _called(arguments, keep="counts").choices[0].tool_calls
    assert (call.complete, call.arguments_json) == (complete, {} if complete else None)


def test_arguments_of_items_that_were_not_kept() -> None:
    """The same in the Responses API."""
    accumulator = Accumulator(keep="counts")
    item = {"id": "i", "type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a": 1}'}
    accumulator.add("r", {"type": "response.output_item.done", "output_index": 0, "item": item}, index=0)
    accumulator.add("r", {"type": "response.completed", "response": {"id": "x", "status": "completed"}}, index=1)
    (call,) = accumulator.finish("r").choices[0].tool_calls
    assert (call.complete, call.arguments_json) == (False, None)


def _repeats(pieces: int) -> StreamRecord:
    call = {"index": 0, "function": {"name": "f", "arguments": "{}"}}
    text = {"index": 0, "function": {"name": "f", "arguments": '{"a": "'}}
    chunks = [
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]}
        for piece in [text, *[call] * pieces]
    ]
    return replay(chunks, dialect="openai.chat")


def test_a_name_that_every_piece_repeats() -> None:
    """Whether the call is over is found out by work linear in its arguments, and braces in a text end nothing."""
    (call,) = _repeats(20_000).choices[0].tool_calls
    assert len(call.arguments) == 7 + 40_000
    few, many = work_of(lambda: _repeats(500)), work_of(lambda: _repeats(2_000))
    assert many.calls <= 4.1 * few.calls
    assert many.looked_through <= 4.1 * few.looked_through


CONTENT_STATES: dict[str, list[Any]] = {
    "chat": [
        {
            "object": "chat.completion.chunk",
            "choices": [
                {
                    "index": 0,
                    "delta": {
                        "role": "assistant",
                        "content": SECRET,
                        "reasoning_details": [{"type": "reasoning.text", "text": SECRET, "signature": SECRET}],
                        "tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": f'{{"a": "{SECRET}"}}'}}],
                        "audio": {"id": "a", "data": "WEtDRE1BUks=", "transcript": SECRET},
                        "annotations": [{"said": SECRET}],
                        "unknown": SECRET,
                    },
                    "logprobs": {"content": [{"token": SECRET}]},
                    "finish_reason": "tool_calls",
                }
            ],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
            "citations": [SECRET],
        }
    ],
    "responses": [
        {"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "content_index": 0, "delta": SECRET},
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": {"id": "i", "type": "message", "content": [{"type": "output_text", "text": SECRET}]},
        },
    ],
    "transcription": [
        {"type": "transcript.text.segment", "id": "s", "text": SECRET, "start": 0.0, "end": 1.0},
    ],
}


@pytest.mark.parametrize("name", CONTENT_STATES)
def test_a_state_with_content_that_comes_to_where_none_is_kept(name: str) -> None:
    """Its words go, what they count stays: the record is that of a stream which never had them."""
    there, here, never = Accumulator(), Accumulator(keep="counts"), Accumulator(keep="counts")
    for index, payload in enumerate(CONTENT_STATES[name]):
        there.add("r", payload, index=index)
        never.add("r", payload, index=index)
    here.merge("r", there.dump("r"))
    assert SECRET in there.dump("r").decode()
    assert SECRET not in here.dump("r").decode()
    assert "WEtDRE1BUks" not in here.dump("r").decode()
    mine, other = here.finish("r"), never.finish("r")
    assert SECRET not in mine.model_dump_json()
    assert (mine.outcome, mine.finish_reason, mine.usage) == (other.outcome, other.finish_reason, other.usage)
    assert [call.name for choice in mine.choices for call in choice.tool_calls] == [
        call.name for choice in other.choices for call in choice.tool_calls
    ]
    assert mine.dropped_bytes > 0
