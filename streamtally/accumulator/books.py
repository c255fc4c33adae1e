"""The books of the keyed streams: which are open, how much they hold, and which has been idle for longest.

Not thread-safe: the accumulator locks.
"""

from __future__ import annotations

import threading
from itertools import count

from sortedcontainers import SortedSet

from ..limits import Limits
from .keyed import KeyedStream

_serials = count()


class Entry:
    """A keyed stream that is open, with what the books know of it.

    `users` counts the holds on it; `active` is the stamp of its last chunk, `due` that at which it will have been idle for
    too long, and `serial` settles ties; `size` is what was counted of its bytes; `ended` is set once its record is there,
    which thread `ender` makes.
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


class Books:
    """All open keyed streams, by ID and by the moment at which their patience runs out.

    A chunk only moves `Entry.active`: the place in the order of idleness is put right when it is looked at, so that a chunk
    costs no sorting.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._patience = round(limits.idle_seconds * 1e9)
        self._entries: dict[str, Entry] = {}
        self._by_due: SortedSet[tuple[int, int, Entry]] = SortedSet()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, request_id: object) -> bool:
        return request_id in self._entries

    def get(self, request_id: str) -> Entry | None:
        """The open stream of this ID."""
        return self._entries.get(request_id)

    def all(self) -> tuple[Entry, ...]:
        """All open streams."""
        return tuple(self._entries.values())

    def enter(self, entry: Entry) -> Entry:
        """Enter a new stream; returns it."""
        self._entries[entry.request_id] = entry
        self._schedule(entry)
        return entry

    def strike(self, entry: Entry) -> bool:
        """Strike off a stream that ended; False where its ID belongs to another by now, which stays."""
        current = self._entries.get(entry.request_id) is entry
        if current:
            del self._entries[entry.request_id]
        self._by_due.discard((entry.due, entry.serial, entry))
        self._bytes -= entry.size
        return current

    def weigh(self, entry: Entry) -> None:
        """Bring the total of retained bytes up to date."""
        if entry.stream.seal is None:
            self._bytes += entry.stream.size - entry.size
            entry.size = entry.stream.size

    @property
    def overfull(self) -> bool:
        """Whether there are too many streams, or they hold too much."""
        return len(self._entries) > self._limits.streams or self._bytes > self._limits.total_bytes

    def idlest(self, *, before: int | None = None, other_than: Entry | None = None) -> Entry | None:
        """The stream that has been idle for longest, if its patience ran out `before`."""
        found = spared = None
        while found is None and self._by_due and (before is None or self._by_due[0][0] <= before):
            due, _, entry = self._by_due.pop(0)
            if entry is other_than:
                spared = entry
            elif due != entry.active + self._patience:
                self._schedule(entry)
            else:
                found = entry
        if spared is not None:
            self._schedule(spared)
        return found

    def _schedule(self, entry: Entry) -> None:
        entry.due = entry.active + self._patience
        self._by_due.add((entry.due, entry.serial, entry))
