"""Bugs that other gateways and accumulators had in what they made of a stream, one test for each."""

import base64
import copy
import itertools
from collections.abc import Iterable
from typing import Any

import pytest

from streamtally import Accumulator, Outcome, StreamRecord
from streamtally.testing.clock import FakeClock
from tests.accumulator.wire import (
    DONE,
    CollectedRecords,
    call_chunk,
    call_piece,
    chat,
    event,
    finish_chunk,
    text_chunk,
    usage_chunk,
)

MESSAGE = {"id": "m1", "type": "message", "role": "assistant"}


def record_of(payloads: Iterable[Any], *, indexed: bool = True, **options: Any) -> StreamRecord:
    """Return the record of the payloads, added in order."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", **options)
    for index, payload in enumerate(payloads):
        accumulator.add("r", payload, index=index if indexed else None)
    return accumulator.finish("r")


def test_usage_after_the_finish_is_kept() -> None:
    """Usage in a chunk without choices after the finish reason is kept."""
    record = record_of([text_chunk("hi"), finish_chunk(), usage_chunk(10, 2), DONE])
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.partial) == (10, 2, False)


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_any_order_of_arrival(order: tuple[int, ...]) -> None:
    """Chunks that arrive out of order give the same record."""
    payloads = [text_chunk("a"), text_chunk("b"), finish_chunk("length"), usage_chunk(), DONE]
    accumulator = Accumulator(clock=FakeClock())
    said_in_the_end = [accumulator.add("r", payloads[index], index=index) for index in order]
    record = said_in_the_end[-1]
    assert record is not None
    assert (record.text, record.finish_reason, record.outcome) == ("ab", "length", Outcome.COMPLETED)
    assert said_in_the_end[:-1] == [None] * 4


def test_each_chunk_three_times() -> None:
    """Chunks that three observers each add are folded once."""
    accumulator = Accumulator(clock=FakeClock())
    for index, payload in enumerate([text_chunk("one "), text_chunk("two "), finish_chunk()]):
        for _ in range(3):
            accumulator.add("r", payload, index=index)
    record = accumulator.finish("r")
    assert (record.text, record.duplicates, record.chunk_count) == ("one two ", 6, 3)


def test_numbers_that_are_all_zero() -> None:
    """Where every sequence number is 0, chunks are ordered by arrival, as the record states, and none is lost."""
    response = {"id": "resp_1", "status": "completed", "usage": {"input_tokens": 7, "output_tokens": 2}}
    record = record_of(
        [
            event("output_text.delta", 0, item_id="m1", output_index=0, content_index=0, delta="hel"),
            event("output_text.delta", 0, item_id="m1", output_index=0, content_index=0, delta="lo"),
            event("completed", 0, response=response),
        ],
        indexed=False,
    )
    assert (record.text, record.ordering, record.outcome) == ("hello", "arrival", Outcome.COMPLETED)
    assert record.usage is not None
    assert record.usage.input_tokens == 7


def test_an_index_that_is_always_zero() -> None:
    """Other content at an index that is taken is a conflict, but its usage is kept."""
    accumulator = Accumulator(clock=FakeClock())
    for payload in [text_chunk("first"), text_chunk("second"), finish_chunk(), usage_chunk()]:
        accumulator.add("r", payload, index=0)
    record = accumulator.finish("r")
    assert (record.text, record.conflicts, record.finish_reason) == ("first", 3, "stop")
    assert record.usage is not None


def test_the_terminal_twice() -> None:
    """A repeated end marker is late, and does not end the stream twice."""
    ended = CollectedRecords()
    accumulator = Accumulator(clock=FakeClock(), on_end=ended)
    done = event("completed", 1, response={"id": "resp_1", "status": "completed"})
    accumulator.add("r", event("created", 0, response={"id": "resp_1", "status": "in_progress"}))
    assert accumulator.add("r", done) is not None
    assert accumulator.add("r", done) is None
    assert (len(ended), accumulator.late, accumulator.snapshot("r").late) == (1, 1, 1)


@pytest.mark.parametrize("index", [0, 1], ids=["first", "last"])
def test_an_error_at_a_used_index(index: int) -> None:
    """An error is never taken for a duplicate of the chunk with the same index."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", text_chunk("some"), index=0)
    accumulator.add("r", text_chunk(" words"), index=1)
    accumulator.add("r", {"error": {"message": "overloaded", "code": 529}}, index=index)
    record = accumulator.finish("r")
    assert (record.text, record.outcome) == ("some words", Outcome.ERROR)
    assert record.error is not None
    assert (record.error.message, record.error.status) == ("overloaded", 529)


