"""From stamps to figures. Stamps are integers of nanoseconds; figures are seconds.

`Reads` measures each read of a wrapped source; `Arrivals` has only the moments at which chunks came.
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


def inter_chunk(ordered: Sequence[int], count: int | None = None) -> InterChunk | None:
    """The distribution of waits given in nanoseconds and sorted (nearest-rank percentiles)."""
    if not ordered:
        return None
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
    """The times of a wrapped source: how long each read waited, and so how long the consumer took between reads.

    Attributes:
        pending: one wait (nanoseconds) for each chunk, until `settle` moves them to `waits` in blocks.
        waits: the waits that are kept one by one.
        beyond: of the waits for which there was no room: their number, their sum, and how many were stalls.
        stall: nanoseconds above which a wait is a stall.
        begun: when the first read began.
        last: when the last read ended; known once the reading stops.
        first_content: when the first chunk with generated content was read.
        first_text: when the first chunk with text of the answer was read.
    """

    __slots__ = ("begun", "beyond", "first_content", "first_text", "last", "pending", "stall", "waits")

    def __init__(self, stall: int) -> None:
        self.stall = stall
        self.pending: list[int] = []
        self.waits = array("q")
        self.beyond = (0, 0, 0)
        self.begun: int | None = None
        self.last: int | None = None
        self.first_content: int | None = None
        self.first_text: int | None = None

    @property
    def count(self) -> int:
        """How many chunks were read."""
        return len(self.waits) + len(self.pending) + self.beyond[0]

    def ended(self, start: int) -> int:
        """When the last read ended; where the reading was never seen to stop, the earliest moment at which it can have."""
        if self.last is not None:
            return self.last
        return start if self.begun is None else self.begun + sum(self.waits) + sum(self.pending) + self.beyond[1]

    def note(self, stamp: int, flags: int) -> None:
        """Set the moment of the first content and of the first text, where the chunk at `stamp` is that."""
        if flags & CONTENT and self.first_content is None:
            self.first_content = stamp
        if flags & TEXT and self.first_text is None:
            self.first_text = stamp

    def settle(self, room: int) -> None:
        """Keep the pending waits, up to `room` of them one by one; of the rest only number and sum."""
        if len(self.waits) + len(self.pending) > room:
            free = room - len(self.waits)
            rest = self.pending[max(free, 0) :]
            count, total, stalls = self.beyond
            self.beyond = (count + len(rest), total + sum(rest), stalls + _stalls(sorted(rest), self.stall))
            del self.pending[max(free, 0) :]
        block = self.pending[:]
        self.pending.clear()  # first, so that another thread never sees a wait twice
        self.waits.fromlist(block)

    def figures(self, start: int, end: int | None, started_from: StartedFrom, clock: Clock) -> dict[str, Any]:
        """The fields of a `Timing`."""
        waits = [*self.waits, *self.pending]
        waited = sum(waits) + self.beyond[1]
        first = self.begun + waits[0] if self.begun is not None and waits else None
        ordered = sorted(waits[1:])
        return {
            **_latencies(start, first, self.first_content, self.first_text),
            "duration": seconds(start, end),
            "generation": seconds(self.first_content, end),
            "inter_chunk": inter_chunk(ordered, self.count - 1),
            "stalls": _stalls(ordered, self.stall) + self.beyond[2] if waits else None,
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
        """A position came again: the earlier of the two stamps stays."""
        if 0 <= position < len(self.stamps) and stamp < self.stamps[position]:
            self.stamps[position] = stamp

    def copy(self) -> Arrivals:
        """An independent copy."""
        copied = Arrivals()
        copied.stamps, copied.flags = self.stamps[:], self.flags[:]
        return copied

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

    def figures(self, start: int | None, end: int | None, started_from: StartedFrom, stall: int) -> dict[str, Any]:
        """The fields of a `Timing`. Without a `start` the first chunk begins the stream, and no latency is known."""
        ordered = sorted(self.stamps)
        first = ordered[0] if ordered else None
        begun = min((moment for moment in (start, first) if moment is not None), default=None)
        if begun is None:
            return {"started_from": started_from}
        gaps = sorted(map(sub, ordered[1:], ordered))
        content = self.first(CONTENT)
        return {
            **_latencies(start, first, content, self.first(TEXT)),
            "duration": seconds(begun, end),
            "generation": seconds(content, end),
            "inter_chunk": inter_chunk(gaps),
            "stalls": _stalls(gaps, stall) if ordered else None,
            "started_from": started_from,
            "started_at": wall_time(begun),
            "ended_at": None if end is None else wall_time(end),
        }


def _latencies(start: int | None, chunk: int | None, content: int | None, text: int | None) -> dict[str, float | None]:
    return {
        "time_to_first_chunk": seconds(start, chunk),
        "time_to_first_token": seconds(start, content),
        "time_to_first_text": seconds(start, text),
    }


def _stalls(ordered: Sequence[int], bound: int) -> int:
    """How many of the sorted waits are longer than the bound."""
    return len(ordered) - bisect_right(ordered, bound)


def timing(figures: dict[str, Any], output_tokens: int | None) -> Timing:
    """The `Timing` of the figures, with the rates that follow from the number of tokens.

    `generation` is the seconds from the first token to the end, duration less time to first token. Time per output token is
    generation / (tokens - 1), as the OpenTelemetry conventions have it; tokens per second is tokens / generation.
    """
    fields = {**figures}
    span = fields.pop("generation", None)
    if span and output_tokens is not None and output_tokens > 1:
        fields |= {"time_per_output_token": span / (output_tokens - 1), "tokens_per_second": output_tokens / span}
    return Timing(**fields)
