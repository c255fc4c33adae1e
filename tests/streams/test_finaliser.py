"""Streams that nobody reads any more: the finaliser seals them and does nothing else; the next ordinary call does the rest."""

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
from tests.streams.exits import ticks
from tests.streams.sources import AsyncChunks, AsyncIterable, Chunks, Script, Source, chat_chunks
from tests.waiting import run_python


@pytest.fixture
def exporter() -> RecordingExporter:
    """What gets the records."""
    return RecordingExporter()


@pytest.fixture
def tally(exporter: RecordingExporter) -> Tally:
    """A tally that exports there."""
    return Tally(exporters=[exporter])


def abandon(tally: Tally, source: Any = None, **options: Any) -> None:
    """Read one chunk, and let go."""
    next(iter(tally.wrap(chat_chunks() if source is None else source, **options)))


class Locked(RecordingExporter):
    """An exporter that takes a lock, as most do."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def export(self, record: StreamRecord) -> None:
        with self.lock:
            super().export(record)


@pytest.mark.parametrize("collected", [True, False], ids=["in a cycle", "dropped"])
def test_a_lock_that_another_thread_holds(collected: bool) -> None:
    """Collecting a stream returns at once, though the exporter's lock is taken; nothing is exported until somebody calls."""
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
    """Stands where a finaliser has no business."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"a finaliser asked for {name}")

    def __enter__(self) -> None:
        raise AssertionError("a finaliser took a lock")

    def __exit__(self, *_: object) -> None:
        """Never entered."""


@pytest.mark.parametrize("reads", [0, 1])
def test_it_takes_no_lock_and_reads_no_clock(
    tally: Tally, exporter: RecordingExporter, monkeypatch: pytest.MonkeyPatch, reads: int
) -> None:
    """Not even the accumulator's lock, which the interrupted thread may hold; and what it would raise is not lost."""
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


class Nosy(Chunks):
    """A source that notices whatever is asked of it."""

    asked: list[str]

    def __getattribute__(self, name: str) -> Any:
        object.__getattribute__(self, "asked").append(name)
        return object.__getattribute__(self, name)


def test_it_runs_no_code_of_the_source(tally: Tally) -> None:
    """Not so much as the look-up of an attribute: a source may answer that with I/O."""
    Nosy.asked = []
    stream = tally.wrap(Nosy(Source(Script.WHOLE)))
    next(stream)
    Nosy.asked.clear()
    del stream
    assert Nosy.asked == []
    tally.flush()
    assert "close" in Nosy.asked


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
    """Whichever it is; and closes the source."""
    tally.add("kept", "text")
    source = Source(Script.WHOLE)
    abandon(tally, Chunks(source), request_id="gone")
    assert exporter.records == []
    CALLS[name](tally)
    assert [record.outcome for record in exporter.records if record.request_id == "gone"] == [Outcome.ABANDONED]
    assert source.closed == 1


def test_one_bad_source_does_not_keep_the_others(tally: Tally, exporter: RecordingExporter) -> None:
    """What an abandoned source raises when it is closed reaches nobody."""

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


def ours() -> Counter[str]:
    """How many objects of ours there are."""
    gc.collect()
    return Counter(kind.__qualname__ for kind in map(type, gc.get_objects()) if str(kind.__module__).startswith("streamtally"))


@pytest.mark.parametrize("read", [True, False], ids=["read", "never read"])
def test_ten_thousand_abandoned_streams(read: bool) -> None:
    """None of them is left in the accumulator, nor anything of them in memory."""
    tally = Tally(exporters=[deque[StreamRecord](maxlen=0).append])
    chunks = chat_chunks()[:2]

    def some(count: int) -> None:
        for _ in range(count):
            if read:
                abandon(tally, chunks)
            else:
                tally.wrap(chunks)
        tally.flush()

    some(500)
    before = ours()
    tracemalloc.start()
    try:
        some(500)
        gc.collect()
        early = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        some(9_000)
        tracemalloc.start()
        some(500)
        gc.collect()
        late = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(tally.accumulator) == 0
    assert ours() == before
    assert late <= early + 50_000