def test_an_error_beyond_a_gap() -> None:
    """An error behind a gap is in the record, and makes the outcome an error."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", text_chunk("some"), index=0)
    accumulator.add("r", {"error": {"message": "overloaded"}}, index=5)
    record = accumulator.finish("r")
    assert record.outcome is Outcome.ERROR
    assert record.error is not None
    assert record.missing == ((1, 5),)


def test_the_finish_on_a_content_chunk() -> None:
    """The finish reason may be in the chunk with the last text, and usage may follow it."""
    record = record_of([text_chunk("a"), chat(content="b", finish_reason="length"), usage_chunk(), DONE])
    assert (record.text, record.finish_reason) == ("ab", "length")
    assert record.usage is not None


def test_usage_then_an_error() -> None:
    """An error leaves the text and usage before it in the record."""
    record = record_of([text_chunk("a"), usage_chunk(5, 6), {"error": {"message": "gone"}}])
    assert record.usage is not None
    assert (record.usage.output_tokens, record.usage.partial, record.outcome) == (6, True, Outcome.ERROR)


def test_a_terminal_in_two_chunks() -> None:
    """A finish reason and usage in separate chunks are both in the record."""
    ended = CollectedRecords()
    accumulator = Accumulator(clock=FakeClock(), on_end=ended)
    for index, payload in enumerate([text_chunk("a"), finish_chunk(), usage_chunk(), DONE]):
        accumulator.add("r", payload, index=index)
    (record,) = ended
    assert (record.finish_reason, record.outcome) == ("stop", Outcome.COMPLETED)
    assert record.usage is not None


@pytest.mark.parametrize("delta", [None, {}, {"content": None}, {"role": None, "content": None, "tool_calls": None}])
def test_a_delta_that_is_null(delta: Any) -> None:
    """A finish reason beside `"delta": null` is recorded."""
    last = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]}
    record = record_of([text_chunk("a"), last])
    assert (record.text, record.finish_reason) == ("a", "stop")


def test_done_without_a_finish() -> None:
    """A stream whose end marker comes without a finish reason is truncated."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", text_chunk("half an ans"), index=0)
    record = accumulator.add("r", DONE, index=1)
    assert record is not None
    assert (record.outcome, record.finish_reason) == (Outcome.TRUNCATED, None)


def test_an_error_after_a_failed_response() -> None:
    """A later error completes the fields of the earlier one, and the outcome stays an error."""
    failed = {"id": "resp_1", "status": "failed", "error": {"code": "server_error", "message": "first"}}
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", {"type": "error", "message": "second", "sequence_number": 1}, index=1)
    record = accumulator.add("r", event("failed", 0, response=failed), index=0)
    assert record is not None
    assert record.outcome is Outcome.ERROR
    assert record.error is not None
    assert (record.error.type, record.error.message) == ("server_error", "second")


def test_parallel_calls_by_index() -> None:
    """Alternating pieces of two tool calls are joined by the index of the call."""
    record = record_of(
        [
            call_chunk(call_piece(0, "", id="call_a", name="f")),
            call_chunk(call_piece(1, "", id="call_b", name="g")),
            *(
                call_chunk(call_piece(index, piece))
                for piece, index in zip('[1]{"b":2}', [0, 0, 0, 1, 1, 1, 1, 1, 1, 1], strict=True)
            ),
            finish_chunk("tool_calls"),
        ]
    )
    assert [(call.id, call.name, call.arguments, call.complete) for call in record.tool_calls] == [
        ("call_a", "f", "[1]", True),
        ("call_b", "g", '{"b":2}', True),
    ]


