"""From stamps to figures. Stamps are integers of nanoseconds; figures are seconds.

Two ways of measuring: `Reads` times each read of a wrapped source, `Arrivals` knows only when each chunk came.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from operator import sub
from typing import Any, Literal

from ..chunks import CONTENT, TEXT
from ..clock import Clock, wall_time
from ..records import WAIT_BOUNDS, InterChunk, Timing

StartedFrom = Literal["request", "given", "wrap"]


def seconds(start: int | None, end: int | None) -> float | None:
    """The seconds between two stamps, None where one is missing or the order is impossible."""
    return None if start is None or end is None or end < start else (end - start) / 1e9


def inter_chunk(waits: Sequence[int], count: int | None = None) -> InterChunk | None:
    """The distribution of waits given in nanoseconds (nearest-rank percentiles)."""
    if not waits:
        return None
    ordered = sorted(waits)
    p50, p95, p99 = (ordered[-(-len(ordered) * share // 100) - 1] / 1e9 for share in (50, 95, 99))
    return InterChunk(
        count=count or len(ordered),
        mean=sum(ordered) / len(ordered) / 1e9,
        p50=p50,
        p95=p95,
        p99=p99,
        max=ordered[-1] / 1e9,
        buckets=_buckets(ordered),
    )


_BOUNDS = tuple(round(bound * 1e9) for bound in WAIT_BOUNDS)


def _buckets(ordered: Sequence[int]) -> tuple[int, ...]:
    """How many waits fall between two bounds each."""
    up_to = 0
    counts = []
    for bound in _BOUNDS:
        before, up_to = up_to, bisect_right(ordered, bound, up_to)
        counts.append(up_to - before)
    return (*counts, len(ordered) - up_to)


class Reads:
    """The times of a wrapped source: how long each read waited, and so what the consumer took between reads.

    `pending` takes one wait (nanoseconds) a chunk; `settle` works them off in blocks. `begun` is when the first read began,
    `last` when the last one ended: known once the reading stops.
    """

    __slots__ = ("begun", "beyond", "first_content", "first_text", "last", "pending", "waits")

    def __init__(self) -> None:
        self.pending: list[int] = []
        self.waits = array("q")
        self.beyond = (0, 0)
        self.begun: int | None = None
        self.last: int | None = None
        self.first_content: int | None = None
        self.first_text: int | None = None

    @property
    def count(self) -> int:
        """How many chunks were read."""
        return len(self.waits) + len(self.pending) + self.beyond[0]

    def ended(self, start: int) -> int:
        """When the last read ended, or the earliest that it can have where nobody saw the reading stop."""
        if self.last is not None:
            return self.last
        return start if self.begun is None else self.begun + sum(self.waits) + sum(self.pending) + self.beyond[1]

    def note(self, stamp: int, flags: int) -> None:
        """Remember the first moment of what the chunk at `stamp` is the first of."""
        if flags & CONTENT and self.first_content is None:
            self.first_content = stamp
        if flags & TEXT and self.first_text is None:
            self.first_text = stamp

    def settle(self, room: int) -> None:
        """Keep the pending waits, up to `room` of them one by one; of the rest only number and sum."""
        if len(self.waits) + len(self.pending) > room:
            free = room - len(self.waits)
            rest = self.pending[max(free, 0) :]
            self.beyond = (self.beyond[0] + len(rest), self.beyond[1] + sum(rest))
            del self.pending[max(free, 0) :]
        block = self.pending[:]
        self.pending.clear()  # first: who looks on from another thread must not see a wait twice
        self.waits.fromlist(block)

    def figures(self, start: int, end: int | None, started_from: StartedFrom, clock: Clock) -> dict[str, Any]:
        """The fields of a `Timing`."""
        waits = [*self.waits, *self.pending]
        waited = sum(waits) + self.beyond[1]
        first = self.begun + waits[0] if self.begun is not None and waits else None
        return {
            **_latencies(start, end, first, self.first_content, self.first_text),
            "inter_chunk": inter_chunk(waits[1:], self.count - 1),
            "provider_wait": waited / 1e9 if waits else None,
            "consumer_wait": self._consumer_wait(waited),
            "started_from": started_from,
            "started_at": wall_time(clock.wall_ns(start)),
            "ended_at": None if end is None else wall_time(clock.wall_ns(end)),
        }

    def _consumer_wait(self, waited: int) -> float | None:
        """What passed between the first read and the end of the last, and was not spent reading."""
        if self.begun is None or self.last is None:
            return None
        return max(self.last - self.begun - waited, 0) / 1e9


class Arrivals:
    """The times of a keyed stream: one stamp a position (nanoseconds since the epoch), of which the earliest stays."""

    __slots__ = ("flags", "stamps")

    def __init__(self) -> None:
        self.stamps = array("q")
        self.flags = bytearray()

    def append(self, stamp: int, flags: int) -> None:
        """The next position came at `stamp`."""
        self.stamps.append(stamp)
        self.flags.append(flags)

    def again(self, position: int, stamp: int) -> None:
        """A position came once more: if `stamp` is earlier, it is that position's time."""
        if 0 <= position < len(self.stamps) and stamp < self.stamps[position]:
            self.stamps[position] = stamp

    def copy(self) -> Arrivals:
        """An independent copy."""
        twin = Arrivals()
        twin.stamps, twin.flags = self.stamps[:], self.flags[:]
        return twin

    @property
    def earliest(self) -> int | None:
        """The first moment."""
        return min(self.stamps, default=None)

    @property
    def latest(self) -> int | None:
        """The last moment."""
        return max(self.stamps, default=None)

    def first(self, flag: int) -> int | None:
        """The earliest stamp of a chunk that has `flag`."""
        return min((stamp for stamp, flags in zip(self.stamps, self.flags, strict=True) if flags & flag), default=None)

    def figures(self, start: int | None, end: int | None, started_from: StartedFrom) -> dict[str, Any]:
        """The fields of a `Timing`."""
        ordered = sorted(self.stamps)
        if start is None:
            return {"started_from": started_from}
        first = ordered[0] if ordered else None
        return {
            **_latencies(start, end, first, self.first(CONTENT), self.first(TEXT)),
            "inter_chunk": inter_chunk(list(map(sub, ordered[1:], ordered))),
            "started_from": started_from,
            "started_at": wall_time(start),
            "ended_at": None if end is None else wall_time(end),
        }


def _latencies(start: int, end: int | None, chunk: int | None, content: int | None, text: int | None) -> dict[str, Any]:
    return {
        "time_to_first_chunk": seconds(start, chunk),
        "time_to_first_token": seconds(start, content),
        "time_to_first_text": seconds(start, text),
        "duration": seconds(start, end),
    }


def timing(figures: dict[str, Any], output_tokens: int | None) -> Timing:
    """The `Timing` of the figures, with the rates that follow from the number of tokens.

    Time per output token is (duration - time to first token) / (tokens - 1), as the OpenTelemetry conventions have it;
    tokens per second is its counterpart over the same span.
    """
    duration, first = figures.get("duration"), figures.get("time_to_first_token")
    span = duration - first if duration is not None and first is not None else None
    if span is not None and span > 0 and output_tokens is not None and output_tokens > 1:
        figures = {**figures, "time_per_output_token": span / (output_tokens - 1), "tokens_per_second": output_tokens / span}
    return Timing(**figures)
