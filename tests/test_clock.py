import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.clock import SYSTEM_CLOCK, SystemClock, stamp_of, wall_time
from streamtally.testing.clock import FakeClock

CLOCK = FakeClock()
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.sampled_from(  # noqa: DTZ001 - wants naive bounds
    [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))]
))  # fmt: skip


@given(MOMENTS)
def test_a_datetime_comes_back(moment: datetime) -> None:
    """From wall clock to stamp and back, to the microsecond, in every time zone."""
    assert wall_time(CLOCK.wall_ns(stamp_of(moment, CLOCK))) == moment


@given(st.integers(0, 10**15))
def test_seconds_are_monotonic_seconds(microseconds: int) -> None:
    """A number is seconds on the clock's own scale."""
    assert abs(stamp_of(microseconds / 1e6, CLOCK) - microseconds * 1_000) <= 200
    assert stamp_of(5, CLOCK) == 5 * 10**9


def test_both_ways_to_give_a_moment() -> None:
    """The same moment as seconds and as a datetime is the same stamp."""
    assert stamp_of(datetime(2026, 1, 1, tzinfo=UTC), CLOCK) == stamp_of(1_000.0, CLOCK) == CLOCK.monotonic_ns()


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 1),  # noqa: DTZ001 - the mistake that is meant
        float("nan"),
        float("inf"),
        1e300,
        10**400,
        1e12,
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
    ],
    ids=repr,
)
def test_moments_that_are_none(moment: datetime | float) -> None:
    """A datetime without a zone, a number that is not finite, or a time centuries away is a mistake."""
    with pytest.raises(ValueError, match="moment"):
        stamp_of(moment, CLOCK)


@pytest.mark.parametrize("unix_ns", [10**30, -(10**30), 2**63 * 1_000])
def test_where_no_calendar_reaches(unix_ns: int) -> None:
    """There is no datetime for it, and no error."""
    assert wall_time(unix_ns) is None


def test_moments_before_1970() -> None:
    """Negative nanoseconds are moments like others."""
    assert wall_time(-1_000) == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def test_the_system_clock_has_one_anchor() -> None:
    """The difference between both scales is the same for every stamp: a step of the wall clock moves nothing."""
    clock = SystemClock()
    offsets = {clock.wall_ns(stamp) - stamp for stamp in (0, clock.monotonic_ns(), 10**18)}
    assert len(offsets) == 1


def test_the_system_clock_is_the_process_clock() -> None:
    """Seconds of `time.perf_counter` are its scale."""
    before = time.perf_counter_ns()
    stamp = SYSTEM_CLOCK.monotonic_ns()
    assert before <= stamp <= time.perf_counter_ns()