def test_parallel_calls_by_item() -> None:
    """In the Responses API, pieces of tool calls are joined by the ID of the item."""
    opened = [
        event("output_item.added", number, output_index=number, item={"id": f"i{number}", "type": "function_call", "name": name})
        for number, name in enumerate("fg")
    ]
    pieces = [
        event("function_call_arguments.delta", 2 + number, item_id=item, output_index=int(item[1]), delta=piece)
        for number, (item, piece) in enumerate([("i0", "[1"), ("i1", "{"), ("i0", "]"), ("i1", "}")])
    ]
    record = record_of([*opened, *pieces])
    assert [(call.name, call.arguments) for call in record.tool_calls] == [("f", "[1]"), ("g", "{}")]


def test_another_id_under_the_same_index() -> None:
    """Tool calls with one index but several IDs are several calls."""
    record = record_of(
        [
            call_chunk(call_piece(0, "[", id="call_a", name="f")),
            call_chunk(call_piece(0, "1]")),
            call_chunk(call_piece(0, "{}", id="call_b", name="g")),
            finish_chunk("tool_calls"),
        ]
    )
    assert [(call.id, call.arguments) for call in record.tool_calls] == [("call_a", "[1]"), ("call_b", "{}")]


@pytest.mark.parametrize("indices", [(0, 1), (None, None), (0, 0)], ids=["indexed", "without index", "same index"])
def test_several_calls_in_one_chunk(indices: tuple[int | None, int | None]) -> None:
    """All tool calls of one chunk are kept, not only the first."""
    first, second = indices
    chunk = call_chunk(call_piece(first, "[]", id="call_a", name="f"), call_piece(second, "{}", id="call_b", name="g"))
    record = record_of([chunk, finish_chunk("tool_calls")])
    assert [(call.name, call.arguments) for call in record.tool_calls] == [("f", "[]"), ("g", "{}")]


def test_reasoning_and_its_details() -> None:
    """Reasoning is kept under any field name, and reasoning details are joined entry by entry."""
    details = [
        {"index": 0, "type": "reasoning.text", "text": "so", "format": None},
        {"index": 1, "type": "reasoning.encrypted", "data": "xx"},
        {"index": 0, "type": "reasoning.text", "text": " on", "signature": "sig"},
    ]
    record = record_of(
        [chat(reasoning="so"), *(chat(reasoning_details=[detail]) for detail in details), chat(reasoning=" on"), finish_chunk()]
    )
    assert record.reasoning == "so on"
    assert record.choices[0].reasoning_details == (
        {"index": 0, "type": "reasoning.text", "text": "so on", "signature": "sig"},
        {"index": 1, "type": "reasoning.encrypted", "data": "xx"},
    )


@pytest.mark.parametrize("where", [{"item_id": "m1"}, {}], ids=["with item", "without item"])
def test_annotations(where: dict[str, str]) -> None:
    """An annotation is added to its text, also if the event names no item."""
    note = {"type": "url_citation", "url": "https://example.com"}
    record = record_of(
        [
            event("output_item.added", 0, output_index=0, item=MESSAGE),
            event("output_text.delta", 1, item_id="m1", output_index=0, content_index=0, delta="see"),
            event("output_text.annotation.added", 2, content_index=0, annotation=note, **where),
        ]
    )
    assert record.choices[0].annotations == (note,)


