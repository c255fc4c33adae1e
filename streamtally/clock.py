"""The clock that provides all time stamps; pass another clock to control time in tests."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol, overload


class Clock(Protocol):
    """A monotonic clock whose stamps convert to wall-clock time."""

    def monotonic_ns(self) -> int:
        """The current monotonic time stamp in nanoseconds; its zero point is arbitrary."""

    def wall_ns(self, stamp: int) -> int:
        """The wall-clock time of a monotonic stamp, in nanoseconds since the Unix epoch."""


class SystemClock:
    """`time.perf_counter_ns`, anchored once to the wall clock, so that later wall-clock changes have no effect.

    The instance `SYSTEM_CLOCK` serves the whole process, so two states of one request have the same anchor.
    """

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.perf_counter_ns()
        self.monotonic_ns = time.perf_counter_ns

    def wall_ns(self, stamp: int) -> int:
        """The wall-clock time of a monotonic stamp, in nanoseconds since the Unix epoch."""
        return stamp + self._offset


SYSTEM_CLOCK = SystemClock()

Moment = datetime | float
"""An aware datetime, or seconds on the clock's monotonic scale (`time.perf_counter()` with the system clock)."""


_LAST_NS = 2**63 - 1
"""The largest 64-bit number of nanoseconds: 292 years from 1970."""


_DECADES_NS = 10**18
"""Thirty years: a monotonic stamp that far in the future must be seconds since 1970."""


def stamp_of(moment: Moment, clock: Clock) -> int:
    """The monotonic stamp, in nanoseconds, of a time that a caller gave.

    Raises:
        ValueError: a datetime without a time zone, a number that is not finite, or a time centuries away.
    """
    stamp = _stamp_of(moment, clock)
    if abs(clock.wall_ns(stamp)) > _LAST_NS:
        raise ValueError(f"a time too far from the present: {moment!r}")
    return stamp


def _stamp_of(moment: Moment, clock: Clock) -> int:
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError(f"a datetime needs a time zone: {moment!r}")
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        unix_ns = (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000
        return unix_ns - clock.wall_ns(0)
    try:
        stamp = round(moment * 1e9)
    except (OverflowError, ValueError, TypeError) as error:
        raise ValueError(f"a time must be an aware datetime or a finite number, not {moment!r}") from error
    if stamp > clock.monotonic_ns() + _DECADES_NS:
        raise ValueError(f"{moment!r} seems to be seconds since 1970: give an aware datetime, or time.perf_counter()")
    return stamp


def wall_time(unix_ns: int) -> datetime | None:
    """The UTC datetime of nanoseconds since the Unix epoch; None if it is outside the range of datetime."""
    try:
        return datetime.fromtimestamp(unix_ns // 1_000_000_000, UTC).replace(microsecond=unix_ns // 1_000 % 1_000_000)
    except (OverflowError, OSError, ValueError):
        return None


@overload
def seconds_left(deadline: float) -> float: ...
@overload
def seconds_left(deadline: None) -> None: ...
@overload
def seconds_left(deadline: float | None) -> float | None: ...
def seconds_left(deadline: float | None) -> float | None:
    """The seconds from now to a deadline on `time.monotonic`, 0 if it has passed; None if there is no deadline."""
    return None if deadline is None else max(deadline - time.monotonic(), 0.0)
