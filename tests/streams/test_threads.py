"""Closing a stream from another thread or task during a read."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from streamtally import Outcome, Tally
from streamtally.streams import BLOCK
from streamtally.testing import RecordingExporter
from tests.streams.exits import run_loop_until
from tests.streams.sources import AsyncChunks, Chunks, Script, Source, SourceError, chat_chunk, chat_chunks


@pytest.fixture
def exporter() -> RecordingExporter:
    """An exporter that keeps the records."""
    return RecordingExporter()


@pytest.fixture
def tally(exporter: RecordingExporter) -> Tally:
    """A tally with that exporter."""
    return Tally(exporters=[exporter])


class Reader(threading.Thread):
    """A thread that reads a stream, and keeps its chunks and its exception."""

    def __init__(self, stream: Any) -> None:
        super().__init__(daemon=True)
        self.stream = stream
        self.seen: list[Any] = []
        self.caught: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            for chunk in self.stream:
                self.seen.append(chunk)
        except Exception as error:
            self.caught = error


class Blocking(Chunks):
    """A source that blocks after three chunks until it is closed, and then raises or ends, as sockets do."""

    def __init__(self, source: Source, error: Exception | None) -> None:
        super().__init__(source)
        self.left = iter(chat_chunks()[:3])
        self.blocks, self.is_closed = threading.Event(), threading.Event()
        self.error = error

    def __next__(self) -> Any:
        for chunk in self.left:
            return chunk
        self.blocks.set()
        self.is_closed.wait()
        if self.error is not None:
            raise self.error
        raise StopIteration

    def close(self) -> None:
        super().close()
        self.is_closed.set()


@pytest.mark.parametrize("error", [None, SourceError("closed")], ids=["ends", "raises"])
def test_closed_while_a_read_blocks(tally: Tally, exporter: RecordingExporter, error: Exception | None) -> None:
    """`close` during a blocked read cancels the stream and closes the source once; the reader gets the source's exception."""
    source = Source(Script.WHOLE)
    blocking = Blocking(source, error)
    stream = tally.wrap(blocking)
    reader = Reader(stream)
    blocking.blocks.wait()
    stream.close()
    reader.join()
    assert reader.caught is error
    assert len(reader.seen) == 3
    (record,) = exporter.records
    assert (record.outcome, record.text, record.chunk_count) == (Outcome.CANCELLED, "one two", 3)
    assert stream.record is record
    assert source.closed == 1
    assert len(tally.accumulator) == 0


@pytest.mark.parametrize("more", [0, 10, BLOCK, 10 * BLOCK])
def test_closed_while_a_generator_runs(tally: Tally, exporter: RecordingExporter, more: int) -> None:
    """`close` does not wait for a generator running in another thread; the reader stops at its next chunk."""
    runs, resume = threading.Event(), threading.Event()
    closed: list[str] = []

    def source() -> Iterator[Any]:
        try:
            yield from chat_chunks()[:3]
            runs.set()
            resume.wait()
            for _ in range(more):
                yield chat_chunk({"content": "late"})
        finally:
            closed.append(threading.current_thread().name)

    stream = tally.wrap(source())
    reader = Reader(stream)
    runs.wait()
    stream.close()
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]
    assert closed == []
    resume.set()
    reader.join()
    assert reader.caught is None
    assert len(reader.seen) == min(3 + more, 4)
    assert closed == [reader.name]
    assert len(exporter.records) == 1
    assert stream.record.text == "one two"


