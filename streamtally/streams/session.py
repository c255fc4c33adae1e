"""One pass over one source: shared by the wrapper that the caller has and the generator that reads.

It is collected once both are, and only then is a stream abandoned. The life of a wrapped stream:

| state | how it is left |
| --- | --- |
| made | `open` or `aopen` makes the request and enters the source; without a callable the source is there already |
| open | `begin`: the first read |
| reading | the source ends (`finish`), raises (`fail`) or is closed (`stop`, `close`); or the session is collected |
| sealed | `seal` set the outcome, for the one caller that came first; `end` has the record made, exported and removed |
| closed | `take_closers` returned what is to be closed, once |

Collection only seals, and leaves the rest to the next ordinary call (`WrappedStreams.leave`): no lock, no I/O, no export there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any

from ..accumulator import WrappedStream, WrappedStreams, failure_fields
from ..context import nested
from ..dialects import dialect_named
from ..records import Outcome, StreamRecord
from ..sources import dialect_of_error, dialect_of_stream, mappings_in, source_of
from .closing import AsyncExit, Exit, aclose_all, close_all, closers_of, closes_later
from .protocols import (
    is_awaitable,
    is_cancellation,
    is_manager,
    is_running,
    protocols,
    provider_of,
    running_loop,
    server_of,
    stream_in,
)
from .taps import Tapped, has_begun


class StreamSession:
    """One pass over one source, and the way in which it ends.

    Attributes:
        stream: the state of the stream.
        registry: where the stream is registered until it has ended.
        source: what the caller would have without the wrapper: a stream, a helper, a raw response.
        opener: makes the request; None once it is made.
        holder: the mapping in which the source came, where it came in one.
        exit: leaves the context manager that was entered, where one was.
        inner: our own generators that the source reads.
        suppress_others: makes the context in which the request is made, where no other instrumentation measures it.
        iterator: how the source is iterated (`iter` or `aiter`), and its iterator.
        priced: makes of a record in flight what the caller gets.
        tapped: the kind of tap, for a source that reads by itself; None until that is known.
        closers: what is to be closed at the end, in this order.
        loop: the event loop that reads the source.
    """

    __slots__ = (
        "closers",
        "exit",
        "holder",
        "inner",
        "iterator",
        "loop",
        "opener",
        "priced",
        "registry",
        "source",
        "stream",
        "suppress_others",
        "tapped",
    )

    def __init__(self, stream: WrappedStream, registry: WrappedStreams, source: Any, opener: Callable[[], Any] | None) -> None:
        self.stream = stream
        self.registry = registry
        self.suppress_others: Callable[[], AbstractContextManager[object]] = nested
        self.opener = opener
        self.priced: Callable[[StreamRecord], StreamRecord] = lambda record: record
        self.holder: Mapping[Any, Any] | None = None
        self.exit: Exit | AsyncExit | None = None
        self.tapped: Tapped | None = None
        self.closers: list[Any] = []
        self.inner: list[Any] = []
        self.iterator: tuple[Any, Any] = (None, None)
        self.loop = running_loop()
        if opener is None:
            self.set_source(source)
        else:
            self.source = source

    def set_source(self, source: Any) -> Any:
        """Set the source that was given, returned, awaited or entered, and what is to be closed; returns it."""
        if isinstance(source, Mapping) and (inner := stream_in(source)) is not None:
            self.holder, source = source, inner
        self.source, self.closers = source, closers_of(source)
        request, reader = self.stream.request, self.stream.reader
        request.provider = request.provider or provider_of(source)
        if reader.dialect is None and (name := dialect_of_stream(source)) is not None:
            reader.name(dialect_named(name))
        reader.mappings = mappings_in(source)
        if reader.cumulative is None:
            reader.cumulative = source_of(source).cumulative(source)
        return source

    def call(self) -> Any:
        """Make the request, where the caller gave a callable; the clock starts here. Returns the source."""
        opener, self.opener = self.opener, None
        if opener is not None:
            if self.stream.started_from == "request":
                self.stream.started = self.stream.clock.monotonic_ns()
            try:
                with self.suppress_others():
                    source = opener()
                self.set_source(source)
            except BaseException as error:
                self.fail(error)
                raise
        return self.source

    def open(self) -> Any:
        """Make the request, where it is to be made, and enter the source, where it is a context manager; returns the source."""
        source = self.call()
        if self.exit is None and protocols(source)[0] and is_manager(source):
            try:
                with self.suppress_others():
                    entered = source.__enter__()
            except BaseException as error:
                self.fail(error)
                raise
            self._entered(Exit(source), entered)
        return self.source

    async def aopen(self) -> Any:
        """`open` for an async source, which is awaited where it is awaitable."""
        self.loop = running_loop()
        source = self.call()
        try:
            if not hasattr(type(source), "__aiter__") and is_awaitable(source):
                self.closers = []  # what is being awaited can only be cancelled
                with self.suppress_others():
                    source = await source
                self.set_source(source)
            if self.exit is None and protocols(source)[1] and is_manager(source):
                with self.suppress_others():
                    entered = await source.__aenter__()
                self._entered(AsyncExit(source), entered)
        except BaseException as error:
            self.fail(error)
            raise
        return self.source

    def _entered(self, leaving: Exit | AsyncExit, source: Any) -> None:
        self.exit = leaving
        self.set_source(source)
        self.closers = [leaving]

    def begin(self, source: Any, iterate: Callable[[Any], Any]) -> Any:
        """The iterator of the open source, the same one when reading continues. Reads are timed from here on."""
        way, iterator = self.iterator
        if way is iterate:
            return iterator
        iterator = iterate(source)
        self.iterator = iterate, iterator
        if self.closers and iterator is not source:
            self.closers.insert(0, iterator)
        request = self.stream.request
        if request.server_address is None:
            request.server_address, request.server_port = server_of(self.source)
        self.stream.reads.begun = self.stream.clock.monotonic_ns()
        return iterator

    @property
    def record(self) -> StreamRecord:
        """The record as things stand, priced; the final one once the stream has ended."""
        stream = self.stream
        if stream.record is None and stream.seal is None:
            return self.priced(stream.snapshot())
        return stream.record or self.registry.record_of(stream)

    def seal(self, outcome: Outcome, error: BaseException | None = None) -> bool:
        """Seal the stream now; True for the one call that did it."""
        fields = None if error is None else failure_fields(error, self.stream.dialect)
        if fields is not None and fields["type"] == "timeout":
            outcome = Outcome.TIMEOUT
        return self.stream.try_seal(outcome, fields, self.stream.clock.monotonic_ns())

    def end(self) -> None:
        """Have the record of the sealed stream made and exported."""
        self.registry.end(self.stream)

    def finish(self, last: int) -> None:
        """End the stream: the source is exhausted, and its last read ended at the stamp `last`."""
        self.stream.reads.last = last
        self.stream.end_of_source()
        if self.seal(Outcome.COMPLETED):
            self.end()

    def stop(self) -> None:
        """End the stream: the source was closed by its owner, before its end."""
        if self.seal(Outcome.CANCELLED):
            self.end()

    def add_inner(self, chunks: Any) -> Any:
        """The same generator, registered as one that a helper reads, which is closed first."""
        self.inner.append(chunks)
        return chunks

    def fail(self, error: BaseException) -> list[Any]:
        """End the stream: a request or a read raised `error`. Returns what is to be closed now.

        GeneratorExit is no failure: the reading loop stops, and another loop over the wrapper may continue.
        """
        if isinstance(error, GeneratorExit):
            return []
        outcome, failure = (Outcome.CANCELLED, None) if is_cancellation(error) else (Outcome.ERROR, error)
        if failure is not None:
            self._learn_from(failure)
        if self.seal(outcome, failure):
            self.end()
        return self.take_closers()

    def _learn_from(self, error: BaseException) -> None:
        """Set what the exception of a refused request shows of it: its dialect, provider and server."""
        request, reader = self.stream.request, self.stream.reader
        if reader.dialect is None and not reader.waiting and (name := dialect_of_error(error)) is not None:
            reader.name(dialect_named(name))
        request.provider = request.provider or source_of(error).provider
        if request.server_address is None:
            request.server_address, request.server_port = server_of(error)

    def take_closers(self) -> list[Any]:
        """What is still to be closed, each returned once. A generator that is running is left to the thread that runs it."""
        closers, idle, running = self.closers, list[Any](), list[Any]()
        closers[:0], self.inner = self.inner, []
        with suppress(IndexError):  # several threads may be closing; each closer is popped by one of them
            while True:
                closer = closers.pop(0)
                (running if is_running(closer) else idle).append(closer)
        closers.extend(running)
        return idle

    def __del__(self) -> None:
        # Whoever was session is gone. No lock, no I/O, no export here: seal, and leave the rest to the next ordinary call.
        try:
            if self.stream.try_seal(Outcome.ABANDONED):
                # A helper's own generators are collected too, and close what they read: nothing else may close it meanwhile.
                closers = [] if self.tapped == "helper" and any(map(has_begun, self.inner)) else self.closers
                loop = self.loop if any(map(closes_later, closers)) else None
                self.registry.leave(partial(_end_abandoned, self.registry, self.stream, closers, loop))
        except Exception:  # at the end of the interpreter anything may be gone already
            pass


def _end_abandoned(registry: WrappedStreams, stream: WrappedStream, closers: list[Any], loop: Any) -> None:
    """Make the record of an abandoned stream, and close its source: on the loop that read it, if that still runs."""
    try:
        registry.end(stream)
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
    task = loop.create_task(_close_after_hooks(loop, closers))
    _closing.add(task)
    task.add_done_callback(_closing.discard)


_PATIENCE = 1.0
"""Seconds that the loop's hooks have for what they close, before we close what is left."""


async def _close_after_hooks(loop: Any, closers: list[Any]) -> None:
    """Close an abandoned source, after the generators that were collected with it.

    The loop's own hooks close those, each in a task of its own, and they use the same connection: two at once fail.
    """
    asyncio = sys.modules["asyncio"]
    deadline = loop.time() + _PATIENCE
    while (hooks := list(filter(_is_hook, asyncio.all_tasks(loop)))) and loop.time() < deadline:
        await asyncio.wait(hooks, timeout=deadline - loop.time())
    await aclose_all(closers, quiet=True)


def _is_hook(task: Any) -> bool:
    """Whether a task closes an async generator that was collected."""
    return type(task.get_coro()).__name__ == "async_generator_athrow"
