"""The clock that everything is stamped with; pass another one in to freeze time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Monotonic stamps, and the wall-clock moment that each of them stands for."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back; their zero means nothing."""

    def wall_ns(self, stamp: int) -> int:
        """Nanoseconds since the Unix epoch at the monotonic `stamp`."""


class SystemClock:
    """`time.perf_counter_ns`, anchored once to the wall clock, so that a step of the wall clock moves nothing.

    One anchor serves all stamps of the process: two states of one request, stamped by the same clock, agree to the
    nanosecond.
    """

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.perf_counter_ns()
        self.monotonic_ns = time.perf_counter_ns

    def wall_ns(self, stamp: int) -> int:
        """Nanoseconds since the Unix epoch at the monotonic `stamp`."""
        return stamp + self._offset


SYSTEM_CLOCK = SystemClock()

Moment = datetime | float
"""An aware datetime, or seconds on the clock's monotonic scale (`time.perf_counter()` with the system clock)."""


_LAST_NS = 2**63 - 1
"""As far from 1970 as a stamp of 64 bits reaches: 292 years."""


_DECADES_NS = 10**18
"""Thirty years: no monotonic clock of a process is so far ahead of another moment of it."""


def stamp_of(moment: Moment, clock: Clock) -> int:
    """The monotonic stamp, in nanoseconds, of a moment that a caller gave.

    Raises:
        ValueError: a datetime without a time zone, a number that is not finite, or a moment centuries away.
    """
    stamp = _stamp_of(moment, clock)
    if abs(clock.wall_ns(stamp)) > _LAST_NS:
        raise ValueError(f"a moment that no clock showed: {moment!r}")
    return stamp


def _stamp_of(moment: Moment, clock: Clock) -> int:
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError("a moment needs a time zone: give an aware datetime")
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        unix_ns = (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000
        return unix_ns - clock.wall_ns(0)
    try:
        stamp = round(moment * 1e9)
    except (OverflowError, ValueError, TypeError) as error:
        raise ValueError(f"a moment is an aware datetime or a finite number, not {moment!r}") from error
    if stamp > clock.monotonic_ns() + _DECADES_NS:
        raise ValueError(f"a moment of {moment!r} looks like seconds since 1970: give an aware datetime, or time.perf_counter()")
    return stamp


def wall_time(unix_ns: int) -> datetime | None:
    """The UTC datetime of nanoseconds since the Unix epoch; None where no calendar reaches."""
    try:
        return datetime.fromtimestamp(unix_ns // 1_000_000_000, UTC).replace(microsecond=unix_ns // 1_000 % 1_000_000)
    except (OverflowError, OSError, ValueError):
        return None
