"""A clock that only moves when a test advances it."""

from __future__ import annotations

_EPOCH_NS = 1_767_225_600 * 10**9
_START_NS = 1_000 * 10**9


class FakeClock:
    """A clock (see `streamtally.clock.Clock`) that a test controls, so that times are the same in every run.

    Args:
        tick: seconds that pass with each reading, so that consecutive stamps differ.

    >>> clock = FakeClock()
    >>> start = clock.monotonic_ns()
    >>> clock.advance(0.25)
    >>> clock.monotonic_ns() - start
    250000000
    """

    def __init__(self, *, tick: float = 0.0) -> None:
        self._now = _START_NS
        self._tick = round(tick * 1e9)

    def monotonic_ns(self) -> int:
        """The current stamp; the tick passes after the reading."""
        now = self._now
        self._now += self._tick
        return now

    def wall_ns(self, stamp: int) -> int:
        """Nanoseconds since the Unix epoch at `stamp`; the clock starts at 2026-01-01T00:00:00Z."""
        return _EPOCH_NS - _START_NS + stamp

    def time_ns(self) -> int:
        """The current time in nanoseconds since the Unix epoch; reading it takes no tick."""
        return self.wall_ns(self._now)

    def advance(self, seconds: float) -> None:
        """Advance the clock.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"a monotonic clock cannot go back by {-seconds} seconds")
        self._now += round(seconds * 1e9)

    async def sleep(self, seconds: float) -> None:
        """Advance the clock without waiting; an async `sleep` for `FakeProvider`."""
        self.advance(seconds)
