"""The wrappers: a source's chunks pass through untouched, and at the end, whichever end it is, there is one record.

How it holds together: a `Reading` is shared by the wrapper that the caller has and the generator that reads. It goes when
both have gone, and only then is a stream abandoned. Every ending, of every kind, goes through `Reading.end`.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from inspect import iscoroutinefunction
from itertools import islice
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from .accumulator import Accumulator, WrappedStream, failure_fields
from .dialects import Take
from .records import Outcome, StreamRecord

T = TypeVar("T")

BLOCK = 64
"""Chunks between two settlements of the stamps: what is pinned stays small, and the cost of settling is spread."""


class Reading:
    """One pass over one source, and the way in which it ends."""

    __slots__ = ("accumulator", "closers", "loop", "opener", "source", "stream")

    def __init__(self, stream: WrappedStream, accumulator: Accumulator, source: Any, opener: Callable[[], Any] | None) -> None:
        self.stream = stream
        self.accumulator = accumulator
        self.source = source
        self.opener = opener
        self.closers: list[Any] = [source] if opener is None else []
        self.loop = _running_loop()

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
                (running if _is_running(closer) else idle).append(closer)
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


def is_cancellation(error: BaseException) -> bool:
    """Whether an exception means that somebody wants to stop: a cancelled task, Ctrl-C, the end of the process."""
    return not isinstance(error, Exception) or type(error).__name__ == "CancelledError"


def close_all(closers: list[Any], *, quiet: bool) -> None:
    """Call `close` of each that has one, also after one that raises; with `quiet`, that is nobody's business any more."""
    for place, closer in enumerate(closers, 1):
        try:
            _close(closer, quiet)
        except BaseException:
            close_all(closers[place:], quiet=True)
            raise


def _close(closer: Any, quiet: bool) -> None:
    try:
        close = getattr(closer, "close", None)
        if not callable(close):
            return
        discarded = close()
        if is_awaitable(discarded) and hasattr(discarded, "close"):
            discarded.close()
    except Exception:
        if not quiet:
            raise


async def aclose_all(closers: list[Any], *, quiet: bool) -> None:
    """Await `aclose`, or else `close`, of each that has one, in the same way."""
    for place, closer in enumerate(closers, 1):
        try:
            await _aclose(closer, quiet)
        except BaseException:
            await aclose_all(closers[place:], quiet=True)
            raise


async def _aclose(closer: Any, quiet: bool) -> None:
    try:
        close = getattr(closer, "aclose", None) or getattr(closer, "close", None)
        if not callable(close):
            return
        pending = close()
        if is_awaitable(pending):
            await pending
    except Exception:
        if not quiet:
            raise


def _is_running(closer: Any) -> bool:
    """Whether an iterator is a generator that another thread or task is reading right now."""
    return getattr(closer, "gi_running", None) is True or getattr(closer, "ag_running", None) is True


def server_of(source: Any) -> tuple[str | None, int | None]:
    """Host and port that a source was read from, where it shows its HTTP response (httpx's and requests' forms)."""
    try:
        url = source.response.url
        host, port = url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
    except Exception:  # any object may stand here, and most have no response
        return None, None
    return (host, port) if isinstance(host, str) and isinstance(port, int) else (None, None)


def _decline(_: Any) -> bool:
    """The fast path of a dialect that has none."""
    return False


def _fast_path(stream: WrappedStream, chunk: Any) -> Take:
    """The fast path for chunks like this one; none if it cannot even be asked what it is."""
    try:
        return stream.fast_path(chunk) or _decline
    except Exception:  # a chunk may be anything
        return _decline


def _read(reading: Reading) -> Generator[Any, None, None]:
    """Reads a source to its end. The hot path: everything that can be is done once for a block, or once for a stream."""
    stream = reading.stream
    clock = stream.clock.monotonic_ns
    reads, add = stream.reads, stream.add
    pending = reads.pending
    wait = pending.append
    source = reading.call()
    now = stream.started
    try:
        iterator = reading.begin(source, iter(source))
        reads.begun = now = before = clock()
        take: Take = _decline
        while stream.seal is None:
            for chunk in islice(iterator, BLOCK):
                now = clock()
                wait(now - before)
                try:
                    taken = take(chunk)
                except Exception:  # a chunk of another shape: the general way knows what to do
                    taken = False
                if not taken:
                    add(chunk, now)
                    if take is _decline:
                        take = _fast_path(stream, chunk)
                yield chunk
                before = clock()
            if len(pending) < BLOCK:
                break
            if stream.settle():
                take = _decline
    except BaseException as error:
        reads.last = now
        close_all(reading.fail(error), quiet=True)
        raise
    reads.last = now
    stream.end_of_source()
    if reading.seal(Outcome.COMPLETED):
        reading.end()
    close_all(reading.take_closers(), quiet=True)


async def _aread(reading: Reading) -> AsyncGenerator[Any, None]:
    """The same for an async source."""
    stream = reading.stream
    clock = stream.clock.monotonic_ns
    reads, add = stream.reads, stream.add
    pending = reads.pending
    wait = pending.append
    source = await _opened(reading)
    now = stream.started
    try:
        read = reading.begin(source, aiter(source)).__anext__
        reads.begun = now = before = clock()
        take: Take = _decline
        exhausted = False
        while not exhausted and stream.seal is None:
            for _ in range(BLOCK):
                try:
                    chunk = await read()
                except StopAsyncIteration:
                    exhausted = True
                    break
                now = clock()
                wait(now - before)
                try:
                    taken = take(chunk)
                except Exception:  # as above
                    taken = False
                if not taken:
                    add(chunk, now)
                    if take is _decline:
                        take = _fast_path(stream, chunk)
                yield chunk
                before = clock()
            if stream.settle():
                take = _decline
    except BaseException as error:
        reads.last = now
        await aclose_all(reading.fail(error), quiet=True)
        raise
    reads.last = now
    stream.end_of_source()
    if reading.seal(Outcome.COMPLETED):
        reading.end()
    await aclose_all(reading.take_closers(), quiet=True)


