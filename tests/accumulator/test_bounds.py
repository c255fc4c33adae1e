"""What is kept has limits: exceeding one never ends an active stream, and the record counts what was dropped."""

import base64
import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from streamtally import Accumulator, Limits, Outcome, Tally, UnknownRequest
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

MARK = "XKCDMARK"
ENCODED = base64.b64encode(MARK.encode() * 3).decode()


def accumulator_with(clock: FakeClock | None = None, *, ended: CollectedRecords | None = None, **limits: float) -> Accumulator:
    """Return an accumulator with these limits."""
    bounds = Limits(**limits)  # type: ignore[arg-type] # each name is a field
    return Accumulator(clock=clock or FakeClock(), limits=bounds, on_end=ended)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Limits)])
def test_no_bound_is_negative(field: str) -> None:
    """A negative limit, or one that is no number, raises `ValueError`."""
    for value in (-1, float("nan")):
        with pytest.raises(ValueError, match=field):
            Limits(**{field: value})  # type: ignore[arg-type] # each name is a field


def test_content_of_one_stream() -> None:
    """Beyond `stream_bytes` text is counted and dropped, while finish reason, usage and times are still recorded."""
    clock = FakeClock()
    accumulator = accumulator_with(clock, stream_bytes=100)
    for index in range(100):
        clock.advance(1)
        assert accumulator.add("r", text_chunk("x" * 10), index=index) is None
    accumulator.add("r", finish_chunk("length"), index=100)
    accumulator.add("r", usage_chunk(5, 6), index=101)
    record = accumulator.add("r", DONE, index=102)
    assert record is not None
    assert 100 <= len(record.text) <= 120
    assert record.dropped_bytes == 1_000 - len(record.text)
    assert (record.finish_reason, record.outcome, record.chunk_count) == ("length", Outcome.COMPLETED, 103)
    assert record.usage is not None
    assert record.timing.duration == 99.0


def test_content_that_is_no_text_counts_too() -> None:
    """Log probabilities and output items count towards `stream_bytes` as text does."""
    accumulator = accumulator_with(stream_bytes=1_000)
    for index in range(100):
        accumulator.add("chat", chat(content="x", logprobs={"content": [{"token": "x" * 50}]}), index=index)
        item = {"id": f"m{index}", "type": "web_search_call", "action": {"query": "x" * 50}}
        accumulator.add("items", event("output_item.done", output_index=index, item=item), index=index)
    tokens = accumulator.finish("chat").choices[0].logprobs["content"]
    assert 10 <= len(tokens) <= 20
    items = accumulator.finish("items").output_items
    assert len(items) == 100
    assert 5 <= len([item for item in items if "action" in item]) <= 20


def test_the_final_list_of_items_beyond_the_bound() -> None:
    """The last event of a response, which repeats the whole output, is subject to `stream_bytes` too."""
    accumulator = accumulator_with(stream_bytes=10)
    part = {"type": "output_text", "text": MARK * 5}
    accumulator.add("r", event("output_text.delta", 0, item_id="m", output_index=0, content_index=0, delta="x" * 20), index=0)
    response = {"id": "resp_1", "status": "completed", "output": [{"id": "m", "type": "message", "content": [part]}]}
    record = accumulator.add("r", event("completed", 1, response=response), index=1)
    assert record is not None
    assert record.text == "x" * 20


def test_previews_that_were_replaced_do_not_count() -> None:
    """A replaced preview no longer counts: the limit is on what is kept, not on what arrived."""
    accumulator = accumulator_with(stream_bytes=100)
    for index in range(20):
        preview = {"type": "image_generation.partial_image", "b64_json": ENCODED}
        accumulator.add("r", preview, index=index)
    accumulator.add("r", {"type": "image_generation.completed", "b64_json": ENCODED}, index=20)
    record = accumulator.finish("r")
    assert record.images[0].data == MARK.encode() * 3
    assert record.dropped_bytes == 0


