"""The keyed streams that are open, how much they hold, and which has been idle for longest.

Not thread-safe: the accumulator locks.
"""

from __future__ import annotations

import threading
from itertools import count

from sortedcontainers import SortedSet

from ..limits import Limits
from .keyed import KeyedStream

_serials = count()


class OpenStream:
    """A keyed stream that is open.

    Attributes:
        lock: guards the stream.
        users: how many handles hold it.
        active: the stamp of its last chunk.
        due: the stamp at which it counts as idle, as recorded in the order of idleness.
        serial: settles ties in that order.
        size: its retained characters and bytes that are counted in the total.
        ended: set once its record is made, which the thread `ender` does.
    """

    __slots__ = ("active", "due", "ended", "ender", "lock", "request_id", "serial", "size", "stream", "users")

    def __init__(self, stream: KeyedStream, now: int) -> None:
        self.request_id = stream.request.request_id
        self.serial = next(_serials)
        self.stream = stream
        self.lock = threading.Lock()
        self.users = 0
        self.active = now
        self.due = 0
        self.size = 0
        self.ended = threading.Event()
        self.ender: int | None = None


class OpenStreams:
    """All open keyed streams, by ID and by the moment at which they count as idle.

    A chunk only sets `OpenStream.active`: the place in the order of idleness is corrected when it is looked at, so that a
    chunk costs no sorting.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._idle_after = round(limits.idle_seconds * 1e9)
        self._streams: dict[str, OpenStream] = {}
        self._by_due: SortedSet[tuple[int, int, OpenStream]] = SortedSet()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._streams)

    def __contains__(self, request_id: object) -> bool:
        return request_id in self._streams

    def get(self, request_id: str) -> OpenStream | None:
        """The open stream of this ID."""
        return self._streams.get(request_id)

    def all(self) -> tuple[OpenStream, ...]:
        """All open streams."""
        return tuple(self._streams.values())

    def add(self, stream: OpenStream) -> OpenStream:
        """Register a new stream; returns it."""
        self._streams[stream.request_id] = stream
        self._schedule(stream)
        return stream

    def remove(self, stream: OpenStream) -> bool:
        """Remove a stream that ended; False where its ID belongs to another stream by now, which stays."""
        current = self._streams.get(stream.request_id) is stream
        if current:
            del self._streams[stream.request_id]
        self._by_due.discard((stream.due, stream.serial, stream))
        self._bytes -= stream.size
        return current

    def update_size(self, stream: OpenStream) -> None:
        """Bring the total of retained characters and bytes up to date."""
        if stream.stream.seal is None:
            self._bytes += stream.stream.size - stream.size
            stream.size = stream.stream.size

    @property
    def overfull(self) -> bool:
        """Whether there are too many streams, or they hold too much."""
        return len(self._streams) > self._limits.streams or self._bytes > self._limits.total_bytes

    def most_idle(self, *, before: int | None = None, other_than: OpenStream | None = None) -> OpenStream | None:
        """The stream that has been idle for longest; with `before` (a stamp), only one that counted as idle by then."""
        found = spared = None
        while found is None and self._by_due and (before is None or self._by_due[0][0] <= before):
            due, _, stream = self._by_due.pop(0)
            if stream is other_than:
                spared = stream
            elif due != stream.active + self._idle_after:
                self._schedule(stream)
            else:
                found = stream
        if spared is not None:
            self._schedule(spared)
        return found

    def _schedule(self, stream: OpenStream) -> None:
        stream.due = stream.active + self._idle_after
        self._by_due.add((stream.due, stream.serial, stream))