async def _opened(reading: Reading) -> Any:
    """The async source, awaited where it was still to come."""
    reading.loop = _running_loop()
    source = reading.call()
    if not hasattr(type(source), "__aiter__") and is_awaitable(source):
        reading.closers = []  # what is being awaited can only be cancelled
        try:
            source = await source
        except BaseException as error:
            reading.fail(error)
            raise
        reading.source, reading.closers = source, [source]
    return source


def _running_loop() -> Any:
    """The asyncio loop that runs here, if one does."""
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio.get_running_loop() if asyncio is not None else None
    except RuntimeError:
        return None


class _Wrapper(Generic[T]):
    """What sync and async wrappers share: the record, and being taken for the source."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    @property
    def record(self) -> StreamRecord:
        """The record as things stand; the final one once the stream has ended, however it did."""
        stream = self._reading.stream
        return stream.record or stream.snapshot()

    @property
    def request_id(self) -> str:
        """The ID under which the stream is entered."""
        return self._reading.stream.about.request_id

    @property  # type: ignore[misc]  # `isinstance` reads it, and nothing ever sets it
    def __class__(self) -> type[Any]:
        """The source's class, so that `isinstance` holds; our own where the source is a builtin or not there yet."""
        kind = type(self._reading.source)
        ours: type[Any] = type(self)
        return ours if kind.__module__ in ("builtins", "types") else kind

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_reading":
            raise AttributeError(name)
        return getattr(self._reading.source, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.request_id} of {self._reading.source!r}>"


class TalliedStream(_Wrapper[T]):
    """A wrapped sync stream: iterate it as the source, close it, use it in `with`; `record` tells at any time.

    A bare `break` only pauses: another loop goes on. The stream ends with exhaustion, `close`, `with`, an error, or the last
    reference.
    """

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._chunks: Generator[T, None, None] = _read(reading)

    def __iter__(self) -> Iterator[T]:
        return self._chunks

    def __next__(self) -> T:
        chunk: T = next(self._chunks)
        return chunk

    def __enter__(self) -> Self:
        self._reading.call()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> Any:
        """End the stream here, and close the source: "completed" if it had finished, else "cancelled"."""
        reading = self._reading
        sealed = reading.seal(Outcome.CANCELLED)
        try:
            with suppress(ValueError):  # it is reading in another thread, and ends after that read
                self._chunks.close()
            if sealed:
                reading.end()
        finally:
            close_all(reading.take_closers(), quiet=False)


class AsyncTalliedStream(_Wrapper[T]):
    """A wrapped async stream; see `TalliedStream`. `close` and `aclose` are the same coroutine."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._achunks: AsyncGenerator[T, None] = _aread(reading)

    def __aiter__(self) -> AsyncIterator[T]:
        return self._achunks

    def __anext__(self) -> Awaitable[T]:
        return self._achunks.__anext__()

    async def __aenter__(self) -> Self:
        await _opened(self._reading)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream here, and close the source: "completed" if it had finished, else "cancelled"."""
        reading = self._reading
        sealed = reading.seal(Outcome.CANCELLED)
        try:
            with suppress(RuntimeError):  # it is reading in another task, and ends after that read
                await self._achunks.aclose()
            if sealed:
                reading.end()
        finally:
            await aclose_all(reading.take_closers(), quiet=False)

    def close(self) -> Any:
        """The same as `aclose`, to be awaited, as SDKs have it; done at once where the source's own `close` is no coroutine."""
        reading = self._reading
        close = getattr(reading.source, "close", None)
        if not callable(close) or iscoroutinefunction(close) or is_awaitable(reading.source):
            return self.aclose()
        try:
            if reading.seal(Outcome.CANCELLED):
                reading.end()
        finally:
            closed = close() if reading.take_closers() else None
        return closed


class DualTalliedStream(TalliedStream[T], AsyncTalliedStream[T]):
    """A wrapper with both protocols: of a source that has both, or of a callable whose result is not known yet."""

    def __init__(self, reading: Reading) -> None:
        TalliedStream.__init__(self, reading)
        self._achunks = _aread(reading)

    def close(self) -> Any:
        """Close: a coroutine to await if the source is async."""
        source = self._reading.source
        return AsyncTalliedStream.close(self) if is_async(source) and not is_sync(source) else super().close()


def is_sync(source: Any) -> bool:
    """Whether a source can be iterated."""
    return hasattr(type(source), "__iter__")


def is_awaitable(source: Any) -> bool:
    """Whether something is to be awaited (asked of the type, so that no code of the object's own runs)."""
    return hasattr(type(source), "__await__")


def is_async(source: Any) -> bool:
    """Whether a source can be iterated asynchronously, or will be once it is awaited."""
    return hasattr(type(source), "__aiter__") or is_awaitable(source)


def wrapper_of(source: Any) -> type[TalliedStream[Any]] | type[AsyncTalliedStream[Any]]:
    """The wrapper class for a source. Raises `TypeError` for what is no stream."""
    if isinstance(source, str | bytes | bytearray | dict):
        raise TypeError(f"a {type(source).__name__} is no stream; replay() takes a whole recorded body")
    if is_sync(source) and is_async(source):
        return DualTalliedStream
    if is_async(source):
        return AsyncTalliedStream
    if is_sync(source):
        return TalliedStream
    if callable(source):
        return DualTalliedStream
    raise TypeError(f"cannot wrap a {type(source).__name__}: give an iterable, an async iterable, an awaitable or a callable")
