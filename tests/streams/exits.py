"""The ways in which a stream can end, and the outcome of each."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import pytest

from streamtally import Outcome, Tally
from streamtally.testing import FakeClock, RecordingExporter
from tests.streams import sdks, sources
from tests.streams.sources import Kind, Script, Source

FAULTS = (*sources.FAULTS, *sdks.FAULTS)
SYNC_KINDS = (*sources.SYNC_KINDS, *sdks.SYNC_APIS)
ASYNC_KINDS = (*sources.ASYNC_KINDS, *sdks.ASYNC_APIS)


class Bench:
    """One stream under test: its source, its tally, the exported records, and the chunks and exception that the caller saw."""

    def __init__(self, source: Source, tally: Tally | None = None) -> None:
        self.source = source
        self.exporter = RecordingExporter()
        self.tally = tally or Tally(exporters=[self.exporter], clock=FakeClock(tick=0.001))
        self.seen: list[Any] = []
        self.caught: BaseException | None = None

    def wrap(self) -> Any:
        """Wrap the source."""
        return self.source.wrapped(self.tally)

    def read(self, stream: Any, count: int | None = None) -> None:
        """Read so many chunks, or all."""
        for chunk in stream:
            self.seen.append(chunk)
            if len(self.seen) == count:
                break

    async def aread(self, stream: Any, count: int | None = None) -> None:
        """Read so many chunks, or all, of an async stream."""
        async for chunk in stream:
            self.seen.append(chunk)
            if len(self.seen) == count:
                break

    def check_running(self, stream: Any) -> None:
        """Check that the stream is still open, with nothing exported."""
        assert self.exporter.records == []
        assert stream.record.outcome is None
        assert len(self.tally.accumulator) == 1

    def collect(self) -> None:
        """Collect unreferenced streams and export their records."""
        if self.source.cyclic:
            gc.collect()
        self.tally.flush()

    async def acollect(self) -> None:
        """Collect unreferenced streams, let the loop close their generators, and export their records."""
        for _ in range(2 if self.source.cyclic else 0):
            gc.collect()
            for _ in range(20):
                await asyncio.sleep(0)
        self.tally.flush()

    def check(self, outcome: Outcome, stream: Any) -> None:
        """Check that there is one record, one start and no open stream, and that the caller saw the source's own objects."""
        (record,) = self.exporter.records
        assert record.outcome is outcome
        assert [record.request_id for record in self.exporter.started] == [record.request_id]
        assert stream is None or stream.record is record
        assert self.source.helper or record.chunk_count == len(self.seen)
        assert record.timing.duration is not None
        assert record.timing.duration >= 0
        assert len(self.tally.accumulator) == 0
        self.tally.flush()
        assert len(self.exporter.records) == 1
        if self.source.chunks is not None:
            assert all(mine is its for mine, its in zip(self.seen, self.source.chunks, strict=False))
        if self.source.raised is not None:
            assert self.caught is self.source.raised
            assert (self.caught.__cause__, self.caught.__context__) == (None, None)
        if outcome in (Outcome.ERROR, Outcome.TIMEOUT):
            assert self.caught is not None
            assert record.error is not None
            raised = self.caught.__cause__ if self.source.translates else self.caught
            assert record.error.type == ("timeout" if outcome is Outcome.TIMEOUT else type(raised).__name__)
        else:
            assert record.error is None


async def run_loop_until(until: Callable[[], bool], turns: int = 200) -> None:
    """Run the event loop until the condition holds, for at most so many turns."""
    for _ in range(turns):
        if until():
            return
        await asyncio.sleep(0)


Way = Callable[[Bench], Any]
AsyncWay = Callable[[Bench], Awaitable[Any]]


class Exit(NamedTuple):
    """A way to end a stream and its outcome; the functions return the wrapper, or None if the caller has dropped it."""

    outcome: Outcome
    sync: Way | None
    asynchronous: AsyncWay | None
    script: Script = Script.WHOLE


def exhausted(bench: Bench) -> Any:
    """Read to the end, and check that further reading yields nothing."""
    stream = bench.wrap()
    bench.read(stream)
    assert list(stream) == []
    return stream


async def aexhausted(bench: Bench) -> Any:
    """Read an async stream to the end, and check that further reading yields nothing."""
    stream = bench.wrap()
    await bench.aread(stream)
    assert [chunk async for chunk in stream] == []
    return stream


def exhausted_in_with(bench: Bench) -> Any:
    """Read to the end inside `with`."""
    with bench.wrap() as stream:
        bench.read(stream)
    return stream


