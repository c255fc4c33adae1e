"""How a keyed stream begins and ends: exactly once, with callbacks outside every lock."""

import json
import threading
from typing import Any

import pytest

from streamtally import (
    Accumulator,
    DuplicateRequest,
    Limits,
    Outcome,
    StreamRecord,
    StreamType,
    Tally,
    UnknownDialect,
    UnknownRequest,
)
from streamtally.testing.clock import FakeClock
from tests.accumulator.wire import DONE, CollectedRecords, chat, finish_chunk, text_chunk, usage_chunk
from tests.waiting import PATIENCE


def test_the_loop_of_a_queue_consumer() -> None:
    """A queue consumer adds each message once, and gets the record when the stream is complete."""
    accumulator = Accumulator(clock=FakeClock())
    saved = []
    for index, payload in enumerate([text_chunk("hello"), finish_chunk(), usage_chunk(), DONE]):
        if record := accumulator.add("r", payload, index=index, at=1_000.0 + index):
            saved.append(record)
    assert [record.text for record in saved] == ["hello"]
    assert saved[0].timing.duration == 3.0


def test_objects_that_hide_the_terminal() -> None:
    """Without an end marker `add` returns no record, even after a finish reason; `finish` returns it."""
    accumulator = Accumulator(clock=FakeClock())
    assert accumulator.add("r", text_chunk("a")) is None
    assert accumulator.add("r", finish_chunk()) is None
    assert accumulator.finish("r").outcome is Outcome.COMPLETED


def test_the_snapshot_of_a_stream_in_flight() -> None:
    """A snapshot has no outcome and no end, includes held chunks, and does not affect the stream."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", text_chunk("a"), index=0)
    accumulator.add("r", text_chunk("c"), index=2)
    record = accumulator.snapshot("r")
    assert (record.text, record.outcome, record.missing, record.timing.ended_at) == ("ac", None, ((1, 2),), None)
    assert accumulator.snapshot("r") is record
    accumulator.add("r", text_chunk("b"), index=1)
    assert accumulator.snapshot("r").text == "abc"


@pytest.mark.parametrize("act", ["finish", "snapshot", "dump"])
def test_an_unknown_request(act: str) -> None:
    """Ending or reading an unknown request raises `UnknownRequest`; discarding it does nothing."""
    accumulator = Accumulator()
    with pytest.raises(UnknownRequest, match="'nobody'"):
        getattr(accumulator, act)("nobody")
    with pytest.raises(KeyError):
        accumulator.fail("nobody", "gone")
    accumulator.discard("nobody")


@pytest.mark.parametrize(
    ("outcome", "payloads", "expected"),
    [
        (None, [text_chunk("a"), finish_chunk()], Outcome.COMPLETED),
        (None, [text_chunk("a")], Outcome.TRUNCATED),
        ("cancelled", [text_chunk("a")], Outcome.CANCELLED),
        ("cancelled", [text_chunk("a"), finish_chunk()], Outcome.COMPLETED),
        ("abandoned", [text_chunk("a")], Outcome.ABANDONED),
        ("limit", [text_chunk("a"), finish_chunk()], Outcome.LIMIT),
        ("timeout", [text_chunk("a"), finish_chunk()], Outcome.TIMEOUT),
        ("error", [text_chunk("a"), finish_chunk()], Outcome.ERROR),
        ("completed", [text_chunk("a")], Outcome.TRUNCATED),
        ("cancelled", [{"error": {"message": "gone"}}], Outcome.ERROR),
        (None, [{"something": "else"}], Outcome.COMPLETED),
    ],
)
def test_outcomes(outcome: str | None, payloads: list[object], expected: Outcome) -> None:
    """The stream's own finish reason or error decides the outcome, unless the caller states a limit, a time-out or an error."""
    accumulator = Accumulator(clock=FakeClock())
    for index, payload in enumerate(payloads):
        accumulator.add("r", payload, index=index)
    assert accumulator.finish("r", outcome).outcome is expected


