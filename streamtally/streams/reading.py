"""One pass over one source: shared by the wrapper that the caller has and the generator that reads.

It goes when both have gone, and only then is a stream abandoned. Every ending, of every kind, goes through it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from ..accumulator import Accumulator, WrappedStream, failure_fields
from ..records import Outcome
from .sources import aclose_all, close_all, is_async, is_cancellation, is_running, running_loop, server_of


class Reading:
    """One pass over one source, and the way in which it ends."""

    __slots__ = ("accumulator", "closers", "loop", "opener", "source", "stream")

    def __init__(self, stream: WrappedStream, accumulator: Accumulator, source: Any, opener: Callable[[], Any] | None) -> None:
        self.stream = stream
        self.accumulator = accumulator
        self.source = source
        self.opener = opener
        self.closers: list[Any] = [source] if opener is None else []
        self.loop = running_loop()

    def call(self) -> Any:
        """Make the request, where the caller gave a callable: from here on the clock runs."""
        opener, self.opener = self.opener, None
        if opener is not None:
            if self.stream.started_from == "request":
                self.stream.started = self.stream.clock.monotonic_ns()
            try:
                self.source = opener()
            except BaseException as error:
                self.fail(error)
                raise
            self.closers = [self.source]
        return self.source

    def begin(self, source: Any, iterator: Any) -> Any:
        """The source is open and `iterator` reads it: note what there will be to close, and where the chunks come from."""
        if self.closers and iterator is not source:
            self.closers = [iterator, source]
        about = self.stream.about
        if about.server_address is None:
            about.server_address, about.server_port = server_of(source)
        return iterator

    def seal(self, outcome: Outcome, error: BaseException | None = None) -> bool:
        """Seal the stream, now; True for the one call that did."""
        fields = None if error is None else failure_fields(error)
        if fields is not None and fields["type"] == "timeout":
            outcome = Outcome.TIMEOUT
        return self.stream.try_seal(outcome, fields, self.stream.clock.monotonic_ns())

    def end(self) -> None:
        """Make the record of the sealed stream and send it on its way."""
        self.accumulator.end(self.stream)

    def fail(self, error: BaseException) -> list[Any]:
        """What was to be read raised: the record says so. Returns what is to be closed now.

        GeneratorExit is no failure: whoever was reading stops, and whoever holds the wrapper may go on.
        """
        if isinstance(error, GeneratorExit):
            return []
        outcome, shown = (Outcome.CANCELLED, None) if is_cancellation(error) else (Outcome.ERROR, error)
        if self.seal(outcome, shown):
            self.end()
        return self.take_closers()

    def take_closers(self) -> list[Any]:
        """What is still to be closed: handed out once. A generator that runs is left to whoever runs it."""
        closers, idle, running = self.closers, list[Any](), list[Any]()
        with suppress(IndexError):  # each is popped by one thread, whoever else may be closing
            while True:
                closer = closers.pop(0)
                (running if is_running(closer) else idle).append(closer)
        closers.extend(running)
        return idle

    def __del__(self) -> None:
        # Whoever was reading is gone. No lock, no I/O, no export here: seal, and leave the rest to the next ordinary call.
        try:
            if self.stream.try_seal(Outcome.ABANDONED):
                loop = self.loop if any(map(is_async, self.closers)) else None
                self.accumulator.orphaned(partial(_end_orphan, self.accumulator, self.stream, self.closers, loop))
        except Exception:  # at the end of the interpreter anything may be gone already
            pass


def _end_orphan(accumulator: Accumulator, stream: WrappedStream, closers: list[Any], loop: Any) -> None:
    """Make the record of what nobody reads any more, and close it: on the loop that read it, if that still runs."""
    try:
        accumulator.end(stream)
    finally:
        try:
            running = loop is not None and loop.is_running()
            if running:
                loop.call_soon_threadsafe(_close_on, loop, closers)
        except RuntimeError:  # the loop has just been closed
            running = False
        if not running:
            close_all(closers, quiet=True)


_closing: set[Any] = set()
"""Tasks that close what was abandoned: a loop itself holds its tasks only weakly."""


def _close_on(loop: Any, closers: list[Any]) -> None:
    task = loop.create_task(aclose_all(closers, quiet=True))
    _closing.add(task)
    task.add_done_callback(_closing.discard)