async def aexhausted_in_with(bench: Bench) -> Any:
    """Read to the end inside `async with`."""
    async with bench.wrap() as stream:
        await bench.aread(stream)
    return stream


def paused(bench: Bench) -> Any:
    """Break out of a loop, and read the rest in a second loop."""
    stream = bench.wrap()
    bench.read(stream, 2)
    bench.check_running(stream)
    bench.read(stream)
    assert stream.record.text == "one two three"
    return stream


async def apaused(bench: Bench) -> Any:
    """Break out of an async loop, and read the rest in a second loop."""
    stream = bench.wrap()
    await bench.aread(stream, 2)
    bench.check_running(stream)
    await bench.aread(stream)
    assert stream.record.text == "one two three"
    return stream


def break_in_with(bench: Bench) -> Any:
    """Break out of a loop, and leave `with`."""
    with bench.wrap() as stream:
        bench.read(stream, 2)
    return stream


async def abreak_in_with(bench: Bench) -> Any:
    """Break out of an async loop, and leave `async with`."""
    async with bench.wrap() as stream:
        await bench.aread(stream, 2)
    return stream


def break_and_drop(bench: Bench) -> None:
    """Break out of a loop, and drop the wrapper."""
    bench.read(bench.wrap(), 2)


async def abreak_and_drop(bench: Bench) -> None:
    """Break out of an async loop, and drop the wrapper."""
    await bench.aread(bench.wrap(), 2)


def closed_early(bench: Bench) -> Any:
    """Call `close` twice after one chunk."""
    stream = bench.wrap()
    bench.seen.append(next(stream))
    stream.close()
    stream.close()
    assert list(stream) == []
    return stream


async def aclosed_early(bench: Bench) -> Any:
    """Call `aclose` twice after one chunk."""
    stream = bench.wrap()
    bench.seen.append(await anext(stream))
    await stream.aclose()
    await stream.aclose()
    assert [chunk async for chunk in stream] == []
    return stream


def closed_after_finish(bench: Bench) -> Any:
    """Call `close` after the finish reason, before the source has ended."""
    stream = bench.wrap()
    bench.read(stream, bench.source.finished_after)
    stream.close()
    return stream


async def aclosed_after_finish(bench: Bench) -> Any:
    """Call `aclose` after the finish reason, before the source has ended."""
    stream = bench.wrap()
    await bench.aread(stream, bench.source.finished_after)
    await stream.aclose()
    return stream


def dropped_after_finish(bench: Bench) -> None:
    """Drop the wrapper after the finish reason, before the source has ended."""
    bench.read(bench.wrap(), bench.source.finished_after)


async def adropped_after_finish(bench: Bench) -> None:
    """Drop an async wrapper after the finish reason, before the source has ended."""
    await bench.aread(bench.wrap(), bench.source.finished_after)


class BodyError(Exception):
    """An exception of the caller's own code."""


def exception_in_body(bench: Bench) -> Any:
    """Raise in the body of `with`."""
    own = BodyError()
    try:
        with bench.wrap() as stream:
            bench.read(stream, 2)
            raise own
    except BodyError as error:
        bench.caught = error
    assert bench.caught is own
    return stream


async def aexception_in_body(bench: Bench) -> Any:
    """Raise in the body of `async with`."""
    own = BodyError()
    try:
        async with bench.wrap() as stream:
            await bench.aread(stream, 2)
            raise own
    except BodyError as error:
        bench.caught = error
    assert bench.caught is own
    return stream


def source_raises(bench: Bench) -> Any:
    """Read until the source raises, and check that further reading yields nothing."""
    stream = bench.wrap()
    with pytest.raises(FAULTS) as caught:
        bench.read(stream)
    bench.caught = caught.value
    assert list(stream) == []
    return stream


async def asource_raises(bench: Bench) -> Any:
    """Read until an async source raises, and check that further reading yields nothing."""
    stream = bench.wrap()
    with pytest.raises(FAULTS) as caught:
        await bench.aread(stream)
    bench.caught = caught.value
    assert [chunk async for chunk in stream] == []
    return stream


def source_raises_in_with(bench: Bench) -> Any:
    """Read inside `with` until the source raises."""
    try:
        with bench.wrap() as stream:
            bench.read(stream)
    except FAULTS as error:
        bench.caught = error
    return stream


async def asource_raises_in_with(bench: Bench) -> Any:
    """Read inside `async with` until the source raises."""
    try:
        async with bench.wrap() as stream:
            await bench.aread(stream)
    except FAULTS as error:
        bench.caught = error
    return stream


