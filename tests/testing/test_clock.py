from datetime import UTC, datetime

import pytest

from streamtally.clock import Clock, stamp_of
from streamtally.testing import FakeClock


def test_it_stands_still() -> None:
    """Two readings are equal if the clock is not advanced."""
    clock: Clock = FakeClock()
    assert clock.monotonic_ns() == clock.monotonic_ns()


def test_advance() -> None:
    """Stamps and wall clock advance together, to the nanosecond."""
    clock = FakeClock()
    stamp, wall = clock.monotonic_ns(), clock.time_ns()
    clock.advance(0.1)
    clock.advance(0)
    assert clock.monotonic_ns() - stamp == clock.time_ns() - wall == 100_000_000
    assert clock.wall_ns(stamp) == wall


def test_tick() -> None:
    """With a tick each reading of the stamp is later than the one before; reading the wall clock takes no tick."""
    clock = FakeClock(tick=0.001)
    first, second = clock.monotonic_ns(), clock.monotonic_ns()
    assert second - first == 1_000_000
    assert clock.time_ns() == clock.time_ns() == clock.wall_ns(second) + 1_000_000


def test_it_starts_at_a_fixed_time() -> None:
    """The clock starts at the same time in every run."""
    clock = FakeClock()
    assert datetime.fromtimestamp(clock.time_ns() / 1e9, UTC) == datetime(2026, 1, 1, tzinfo=UTC)
    assert stamp_of(datetime(2026, 1, 1, tzinfo=UTC), clock) == clock.monotonic_ns()


def test_it_never_goes_back() -> None:
    """A negative advance raises."""
    with pytest.raises(ValueError, match="cannot go back by 1 seconds"):
        FakeClock().advance(-1)