def test_many_close_at_once(tally: Tally, exporter: RecordingExporter) -> None:
    """Concurrent calls of `close` close the source once."""
    for _ in range(50):
        source = Source(Script.WHOLE)
        stream = tally.wrap(Chunks(source))
        next(stream)
        barrier = threading.Barrier(4)

        def close(stream: Any = stream, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            stream.close()

        threads = [threading.Thread(target=close, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert source.closed == 1
    assert len(exporter.records) == 50


def test_closed_while_the_request_is_made(tally: Tally, exporter: RecordingExporter) -> None:
    """A response that arrives after `close` is closed unread."""
    asked, answer = threading.Event(), threading.Event()
    source = Source(Script.WHOLE)

    def ask() -> Chunks:
        asked.set()
        answer.wait()
        return Chunks(source)

    stream = tally.wrap(ask)
    reader = Reader(stream)
    asked.wait()
    stream.close()
    answer.set()
    reader.join()
    assert (reader.seen, reader.caught) == ([], None)
    assert source.closed == 1
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]


class AsyncBlocking(AsyncChunks):
    """An async source that blocks after three chunks until it is closed, and then raises."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.left = iter(chat_chunks()[:3])
        self.blocks, self.is_closed = asyncio.Event(), asyncio.Event()

    async def __anext__(self) -> Any:
        for chunk in self.left:
            return chunk
        self.blocks.set()
        await self.is_closed.wait()
        raise SourceError("closed")

    async def aclose(self) -> None:
        await super().aclose()
        self.is_closed.set()


async def aread(stream: Any) -> list[Any]:
    """Read all chunks."""
    return [chunk async for chunk in stream]


@pytest.mark.anyio
async def test_closed_while_another_task_reads(tally: Tally, exporter: RecordingExporter) -> None:
    """`aclose` during another task's read cancels the stream and closes the source once."""
    source = Source(Script.WHOLE)
    blocking = AsyncBlocking(source)
    stream = tally.wrap(blocking)
    task = asyncio.create_task(aread(stream))
    await blocking.blocks.wait()
    await stream.aclose()
    with pytest.raises(SourceError, match="closed"):
        await task
    (record,) = exporter.records
    assert (record.outcome, record.text, record.chunk_count) == (Outcome.CANCELLED, "one two", 3)
    assert source.closed == 1


@pytest.mark.anyio
@pytest.mark.parametrize("more", [0, 10, 10 * BLOCK])
async def test_closed_while_an_async_generator_runs(tally: Tally, exporter: RecordingExporter, more: int) -> None:
    """`aclose` does not wait for an async generator in another task; its reader stops at its next chunk."""
    runs, resume = asyncio.Event(), asyncio.Event()
    closed: list[bool] = []

    async def source() -> AsyncIterator[Any]:
        try:
            for chunk in chat_chunks()[:3]:
                yield chunk
            runs.set()
            await resume.wait()
            for _ in range(more):
                yield chat_chunk({"content": "late"})
        finally:
            closed.append(True)

    stream = tally.wrap(source())
    task = asyncio.create_task(aread(stream))
    await runs.wait()
    await stream.aclose()
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]
    resume.set()
    assert len(await task) == min(3 + more, 4)
    assert closed == [True]
    assert len(exporter.records) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("called", [True, False], ids=["callable", "awaitable"])
async def test_closed_while_the_request_is_awaited(tally: Tally, exporter: RecordingExporter, called: bool) -> None:
    """A response that arrives after `aclose` is closed unread, and the request is not cancelled."""
    asked, answer = asyncio.Event(), asyncio.Event()
    source = Source(Script.WHOLE)

    async def ask() -> AsyncChunks:
        asked.set()
        await answer.wait()
        return AsyncChunks(source)

    stream = tally.wrap(ask if called else ask())
    task = asyncio.create_task(aread(stream))
    await asked.wait()
    await stream.aclose()
    answer.set()
    assert await task == []
    await run_loop_until(lambda: source.closed == 1)
    assert source.closed == 1
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]


def test_the_record_while_another_thread_reads(tally: Tally) -> None:
    """`record` may be read during another thread's reads."""
    resume = threading.Event()

    def source() -> Iterator[Any]:
        for number in range(5_000):
            if number == 100:
                resume.set()
            yield chat_chunk({"content": "x"})

    stream = tally.wrap(source())
    reader = Reader(stream)
    resume.wait()
    while reader.is_alive():
        assert stream.record.outcome in (None, Outcome.COMPLETED, Outcome.TRUNCATED)
    reader.join()
    assert reader.caught is None
    assert (stream.record.chunk_count, len(stream.record.text)) == (5_000, 5_000)
