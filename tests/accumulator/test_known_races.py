"""Bugs of lifetime and of threads that other gateways and accumulators had, one test for each."""

import threading
from collections.abc import Callable

from streamtally import Accumulator, Limits, Outcome
from streamtally.testing.clock import FakeClock
from tests.accumulator.wire import (
    DONE,
    CollectedRecords,
    finish_chunk,
    text_chunk,
    usage_chunk,
)
from tests.waiting import PATIENCE


def accumulator_state(request_id: str) -> bytes:
    """Return the state of a stream with one chunk."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add(request_id, text_chunk("x"), index=9)
    return accumulator.dump(request_id)


def in_threads(count: int, work: Callable[[int], object]) -> list[object]:
    """Run `work` in many threads at once; return what each returned or raised."""
    start = threading.Barrier(count)
    results: list[object] = [None] * count

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = work(number)
        except BaseException as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    return results


def test_finish_while_others_add() -> None:
    """Each chunk added during `finish` is in the record, or late, or opens a new stream."""
    ended = CollectedRecords()
    accumulator = Accumulator(on_end=ended)
    accumulator.open("r")

    def work(number: int) -> object:
        return accumulator.finish("r") if number == 20 else accumulator.add("r", text_chunk("x"), index=number)

    results = in_threads(40, work)
    assert len(accumulator) == 0
    assert [result for result in results if result is not None] == ended
    assert ended[0].chunk_count + accumulator.late == 39


def test_a_sweep_leaves_nothing() -> None:
    """Idle streams and all their chunks are freed by `sweep`."""
    clock, ended = FakeClock(), CollectedRecords()
    accumulator = Accumulator(clock=clock, on_end=ended, limits=Limits(idle_seconds=10))
    for number in range(50):
        accumulator.open(str(number)).add(text_chunk("x"), index=number % 3)
    clock.advance(10)
    assert len(accumulator.sweep()) == len(ended) == 50
    assert len(accumulator) == 0
    assert {record.outcome for record in ended} == {Outcome.ABANDONED}


def test_finish_from_many_threads() -> None:
    """Concurrent calls of `finish` all return the same record."""
    ended = CollectedRecords()
    accumulator = Accumulator(on_end=ended)
    accumulator.add("r", text_chunk("x"), index=0)
    results = in_threads(50, lambda _: accumulator.finish("r"))
    assert len(ended) == 1
    assert all(result is results[0] for result in results)


def test_a_hundred_threads_open_one_stream() -> None:
    """Concurrent calls of `open` make one stream, which has every thread's chunk and ends once."""
    ended = CollectedRecords()
    accumulator = Accumulator(on_end=ended)
    in_threads(100, lambda _: accumulator.open("r"))
    assert len(accumulator) == 1
    in_threads(100, lambda number: accumulator.add("r", text_chunk("x"), index=number))
    in_threads(100, lambda _: accumulator.finish("r"))
    (record,) = ended
    assert (record.text, record.missing, len(accumulator)) == ("x" * 100, (), 0)


def test_a_hundred_threads_add_without_open() -> None:
    """Concurrent first chunks of an unknown ID open one stream, and its last chunk ends it."""
    ended, started = CollectedRecords(), CollectedRecords()
    accumulator = Accumulator(on_end=ended, on_start=started)
    payloads = [*map(text_chunk, "ab" * 49), finish_chunk(), DONE]
    results = in_threads(100, lambda number: accumulator.add("r", payloads[number], index=number))
    (record,) = ended
    assert [result for result in results if result is not None] == [record]
    assert (len(started), len(accumulator), record.text) == (1, 0, "ab" * 49)


def test_two_users_of_one_stream() -> None:
    """Closing one of two handles of a stream leaves the stream and its record to the other."""
    accumulator = Accumulator(clock=FakeClock())
    first, second = accumulator.open("r"), accumulator.open("r")
    first.add(text_chunk("a"), index=0)
    first.close()
    first.close()
    assert "r" in accumulator
    second.add(finish_chunk(), index=1)
    record = second.finish()
    assert (record.text, record.outcome) == ("a", Outcome.COMPLETED)
    assert second.finish() is record


def test_the_record_stays_for_the_second_user() -> None:
    """Closing one handle after the end leaves the record to the other handle."""
    accumulator = Accumulator(clock=FakeClock())
    first, second = accumulator.open("r"), accumulator.open("r")
    record = first.finish()
    first.close()
    assert second.finish() is record


def test_a_user_of_an_earlier_stream() -> None:
    """Closing a handle of an ended stream does not affect an open stream with the same ID."""
    accumulator = Accumulator(clock=FakeClock())
    first = accumulator.open("r")
    first.finish()
    second = accumulator.open("r")
    second.add(text_chunk("new"), index=0)
    first.close()
    assert "r" in accumulator
    assert second.finish().text == "new"