def test_an_outcome_that_there_is_none_of() -> None:
    """An unknown outcome raises `ValueError`, and the stream stays open."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", text_chunk("a"))
    with pytest.raises(ValueError, match="ended"):
        accumulator.finish("r", "ended")
    assert "r" in accumulator


class ReadTimeout(Exception):
    """A time-out that is recognised by its name, as HTTP libraries name it."""


@pytest.mark.parametrize(
    ("error", "outcome", "kind"),
    [
        (ValueError("bad"), Outcome.ERROR, "ValueError"),
        (TimeoutError("slow"), Outcome.TIMEOUT, "timeout"),
        (ReadTimeout("slow"), Outcome.TIMEOUT, "timeout"),
        ("gone", Outcome.ERROR, "error"),
    ],
)
def test_failures(error: Exception | str, outcome: Outcome, kind: str) -> None:
    """`fail` records type and message of the error, and ends the stream at that moment."""
    clock = FakeClock()
    accumulator = Accumulator(clock=clock)
    accumulator.add("r", text_chunk("a"))
    clock.advance(2)
    record = accumulator.fail("r", error)
    assert (record.outcome, record.timing.duration) == (outcome, 2.0)
    assert record.error is not None
    assert (record.error.type, record.error.message) == (kind, str(error))


def test_an_exception_that_knows_the_status() -> None:
    """Status, code and body of an SDK's exception are recorded together with the error in the stream."""

    class APIStatusError(Exception):
        status_code = 529
        code = "overloaded"
        body = {"message": "busy"}  # noqa: RUF012 - the SDKs' exceptions have it as a class attribute too

    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", {"error": {"message": "overloaded, try later", "type": "overloaded_error"}})
    error = accumulator.fail("r", APIStatusError("stream broke")).error
    assert error is not None
    assert (error.type, error.message, error.code) == ("overloaded_error", "overloaded, try later", "overloaded")
    assert (error.status, error.retryable) == (529, True)


def test_what_on_end_returns_is_the_record() -> None:
    """The record that `on_end` returns is what `add`, `finish` and `snapshot` return."""
    accumulator = Accumulator(clock=FakeClock(), on_end=lambda record: record.model_copy(update={"provider": "mine"}))
    accumulator.add("r", finish_chunk(), index=0)
    record = accumulator.add("r", DONE, index=1)
    assert record is not None
    assert record.provider == "mine"
    assert accumulator.finish("r") is record
    assert accumulator.snapshot("r") is record


def test_callbacks_may_use_the_accumulator() -> None:
    """`on_start`, `on_end` and `on_late` are called outside every lock, so other threads may use the accumulator."""
    clock = FakeClock()
    seen: list[object] = []

    def use_accumulator(record: StreamRecord) -> StreamRecord:
        thread = threading.Thread(target=lambda: seen.append(accumulator.add("other", text_chunk("x"))), daemon=True)
        thread.start()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        seen.append(accumulator.snapshot(record.request_id).request_id)
        accumulator.add(record.request_id, text_chunk("more"), index=99)
        return record

    accumulator = Accumulator(clock=clock)
    accumulator.open("other")
    accumulator._on_start = accumulator._on_end = use_accumulator
    accumulator.add("r", text_chunk("a"), index=0)
    record = accumulator.finish("r")
    assert record.text == "amore"
    assert accumulator.late == 1
    accumulator._on_end = None
    accumulator._on_late = late_records = CollectedRecords()
    accumulator.add("r", text_chunk("late"), index=5)
    assert [record.late for record in late_records] == [2]


def test_on_end_that_raises() -> None:
    """An exception of `on_end` reaches the caller that ended the stream, which has ended all the same."""

    def fail(_: StreamRecord) -> StreamRecord:
        raise RuntimeError("no disk")

    accumulator = Accumulator(clock=FakeClock(), on_end=fail)
    accumulator.add("r", text_chunk("a"))
    with pytest.raises(RuntimeError, match="no disk"):
        accumulator.finish("r")
    assert len(accumulator) == 0
    assert accumulator.finish("r").text == "a"


