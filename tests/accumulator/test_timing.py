"""Figures that are computed from the times of chunks."""

from collections.abc import Callable, Iterator

import pytest

from streamtally import Accumulator, Limits, StreamRecord, Tally
from streamtally.accumulator.timing import Reads, inter_chunk
from streamtally.records import WAIT_BOUNDS
from streamtally.testing import FakeClock


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    """Percentiles are by nearest rank: the 95th of a hundred is the 95th smallest, the median of two the smaller."""
    hundred = inter_chunk([second * 1_000_000_000 for second in range(1, 101)])
    assert hundred is not None
    assert (hundred.p50, hundred.p95, hundred.p99, hundred.max, hundred.mean) == (50.0, 95.0, 99.0, 100.0, 50.5)
    two = inter_chunk([1_000_000_000, 100_000_000_000])
    assert two is not None
    assert (two.p50, two.max) == (1.0, 100.0)
    assert inter_chunk([]) is None


def test_waits_may_come_in_any_order() -> None:
    """Percentiles and stalls of reads do not depend on the order of the waits; the first wait is none between two chunks."""
    reads = Reads(stall=90_000_000_000)
    reads.begun = 0
    reads.pending += [second * 1_000_000_000 for second in (500, *range(100, 0, -1))]
    figures = reads.figures(0, None, "wrap", FakeClock())
    found = figures["inter_chunk"]
    assert (found.count, found.p50, found.p95, found.max, figures["stalls"]) == (100, 50.0, 95.0, 100.0, 10)


def test_waits_are_counted_by_their_size() -> None:
    """Each gap is counted in the first bucket whose bound it does not exceed; the last bucket has none."""
    found = inter_chunk([0, 1_000_000, 1_000_001, 10_000_000, 81_920_000_000, 81_920_000_001])
    assert found is not None
    assert dict(zip((*WAIT_BOUNDS, None), found.buckets, strict=True)) == {
        **dict.fromkeys(WAIT_BOUNDS, 0),
        0.001: 2,
        0.002: 1,
        0.01: 1,
        81.92: 1,
        None: 1,
    }


GAPS = [1.0, 2.5, 2.0, 3.0]


def wrapped(clock: FakeClock, limits: Limits) -> StreamRecord:
    """Return the record of a wrapped stream with these gaps after a wait of 9 seconds for the first chunk."""

    def source() -> Iterator[str]:
        for gap in [9.0, *GAPS]:
            clock.advance(gap)
            yield "x"

    stream = Tally(clock=clock, limits=limits).wrap(source())
    assert len(list(stream)) == 5
    return stream.record


def keyed(clock: FakeClock, limits: Limits) -> StreamRecord:
    """Return the record of a keyed stream with these gaps, whose last chunk is added first."""
    accumulator = Accumulator(clock=clock, limits=limits)
    accumulator.open("r")
    moments = []
    for gap in [9.0, *GAPS]:
        clock.advance(gap)
        moments.append(clock.monotonic_ns() / 1e9)
    for index in (4, 0, 1, 2, 3):
        accumulator.add("r", "x", index=index, at=moments[index])
    return accumulator.finish("r")


@pytest.mark.parametrize("way", [wrapped, keyed])
@pytest.mark.parametrize(("limits", "stalls"), [(Limits(), 2), (Limits(stall_seconds=2.9), 1), (Limits(stall_seconds=60), 0)])
def test_stalls(way: Callable[[FakeClock, Limits], StreamRecord], limits: Limits, stalls: int) -> None:
    """A gap between two chunks above `stall_seconds` is a stall; the wait for the first chunk is none."""
    assert way(FakeClock(), limits).timing.stalls == stalls


def test_stalls_of_waits_that_are_not_kept() -> None:
    """Stalls are counted also for chunks beyond the limit on kept times."""
    assert wrapped(FakeClock(), Limits(stream_chunks=2)).timing.stalls == 2


def test_a_stream_that_was_never_opened_has_no_latency() -> None:
    """Without `open` there is no time to first token, but the duration and the rates are known."""
    clock = FakeClock()
    accumulator = Accumulator(clock=clock)
    for index in range(3):
        accumulator.add(
            "r", {"choices": [{"index": 0, "delta": {"content": "x"}}], "usage": {"completion_tokens": 3}}, index=index
        )
        clock.advance(1.0)
    timing = accumulator.finish("r").timing
    assert (timing.time_to_first_chunk, timing.time_to_first_token, timing.time_to_first_text) == (None, None, None)
    assert (timing.duration, timing.time_per_output_token, timing.stalls) == (2.0, 1.0, 0)


def test_an_opened_stream_has_its_latency() -> None:
    """Time to first token counts from `open`."""
    clock = FakeClock()
    accumulator = Accumulator(clock=clock)
    accumulator.open("r")
    clock.advance(1.0)
    accumulator.add("r", "x")
    assert accumulator.finish("r").timing.time_to_first_token == 1.0
