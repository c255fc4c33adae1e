"""The accumulator: which keyed streams are open, who may touch them, how long they live, and that each ends once.

Locks: one for the IDs of all open streams, one for each keyed stream; `on_start`, `on_end` and `on_late` are called outside them
all. A wrapped stream has one writer and no lock.

The life of a keyed stream:

| state | how it is left |
| --- | --- |
| unknown | `open`, `add` or `merge` of its ID opens it, unless a tombstone makes the chunk late |
| open | by its last chunk, `finish`, `fail`, `discard`, the last handle that closes, or idleness: it is sealed |
| sealed | the sealing thread makes the record and calls `on_end`; others wait for that |
| ended | a tombstone remembers the ID, and for a while the record; `open` frees the ID, `discard` forgets the record |
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from ..clock import SYSTEM_CLOCK, Clock, Moment, stamp_of
from ..dialects import Dialect, dialect_named
from ..errors import DuplicateRequest, MergeError, UnknownRequest
from ..json_values import Json
from ..limits import DEFAULT_LIMITS, Limits
from ..records import Outcome, StreamRecord, StreamType
from ..sources import Extract, origin_by
from . import transfer
from .failure import failure_fields
from .handle import StreamHandle
from .keyed import KeyedStream
from .merging import merged_streams
from .open_streams import OpenStream, OpenStreams
from .request_info import Keep, RequestInfo
from .tombstones import Tombstones
from .wrapped_streams import Defer, OnEnd, OnRecord, WrappedStreams


class Accumulator:
    """Collects chunks by request ID, in any order and any number of times, into one record a request.

    It does bookkeeping and nothing else: no price, no export. `wrapped` are the wrapped streams that are open.

    Args:
        clock: where stamps come from.
        limits: bounds of retention.
        on_end: called with each record as its stream ends, once, outside every lock; callers get the record that it returns.
        on_start: called with the record, still empty, as a stream opens.
        on_late: called with the record of a stream that ended, when a chunk comes too late for it.
        keep: "counts" retains no text, audio or image; "content+input" also what the user wrote in the request.
        defer: runs a job soon on another thread, and returns whether it will; the records of wrapped streams are made there.

    Example:
        >>> accumulator = Accumulator()
        >>> accumulator.add("r1", "world", index=1)
        >>> accumulator.add("r1", "hello ", index=0)
        >>> accumulator.finish("r1").text
        'hello world'
    """

    def __init__(  # noqa: PLR0913 - options, each by its name
        self,
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        on_end: OnEnd | None = None,
        on_start: OnRecord | None = None,
        on_late: OnRecord | None = None,
        keep: Keep = "content",
        defer: Defer | None = None,
    ) -> None:
        self.clock, self.limits = clock or SYSTEM_CLOCK, limits or DEFAULT_LIMITS
        self.keep: Keep = keep
        self._on_start, self._on_end, self._on_late = on_start, on_end, on_late
        self._lock = threading.Lock()
        self._keyed = OpenStreams(self.limits)
        self._tombstones = Tombstones(self.limits.tombstones, self.limits.ended_records)
        self.wrapped = WrappedStreams(
            self._lock, lambda request_id: request_id in self._keyed, on_start=on_start, on_end=on_end, defer=defer
        )

    def __len__(self) -> int:
        """How many streams are open, keyed and wrapped."""
        return len(self._keyed) + len(self.wrapped)

    def __contains__(self, request_id: object) -> bool:
        return request_id in self._keyed or request_id in self.wrapped

    @property
    def late(self) -> int:
        """How many chunks came after the end of their stream."""
        return self._tombstones.late

    def open(  # noqa: PLR0913 - what a caller can state of a request, by name
        self,
        request_id: str,
        *,
        stream_type: StreamType | str | None = None,
        dialect: str | Dialect | None = None,
        started_at: Moment | None = None,
        first_index: int | None = None,
        params: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
        conversation_id: str | None = None,
        extract: Extract | None = None,
        several: bool = False,
    ) -> StreamHandle:
        """Open a stream, or get a further handle on one that is open. Attributes of `context` are set on it.

        Args:
            request_id: the ID of the stream.
            stream_type: what kind of stream it is, as long as no chunk shows that.
            dialect: the wire format; detected from the chunks if not given.
            started_at: when the request was made; of an open stream it replaces the start that is known.
            first_index: the position of the first chunk, if that is neither 0 nor what the dialect states.
            params: the request's parameters (model, provider, …).
            attributes: JSON values to put on the record.
            conversation_id: the conversation that the request belongs to.
            extract: how to read payloads that no dialect reads, or what to read in place of what the dialect does.
            several: whether the stream may have several answers: then the end of one does not end it.

        Raises:
            UnknownDialect: no dialect of this name is registered.
            DuplicateRequest: a wrapped stream has this ID.
            ValueError: an unknown `stream_type`, or a `started_at` that is no moment.
        """
        self.wrapped.run_left()
        named = None if dialect is None else dialect_named(dialect)
        given = None if started_at is None else self._stamp(started_at)
        request = RequestInfo.in_context(
            request_id,
            stream_type=None if stream_type is None else StreamType(stream_type),
            params=params,
            attributes=attributes,
            conversation_id=conversation_id,
            several=several or None,
            keep_input=self.keep == "content+input",
        )
        open_stream = self._stream_opened(request, first_index, named, given)
        with open_stream.lock:
            open_stream.users += 1
            if open_stream.stream.seal is None:
                open_stream.stream.complete(request, named, given, None if extract is None else origin_by(extract))
        return StreamHandle(self, open_stream)

    def add(self, request_id: str, payload: Any, *, index: int | None = None, at: Moment | None = None) -> StreamRecord | None:
        """Take in one chunk or payload; opens an ID that is unknown.

        Args:
            request_id: the ID of the stream.
            payload: an SDK's object, a mapping, JSON text, `"[DONE]"`, bytes, or a `Chunk`.
            index: its position, from 0 on; without one the protocol's own number counts, else the order of arrival.
            at: when it was read; now, if not given.

        Returns:
            The record, once, when this chunk completes the stream; else None. A chunk that comes after the end changes
            nothing and is counted.
        """
        self.wrapped.run_left()
        stamp = self._stamp(at)
        open_stream = self._keyed.get(request_id) or self._stream_for(RequestInfo.in_context(request_id))
        if open_stream is None:
            return None
        with open_stream.lock:
            late = open_stream.stream.seal is not None
            if not late:
                open_stream.active = self.clock.monotonic_ns()
                open_stream.stream.add(payload, index, stamp)
            ended = open_stream.stream.ended
        if late:
            self._count_late(request_id)
            return None
        if open_stream.stream.size - open_stream.size > 4096:
            self._update_size(open_stream)
        return self._end(open_stream, Outcome.COMPLETED) if ended else None

    def fail(self, request_id: str, error: BaseException | str) -> StreamRecord:
        """End a stream that failed with `error`; returns its record. Raises `UnknownRequest`."""
        self.wrapped.run_left()
        open_stream = self._keyed.get(request_id)
        return self._ended_record(request_id) if open_stream is None else self.fail_stream(open_stream, error)

    def finish(self, request_id: str, outcome: Outcome | str | None = None) -> StreamRecord:
        """End a stream whose source has no more chunks. The record's outcome shows whether the provider had finished.

        Args:
            request_id: which stream.
            outcome: how it ended, where only the caller knows that ("cancelled", "limit", …).

        Returns:
            The record; the same one again, if the stream ended before and was not discarded since.

        Raises:
            UnknownRequest: no such stream is open or remembered.
        """
        ending = Outcome.COMPLETED if outcome is None else Outcome(outcome)
        self.wrapped.run_left()
        open_stream = self._keyed.get(request_id)
        return self._ended_record(request_id) if open_stream is None else self._end(open_stream, ending)

    def snapshot(self, request_id: str) -> StreamRecord:
        """The record so far, without an effect on the stream. Raises `UnknownRequest`."""
        self.wrapped.run_left()
        if open_stream := self._keyed.get(request_id):
            with open_stream.lock:
                return open_stream.stream.snapshot()
        if wrapped := self.wrapped.get(request_id):
            return self.wrapped.record_of(wrapped)
        return self._ended_record(request_id)

    def discard(self, request_id: str) -> None:
        """Remove a stream and its record; an open one ends first ("abandoned"). An unknown ID is no error."""
        self.wrapped.run_left()
        if open_stream := self._keyed.get(request_id):
            self._end(open_stream, Outcome.ABANDONED)
        with self._lock:
            self._tombstones.drop_record(request_id)

    def dump(self, request_id: str) -> bytes:
        """The state of an open stream, for `merge` here or in another process. Raises `UnknownRequest`."""
        open_stream = self._keyed.get(request_id)
        if open_stream is None:
            raise UnknownRequest(request_id)
        with open_stream.lock:
            return transfer.dump(open_stream.stream)

    def merge(self, request_id: str, state: bytes) -> StreamRecord | None:
        """Merge a partial state of a request into the one here; opens an ID that is unknown. Returns what `add` returns.

        Raises:
            MergeError: (a ValueError) states that do not belong together, or are ordered by arrival.
        """
        self.wrapped.run_left()
        other = transfer.load(state, clock=self.clock, limits=self.limits, keep=self.keep)
        if other.request.request_id != request_id:
            raise MergeError(f"the state of {other.request.request_id!r}, not of {request_id!r}")
        open_stream = self._keyed.get(request_id) or self._stream_for(RequestInfo(request_id), other.order.first)
        if open_stream is None:
            return None
        with open_stream.lock:
            late = open_stream.stream.seal is not None
            if not late:
                open_stream.stream = merged_streams(open_stream.stream, other)
                open_stream.active = self.clock.monotonic_ns()
            ended = open_stream.stream.ended
        if late:
            self._count_late(request_id)
            return None
        self._update_size(open_stream)
        return self._end(open_stream, Outcome.COMPLETED) if ended else None

    def sweep(self) -> tuple[StreamRecord, ...]:
        """End the keyed streams that are idle for too long, and what finalisers left; returns the records of the former."""
        self.wrapped.run_left()
        now, records = self.clock.monotonic_ns(), []
        while (idle := self._most_idle(before=now)) is not None:
            records.append(self._end(idle, Outcome.ABANDONED))
        return tuple(records)

    def close(self) -> None:
        """End all keyed streams that are open ("abandoned", unless they were finished)."""
        self.wrapped.run_left()
        for open_stream in self._keyed.all():
            self._end(open_stream, Outcome.ABANDONED)

    def after_fork(self) -> None:
        """Start empty in a forked child: what is open is the parent's, and a lock may be held by a thread that is not here."""
        self._lock = threading.Lock()
        self._keyed = OpenStreams(self.limits)
        self.wrapped.after_fork(self._lock)

    def _stamp(self, moment: Moment | None) -> int:
        """Nanoseconds since the epoch, of a moment or of now."""
        clock = self.clock
        return clock.wall_ns(clock.monotonic_ns() if moment is None else stamp_of(moment, clock))

    def _stream_for(self, request: RequestInfo, first_index: int | None = None) -> OpenStream | None:
        """The open stream of this ID, made if there is none; None, and the chunk counted as late, where it has ended."""
        with self._lock:
            known = self._keyed.get(request.request_id)
            ended = known is None and request.request_id in self._tombstones
            new = None if known is not None or ended else self._new_stream(request, first_index)
        if ended:
            self._count_late(request.request_id)
        elif new is not None:
            self._announce(new)
        return known or new

    def _stream_opened(
        self, request: RequestInfo, first_index: int | None, dialect: Dialect | None, given_start: int | None
    ) -> OpenStream:
        """The open stream of this ID, else a new one, also where a stream of the ID has ended."""
        opened = self._stamp(None)
        with self._lock:
            known = self._keyed.get(request.request_id)
            # A sealed stream has ended, though its record is still being made: its ID is free.
            if known is None or known.stream.seal is not None:
                known, open_stream = None, self._new_stream(request, first_index, dialect)
                open_stream.stream.opened, open_stream.stream.given_start = opened, given_start
                self._tombstones.forget(request.request_id)
        if known is not None:
            return known
        self._announce(open_stream)
        return open_stream

    def _new_stream(self, request: RequestInfo, first_index: int | None = None, dialect: Dialect | None = None) -> OpenStream:
        """A new stream, registered. The caller holds the lock of the IDs."""
        if request.request_id in self.wrapped:
            raise DuplicateRequest(request.request_id)
        settings = {"clock": self.clock, "limits": self.limits, "keep": self.keep}
        stream = KeyedStream(request, first_index=first_index, dialect=dialect, **settings)
        return self._keyed.add(OpenStream(stream, self.clock.monotonic_ns()))

    def _announce(self, open_stream: OpenStream) -> None:
        """Call `on_start` for a new stream, and end idle ones."""
        if self._on_start is not None:
            with open_stream.lock:
                record = open_stream.stream.snapshot()
            self._on_start(record)
        self.sweep()
        self._make_room(open_stream)

    def release(self, open_stream: OpenStream) -> None:
        """Count one handle less; with the last one the stream ends and its record is removed. For handles."""
        self.wrapped.run_left()
        with open_stream.lock:
            open_stream.users -= 1
            last = open_stream.users <= 0
        if last:
            self._end(open_stream, Outcome.CANCELLED)
            with self._lock:
                self._tombstones.drop_record(open_stream.request_id, open_stream.ended)

    def _count_late(self, request_id: str) -> None:
        """Count a chunk that came after the end of its stream."""
        with self._lock:
            late = self._tombstones.count_late(request_id)
            record = self._tombstones.record(request_id) if late and self._on_late is not None else None
        if record is not None and self._on_late is not None:
            self._on_late(record)

    def _ended_record(self, request_id: str) -> StreamRecord:
        with self._lock:
            if (record := self._tombstones.record(request_id)) is None:
                raise UnknownRequest(request_id)
            return record

    def fail_stream(self, open_stream: OpenStream, error: BaseException | str) -> StreamRecord:
        """End an open stream that failed. For handles."""
        fields = failure_fields(error)
        return self._end(open_stream, Outcome.TIMEOUT if fields["type"] == "timeout" else Outcome.ERROR, fields)

    def _end(self, open_stream: OpenStream, outcome: Outcome, error: Mapping[str, Json] | None = None) -> StreamRecord:
        """End a keyed stream: every ending comes here. The first caller seals and makes the record, others wait for that."""
        request_id = open_stream.request_id
        stamp = None if error is None else self._stamp(None)
        with open_stream.lock:
            stream = open_stream.stream
            if stream.seal is None:
                stream.end_of_bytes()
            first = stream.try_seal(outcome, error, stamp)
            if first:
                stream.record = None
                open_stream.ender = threading.get_ident()
                with self._lock:
                    self._tombstones.mark(request_id)
            record = stream.snapshot()
        if not first:
            if open_stream.ender != threading.get_ident():
                open_stream.ended.wait()
                record = stream.record or record
            return record
        try:
            if self._on_end is not None:
                record = self._on_end(record)
        finally:
            stream.record = record
            with self._lock:
                if self._keyed.remove(open_stream):
                    self._tombstones.add(request_id, record, open_stream.ended)
            open_stream.ended.set()
        return record

    def _most_idle(self, **options: Any) -> OpenStream | None:
        with self._lock:
            return self._keyed.most_idle(**options)

    def _update_size(self, open_stream: OpenStream) -> None:
        """Bring the total of retained bytes up to date, and make room where there is too much."""
        with self._lock:
            self._keyed.update_size(open_stream)
        self._make_room(open_stream)

    def _make_room(self, open_stream: OpenStream) -> None:
        """End the streams that are idle for longest, as long as there are too many or they hold too much."""
        while self._keyed.overfull and (idle := self._most_idle(other_than=open_stream)) is not None:
            self._end(idle, Outcome.ABANDONED)