def test_a_user_of_an_earlier_stream_that_is_late() -> None:
    """Closing a handle of an ended stream does not remove the record of a later stream with the same ID."""
    accumulator = Accumulator(clock=FakeClock())
    first = accumulator.open("r")
    first.finish()
    second = accumulator.open("r")
    record = second.finish()
    first.close()
    assert second.finish() is record


def test_aborted_streams_leave_nothing() -> None:
    """An aborted stream is removed from the accumulator, however it was aborted."""
    accumulator = Accumulator(clock=FakeClock())
    ways: list[Callable[[str], object]] = [
        accumulator.discard,
        accumulator.finish,
        lambda request: accumulator.fail(request, "gone"),
        lambda request: accumulator.open(request).close(),
    ]
    for number, way in enumerate(ways):
        accumulator.add(str(number), text_chunk("x"), index=3)
        way(str(number))
        assert len(accumulator) == 0


def test_requests_share_nothing() -> None:
    """Text, usage and metadata of two interleaved requests are kept apart."""
    accumulator = Accumulator(clock=FakeClock())
    for index, word in enumerate(["a", "b", "c"]):
        accumulator.add("lower", {**text_chunk(word), "service_tier": "flex"}, index=index)
        accumulator.add("upper", text_chunk(word.upper()), index=index)
    accumulator.add("lower", usage_chunk(1, 1), index=3)
    lower, upper = accumulator.finish("lower"), accumulator.finish("upper")
    assert (lower.text, upper.text) == ("abc", "ABC")
    assert (upper.service_tier, upper.usage) == (None, None)


def test_a_late_chunk_opens_nothing() -> None:
    """A chunk after the end is counted as late, and opens no stream."""
    late = CollectedRecords()
    accumulator = Accumulator(clock=FakeClock(), on_late=late)
    accumulator.add("r", text_chunk("a"), index=0)
    record = accumulator.finish("r")
    assert accumulator.add("r", usage_chunk(), index=1) is None
    assert accumulator.merge("r", accumulator_state("r")) is None
    assert (len(accumulator), accumulator.late) == (0, 2)
    assert accumulator.finish("r") == record.model_copy(update={"late": 2})
    assert [record.late for record in late] == [1, 2]


def test_two_consumers_of_one_body() -> None:
    """Raw audio that two observers add at the same indices is kept once."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", dialect="raw.audio")
    for index, piece in enumerate([b"\x00\x01", b"\x02", b"\x00\x01"]):
        for _ in range(2):
            accumulator.add("r", piece, index=index)
    record = accumulator.finish("r")
    assert record.audio is not None
    assert record.audio.data == b"\x00\x01\x02\x00\x01"


def test_a_live_stream_outlives_the_idle_limit() -> None:
    """Idle time counts from the last chunk, so only the silent one of two streams ends."""
    clock = FakeClock()
    accumulator = Accumulator(clock=clock, limits=Limits(idle_seconds=10))
    accumulator.add("silent", text_chunk("x"), index=0)
    for index in range(8):
        accumulator.add("live", text_chunk("x"), index=index)
        clock.advance(4)
    assert [record.request_id for record in accumulator.sweep()] == ["silent"]
    clock.advance(6)
    assert [record.request_id for record in accumulator.sweep()] == ["live"]


def test_the_first_start_stays() -> None:
    """A second `open` does not move the start of a stream, but may set one that was not given."""
    clock = FakeClock()
    accumulator = Accumulator(clock=clock)
    accumulator.open("r")
    clock.advance(2)
    accumulator.open("r")
    clock.advance(1)
    accumulator.add("r", text_chunk("x"), index=0)
    assert accumulator.snapshot("r").timing.time_to_first_token == 3.0
    accumulator.open("r", started_at=1_000.5)
    assert accumulator.finish("r").timing.time_to_first_token == 2.5


def test_open_after_the_first_chunk() -> None:
    """Parameters given to `open` are recorded also when a chunk arrived before it."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", {"type": "image_generation.completed", "image_index": 0, "b64_json": "QUJD"}, index=0)
    accumulator.open("r", params={"model": "gpt-image-1", "n": 2}, attributes={"team": "a"}, conversation_id="c")
    record = accumulator.add("r", {"type": "image_generation.completed", "image_index": 1, "b64_json": "QUJD"}, index=1)
    assert record is not None
    assert (record.requested_model, record.attributes, record.conversation_id) == ("gpt-image-1", {"team": "a"}, "c")
