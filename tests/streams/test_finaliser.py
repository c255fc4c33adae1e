"""Abandoned streams: the finaliser only marks them as ended; the next ordinary call closes and exports them."""

import asyncio
import gc
import sys
import threading
import tracemalloc
import weakref
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from streamtally import Outcome, StreamRecord, Tally
from streamtally.streams import StreamSession, TalliedStream
from streamtally.testing import FakeClock, RecordingExporter
from tests.streams.exits import run_loop_until
from tests.streams.sources import AsyncChunks, AsyncIterable, Chunks, Script, Source, chat_chunks
from tests.waiting import run_python


@pytest.fixture
def exporter() -> RecordingExporter:
    """An exporter that keeps the records."""
    return RecordingExporter()


@pytest.fixture
def tally(exporter: RecordingExporter) -> Tally:
    """A tally with that exporter."""
    return Tally(exporters=[exporter])


def abandon(tally: Tally, source: Any = None, **options: Any) -> None:
    """Read one chunk of a wrapped stream, and drop the wrapper."""
    next(iter(tally.wrap(chat_chunks() if source is None else source, **options)))


class Locked(RecordingExporter):
    """An exporter that holds a lock while it exports."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def export(self, record: StreamRecord) -> None:
        with self.lock:
            super().export(record)


@pytest.mark.parametrize("collected", [True, False], ids=["in a cycle", "dropped"])
def test_a_lock_that_another_thread_holds(collected: bool) -> None:
    """Dropping a stream returns at once although the exporter's lock is taken; the next call exports it."""
    exporter = Locked()
    tally = Tally(exporters=[exporter])
    stream = tally.wrap(chat_chunks())
    next(stream)
    ring: list[Any] = [stream]
    if collected:
        ring.append(ring)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with exporter.lock:
            held.set()
            release.wait()

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    held.wait()
    del stream, ring
    gc.collect()
    assert exporter.records == []
    release.set()
    holder.join()
    assert exporter.records == []
    tally.flush()
    assert [record.outcome for record in exporter.records] == [Outcome.ABANDONED]


class Forbidden:
    """An object that raises on any access, put in place of what a finaliser must not use."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"a finaliser asked for {name}")

    def __enter__(self) -> None:
        raise AssertionError("a finaliser took a lock")

    def __exit__(self, *_: object) -> None:
        """Do nothing: `__enter__` has raised."""


@pytest.mark.parametrize("reads", [0, 1])
def test_it_takes_no_lock_and_reads_no_clock(
    tally: Tally, exporter: RecordingExporter, monkeypatch: pytest.MonkeyPatch, reads: int
) -> None:
    """The finaliser takes no lock and reads no clock; the interrupted thread may hold the accumulator's lock."""
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    stream = tally.wrap(chat_chunks())
    for _ in range(reads):
        next(stream)
    with monkeypatch.context() as patch:
        patch.setattr(tally.accumulator, "_lock", Forbidden())
        patch.setattr(stream._session.stream, "clock", Forbidden())
        held = stream._session.stream
        del stream
        assert held.seal is not None
        assert held.seal.outcome is Outcome.ABANDONED
    held.clock = tally.clock
    tally.flush()
    assert len(exporter.records) == 1
    assert unraisable == []


class WatchedChunks(Chunks):
    """A source that records every access to its attributes."""

    asked: list[str]

    def __getattribute__(self, name: str) -> Any:
        object.__getattribute__(self, "asked").append(name)
        return object.__getattribute__(self, name)


def test_it_runs_no_code_of_the_source(tally: Tally) -> None:
    """The finaliser accesses no attribute of the source, because that may run code of the source."""
    WatchedChunks.asked = []
    stream = tally.wrap(WatchedChunks(Source(Script.WHOLE)))
    next(stream)
    WatchedChunks.asked.clear()
    del stream
    assert WatchedChunks.asked == []
    tally.flush()
    assert "close" in WatchedChunks.asked


