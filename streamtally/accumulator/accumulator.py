"""The keyed accumulator: which streams are open, who may touch them, how long they live, and that each ends once.

Locks: one for the registry, one for each keyed stream; `on_start` and `on_end` are called outside them all. A wrapped
stream has one writer and no lock. Finalisers take none either: they seal, and leave the rest in a queue.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..clock import SYSTEM_CLOCK, Clock, Moment, stamp_of
from ..dialects import Dialect, dialect_named
from ..errors import DuplicateRequest, MergeError, UnknownRequest
from ..json_values import Json
from ..limits import DEFAULT_LIMITS, Limits
from ..records import Outcome, StreamRecord, StreamType
from .books import Books, Entry
from .failure import failure_fields
from .handle import StreamHandle
from .keyed import KeyedStream
from .state import Keep, RequestInfo
from .tombstones import Tombstones
from .wrapped import WrappedStream

OnEnd = Callable[[StreamRecord], StreamRecord]
OnRecord = Callable[[StreamRecord], object]


class Accumulator:
    """Collects chunks by request ID, in any order and any number of times, into one record a request.

    It keeps the books and nothing else: no price, no export. `on_end(record)` is called once per stream, outside every
    lock, and what it returns is the record that everyone gets.

    Args:
        clock: where stamps come from.
        limits: bounds of retention.
        on_end: called with each record as its stream ends; returns the record to hand out.
        on_start: called with the record, still empty, as a stream opens.
        on_late: called with the record of a stream that ended, when a chunk comes too late for it.
        keep: "counts" retains no text, audio or image; "content+input" also what the user wrote in the request.

    Attributes:
        defer: has a job done soon, on another thread, and says whether it will; then the record of a wrapped stream is made
            there. None, as a rule: it is made where the stream ends.

    Example:
        >>> accumulator = Accumulator()
        >>> accumulator.add("r1", "world", index=1)
        >>> accumulator.add("r1", "hello ", index=0)
        >>> accumulator.finish("r1").text
        'hello world'
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        on_end: OnEnd | None = None,
        on_start: OnRecord | None = None,
        on_late: OnRecord | None = None,
        keep: Keep = "content",
    ) -> None:
        self.clock = clock or SYSTEM_CLOCK
        self.limits = limits or DEFAULT_LIMITS
        self.keep: Keep = keep
        self._on_end = on_end
        self._on_start = on_start
        self._on_late = on_late
        self.defer: Callable[[Callable[[], object]], bool] | None = None
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._maker: int | None = None
        self._keyed = Books(self.limits)
        self._wrapped: dict[str, WrappedStream] = {}
        self._tombstones = Tombstones(self.limits.tombstones, self.limits.ended_records)
        self._orphans: deque[Callable[[], object]] = deque()

    def __len__(self) -> int:
        """How many streams are open, keyed and wrapped."""
        return len(self._keyed) + len(self._wrapped)

    def __contains__(self, request_id: object) -> bool:
        return request_id in self._keyed or request_id in self._wrapped

    @property
    def late(self) -> int:
        """How many chunks came after the end of their stream."""
        return self._tombstones.late

    def open(  # noqa: PLR0913 - what a caller can say of a stream, by name
        self,
        request_id: str,
        *,
        stream_type: StreamType | str | None = None,
        dialect: str | Dialect | None = None,
        started_at: Moment | None = None,
        first_index: int = 0,
        params: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
        conversation_id: str | None = None,
    ) -> StreamHandle:
        """Open a stream, or take a further hold on one that is open; the first start stays unless one is given.

        Raises:
            UnknownDialect: nobody registered `dialect`.
            DuplicateRequest: a wrapped stream has this ID.
            ValueError: a `stream_type` that there is none of, or a `started_at` that is no moment.
        """
        self.drain()
        spoken = None if dialect is None else dialect_named(dialect)
        given = None if started_at is None else self._wall(started_at)
        kind = None if stream_type is None else StreamType(stream_type)
        request = RequestInfo(
            request_id, kind, params or {}, attributes or {}, conversation_id, keep_input=self.keep == "content+input"
        )
        entry = self._opened(request, first_index, spoken, given)
        with entry.lock:
            entry.users += 1
            if entry.stream.seal is None:
                entry.stream.learn(request, spoken, given)
        return StreamHandle(self, entry)

    def add(self, request_id: str, payload: Any, *, index: int | None = None, at: Moment | None = None) -> StreamRecord | None:
        """Take in one chunk or payload; opens an ID that is unknown.

        Args:
            request_id: whose chunk it is.
            payload: an SDK's object, a mapping, JSON text, `"[DONE]"`, bytes, or a `Chunk`.
            index: its position, from 0 on; without one the protocol's own number counts, else the order of arrival.
            at: when it was read; now, if not given.

        Returns:
            The record, once, when this chunk completes the stream; else None. A chunk that comes after the end changes
            nothing and is counted.
        """
        if self._orphans:
            self.drain()
        stamp = self._wall(at)
        entry = self._keyed.get(request_id) or self._entered(RequestInfo(request_id))
        if entry is None:
            return None
        with entry.lock:
            late = entry.stream.seal is not None
            if not late:
                entry.active = self.clock.monotonic_ns()
                entry.stream.add(payload, index, stamp)
            ended = entry.stream.ended
        if late:
            self._count_late(request_id)
            return None
        if entry.stream.size - entry.size > 4096:
            self._account(entry)
        return self._end(entry, Outcome.COMPLETED) if ended else None

    def fail(self, request_id: str, error: BaseException | str) -> StreamRecord:
        """End a stream that failed; `error` says how. Raises `UnknownRequest`."""
        self.drain()
        entry = self._keyed.get(request_id)
        return self._remembered(request_id) if entry is None else self.fail_entry(entry, error)

    def finish(self, request_id: str, outcome: Outcome | str | None = None) -> StreamRecord:
        """End a stream, for its source has no more. The record says whether the provider had finished.

        Args:
            request_id: which stream.
            outcome: how it ended, where the caller knows better ("cancelled", "limit", …).

        Returns:
            The record; the same one again, if the stream ended before and was not discarded since.

        Raises:
            UnknownRequest: no such stream is open or remembered.
        """
        ending = Outcome.COMPLETED if outcome is None else Outcome(outcome)
        self.drain()
        entry = self._keyed.get(request_id)
        return self._remembered(request_id) if entry is None else self._end(entry, ending)

    def snapshot(self, request_id: str) -> StreamRecord:
        """The record as things stand; the stream goes on undisturbed. Raises `UnknownRequest`."""
        self.drain()
        if entry := self._keyed.get(request_id):
            with entry.lock:
                return entry.stream.snapshot()
        if wrapped := self._wrapped.get(request_id):
            return self.record_of(wrapped)
        return self._remembered(request_id)

    def discard(self, request_id: str) -> None:
        """Forget a stream, whoever holds it; one that is open ends first ("abandoned"). Unknown IDs are fine."""
        self.drain()
        if entry := self._keyed.get(request_id):
            self._end(entry, Outcome.ABANDONED)
        with self._lock:
            self._tombstones.drop_record(request_id)

    def dump(self, request_id: str) -> bytes:
        """The state of an open stream, for `merge` here or in another process. Raises `UnknownRequest`."""
        entry = self._keyed.get(request_id)
        if entry is None:
            raise UnknownRequest(request_id)
        with entry.lock:
            return entry.stream.dump()

    def merge(self, request_id: str, state: bytes) -> StreamRecord | None:
        """Unite a partial state of a request with what is here; opens an ID that is unknown.

        Returns:
            The record, once, when the stream is complete with it; else None.

        Raises:
            MergeError: (a ValueError) states that do not belong together, or are ordered by arrival.
        """
        self.drain()
        other = KeyedStream.load(state, clock=self.clock, limits=self.limits, keep=self.keep)
        if other.request.request_id != request_id:
            raise MergeError(f"the state of {other.request.request_id!r}, not of {request_id!r}")
        entry = self._keyed.get(request_id) or self._entered(RequestInfo(request_id), other.order.first)
        if entry is None:
            return None
        with entry.lock:
            late = entry.stream.seal is not None
            if not late:
                entry.stream = entry.stream.unite(other)
                entry.active = self.clock.monotonic_ns()
            ended = entry.stream.ended
        if late:
            self._count_late(request_id)
            return None
        self._account(entry)
        return self._end(entry, Outcome.COMPLETED) if ended else None

    def sweep(self) -> tuple[StreamRecord, ...]:
        """End the keyed streams that stood still for too long, and those that finalisers left; returns the former."""
        self.drain()
        now = self.clock.monotonic_ns()
        records = []
        while (entry := self._idle_since(now)) is not None:
            records.append(self._end(entry, Outcome.ABANDONED))
        return tuple(records)

    def close(self) -> None:
        """End all keyed streams that are open ("abandoned", unless they were finished)."""
        self.drain()
        for entry in self._keyed.all():
            self._end(entry, Outcome.ABANDONED)

    def register(self, stream: WrappedStream) -> None:
        """Enter a wrapped stream in the books. Raises `DuplicateRequest` where its ID is open."""
        self.drain()
        request_id = stream.request.request_id
        before = self._wrapped.get(request_id)
        if before is not None and before.seal is not None:
            self.record_of(before)  # it has ended, though its record is still to be made: the ID is free
        with self._lock:
            if request_id in self:
                raise DuplicateRequest(request_id)
            self._wrapped[request_id] = stream
        if self._on_start is not None:
            self._on_start(stream.snapshot())

    def end(self, stream: WrappedStream) -> None:
        """Have the record made of a wrapped stream that the caller has sealed: here and now, or where `defer` does it."""
        if self.defer is None:
            self._finish(stream)
        elif not self.defer(partial(self.record_of, stream)):
            self.record_of(stream)

    def record_of(self, stream: WrappedStream) -> StreamRecord:
        """The record of a wrapped stream as things stand; the final one, once it is sealed: made by whoever asks first."""
        if stream.seal is None or self.defer is None or self._maker == threading.get_ident():
            return stream.record or stream.snapshot()
        with self._making:
            if stream.record is None:
                self._maker = threading.get_ident()
                try:
                    self._finish(stream)
                finally:
                    self._maker = None
        return stream.record or stream.snapshot()

    def _finish(self, stream: WrappedStream) -> None:
        """Make the record of a sealed stream, and strike the stream off. Called once.

        One that is not on the books is a forked child's copy of its parent's: the parent will say how it ended.
        """
        record = stream.snapshot()
        request_id = stream.request.request_id
        try:
            if self._on_end is not None and self._wrapped.get(request_id) is stream:
                record = self._on_end(record)
        finally:
            stream.record = record
            with self._lock:
                if self._wrapped.get(request_id) is stream:
                    del self._wrapped[request_id]

    def after_fork(self) -> None:
        """Begin anew in a forked child: what is open is the parent's, and a lock may be held by a thread that is not here."""
        self._lock, self._making, self._maker = threading.Lock(), threading.Lock(), None
        self._keyed = Books(self.limits)
        self._wrapped = {}
        self._orphans = deque()

    def orphaned(self, finish: Callable[[], object]) -> None:
        """Leave to the next ordinary call what a finaliser must not do itself. Takes no lock."""
        self._orphans.append(finish)

    def drain(self) -> None:
        """Do what finalisers left."""
        while self._orphans:
            try:
                finish = self._orphans.popleft()
            except IndexError:  # another thread was quicker
                return
            finish()

    def _wall(self, moment: Moment | None) -> int:
        """Nanoseconds since the epoch, of a moment or of now."""
        clock = self.clock
        return clock.wall_ns(clock.monotonic_ns() if moment is None else stamp_of(moment, clock))

    def _entered(self, request: RequestInfo, first_index: int = 0) -> Entry | None:
        """The stream that a chunk is for, made if there is none; None, and the chunk counted, where it has ended."""
        request_id = request.request_id
        with self._lock:
            known = self._keyed.get(request_id)
            ended = known is None and request_id in self._tombstones
            entry = known if known is not None or ended else self._new_entry(request, first_index)
        if ended:
            self._count_late(request_id)
        elif known is None and entry is not None:
            self._welcome(entry)
        return entry

    def _opened(self, request: RequestInfo, first_index: int, dialect: Dialect | None, given_start: int | None) -> Entry:
        """The stream that a caller opens, also under an ID that was in use before; or the one that is open."""
        opened = self._wall(None)
        with self._lock:
            known = self._keyed.get(request.request_id)
            # One that is sealed has ended, though its record is still being made: the ID is free.
            if known is None or known.stream.seal is not None:
                known, entry = None, self._new_entry(request, first_index, dialect)
                entry.stream.opened, entry.stream.given_start = opened, given_start
                self._tombstones.exhume(request.request_id)
        if known is not None:
            return known
        self._welcome(entry)
        return entry

    def _new_entry(self, request: RequestInfo, first_index: int, dialect: Dialect | None = None) -> Entry:
        """Enter a new stream in the books. Under the registry's lock."""
        if request.request_id in self._wrapped:
            raise DuplicateRequest(request.request_id)
        options = {"dialect": dialect, "clock": self.clock, "limits": self.limits, "keep": self.keep}
        stream = KeyedStream(request, first_index=first_index, **options)
        return self._keyed.enter(Entry(stream, self.clock.monotonic_ns()))

    def _welcome(self, entry: Entry) -> None:
        """Announce a new stream, and make room for it."""
        if self._on_start is not None:
            with entry.lock:
                record = entry.stream.snapshot()
            self._on_start(record)
        now = self.clock.monotonic_ns()
        while (idle := self._idle_since(now)) is not None:
            self._end(idle, Outcome.ABANDONED)
        self._make_room(entry)

    def release(self, entry: Entry) -> None:
        """One hold on a stream goes; with the last one the stream and its record. For handles."""
        self.drain()
        with entry.lock:
            entry.users -= 1
            last = entry.users <= 0
        if last:
            self._end(entry, Outcome.CANCELLED)
            with self._lock:
                self._tombstones.drop_record(entry.request_id, entry.ended)

    def _count_late(self, request_id: str) -> bool:
        """Whether the stream of this ID has ended, so that what comes is late: that is counted."""
        with self._lock:
            late = self._tombstones.count_late(request_id)
            record = self._tombstones.record(request_id) if late and self._on_late is not None else None
        if record is not None and self._on_late is not None:
            self._on_late(record)
        return late

    def _remembered(self, request_id: str) -> StreamRecord:
        with self._lock:
            record = self._tombstones.record(request_id)
        if record is None:
            raise UnknownRequest(request_id)
        return record

    def fail_entry(self, entry: Entry, error: BaseException | str) -> StreamRecord:
        """End the stream of an entry that failed; for handles."""
        fields = failure_fields(error)
        return self._end(entry, Outcome.TIMEOUT if fields["type"] == "timeout" else Outcome.ERROR, fields)

    def _end(self, entry: Entry, outcome: Outcome, error: Mapping[str, Json] | None = None) -> StreamRecord:
        """The one way in which a keyed stream ends. Whoever comes second waits for the record of the first."""
        request_id = entry.request_id
        stamp = None if error is None else self._wall(None)
        with entry.lock:
            stream = entry.stream
            if stream.seal is None:
                stream.end_of_bytes()
            first = stream.try_seal(outcome, error, stamp)
            if first:
                stream.record = None
                entry.ender = threading.get_ident()
                with self._lock:
                    self._tombstones.mark(request_id)
            record = stream.snapshot()
        if not first:
            if entry.ender != threading.get_ident():
                entry.ended.wait()
                record = stream.record or record
            return record
        try:
            if self._on_end is not None:
                record = self._on_end(record)
        finally:
            stream.record = record
            with self._lock:
                if self._keyed.strike(entry):
                    self._tombstones.bury(request_id, record, entry.ended)
            entry.ended.set()
        return record

    def _idle_since(self, now: int) -> Entry | None:
        with self._lock:
            return self._keyed.idlest(before=now)

    def _account(self, entry: Entry) -> None:
        """Bring the total of retained bytes up to date, and make room where there is too much."""
        with self._lock:
            self._keyed.weigh(entry)
        self._make_room(entry)

    def _make_room(self, entry: Entry) -> None:
        """End the streams that are idle for longest, as long as there are too many or they hold too much."""
        while self._keyed.overfull:
            with self._lock:
                idlest = self._keyed.idlest(other_than=entry)
            if idlest is None:
                return
            self._end(idlest, Outcome.ABANDONED)