def test_held_chunks() -> None:
    """Beyond `held_chunks` chunks behind a gap are dropped and counted, but their usage is kept."""
    accumulator = accumulator_with(held_chunks=3)
    for index in (9, 7, 5, 3):
        accumulator.add("r", text_chunk(f"{index} "), index=index)
    accumulator.add("r", usage_chunk(5, 6), index=11)
    accumulator.add("r", text_chunk("0 "), index=0)
    record = accumulator.finish("r")
    assert record.text == "0 5 7 9 "
    assert record.dropped_chunks == 2
    assert record.missing == ((1, 5), (6, 7), (8, 9), (10, 12))
    assert record.usage is not None


def test_the_width_of_a_gap_costs_nothing() -> None:
    """Gaps may be of any width, because a worker may receive only a few chunks of a stream."""
    accumulator = accumulator_with(held_chunks=3)
    for index in (10**6, 10**12, 10**18):
        accumulator.add("r", text_chunk("x"), index=index)
    record = accumulator.finish("r")
    assert (record.text, record.dropped_chunks) == ("xxx", 0)
    assert record.missing == ((0, 10**6), (10**6 + 1, 10**12), (10**12 + 1, 10**18))


def test_bytes_of_held_chunks() -> None:
    """Chunks that are held behind a gap count towards `stream_bytes`."""
    accumulator = accumulator_with(stream_bytes=100)
    for index in range(1, 50):
        accumulator.add("r", text_chunk("x" * 10), index=index)
    assert len(accumulator.dump("r")) < 5_000
    assert accumulator.finish("r").dropped_chunks > 30


def test_too_many_streams() -> None:
    """Beyond `streams` the stream that was idle for longest ends with a record, not the one that was opened first."""
    clock, ended = FakeClock(), CollectedRecords()
    accumulator = accumulator_with(clock, ended=ended, streams=2)
    for request, payload in [
        ("first", text_chunk("a")),
        ("second", text_chunk("b")),
        ("second", finish_chunk()),
        ("first", text_chunk("c")),
    ]:
        clock.advance(1)
        accumulator.add(request, payload)
    clock.advance(1)
    accumulator.open("third")
    assert [(record.request_id, record.text, record.outcome) for record in ended] == [("second", "b", Outcome.COMPLETED)]
    clock.advance(1)
    accumulator.open("fourth")
    assert [(record.request_id, record.text, record.outcome) for record in ended[1:]] == [("first", "ac", Outcome.ABANDONED)]
    assert len(accumulator) == 2


def test_wrapped_streams_are_never_evicted() -> None:
    """The limit holds for keyed streams only: a wrapped stream stays open until its reader ends it."""
    tally = Tally(clock=FakeClock(), limits=Limits(streams=1, idle_seconds=0))
    stream = tally.wrap(["a", "b"])
    next(iter(stream))
    tally.open("one")
    tally.open("two")
    tally.accumulator.sweep()
    assert stream.request_id in tally.accumulator
    assert stream.record.outcome is None
    stream.close()


def test_too_many_bytes() -> None:
    """Beyond `total_bytes` the streams that were idle for longest end, and the newest one is kept whole."""
    clock, ended = FakeClock(), CollectedRecords()
    accumulator = accumulator_with(clock, ended=ended, total_bytes=25_000)
    for number in range(5):
        clock.advance(1)
        accumulator.add(str(number), text_chunk("x" * 10_000), index=0)
    assert [record.request_id for record in ended] == ["0", "1", "2"]
    assert {len(record.text) for record in ended} == {10_000}
    assert len(accumulator) == 2


def test_bytes_that_were_not_kept_evict_nobody() -> None:
    """Dropped content does not count towards `total_bytes`."""
    for keep, limits in [("counts", Limits(total_bytes=20_000)), ("content", Limits(stream_bytes=8_000, total_bytes=20_000))]:
        accumulator = Accumulator(clock=FakeClock(), limits=limits, keep=keep)  # type: ignore[arg-type] # both are literals
        accumulator.open("other")
        for index in range(100):
            accumulator.add("r", text_chunk("x" * 5_000), index=index)
        assert "other" in accumulator


