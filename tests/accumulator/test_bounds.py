"""What is retained has bounds; passing one never ends a stream that lives, and the record says what was dropped."""

import base64
import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from streamtally import Accumulator, Limits, Outcome, Tally, UnknownRequest
from streamtally.testing.clock import FakeClock
from tests.accumulator.wire import DONE, Ends, call, called, chat, event, finish, said, used

MARK = "XKCDMARK"
ENCODED = base64.b64encode(MARK.encode() * 3).decode()


def accumulator_with(clock: FakeClock | None = None, *, ends: Ends | None = None, **limits: float) -> Accumulator:
    """An accumulator with some bounds of its own."""
    bounds = Limits(**limits)  # type: ignore[arg-type] # each name is a field
    return Accumulator(clock=clock or FakeClock(), limits=bounds, on_end=ends)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Limits)])
def test_no_bound_is_negative(field: str) -> None:
    """A negative bound, or one that is no number, is a mistake."""
    for value in (-1, float("nan")):
        with pytest.raises(ValueError, match=field):
            Limits(**{field: value})  # type: ignore[arg-type] # each name is a field


def test_content_of_one_stream() -> None:
    """Beyond `stream_bytes` words are counted and forgotten, while finish, usage and times go on."""
    clock = FakeClock()
    accumulator = accumulator_with(clock, stream_bytes=100)
    for index in range(100):
        clock.advance(1)
        assert accumulator.add("r", said("x" * 10), index=index) is None
    accumulator.add("r", finish("length"), index=100)
    accumulator.add("r", used(5, 6), index=101)
    record = accumulator.add("r", DONE, index=102)
    assert record is not None
    assert 100 <= len(record.text) <= 120
    assert record.dropped_bytes == 1_000 - len(record.text)
    assert (record.finish_reason, record.outcome, record.chunk_count) == ("length", Outcome.COMPLETED, 103)
    assert record.usage is not None
    assert record.timing.duration == 99.0


def test_content_that_is_no_text_counts_too() -> None:
    """Log probabilities and items fill a stream as words do."""
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
    """The last event of a response, which says all once more, is held to the bound as well."""
    accumulator = accumulator_with(stream_bytes=10)
    part = {"type": "output_text", "text": MARK * 5}
    accumulator.add("r", event("output_text.delta", 0, item_id="m", output_index=0, content_index=0, delta="x" * 20), index=0)
    response = {"id": "resp_1", "status": "completed", "output": [{"id": "m", "type": "message", "content": [part]}]}
    record = accumulator.add("r", event("completed", 1, response=response), index=1)
    assert record is not None
    assert record.text == "x" * 20


def test_previews_that_were_replaced_do_not_count() -> None:
    """The bound is on what is kept, not on what came."""
    accumulator = accumulator_with(stream_bytes=100)
    for index in range(20):
        preview = {"type": "image_generation.partial_image", "b64_json": ENCODED}
        accumulator.add("r", preview, index=index)
    accumulator.add("r", {"type": "image_generation.completed", "b64_json": ENCODED}, index=20)
    record = accumulator.finish("r")
    assert record.images[0].data == MARK.encode() * 3
    assert record.dropped_bytes == 0


def test_held_chunks() -> None:
    """Beyond `held_chunks` what is ahead of a gap is dropped and counted, and never its usage."""
    accumulator = accumulator_with(held_chunks=3)
    for index in (9, 7, 5, 3):
        accumulator.add("r", said(f"{index} "), index=index)
    accumulator.add("r", used(5, 6), index=11)
    accumulator.add("r", said("0 "), index=0)
    record = accumulator.finish("r")
    assert record.text == "0 5 7 9 "
    assert record.dropped_chunks == 2
    assert record.missing == ((1, 5), (6, 7), (8, 9), (10, 12))
    assert record.usage is not None


def test_the_width_of_a_gap_costs_nothing() -> None:
    """A worker may see only one chunk in a million."""
    accumulator = accumulator_with(held_chunks=3)
    for index in (10**6, 10**12, 10**18):
        accumulator.add("r", said("x"), index=index)
    record = accumulator.finish("r")
    assert (record.text, record.dropped_chunks) == ("xxx", 0)
    assert record.missing == ((0, 10**6), (10**6 + 1, 10**12), (10**12 + 1, 10**18))


def test_bytes_of_held_chunks() -> None:
    """What waits beyond a gap is bounded in bytes, too."""
    accumulator = accumulator_with(stream_bytes=100)
    for index in range(1, 50):
        accumulator.add("r", said("x" * 10), index=index)
    assert len(accumulator.dump("r")) < 5_000
    assert accumulator.finish("r").dropped_chunks > 30


def test_too_many_streams() -> None:
    """The stream that stood still for longest ends, with its record, and not the one that was opened first."""
    clock, ends = FakeClock(), Ends()
    accumulator = accumulator_with(clock, ends=ends, streams=2)
    for request, payload in [("first", said("a")), ("second", said("b")), ("second", finish()), ("first", said("c"))]:
        clock.advance(1)
        accumulator.add(request, payload)
    clock.advance(1)
    accumulator.open("third")
    assert [(record.request_id, record.text, record.outcome) for record in ends] == [("second", "b", Outcome.COMPLETED)]
    clock.advance(1)
    accumulator.open("fourth")
    assert [(record.request_id, record.text, record.outcome) for record in ends[1:]] == [("first", "ac", Outcome.ABANDONED)]
    assert len(accumulator) == 2


