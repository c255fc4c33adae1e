"""The wrapped streams that are open, and how each of them gets its one record.

A wrapped stream is sealed by the code that reads or closes it, or by a finaliser. Then its record is made, exported and removed
from here, once: on the thread that ended it, or where `defer` runs it; what a finaliser leaves is done by the next ordinary call.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial

from ..errors import DuplicateRequest
from ..records import StreamRecord
from .wrapped import WrappedStream

OnEnd = Callable[[StreamRecord], StreamRecord]
OnRecord = Callable[[StreamRecord], object]
Defer = Callable[[Callable[[], object]], bool]


class WrappedStreams:
    """A registry of wrapped streams.

    Args:
        lock: guards the IDs of all open streams, keyed ones included.
        is_keyed: whether a keyed stream of an ID is open; called under `lock`.
        on_start: called with the record, still empty, as a stream is registered.
        on_end: called with each record; callers get the record that it returns.
        defer: runs a job soon on another thread, and returns whether it will; None: records are made where a stream ends.
    """

    def __init__(
        self,
        lock: threading.Lock,
        is_keyed: Callable[[str], bool],
        *,
        on_start: OnRecord | None,
        on_end: OnEnd | None,
        defer: Defer | None,
    ) -> None:
        self.defer = defer
        self._is_keyed = is_keyed
        self._on_start = on_start
        self._on_end = on_end
        self.after_fork(lock)

    def after_fork(self, lock: threading.Lock) -> None:
        """Start empty: also in a forked child, where the open streams are the parent's and a lock may be held."""
        self._lock = lock
        self._making = threading.Lock()
        self._maker: int | None = None
        self._open: dict[str, WrappedStream] = {}
        self._left: deque[Callable[[], object]] = deque()

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, request_id: object) -> bool:
        return request_id in self._open

    def get(self, request_id: str) -> WrappedStream | None:
        """The open stream of this ID."""
        return self._open.get(request_id)

    def register(self, stream: WrappedStream) -> None:
        """Add a stream. Raises `DuplicateRequest` where its ID is open."""
        self.run_left()
        request_id = stream.request.request_id
        before = self._open.get(request_id)
        if before is not None and before.seal is not None:
            self.record_of(before)  # it has ended, though its record is still to be made: the ID is free
        with self._lock:
            if request_id in self._open or self._is_keyed(request_id):
                raise DuplicateRequest(request_id)
            self._open[request_id] = stream
        if self._on_start is not None:
            self._on_start(stream.snapshot())

    def end(self, stream: WrappedStream) -> None:
        """Have the record of a sealed stream made: here and now, or where `defer` runs it."""
        if self.defer is None:
            self._finish(stream)
        elif not self.defer(partial(self.record_of, stream)):
            self.record_of(stream)

    def record_of(self, stream: WrappedStream) -> StreamRecord:
        """The record as things stand; once the stream is sealed the final one, which the first caller makes."""
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
        """Make the record of a sealed stream, and remove the stream. Called once.

        One that is not registered is a forked child's copy of its parent's stream, whose record the parent makes.
        """
        record = stream.snapshot()
        request_id = stream.request.request_id
        try:
            if self._on_end is not None and self._open.get(request_id) is stream:
                record = self._on_end(record)
        finally:
            stream.record = record
            with self._lock:
                if self._open.get(request_id) is stream:
                    del self._open[request_id]

    def leave(self, job: Callable[[], object]) -> None:
        """Leave a job of a finaliser to the next ordinary call. Takes no lock."""
        self._left.append(job)

    def run_left(self) -> None:
        """Do what finalisers have left."""
        while self._left:
            try:
                job = self._left.popleft()
            except IndexError:  # another thread was quicker
                return
            job()