def test_a_handle_in_with() -> None:
    """Leaving `with` ends the stream: by its finish reason, as cancelled, or with the exception raised."""
    ended = CollectedRecords()
    accumulator = Accumulator(clock=FakeClock(), on_end=ended)
    with accumulator.open("whole") as stream:
        stream.add(text_chunk("a"))
        stream.add(finish_chunk())
    with accumulator.open("half") as stream:
        stream.add(text_chunk("a"))
    with pytest.raises(ValueError, match="broken"), accumulator.open("broken") as stream:
        raise ValueError("broken")
    with pytest.raises(KeyboardInterrupt), accumulator.open("stopped"):
        raise KeyboardInterrupt
    assert [record.outcome for record in ended] == [Outcome.COMPLETED, Outcome.CANCELLED, Outcome.ERROR, Outcome.CANCELLED]
    with pytest.raises(UnknownRequest):
        accumulator.finish("whole")


def test_an_exception_beside_another_user() -> None:
    """An exception in one user's `with` fails the stream for all its users."""
    accumulator = Accumulator(clock=FakeClock())
    other = accumulator.open("r")
    with pytest.raises(ValueError, match="broken"), accumulator.open("r"):
        raise ValueError("broken")
    assert other.finish().outcome is Outcome.ERROR


def test_what_the_caller_says_of_a_request() -> None:
    """Type, parameters, attributes and conversation are in the record; the user's input is not."""
    accumulator = Accumulator(clock=FakeClock())
    params = {"model": "tts-1", "provider": "azure", "input": "secret words", "voice": "alloy", "timeout": object()}
    accumulator.open("r", stream_type="audio.speech", params=params, attributes={"team": "a"}, conversation_id="c1")
    record = accumulator.finish("r")
    assert record.stream_type is StreamType.SPEECH
    assert (record.requested_model, record.provider) == ("tts-1", "azure")
    assert record.params == {"model": "tts-1", "provider": "azure", "voice": "alloy"}
    assert (record.attributes, record.conversation_id) == ({"team": "a"}, "c1")
    assert record.usage is not None
    assert record.usage.characters == len("secret words")