CALLS: dict[str, Callable[[Tally], Any]] = {
    "wrap": lambda tally: tally.wrap([1], request_id="other"),
    "flush": lambda tally: tally.flush(),
    "sweep": lambda tally: tally.accumulator.sweep(),
    "open": lambda tally: tally.open("other").close(),
    "add": lambda tally: tally.add("other", "text"),
    "discard": lambda tally: tally.discard("other"),
    "close": lambda tally: tally.close(),
    "snapshot": lambda tally: tally.snapshot("kept"),
    "finish": lambda tally: tally.finish("kept"),
    "fail": lambda tally: tally.fail("kept", "error"),
    "aflush": lambda tally: asyncio.run(tally.aflush()),
    "aclose": lambda tally: asyncio.run(tally.aclose()),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_next_ordinary_call_exports(tally: Tally, exporter: RecordingExporter, name: str) -> None:
    """Every method of a tally exports abandoned streams and closes their sources."""
    tally.add("kept", "text")
    source = Source(Script.WHOLE)
    abandon(tally, Chunks(source), request_id="gone")
    assert exporter.records == []
    CALLS[name](tally)
    assert [record.outcome for record in exporter.records if record.request_id == "gone"] == [Outcome.ABANDONED]
    assert source.closed == 1


def test_a_source_whose_close_raises(tally: Tally, exporter: RecordingExporter) -> None:
    """An abandoned source whose `close` raises affects no other, and nothing reaches the caller."""

    class Bad(Chunks):
        def close(self) -> None:
            super().close()
            raise OSError("gone already")

    sources = [Source(Script.WHOLE) for _ in range(3)]
    for source in sources:
        abandon(tally, Bad(source))
    assert tally.flush() is True
    assert [source.closed for source in sources] == [1, 1, 1]
    assert len(exporter.records) == 3


def package_objects() -> Counter[str]:
    """Count the living objects of this package by class."""
    gc.collect()
    return Counter(kind.__qualname__ for kind in map(type, gc.get_objects()) if str(kind.__module__).startswith("streamtally"))


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
@pytest.mark.parametrize("read", [True, False], ids=["read", "never read"])
def test_ten_thousand_abandoned_streams(read: bool) -> None:
    """Abandoned streams leave nothing in the accumulator or in memory."""
    tally = Tally(exporters=[deque[StreamRecord](maxlen=0).append])
    chunks = chat_chunks()[:2]

    def abandon_many(count: int) -> None:
        for _ in range(count):
            if read:
                abandon(tally, chunks)
            else:
                tally.wrap(chunks)
        tally.flush()

    abandon_many(500)
    before = package_objects()
    tracemalloc.start()
    try:
        abandon_many(500)
        gc.collect()
        early = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        abandon_many(9_000)
        tracemalloc.start()
        abandon_many(500)
        gc.collect()
        late = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(tally.accumulator) == 0
    assert package_objects() == before
    assert late <= early + 50_000


def test_chunks_are_not_kept(tally: Tally) -> None:
    """The text of chunks is kept, but the chunk objects are not."""

    class Chunk(dict[str, Any]):
        """A chunk that supports weak references."""

    living: list[weakref.ref[Chunk]] = []

    def source() -> Iterator[Chunk]:
        for _ in range(1_000):
            chunk = Chunk(chat_chunks()[1])
            living.append(weakref.ref(chunk))
            yield chunk

    stream = tally.wrap(source())
    for _ in stream:
        pass
    del _
    assert stream.record.text == "one" * 1_000
    assert not any(reference() for reference in living)


def test_an_ended_stream_is_freed(tally: Tally) -> None:
    """A wrapper is in no reference cycle, so it is freed with its last reference."""
    gc.disable()
    try:
        stream = tally.wrap(chat_chunks())
        references: list[Callable[[], Any]] = [weakref.ref(stream), weakref.ref(iter(stream))]
        list(stream)
        del stream
        assert [reference() for reference in references] == [None, None]
    finally:
        gc.enable()


@pytest.mark.anyio
async def test_closed_on_the_loop_that_read_it(tally: Tally, exporter: RecordingExporter) -> None:
    """An abandoned async source is closed on its own loop, even if another thread makes the next call."""
    closed_on: list[Any] = []

    class NotedClose(AsyncChunks):
        async def aclose(self) -> None:
            await super().aclose()
            closed_on.append(asyncio.get_running_loop())

    source = Source(Script.WHOLE)
    async for _ in tally.wrap(NotedClose(source)):
        break
    for _ in range(3):  # the loop must first close the wrapper's generator
        await asyncio.sleep(0)
    await asyncio.to_thread(tally.flush)
    assert len(exporter.records) == 1
    await run_loop_until(lambda: bool(closed_on))
    assert closed_on == [asyncio.get_running_loop()]
    assert source.closed == 1


@pytest.mark.anyio
async def test_wrapped_where_no_loop_runs(tally: Tally) -> None:
    """A source that was wrapped outside any loop is closed on the loop that read it."""
    source = Source(Script.WHOLE)
    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(tally.wrap(AsyncIterable(source))))
    thread.start()
    thread.join()
    await anext(made[0])
    made.clear()
    for _ in range(3):
        await asyncio.sleep(0)
    tally.flush()
    await run_loop_until(lambda: source.closed == 1)
    assert source.closed == 1