def test_bytes_of_ended_streams_are_free_again() -> None:
    """The bytes of ended streams are subtracted from the total."""
    ended = CollectedRecords()
    accumulator = accumulator_with(ended=ended, total_bytes=25_000)
    for number in range(50):
        accumulator.add(str(number), text_chunk("x" * 10_000), index=0)
        accumulator.add(str(number), text_chunk("y" * 10_000), index=2)
        accumulator.finish(str(number))
    accumulator.add("a", text_chunk("x" * 10_000), index=0)
    accumulator.add("b", text_chunk("x" * 10_000), index=0)
    assert len(ended) == 50
    assert len(accumulator) == 2


def test_idle_streams_end_in_order() -> None:
    """`sweep` ends the streams that exceed `idle_seconds`, the longest idle first, and no others."""
    clock, ended = FakeClock(), CollectedRecords()
    accumulator = accumulator_with(clock, ended=ended, idle_seconds=10)
    for number in (2, 0, 1):
        accumulator.add(str(number), text_chunk("x"), index=0)
        clock.advance(1)
    clock.advance(8)
    assert [record.request_id for record in accumulator.sweep()] == ["2", "0"]
    assert accumulator.sweep() == ()
    assert (len(ended), len(accumulator)) == (2, 1)


def test_remembered_records() -> None:
    """Only `ended_records` records of ended streams are kept, and `tombstones` of their IDs."""
    accumulator = accumulator_with(ended_records=2, tombstones=3)
    for number in range(4):
        accumulator.add(str(number), text_chunk("x"), index=0)
        accumulator.finish(str(number))
    with pytest.raises(UnknownRequest):
        accumulator.finish("1")
    assert accumulator.finish("2").text == "x"
    accumulator.add("1", text_chunk("late"), index=1)
    assert (len(accumulator), accumulator.late) == (0, 1)
    accumulator.add("0", text_chunk("new"), index=0)  # its ID is no longer remembered
    assert (len(accumulator), accumulator.late) == (1, 1)


@pytest.mark.parametrize("limits", [Limits(tombstones=0), Limits(ended_records=0)], ids=["no IDs", "no records"])
def test_nothing_remembered(limits: Limits) -> None:
    """With a limit of 0 the record of an ended stream is returned once, and not kept."""
    accumulator = Accumulator(clock=FakeClock(), limits=limits)
    accumulator.add("r", text_chunk("x"), index=0)
    assert accumulator.finish("r").text == "x"
    with pytest.raises(UnknownRequest):
        accumulator.finish("r")


PART = {"type": "output_text", "text": MARK, "annotations": [{"title": MARK}]}
MARKED: dict[str, Sequence[Any]] = {
    "openai.chat": [
        chat(role="assistant", content=MARK, logprobs={"content": [{"token": MARK}]}),
        chat(reasoning=MARK, reasoning_details=[{"type": "reasoning.text", "text": MARK}]),
        chat(refusal=MARK, annotations=[{"title": MARK}]),
        call_chunk(call_piece(0, MARK, id="call_a", name="f")),
        chat(audio={"data": ENCODED, "transcript": MARK}),
        chat(images=[{"image_url": {"url": f"data:image/png;base64,{ENCODED}"}}]),
        finish_chunk(),
        usage_chunk(),
    ],
    "openai.completions": [
        {"object": "text_completion", "choices": [{"index": 0, "text": MARK, "logprobs": {"tokens": [MARK]}}]},
    ],
    "openai.responses": [
        event("output_item.added", 0, output_index=0, item={"id": "m1", "type": "message", "content": [PART]}),
        event("output_text.delta", 1, item_id="m1", output_index=0, content_index=0, delta=MARK, logprobs=[{"token": MARK}]),
        event("output_text.annotation.added", 2, item_id="m1", output_index=0, content_index=0, annotation={"title": MARK}),
        event("output_text.done", 3, item_id="m1", output_index=0, content_index=0, text=MARK),
        event("content_part.done", 4, item_id="m1", output_index=0, content_index=0, part=PART),
        event("output_item.done", 5, output_index=0, item={"id": "m1", "type": "message", "content": [PART]}),
        event("incomplete", 6, response={"status": "incomplete", "output": [{"type": "message", "content": [PART]}]}),
    ],
    "openai.speech": [{"type": "speech.audio.delta", "audio": ENCODED}],
    "raw.audio": [MARK.encode()],
    "openai.transcription": [
        {"type": "transcript.text.delta", "delta": MARK, "logprobs": [{"token": MARK}]},
        {"type": "transcript.text.segment", "text": MARK},
        {"type": "transcript.text.done", "text": MARK, "words": [{"word": MARK}]},
    ],
    "openai.images": [
        {"type": "image_generation.partial_image", "b64_json": ENCODED},
        {"type": "image_generation.completed", "b64_json": ENCODED},
    ],
    "text": [MARK],
}