def test_positions_from_another_number() -> None:
    """No position before `first_index` is missing."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", first_index=1)
    accumulator.add("r", text_chunk("a"), index=1)
    accumulator.add("r", text_chunk("b"), index=3)
    record = accumulator.finish("r")
    assert (record.text, record.missing) == ("ab", ((2, 3),))


def test_protocol_numbers_order() -> None:
    """Without an index, chunks are ordered by the sequence numbers of the protocol, which begin at 0."""
    accumulator = Accumulator(clock=FakeClock())
    events = [
        {"type": "response.output_text.delta", "item_id": "m", "delta": word, "sequence_number": number}
        for number, word in enumerate("abc")
    ]
    for event in (events[2], events[0], events[2], events[1]):
        accumulator.add("r", event)
    record = accumulator.finish("r")
    assert (record.text, record.ordering, record.duplicates) == ("abc", "sequence", 1)


def test_what_open_refuses() -> None:
    """`open` raises for an unknown dialect or type and for the ID of a wrapped stream, and opens nothing."""
    tally = Tally(clock=FakeClock())
    stream = tally.wrap(["a"], request_id="wrapped")
    with pytest.raises(UnknownDialect):
        tally.open("r", dialect="unknown")
    with pytest.raises(ValueError, match="StreamType"):
        tally.open("r", stream_type="unknown")
    with pytest.raises(DuplicateRequest):
        tally.open("wrapped")
    with pytest.raises(DuplicateRequest):
        tally.add("wrapped", "a")
    assert len(tally.accumulator) == 1
    stream.close()


def test_close_ends_all() -> None:
    """`close` ends all open streams: finished ones as completed, others as abandoned."""
    ended = CollectedRecords()
    accumulator = Accumulator(clock=FakeClock(), on_end=ended)
    accumulator.add("whole", chat(content="a", finish_reason="stop"))
    accumulator.add("half", text_chunk("a"))
    accumulator.close()
    assert {record.request_id: record.outcome for record in ended} == {"whole": Outcome.COMPLETED, "half": Outcome.ABANDONED}
    assert len(accumulator) == 0


def test_an_id_in_use_again() -> None:
    """Opening the ID of an ended stream begins a new stream."""
    ended = CollectedRecords()
    accumulator = Accumulator(clock=FakeClock(), on_end=ended)
    for word in ("first", "second"):
        accumulator.open("r").add(text_chunk(word), index=0)
        accumulator.finish("r")
    assert [record.text for record in ended] == ["first", "second"]
    assert accumulator.late == 0


def test_bytes_from_a_queue() -> None:
    """A message of bytes may be a whole JSON object or a piece of a body."""
    choices: list[dict[str, Any]] = [{"index": 0, "delta": {"content": word}} for word in "ab"]
    choices[1]["finish_reason"] = "stop"
    chunks = [{"object": "chat.completion.chunk", "choices": [choice]} for choice in choices]
    accumulator = Accumulator()
    for chunk in chunks:
        accumulator.add("objects", json.dumps(chunk).encode())
    body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks).rstrip()
    for start in range(0, len(body), 7):
        accumulator.add("pieces", body[start : start + 7])
    for request_id in ("objects", "pieces"):
        record = accumulator.finish(request_id)
        assert (record.text, record.outcome) == ("ab", Outcome.COMPLETED)


def test_what_is_idle_ends_when_another_stream_opens() -> None:
    """Opening a stream ends idle streams, without a call of `sweep`."""
    clock = FakeClock()
    ended: list[StreamRecord] = []
    tally = Tally(clock=clock, limits=Limits(idle_seconds=10), exporters=[ended.append])
    accumulator = tally.accumulator
    accumulator.add("old", "words")
    clock.advance(11)
    accumulator.add("new", "words")
    assert [record.request_id for record in ended] == ["old"]
    assert "old" not in accumulator


def test_a_chunk_that_there_was_no_room_for_is_missing() -> None:
    """A chunk that was dropped behind a gap is listed as missing, and the stream is truncated."""
    accumulator = Accumulator(limits=Limits(held_chunks=2))
    for index in (1, 2, 3, 0):
        accumulator.add("r", str(index), index=index)
    record = accumulator.finish("r")
    assert (record.text, record.missing, record.highest_index, record.dropped_chunks) == ("012", ((3, 4),), 3, 1)
    assert record.outcome is Outcome.TRUNCATED


def test_a_handle_does_not_reach_the_next_stream_of_its_id() -> None:
    """A handle of an ended stream neither adds to nor ends a later stream with the same ID."""
    accumulator = Accumulator()
    old = accumulator.open("r")
    old.add("old")
    record = accumulator.finish("r")
    new = accumulator.open("r")
    assert old.add("stray") is None
    assert old.finish() is record
    new.add("new")
    assert new.finish().text == "new"


def test_an_id_that_is_opened_again_while_its_record_is_made() -> None:
    """A stream that `on_end` opens under the same ID is a new one, which the end of the first does not affect."""
    again: list[StreamRecord | None] = []

    def on_end(record: StreamRecord) -> StreamRecord:
        if record.text == "first":
            accumulator.open("r")
            again.append(accumulator.add("r", text_chunk("second")))
        return record

    accumulator = Accumulator(clock=FakeClock(), on_end=on_end)
    accumulator.add("r", text_chunk("first"))
    assert accumulator.finish("r").text == "first"
    assert again == [None]
    assert "r" in accumulator
    assert accumulator.late == 0
    assert accumulator.finish("r").text == "second"
    assert accumulator.snapshot("r").text == "second"