async def cancel(bench: Bench, reader: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run a reader in a task, and cancel the task once the reader has set the event."""
    waits = asyncio.Event()

    async def run() -> None:
        try:
            await reader(waits)
        except asyncio.CancelledError as error:
            bench.caught = error
            raise

    task = asyncio.create_task(run())
    await waits.wait()
    await asyncio.sleep(0)
    assert bench.exporter.records == []
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(bench.caught, asyncio.CancelledError)


async def cancelled_while_reading(bench: Bench) -> Any:
    """Cancel the task during a read; the record exists before the task ends."""
    stream = bench.wrap()

    async def reader(waits: asyncio.Event) -> None:
        try:
            async for chunk in stream:
                bench.seen.append(chunk)
                if len(bench.seen) == 3:
                    waits.set()
        finally:
            assert len(bench.exporter.records) == 1

    await cancel(bench, reader)
    return stream


async def cancelled_while_reading_in_with(bench: Bench) -> Any:
    """Cancel the task during a read inside `async with`."""
    stream = bench.wrap()

    async def reader(waits: asyncio.Event) -> None:
        async with stream:
            async for chunk in stream:
                bench.seen.append(chunk)
                if len(bench.seen) == 3:
                    waits.set()

    await cancel(bench, reader)
    return stream


async def cancelled_in_consumer(bench: Bench) -> Any:
    """Cancel the task in the caller's own code, inside `async with`."""
    stream = bench.wrap()

    async def reader(waits: asyncio.Event) -> None:
        async with stream:
            await bench.aread(stream, 2)
            waits.set()
            await asyncio.Event().wait()

    await cancel(bench, reader)
    return stream


async def cancelled_in_consumer_without_with(bench: Bench) -> None:
    """Cancel the task in the caller's own code, which drops the wrapper."""

    async def reader(waits: asyncio.Event) -> None:
        async for chunk in bench.wrap():
            bench.seen.append(chunk)
            waits.set()
            await asyncio.Event().wait()

    await cancel(bench, reader)
    assert bench.caught is not None
    bench.caught.__traceback__ = None  # the traceback refers to the frames, and they refer to the wrapper


def generator_closed_with(bench: Bench) -> None:
    """Close a generator that reads the stream inside `with`."""

    def consumer() -> Iterator[Any]:
        with bench.wrap() as stream:
            yield from stream

    generator = consumer()
    bench.seen.append(next(generator))
    generator.close()  # type: ignore[attr-defined]
    assert len(bench.exporter.records) == 1


async def agenerator_closed_with(bench: Bench) -> None:
    """Close an async generator that reads the stream inside `async with`."""

    async def consumer() -> AsyncIterator[Any]:
        async with bench.wrap() as stream:
            async for chunk in stream:
                yield chunk

    generator = consumer()
    bench.seen.append(await anext(generator))
    await generator.aclose()  # type: ignore[attr-defined]
    assert len(bench.exporter.records) == 1


def generator_closed_without(bench: Bench) -> None:
    """Close a generator that reads the stream without `with`."""

    def consumer() -> Iterator[Any]:
        for chunk in bench.wrap():  # noqa: UP028 - delegating would close what it delegates to
            yield chunk

    generator = consumer()
    bench.seen.append(next(generator))
    generator.close()  # type: ignore[attr-defined]


async def agenerator_closed_without(bench: Bench) -> None:
    """Close an async generator that reads the stream without `async with`."""

    async def consumer() -> AsyncIterator[Any]:
        async for chunk in bench.wrap():
            yield chunk

    generator = consumer()
    bench.seen.append(await anext(generator))
    await generator.aclose()  # type: ignore[attr-defined]


def never_iterated_dropped(bench: Bench) -> None:
    """Wrap the source, and drop the wrapper."""
    bench.wrap()


async def anever_iterated_dropped(bench: Bench) -> None:
    """Wrap an async source, and drop the wrapper."""
    bench.wrap()


def never_iterated_closed(bench: Bench) -> Any:
    """Wrap the source, and close the wrapper."""
    stream = bench.wrap()
    stream.close()
    return stream


async def anever_iterated_closed(bench: Bench) -> Any:
    """Wrap an async source, and close the wrapper."""
    stream = bench.wrap()
    await stream.aclose()
    return stream


def never_iterated_in_with(bench: Bench) -> Any:
    """Enter and leave `with` without reading."""
    with bench.wrap() as stream:
        pass
    return stream


async def anever_iterated_in_with(bench: Bench) -> Any:
    """Enter and leave `async with` without reading."""
    async with bench.wrap() as stream:
        pass
    return stream


def collected_in_a_cycle(bench: Bench) -> None:
    """Drop the wrapper as part of a reference cycle, which only the garbage collector frees."""
    stream = bench.wrap()
    bench.seen.append(next(stream))
    ring: list[Any] = [stream]
    ring.append(ring)
    del stream, ring
    gc.collect()


async def acollected_in_a_cycle(bench: Bench) -> None:
    """Drop an async wrapper as part of a reference cycle, which only the garbage collector frees."""
    stream = bench.wrap()
    bench.seen.append(await anext(stream))
    ring: list[Any] = [stream]
    ring.append(ring)
    del stream, ring
    gc.collect()


EXITS = {
    "exhausted": Exit(Outcome.COMPLETED, exhausted, aexhausted),
    "exhausted before the finish": Exit(Outcome.TRUNCATED, exhausted, aexhausted, Script.SHORT),
    "exhausted inside with": Exit(Outcome.COMPLETED, exhausted_in_with, aexhausted_in_with),
    "break with the wrapper held": Exit(Outcome.COMPLETED, paused, apaused),
    "break inside with": Exit(Outcome.CANCELLED, break_in_with, abreak_in_with),
    "break, reference dropped": Exit(Outcome.ABANDONED, break_and_drop, abreak_and_drop),
    "closed early": Exit(Outcome.CANCELLED, closed_early, aclosed_early),
    "closed after the finish": Exit(Outcome.COMPLETED, closed_after_finish, aclosed_after_finish),
    "dropped after the finish": Exit(Outcome.COMPLETED, dropped_after_finish, adropped_after_finish),
    "exception in the body": Exit(Outcome.CANCELLED, exception_in_body, aexception_in_body),
    "source raises": Exit(Outcome.ERROR, source_raises, asource_raises, Script.FAILS),
    "source raises inside with": Exit(Outcome.ERROR, source_raises_in_with, asource_raises_in_with, Script.FAILS),
    "source raises its time-out": Exit(Outcome.TIMEOUT, source_raises, asource_raises, Script.TIMES_OUT),
    "cancelled while reading": Exit(Outcome.CANCELLED, None, cancelled_while_reading, Script.BLOCKS),
    "cancelled while reading inside with": Exit(Outcome.CANCELLED, None, cancelled_while_reading_in_with, Script.BLOCKS),
    "cancelled in the consumer": Exit(Outcome.CANCELLED, None, cancelled_in_consumer),
    "cancelled in the consumer without with": Exit(Outcome.ABANDONED, None, cancelled_in_consumer_without_with),
    "generator closed inside with": Exit(Outcome.CANCELLED, generator_closed_with, agenerator_closed_with),
    "generator closed without with": Exit(Outcome.ABANDONED, generator_closed_without, agenerator_closed_without),
    "never iterated, dropped": Exit(Outcome.ABANDONED, never_iterated_dropped, anever_iterated_dropped),
    "never iterated, closed": Exit(Outcome.CANCELLED, never_iterated_closed, anever_iterated_closed),
    "never iterated inside with": Exit(Outcome.CANCELLED, never_iterated_in_with, anever_iterated_in_with),
    "collected in a cycle": Exit(Outcome.ABANDONED, collected_in_a_cycle, acollected_in_a_cycle),
}

_NO_TASK = "a sync read has no task that could be cancelled; a thread cannot be"
_NO_FAULT = "reading a list cannot fail"
_WARNS = "a socket that is garbage-collected unclosed emits a ResourceWarning, also without a wrapper"

IMPOSSIBLE = {
    ("sync", "cancelled while reading", None): _NO_TASK,
    ("sync", "cancelled while reading inside with", None): _NO_TASK,
    ("sync", "cancelled in the consumer", None): _NO_TASK,
    ("sync", "cancelled in the consumer without with", None): _NO_TASK,
    ("sync", "source raises", "list"): _NO_FAULT,
    ("sync", "source raises inside with", "list"): _NO_FAULT,
    ("sync", "source raises its time-out", "list"): _NO_FAULT,
    ("sync", "collected in a cycle", "bedrock"): _WARNS,
}
"""Why an exit is impossible, by mode, exit and kind of source (None: for every kind)."""


def possible_exits(mode: str) -> list[tuple[str, Kind]]:
    """Return every possible pair of an exit and a kind of source."""
    kinds = SYNC_KINDS if mode == "sync" else ASYNC_KINDS
    return [
        (name, kind)
        for name, way in EXITS.items()
        for kind in kinds
        if not {(mode, name, None), (mode, name, kind.name)} & IMPOSSIBLE.keys()
    ]
