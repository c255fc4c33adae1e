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
    """A datetime survives conversion to a stamp and back, to the microsecond, in every time zone."""
    assert wall_time(CLOCK.wall_ns(stamp_of(moment, CLOCK))) == moment


@given(st.integers(0, 10**15))
def test_seconds_are_monotonic_seconds(microseconds: int) -> None:
    """A number is seconds on the clock's monotonic scale."""
    assert abs(stamp_of(microseconds / 1e6, CLOCK) - microseconds * 1_000) <= 200
    assert stamp_of(5, CLOCK) == 5 * 10**9


def test_both_forms_of_a_time() -> None:
    """The same time as seconds and as datetime has the same stamp."""
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
def test_invalid_times(moment: datetime | float) -> None:
    """A naive datetime, a number that is not finite and a time centuries away raise."""
    with pytest.raises(ValueError, match="time"):
        stamp_of(moment, CLOCK)


@pytest.mark.parametrize("unix_ns", [10**30, -(10**30), 2**63 * 1_000])
def test_times_outside_the_range_of_datetime(unix_ns: int) -> None:
    """They give None and no error."""
    assert wall_time(unix_ns) is None


def test_times_before_1970() -> None:
    """Negative nanoseconds are valid."""
    assert wall_time(-1_000) == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def test_the_system_clock_has_one_anchor() -> None:
    """The difference between monotonic and wall-clock time is the same for every stamp."""
    clock = SystemClock()
    offsets = {clock.wall_ns(stamp) - stamp for stamp in (0, clock.monotonic_ns(), 10**18)}
    assert len(offsets) == 1


def test_the_system_clock_is_the_process_clock() -> None:
    """Its scale is that of `time.perf_counter`."""
    before = time.perf_counter_ns()
    stamp = SYSTEM_CLOCK.monotonic_ns()
    assert before <= stamp <= time.perf_counter_ns()
