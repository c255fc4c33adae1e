"""Figures from stamps."""

from streamtally.accumulator.timing import inter_chunk
from streamtally.records import WAIT_BOUNDS


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    """Of a hundred waits the 95th is the 95th smallest; of two the median is the smaller."""
    hundred = inter_chunk([second * 1_000_000_000 for second in range(100, 0, -1)])
    assert hundred is not None
    assert (hundred.p50, hundred.p95, hundred.p99, hundred.max, hundred.mean) == (50.0, 95.0, 99.0, 100.0, 50.5)
    two = inter_chunk([1_000_000_000, 100_000_000_000])
    assert two is not None
    assert (two.p50, two.max) == (1.0, 100.0)
    assert inter_chunk([]) is None


def test_waits_are_counted_by_their_size() -> None:
    """Each in the first bucket whose bound it does not exceed, the last of which has none."""
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