def test_chunks_are_not_kept(tally: Tally) -> None:
    """The text is, the objects are not, however long the stream."""

    class Chunk(dict[str, Any]):
        """A chunk that can be weakly referred to."""

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


def test_an_ended_stream_lets_go(tally: Tally) -> None:
    """A wrapper is no cycle: it goes with its last reference, without the garbage collector."""
    gc.disable()
    try:
        stream = tally.wrap(chat_chunks())
        references: list[Callable[[], Any]] = [weakref.ref(stream), weakref.ref(stream._chunks)]
        list(stream)
        del stream
        assert [reference() for reference in references] == [None, None]
    finally:
        gc.enable()


@pytest.mark.anyio
async def test_closed_on_the_loop_that_read_it(tally: Tally, exporter: RecordingExporter) -> None:
    """An abandoned async source is closed in its own loop, though another thread happens to make the next call."""
    closed_on: list[Any] = []

    class Loud(AsyncChunks):
        async def aclose(self) -> None:
            await super().aclose()
            closed_on.append(asyncio.get_running_loop())

    source = Source(Script.WHOLE)
    async for _ in tally.wrap(Loud(source)):
        break
    for _ in range(3):  # the loop closes our generator first
        await asyncio.sleep(0)
    await asyncio.to_thread(tally.flush)
    assert len(exporter.records) == 1
    await ticks(lambda: bool(closed_on))
    assert closed_on == [asyncio.get_running_loop()]
    assert source.closed == 1


@pytest.mark.anyio
async def test_wrapped_where_no_loop_runs(tally: Tally) -> None:
    """The loop that counts is the one that reads."""
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
    await ticks(lambda: source.closed == 1)
    assert source.closed == 1


@pytest.mark.anyio
async def test_a_closing_that_takes_long_is_not_collected(tally: Tally) -> None:
    """The task that closes is held, though the loop holds its tasks weakly, and nobody holds what it waits for."""
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
    await ticks(lambda: bool(waits))
    gc.collect()
    future = waits[0]()
    assert future is not None
    future.set_result(None)
    await ticks(lambda: source.closed == 1)
    assert source.closed == 1


@pytest.mark.parametrize("read", [True, False], ids=["read", "never read"])
@pytest.mark.parametrize("kind", ["generator", "iterator", "iterable", "coroutine"])
def test_a_loop_that_has_ended(tally: Tally, exporter: RecordingExporter, kind: str, read: bool) -> None:
    """Nothing can be awaited any more, so nothing is; no warning, one record."""
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
    """A loop that closes between a look and a call."""

    def is_running(self) -> bool:
        return True

    def call_soon_threadsafe(self, *_: object) -> None:
        raise RuntimeError("Event loop is closed")


def test_a_loop_that_is_just_ending(tally: Tally, exporter: RecordingExporter) -> None:
    """What it says to that reaches nobody, and what can be closed without it is."""

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
    """The loop cancels what is left to do, the closing of our generator too: whichever comes first, it is no error."""

    async def leave() -> None:
        async for _ in tally.wrap(Source(Script.WHOLE).agenerator()):
            break

    asyncio.run(leave())
    tally.flush()
    (record,) = exporter.records
    assert record.outcome in (Outcome.ABANDONED, Outcome.CANCELLED)


@pytest.mark.anyio
async def test_a_generator_that_was_never_started(tally: Tally) -> None:
    """An async generator whose first step never came is closed all the same."""

    async def source() -> AsyncIterator[int]:
        yield 1

    given: Any = source()
    tally.wrap(given)
    tally.flush()
    await ticks(lambda: given.ag_frame is None)
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
    """Streams that are open when the process ends say nothing on the way out."""
    done = run_python("-X", "dev", "-c", AT_EXIT, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_session_that_was_never_made_whole() -> None:
    """A finaliser of half an object is silent too."""
    session = StreamSession.__new__(StreamSession)
    del session
    assert repr(TalliedStream)


@pytest.mark.parametrize("threads", [4])
def test_abandoned_in_many_threads(threads: int) -> None:
    """Each once, whoever drains."""
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