def _spoil(value: Any) -> None:
    """Overwrite every value of a payload in place."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(inner, dict | list):
            _spoil(inner)
        else:
            value[key] = "spoiled"


@pytest.mark.parametrize("index", [0, 7], ids=["folded", "held"])
def test_the_caller_changes_a_payload_afterwards(index: int) -> None:
    """Changing a payload after `add` does not change the record, whether it was folded or held."""
    payloads = [
        chat(
            content="a", logprobs={"content": [{"token": "a", "top_logprobs": [{"token": "b"}]}]}, annotations=[{"a": {"b": 1}}]
        ),
        {**call_chunk(call_piece(0, "{}", id="call_a", name="f")), "cache_debug": {"hit": ["yes"]}},
        {**usage_chunk(5, 6, prompt_tokens_details={"cached_tokens": 2}), "error": {"message": "e", "metadata": {"raw": ["x"]}}},
        event("output_item.done", output_index=0, item={**MESSAGE, "content": [{"type": "output_text", "text": "t"}]}),
    ]
    for payload in payloads:
        accumulator, untouched = Accumulator(clock=FakeClock()), Accumulator(clock=FakeClock())
        untouched.add("r", copy.deepcopy(payload), index=index)
        accumulator.add("r", payload, index=index)
        _spoil(payload)
        assert accumulator.finish("r") == untouched.finish("r")


def test_a_record_shares_nothing_with_the_stream() -> None:
    """Changing the contents of a snapshot does not change a later record."""
    accumulator = Accumulator(clock=FakeClock())
    item = {**MESSAGE, "content": [{"type": "output_text", "text": "t", "annotations": [{"a": 1}]}]}
    accumulator.add("r", event("output_item.done", 0, output_index=0, item=item), index=0)
    snapshot = accumulator.snapshot("r")
    expected = copy.deepcopy(snapshot.output_items)
    _spoil(snapshot.output_items[0])
    accumulator.add("r", event("in_progress", 1, response={"id": "resp_1"}), index=1)
    assert accumulator.finish("r").output_items == expected


def test_the_done_form_of_an_item() -> None:
    """Fields only in `output_item.done` are kept, and its empty text does not replace streamed text."""
    record = record_of(
        [
            event("output_item.added", 0, output_index=0, item=MESSAGE),
            event("output_text.delta", 1, item_id="m1", output_index=0, content_index=0, delta="kept"),
            event("output_item.done", 2, output_index=0, item={**MESSAGE, "content": [], "status": "completed"}),
            event("output_item.done", 3, output_index=1, item={"id": "w1", "type": "web_search_call", "action": {"query": "q"}}),
            event("custom_tool_call_input.delta", 4, item_id="c1", output_index=2, delta="in"),
            event("output_item.done", 5, output_index=2, item={"id": "c1", "type": "custom_tool_call", "input": "", "name": "f"}),
        ]
    )
    assert record.text == "kept"
    assert record.output_items[0]["status"] == "completed"
    assert record.output_items[1]["action"] == {"query": "q"}
    assert [(call.type, call.name, call.arguments) for call in record.tool_calls] == [("custom", "f", "in")]


@pytest.mark.parametrize("outcome", ["cancelled", "abandoned", "timeout", "limit"])
def test_what_was_known_of_a_stream_that_was_cut_off(outcome: str) -> None:
    """A cut-off stream keeps its partial usage, marked as such; unreported counts are None, not 0 or 1."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", {**text_chunk("a"), "usage": {"prompt_tokens": 9}}, index=0)
    record = accumulator.finish("r", outcome)
    assert record.outcome is Outcome(outcome)
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.partial) == (9, None, True)


def test_the_service_tier_survives() -> None:
    """A service tier in an early chunk is kept when later chunks have none."""
    record = record_of(
        [{**text_chunk("a"), "service_tier": "flex"}, finish_chunk(), {**usage_chunk(), "service_tier": None}, DONE]
    )
    assert record.service_tier == "flex"


def test_gateway_fields_of_any_chunk() -> None:
    """Fields that a gateway adds to any chunk are in the extras of the record."""
    record = record_of([{**text_chunk("a"), "cache_debug": {"hit": True}}, {**usage_chunk(), "cache_debug": {"id": "c"}}])
    assert record.extras["cache_debug"] == {"hit": True, "id": "c"}


