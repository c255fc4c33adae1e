"""Content that is not kept leaves only its size, and fields without a place in the record count as content too."""

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
    """Where no content is kept, only the numbers among unknown fields are."""
    fold = Fold(Answer.empty(keep=False))
    fields = {"words": SECRET, "nested": {"a": SECRET}, "created": 1, "flag": True}
    deltas = (DetailDelta("extras", fields), ToolCallDelta("{}", 0, "c", "f", extras=fields))
    fold.apply(Chunk(deltas, extras=fields, error={"type": "t", "body": SECRET}))
    assert SECRET not in json.dumps(fold.answer.dump())
    assert fold.answer.extras == fold.answer.choices[0].extras == {"created": 1, "flag": True}
    assert fold.answer.retention.dropped > 4 * len(SECRET)


def test_fields_without_a_name_have_bounds() -> None:
    """Unknown fields count towards `stream_bytes`, repeated values once; beyond the limit only numbers are kept."""
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


def _record_of_call(arguments: str, **settings: Any) -> StreamRecord:
    accumulator = Accumulator(**settings)
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": arguments}}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    accumulator.add("r", {"object": "chat.completion.chunk", "choices": [choice]}, index=0)
    return accumulator.finish("r")


@pytest.mark.parametrize(("arguments", "complete"), [('{"a": 1}', False), ("", True)])
def test_arguments_that_were_not_kept(arguments: str, complete: bool) -> None:
    """Dropped arguments are incomplete and None; absent arguments are an empty object."""
    (call,) = _record_of_call(arguments, keep="counts").choices[0].tool_calls
    assert (call.complete, call.arguments_json) == (complete, {} if complete else None)


def test_arguments_of_items_that_were_not_kept() -> None:
    """Dropped arguments are incomplete and None in the Responses API too."""
    accumulator = Accumulator(keep="counts")
    item = {"id": "i", "type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a": 1}'}
    accumulator.add("r", {"type": "response.output_item.done", "output_index": 0, "item": item}, index=0)
    accumulator.add("r", {"type": "response.completed", "response": {"id": "x", "status": "completed"}}, index=1)
    (call,) = accumulator.finish("r").choices[0].tool_calls
    assert (call.complete, call.arguments_json) == (False, None)


def _record_of_repeats(pieces: int) -> StreamRecord:
    call = {"index": 0, "function": {"name": "f", "arguments": "{}"}}
    text = {"index": 0, "function": {"name": "f", "arguments": '{"a": "'}}
    chunks = [
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]}
        for piece in [text, *[call] * pieces]
    ]
    return replay(chunks, dialect="openai.chat")


def test_a_name_that_every_piece_repeats() -> None:
    """Detecting the end of a call takes work linear in its arguments, and ignores braces in strings."""
    (call,) = _record_of_repeats(20_000).choices[0].tool_calls
    assert len(call.arguments) == 7 + 40_000
    few, many = work_of(lambda: _record_of_repeats(500)), work_of(lambda: _record_of_repeats(2_000))
    assert many.calls <= 4.1 * few.calls
    assert many.scanned <= 4.1 * few.scanned


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
                        "annotations": [{"title": SECRET}],
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
    """Merging a state with content where none is kept drops the content, and keeps the counts."""
    keeping, counting, counting_only = Accumulator(), Accumulator(keep="counts"), Accumulator(keep="counts")
    for index, payload in enumerate(CONTENT_STATES[name]):
        keeping.add("r", payload, index=index)
        counting_only.add("r", payload, index=index)
    counting.merge("r", keeping.dump("r"))
    assert SECRET in keeping.dump("r").decode()
    assert SECRET not in counting.dump("r").decode()
    assert "WEtDRE1BUks" not in counting.dump("r").decode()
    mine, other = counting.finish("r"), counting_only.finish("r")
    assert SECRET not in mine.model_dump_json()
    assert (mine.outcome, mine.finish_reason, mine.usage) == (other.outcome, other.finish_reason, other.usage)
    assert [call.name for choice in mine.choices for call in choice.tool_calls] == [
        call.name for choice in other.choices for call in choice.tool_calls
    ]
    assert mine.dropped_bytes > 0