@pytest.mark.parametrize("dialect", MARKED)
def test_counts_retain_no_content(dialect: str) -> None:
    """With `keep="counts"` no state and no record holds any content, while counts and times are complete."""
    clock = FakeClock()
    accumulator = Accumulator(clock=clock, keep="counts")
    accumulator.open("r", dialect=dialect, started_at=999.0)
    written = []
    for index, payload in enumerate(MARKED[dialect]):
        accumulator.add("r", payload, index=index)
        if "r" in accumulator:
            written += [accumulator.dump("r"), accumulator.snapshot("r").model_dump_json().encode()]
    record = accumulator.finish("r")
    written += [record.model_dump_json().encode()]
    for trace in (MARK, ENCODED, base64.b64encode(MARK.encode()).decode().rstrip("=")[:-1]):
        assert not any(trace.encode() in text for text in written)
    assert record.dropped_bytes > 0
    assert record.chunk_count == len(MARKED[dialect])
    assert record.timing.time_to_first_token == 1.0


def test_what_waits_no_more_is_free_again() -> None:
    """Chunks that are held only for a moment do not add up towards `stream_bytes`."""
    accumulator = Accumulator(clock=FakeClock(), limits=Limits(stream_bytes=200), keep="counts")
    for index in range(0, 200, 2):
        accumulator.add("r", text_chunk("x" * 50), index=index + 1)
        accumulator.add("r", text_chunk("x" * 50), index=index)
    record = accumulator.finish("r")
    assert (record.dropped_chunks, record.dropped_bytes, record.missing) == (0, 10_000, ())


def test_what_lost_its_place_is_free_again() -> None:
    """Of two contents held at one position only the one that is kept counts towards `stream_bytes`."""
    accumulator = accumulator_with(stream_bytes=120)
    accumulator.open("r", dialect="openai.chat")
    accumulator.add("r", text_chunk("x" * 90), index=5, at=1_002.0)
    accumulator.add("r", text_chunk("y"), index=5, at=1_001.0)
    accumulator.add("r", text_chunk("z" * 90), index=7, at=1_003.0)
    accumulator.add("r", text_chunk("!"), index=9, at=1_004.0)
    record = accumulator.finish("r")
    assert (record.text, record.dropped_chunks, record.conflicts) == ("y" + "z" * 90 + "!", 0, 1)


def test_counts_alone_keep_no_words_beside_the_content() -> None:
    """With `keep="counts"` no text remains in extras, an error's body or a revised prompt."""
    accumulator = Accumulator(keep="counts")
    accumulator.add(
        "image", {"type": "image_generation.completed", "b64_json": "QUJD", "revised_prompt": "SECRET", "note": "SECRET"}
    )
    accumulator.add("chat", {"object": "chat.completion.chunk", "choices": [], "created": 5, "citations": ["SECRET"]})
    accumulator.add("chat", b"data: {SECRET\n\n")
    records = [accumulator.finish("image"), accumulator.finish("chat")]
    assert "SECRET" not in "".join(record.model_dump_json() for record in records)
    assert (records[0].usage is not None, records[1].extras) == (True, {"created": 5})
    assert records[1].error is not None
    assert records[1].error.type == "malformed_payload"