def test_a_gap_is_reported() -> None:
    """Missing chunks are listed, and the stream is truncated even if it has a finish reason."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", text_chunk("a"), index=0)
    accumulator.add("r", finish_chunk(), index=3)
    assert accumulator.add("r", DONE, index=4) is None
    record = accumulator.finish("r")
    assert (record.missing, record.outcome, record.finish_reason) == (((1, 3),), Outcome.TRUNCATED, "stop")


def test_an_empty_id_or_name_later() -> None:
    """An empty ID or name never replaces an earlier one."""
    record = record_of(
        [
            call_chunk(call_piece(0, "{", id="call_a", name="f")),
            call_chunk(call_piece(0, "}", id="", name="")),
            finish_chunk("tool_calls"),
        ]
    )
    assert [(call.id, call.name, call.arguments) for call in record.tool_calls] == [("call_a", "f", "{}")]


def test_usage_and_then_an_empty_chunk() -> None:
    """Early usage is kept when the last chunk has none."""
    empty: dict[str, Any] = {"object": "chat.completion.chunk", "choices": [], "usage": None}
    record = record_of([usage_chunk(5, 6), text_chunk("a"), finish_chunk(), empty, {**empty, "usage": {}}, DONE])
    assert record.usage is not None
    assert record.usage.output_tokens == 6


def test_later_usage_without_details() -> None:
    """Details of one usage report are kept when a later report has none."""
    record = record_of(
        [usage_chunk(5, 6, prompt_tokens_details={"cached_tokens": 4}), usage_chunk(5, 9, prompt_tokens_details=None)]
    )
    assert record.usage is not None
    assert (record.usage.output_tokens, record.usage.cache_read_tokens) == (9, 4)


def test_an_empty_report_after_a_full_one() -> None:
    """A last usage report of zeros replaces no earlier count, and may add missing ones."""
    record = record_of([usage_chunk(5, 6), usage_chunk(0, 0, total_tokens=0), DONE])
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.total_tokens) == (5, 6, 0)


def test_log_probabilities_of_every_chunk_and_no_other() -> None:
    """Log probabilities of all chunks are kept in order, for each choice apart."""
    tokens = [("a", 0), ("b", 1), ("c", 0)]
    record = record_of([chat(content=t, index=n, logprobs={"content": [{"token": t}], "refusal": None}) for t, n in tokens])
    assert [choice.logprobs["content"] for choice in record.choices] == [[{"token": "a"}, {"token": "c"}], [{"token": "b"}]]


def test_every_image_of_n() -> None:
    """Each of three images is kept, and its previews are replaced by it."""
    images = [
        {"type": f"image_generation.{kind}", "image_index": index, "b64_json": base64.b64encode(data).decode()}
        for kind in ("partial_image", "completed")
        for index, data in enumerate([kind.encode() + b"0", kind.encode() + b"1", kind.encode() + b"2"])
    ]
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", params={"n": 3})
    records = [accumulator.add("r", image, index=index) for index, image in enumerate(images)]
    assert records[:-1] == [None] * 5
    assert records[-1] is not None
    assert [(image.data, image.partials, image.complete) for image in records[-1].images] == [
        (b"completed0", 1, True),
        (b"completed1", 1, True),
        (b"completed2", 1, True),
    ]


def test_a_preview_after_the_whole_image() -> None:
    """A preview never replaces its finished image."""
    whole = {"type": "image_generation.completed", "b64_json": "QUJD", "image_index": 0}
    preview = {"type": "image_generation.partial_image", "b64_json": "REVG", "image_index": 0}
    (image,) = record_of([whole, preview]).images
    assert (image.data, image.partials, image.complete) == (b"ABC", 1, True)


def test_refusals() -> None:
    """A refusal is kept apart from the text, in Chat Completions and in the Responses API."""
    assert record_of([chat(refusal="I "), chat(refusal="can't"), finish_chunk()]).refusal == "I can't"
    place = {"item_id": "m1", "output_index": 0, "content_index": 0}
    record = record_of([event("refusal.delta", number, delta=piece, **place) for number, piece in enumerate(["I ", "can't"])])
    assert (record.refusal, record.text) == ("I can't", "")


def test_interleaved_items() -> None:
    """Interleaved deltas are added to the item they name, not to the last item."""
    record = record_of(
        event("output_text.delta", number, item_id=item, output_index=int(item[1]), content_index=0, delta=word)
        for number, (item, word) in enumerate([("m0", "a"), ("m1", "x"), ("m0", "b"), ("m1", "y")])
    )
    assert [item["content"][0]["text"] for item in record.output_items] == ["ab", "xy"]


def test_several_summary_parts() -> None:
    """Two parts of a reasoning summary are kept apart."""
    record = record_of(
        event("reasoning_summary_text.delta", number, item_id="r0", output_index=0, summary_index=part, delta=word)
        for number, (part, word) in enumerate([(0, "a"), (1, "x"), (0, "b")])
    )
    assert [part["text"] for part in record.output_items[0]["summary"]] == ["ab", "x"]


def test_two_choices_side_by_side() -> None:
    """Each choice has its own text and finish reason, and the stream is finished when all choices are."""
    payloads = [text_chunk("a"), text_chunk("x", 1), text_chunk("b"), finish_chunk("length"), text_chunk("y", 1)]
    assert record_of([*payloads, DONE]).outcome is Outcome.TRUNCATED
    record = record_of([*payloads, finish_chunk("stop", 1), DONE])
    assert [choice.text for choice in record.choices] == ["ab", "xy"]
    assert (record.finish_reasons, record.outcome) == (("length", "stop"), Outcome.COMPLETED)


def test_the_time_to_the_first_token() -> None:
    """Time to first token runs from the given start to the first content, not to a role or a ping, and survives JSON."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", started_at=1_000.0)
    accumulator.add("r", chat(role="assistant", content=""), index=0, at=1_001.0)
    accumulator.add("r", call_chunk(call_piece(0, "{}", id="call_a", name="f")), index=1, at=1_003.0)
    accumulator.add("r", text_chunk("x"), index=2, at=1_004.5)
    record = StreamRecord.model_validate_json(accumulator.finish("r").model_dump_json())
    timing = record.timing
    assert (timing.started_from, timing.duration) == ("given", 4.5)
    assert (timing.time_to_first_chunk, timing.time_to_first_token, timing.time_to_first_text) == (1.0, 3.0, 4.5)