def test_wrapped_streams_are_never_evicted() -> None:
    """The bound is on keyed streams: a wrapped one lives as long as its reader."""
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
    """With too much in all streams together, the one that stood still for longest ends; the newest stays whole."""
    clock, ends = FakeClock(), Ends()
    accumulator = accumulator_with(clock, ends=ends, total_bytes=25_000)
    for number in range(5):
        clock.advance(1)
        accumulator.add(str(number), said("x" * 10_000), index=0)
    assert [record.request_id for record in ends] == ["0", "1", "2"]
    assert {len(record.text) for record in ends} == {10_000}
    assert len(accumulator) == 2


def test_bytes_that_were_not_kept_evict_nobody() -> None:
    """What a stream dropped, or never kept, is no reason to end another."""
    for keep, limits in [("counts", Limits(total_bytes=20_000)), ("content", Limits(stream_bytes=8_000, total_bytes=20_000))]:
        accumulator = Accumulator(clock=FakeClock(), limits=limits, keep=keep)  # type: ignore[arg-type] # both are literals
        accumulator.open("other")
        for index in range(100):
            accumulator.add("r", said("x" * 5_000), index=index)
        assert "other" in accumulator


def test_bytes_of_ended_streams_are_free_again() -> None:
    """The total is exact after ends and evictions: it does not drift."""
    ends = Ends()
    accumulator = accumulator_with(ends=ends, total_bytes=25_000)
    for number in range(50):
        accumulator.add(str(number), said("x" * 10_000), index=0)
        accumulator.add(str(number), said("y" * 10_000), index=2)
        accumulator.finish(str(number))
    accumulator.add("a", said("x" * 10_000), index=0)
    accumulator.add("b", said("x" * 10_000), index=0)
    assert len(ends) == 50
    assert len(accumulator) == 2


def test_idle_streams_end_in_order() -> None:
    """A sweep ends those whose time ran out, the idlest first, and leaves the others."""
    clock, ends = FakeClock(), Ends()
    accumulator = accumulator_with(clock, ends=ends, idle_seconds=10)
    for number in (2, 0, 1):
        accumulator.add(str(number), said("x"), index=0)
        clock.advance(1)
    clock.advance(8)
    assert [record.request_id for record in accumulator.sweep()] == ["2", "0"]
    assert accumulator.sweep() == ()
    assert (len(ends), len(accumulator)) == (2, 1)


def test_remembered_records() -> None:
    """Only so many records of ended streams are kept; their IDs are remembered for longer."""
    accumulator = accumulator_with(ended_records=2, tombstones=3)
    for number in range(4):
        accumulator.add(str(number), said("x"), index=0)
        accumulator.finish(str(number))
    with pytest.raises(UnknownRequest):
        accumulator.finish("1")
    assert accumulator.finish("2").text == "x"
    accumulator.add("1", said("late"), index=1)
    assert (len(accumulator), accumulator.late) == (0, 1)
    accumulator.add("0", said("new"), index=0)  # its ID was forgotten
    assert (len(accumulator), accumulator.late) == (1, 1)


@pytest.mark.parametrize("limits", [Limits(tombstones=0), Limits(ended_records=0)], ids=["no IDs", "no records"])
def test_nothing_remembered(limits: Limits) -> None:
    """Without room for the ended, the record is handed out once."""
    accumulator = Accumulator(clock=FakeClock(), limits=limits)
    accumulator.add("r", said("x"), index=0)
    assert accumulator.finish("r").text == "x"
    with pytest.raises(UnknownRequest):
        accumulator.finish("r")


PART = {"type": "output_text", "text": MARK, "annotations": [{"title": MARK}]}
MARKED: dict[str, Sequence[Any]] = {
    "openai.chat": [
        chat(role="assistant", content=MARK, logprobs={"content": [{"token": MARK}]}),
        chat(reasoning=MARK, reasoning_details=[{"type": "reasoning.text", "text": MARK}]),
        chat(refusal=MARK, annotations=[{"title": MARK}]),
        called(call(0, MARK, id="call_a", name="f")),
        chat(audio={"data": ENCODED, "transcript": MARK}),
        chat(images=[{"image_url": {"url": f"data:image/png;base64,{ENCODED}"}}]),
        finish(),
        used(),
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
    """With `keep="counts"` neither the state nor any record holds a word, and the figures are there all the same."""
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
        assert not any(trace.encode() in one for one in written)
    assert record.dropped_bytes > 0
    assert record.chunk_count == len(MARKED[dialect])
    assert record.timing.time_to_first_token == 1.0


def test_what_waits_no_more_is_free_again() -> None:
    """A stream whose chunks always overtake each other is never taken for one that holds too much."""
    accumulator = Accumulator(clock=FakeClock(), limits=Limits(stream_bytes=200), keep="counts")
    for index in range(0, 200, 2):
        accumulator.add("r", said("x" * 50), index=index + 1)
        accumulator.add("r", said("x" * 50), index=index)
    record = accumulator.finish("r")
    assert (record.dropped_chunks, record.dropped_bytes, record.missing) == (0, 10_000, ())


def test_what_lost_its_place_is_free_again() -> None:
    """Of two contents that wait at one position only the one that stays counts."""
    accumulator = accumulator_with(stream_bytes=120)
    accumulator.add("r", said("x" * 90), index=5, at=1_002.0)
    accumulator.add("r", said("y"), index=5, at=1_001.0)
    accumulator.add("r", said("z" * 90), index=7, at=1_003.0)
    accumulator.add("r", said("!"), index=9, at=1_004.0)
    record = accumulator.finish("r")
    assert (record.text, record.dropped_chunks, record.conflicts) == ("y" + "z" * 90 + "!", 0, 1)


def test_counts_alone_keep_no_words_beside_the_content() -> None:
    """Extras, a cut-off tail, an error's body and a revised prompt are words too."""
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