@pytest.mark.anyio
async def test_a_closing_that_takes_long_is_not_collected(tally: Tally) -> None:
    """The task that closes a source is strongly referenced, because the loop refers to tasks weakly."""
    waits: list[Callable[[], Any]] = []

    class Slow(AsyncChunks):
        async def aclose(self) -> None:
            future = asyncio.get_running_loop().create_future()
            waits.append(weakref.ref(future))
            await future
            await super().aclose()

    source = Source(Script.WHOLE)
    tally.wrap(Slow(source))
    tally.flush()
    await run_loop_until(lambda: bool(waits))
    gc.collect()
    future = waits[0]()
    assert future is not None
    future.set_result(None)
    await run_loop_until(lambda: source.closed == 1)
    assert source.closed == 1


@pytest.mark.parametrize("read", [True, False], ids=["read", "never read"])
@pytest.mark.parametrize("kind", ["generator", "iterator", "iterable", "coroutine"])
def test_a_loop_that_has_ended(tally: Tally, exporter: RecordingExporter, kind: str, read: bool) -> None:
    """A source whose loop has ended is not awaited: there is one record and no warning."""
    source = Source(Script.WHOLE)
    makers: dict[str, Callable[[], Any]] = {
        "generator": source.agenerator,
        "iterator": lambda: AsyncChunks(source),
        "iterable": lambda: AsyncIterable(source),
        "coroutine": lambda: asyncio.sleep(0, AsyncChunks(source)),
    }

    async def leave() -> Any:
        stream = tally.wrap(makers[kind]())
        if read:
            await anext(stream)
        return stream

    stream = asyncio.run(leave())
    assert stream.record.outcome is None
    del stream
    gc.collect()
    tally.flush()
    assert [record.outcome for record in exporter.records] == [Outcome.ABANDONED]
    assert len(tally.accumulator) == 0


class EndingLoop:
    """A loop that closes between `is_running` and `call_soon_threadsafe`."""

    def is_running(self) -> bool:
        return True

    def call_soon_threadsafe(self, *_: object) -> None:
        raise RuntimeError("Event loop is closed")


def test_a_loop_that_is_just_ending(tally: Tally, exporter: RecordingExporter) -> None:
    """An error of a closing loop does not reach the caller, and the source's sync `close` is called."""

    class Plain(AsyncIterable):
        def close(self) -> None:  # type: ignore[override]
            self.source.closed += 1

    source = Source(Script.WHOLE)
    stream = tally.wrap(Plain(source))
    stream._session.loop = EndingLoop()
    del stream
    tally.flush()
    assert len(exporter.records) == source.closed == 1


def test_abandoned_while_the_loop_ends(tally: Tally, exporter: RecordingExporter) -> None:
    """A stream that is abandoned while its loop ends gets one record, and no error is raised."""

    async def leave() -> None:
        async for _ in tally.wrap(Source(Script.WHOLE).agenerator()):
            break

    asyncio.run(leave())
    tally.flush()
    (record,) = exporter.records
    assert record.outcome in (Outcome.ABANDONED, Outcome.CANCELLED)


@pytest.mark.anyio
async def test_a_generator_that_was_never_started(tally: Tally) -> None:
    """An async generator that never started is closed."""

    async def source() -> AsyncIterator[int]:
        yield 1

    given: Any = source()
    tally.wrap(given)
    tally.flush()
    await run_loop_until(lambda: given.ag_frame is None)
    assert given.ag_frame is None


AT_EXIT = """
import asyncio, streamtally
tally = streamtally.configure(exporters=[print])
stream = tally.wrap(iter([1, 2]))
next(stream)
ring = [stream]
ring.append(ring)

async def source():
    yield 1
    yield 2

async def leave():
    global left
    left = tally.wrap(source())
    await anext(left)

asyncio.run(leave())
"""


def test_the_end_of_the_interpreter_is_silent() -> None:
    """Open streams print nothing when the interpreter exits."""
    done = run_python("-X", "dev", "-c", AT_EXIT, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_partly_constructed_session() -> None:
    """Finalising a partly constructed session does not raise."""
    session = StreamSession.__new__(StreamSession)
    del session
    assert repr(TalliedStream)


@pytest.mark.parametrize("threads", [4])
def test_abandoned_in_many_threads(threads: int) -> None:
    """Streams abandoned in many threads are exported once each."""
    exporter = RecordingExporter()
    tally = Tally(exporters=[exporter], clock=FakeClock())

    def work() -> None:
        for _ in range(100):
            abandon(tally)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    tally.flush()
    assert len({record.request_id for record in exporter.records}) == len(exporter.records) == threads * 100
    assert len(tally.accumulator) == 0