def test_what_a_response_says_of_itself() -> None:
    """ID, model, status and the reason for being incomplete are in the record of a response."""
    response = {"id": "resp_1", "model": "gpt-4o", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    record = record_of([event("incomplete", 0, response=response)])
    assert (record.response_id, record.model, record.finish_reason) == ("resp_1", "gpt-4o", "length")
    assert record.extras["incomplete_details"] == {"reason": "max_output_tokens"}


def test_what_the_final_transcript_says() -> None:
    """Language, words, segments, duration and seconds of audio are in the record of a transcription."""
    record = record_of(
        [
            {"type": "transcript.text.delta", "delta": "he"},
            {
                "type": "transcript.text.done",
                "text": "hello",
                "language": "en",
                "duration": 1.5,
                "words": [{"word": "hello", "start": 0.0}],
                "segments": [{"id": 0, "text": "hello"}],
                "usage": {"type": "duration", "seconds": 2},
            },
        ]
    )
    heard = record.transcript
    assert heard is not None
    assert (heard.text, heard.language, heard.duration) == ("hello", "en", 1.5)
    assert (heard.words, heard.segments) == (({"word": "hello", "start": 0.0},), ({"id": 0, "text": "hello"},))
    assert record.usage is not None
    assert record.usage.seconds == 2.0


@pytest.mark.parametrize("place", range(4))
def test_no_choices_anywhere(place: int) -> None:
    """A chunk without choices is accepted."""
    payloads = [text_chunk("a"), text_chunk("b"), finish_chunk()]
    payloads.insert(place, {"object": "chat.completion.chunk", "choices": [], "prompt_filter_results": []})
    assert record_of(payloads).text == "ab"
