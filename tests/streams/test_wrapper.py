"""The wrapper is transparent: the caller gets the same objects, types, methods and exceptions as from the source."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from openai import AsyncStream, Stream

import streamtally
from streamtally import DuplicateRequest, Outcome, Tally
from streamtally.streams import AsyncTalliedStream, DualTalliedStream, TalliedStream
from streamtally.testing import FakeClock, RecordingExporter
from tests.streams.sources import (
    REQUEST,
    AsyncChunks,
    AsyncIterable,
    Chunks,
    Iterable,
    Script,
    SdkSource,
    Source,
    SourceError,
    World,
    chat_chunks,
)


@pytest.fixture
def exporter() -> RecordingExporter:
    """An exporter that keeps the records."""
    return RecordingExporter()


@pytest.fixture
def tally(exporter: RecordingExporter) -> Tally:
    """A tally with that exporter and a fake clock."""
    return Tally(exporters=[exporter], clock=FakeClock(tick=0.001))


class Both(Chunks):
    """A source with both the sync and the async protocol."""

    async def __aiter__(self) -> AsyncIterator[Any]:
        for chunk in self.left:
            yield chunk


def opened(world: World) -> Any:
    """Return an open stream of the official SDK."""
    return SdkSource(Script.WHOLE, world.provider).ask(world.client(Script.WHOLE))


def test_sdk_objects_pass_through(world: World, tally: Tally) -> None:
    """The caller gets the same objects that the SDK's own iterator yields, and all of them."""
    source = opened(world)
    objects = list(source._iterator)
    source._iterator = iter(objects)
    stream = tally.wrap(source)
    passed = list(stream)
    assert len(passed) == len(objects) > 5
    assert all(one is other for one, other in zip(passed, objects, strict=True))
    assert stream.record.text == "one two three"
    assert stream.record.usage is not None


@pytest.mark.anyio
async def test_async_sdk_objects_pass_through(aworld: World, tally: Tally) -> None:
    """The caller gets the same objects that the async SDK's own iterator yields, and all of them."""
    source = await SdkSource(Script.WHOLE, aworld.provider).ask(aworld.aclient(Script.WHOLE))
    objects = [chunk async for chunk in source._iterator]

    async def again() -> AsyncIterator[Any]:
        for chunk in objects:
            yield chunk

    source._iterator = again()
    passed = [chunk async for chunk in tally.wrap(source)]
    assert len(passed) == len(objects) > 5
    assert all(one is other for one, other in zip(passed, objects, strict=True))


@pytest.mark.parametrize("kind", [Chunks, Iterable, AsyncChunks, AsyncIterable, Both])
def test_isinstance_of_the_source(tally: Tally, kind: type) -> None:
    """The wrapper is an instance of the source's class and of the wrapper's class."""
    stream = tally.wrap(kind(Source(Script.WHOLE)))
    assert isinstance(stream, kind)
    assert isinstance(stream, TalliedStream | AsyncTalliedStream)


def test_isinstance_of_sdk_streams(world: World, tally: Tally) -> None:
    """`isinstance(stream, openai.Stream)` holds as soon as the stream is open."""
    source = opened(world)
    stream = tally.wrap(source)
    assert isinstance(stream, Stream)
    assert type(stream).__mro__.count(AsyncStream) == 0
    with tally.wrap(lambda: source) as late:
        assert isinstance(late, Stream)


@pytest.mark.anyio
async def test_isinstance_of_async_sdk_streams(aworld: World, tally: Tally) -> None:
    """`isinstance(stream, openai.AsyncStream)` holds once the request was awaited."""
    ask = SdkSource(Script.WHOLE, aworld.provider).ask(aworld.aclient(Script.WHOLE))
    async with tally.wrap(ask) as stream:
        assert isinstance(stream, AsyncStream)


def test_builtin_sources_keep_our_class(tally: Tally) -> None:
    """The wrapper of a list or a generator does not claim their class, because it lacks their methods."""
    for source in ([1], (one for one in [1]), iter([1])):
        assert type(tally.wrap(source)) is TalliedStream
        assert tally.wrap(source).__class__ is TalliedStream
    assert tally.wrap(lambda: [1]).__class__ is DualTalliedStream


def test_attributes_are_the_source_s(world: World, tally: Tally) -> None:
    """Attributes that the wrapper lacks are those of the source."""
    source = opened(world)
    stream = tally.wrap(source)
    assert stream.response is source.response
    assert stream.response.headers["content-type"].startswith("text/event-stream")
    assert stream._iter_events.__self__ is source
    with pytest.raises(AttributeError):
        _ = stream.no_such_attribute
    stream.close()
    assert source.response.is_closed


def test_server_is_shown(world: World, tally: Tally) -> None:
    """The record has host and port of the response."""
    with tally.wrap(opened(world)) as stream:
        next(stream)
    url = stream.response.url
    assert (stream.record.server_address, stream.record.server_port) == (url.host, url.port)


def test_peek_and_continue(tally: Tally) -> None:
    """`next(iter(stream))` followed by a loop loses no chunk."""
    source = Source(Script.WHOLE)
    stream = tally.wrap(Iterable(source))
    first = next(iter(stream))
    second = next(stream)
    rest = list(stream)
    assert [first, second, *rest] == source.chunks
    assert iter(stream) is iter(stream)


@pytest.mark.anyio
async def test_async_peek_and_continue(tally: Tally) -> None:
    """`anext(aiter(stream))` followed by a loop loses no chunk."""
    source = Source(Script.WHOLE)
    stream = tally.wrap(AsyncIterable(source))
    first = await anext(aiter(stream))
    second = await anext(stream)
    assert [first, second, *[chunk async for chunk in stream]] == source.chunks


@pytest.mark.parametrize("make", [lambda s: list(s.chunks or ()), lambda s: s.generator(), Chunks, Iterable])
def test_a_delegating_generator_that_is_closed(tally: Tally, exporter: RecordingExporter, make: Any) -> None:
    """Closing a generator that delegates with `yield from` only pauses the stream while the wrapper is referenced."""
    source = Source(Script.WHOLE)
    stream = tally.wrap(make(source))

    def consumer() -> Iterator[Any]:
        yield from stream

    for place in range(2):
        generator = consumer()
        assert next(generator) == chat_chunks()[place]
        generator.close()  # type: ignore[attr-defined]
        assert exporter.records == []
    assert next(stream) == chat_chunks()[2]
    assert list(stream) == chat_chunks()[3:]
    assert [record.outcome for record in exporter.records] == [Outcome.COMPLETED]
    assert exporter.records[0].chunk_count == 6
    assert source.closed <= 1


def test_the_iterator_alone_keeps_the_stream(tally: Tally, exporter: RecordingExporter) -> None:
    """A reference to `iter(stream)` keeps the stream open."""
    chunks = iter(tally.wrap(chat_chunks()))
    next(chunks)
    tally.flush()
    assert exporter.records == []
    assert len(list(chunks)) == 5
    assert exporter.records[0].outcome is Outcome.COMPLETED


@pytest.mark.parametrize("source", [[1], Both(Source(Script.WHOLE)), lambda: [1], AsyncChunks(Source(Script.WHOLE))])
def test_wrapping_twice(tally: Tally, source: Any) -> None:
    """Wrapping a wrapped stream returns it, whichever tally wrapped it."""
    stream = tally.wrap(source)
    assert tally.wrap(stream) is stream
    assert Tally().wrap(stream) is stream
    assert streamtally.wrap(stream) is stream
    assert len(tally.accumulator) == 1


def test_an_id_that_is_open(tally: Tally, exporter: RecordingExporter) -> None:
    """An ID that is in use raises `DuplicateRequest` and affects neither stream; it is free once its stream has ended."""
    first, second = Source(Script.WHOLE), Source(Script.WHOLE)
    stream = tally.wrap(Chunks(first), request_id="same")
    with pytest.raises(DuplicateRequest, match="same"):
        tally.wrap(Chunks(second), request_id="same")
    assert len(exporter.started) == len(tally.accumulator) == 1
    assert second.closed == 0
    assert len(list(stream)) == 6
    assert len(list(tally.wrap(Chunks(second), request_id="same"))) == 6
    with tally.accumulator.open("keyed"), pytest.raises(DuplicateRequest):
        tally.wrap([1], request_id="keyed")


def test_request_ids(tally: Tally) -> None:
    """A request ID is the one given, or a generated unique one."""
    assert tally.wrap([1], request_id="mine").request_id == "mine"
    made = {tally.wrap([1]).request_id for _ in range(100)}
    assert len(made) == 100


class OnlyNext:
    """An object with `__next__` but no `__iter__`."""

    def __next__(self) -> int:
        return 1


@pytest.mark.parametrize("source", ["text", b"bytes", bytearray(), {"a": 1}, 5, None, object(), OnlyNext()])
def test_what_is_no_stream(tally: Tally, exporter: RecordingExporter, source: Any) -> None:
    """Wrapping what is no stream raises `TypeError`, and opens nothing."""
    with pytest.raises(TypeError, match=type(source).__name__):
        tally.wrap(source)
    assert exporter.started == []


def test_repr(tally: Tally) -> None:
    """The representation has the stream's ID and source, and no content."""
    stream = tally.wrap(chat_chunks(), request_id="r1")
    assert repr(tally.wrap(iter([1]), request_id="r2")).startswith("<TalliedStream r2 of <list_iterator")
    list(stream)
    assert "one two three" not in repr(stream.record)


def test_the_record_at_any_time(tally: Tally, exporter: RecordingExporter) -> None:
    """`record` grows while the stream is read, and is final after its end."""
    stream = tally.wrap(chat_chunks())
    assert (stream.record.text, stream.record.chunk_count, stream.record.outcome) == ("", 0, None)
    texts = [stream.record.text for _ in stream]
    assert texts == ["", "one", "one two", "one two three", "one two three", "one two three"]
    assert stream.record is stream.record is exporter.records[0]
    assert (stream.record.outcome, stream.record.model) == (Outcome.COMPLETED, "gpt-4.1-mini")


def test_raw_chunks_are_kept_on_demand(tally: Tally) -> None:
    """`keep_raw` keeps copies of the chunks; without it there are none."""
    source = chat_chunks()
    with tally.wrap(source, keep_raw=True) as stream:
        list(stream)
    assert stream.record.raw == tuple(source)
    assert stream.record.raw[0] is not source[0]
    with tally.wrap(source) as stream:
        list(stream)
    assert stream.record.raw is None


class RequestError(Exception):
    """An exception of a request, with an HTTP status."""

    status_code = 429


def _started_by(way: str, stream: Any) -> None:
    match way:
        case "for":
            list(stream)
        case "next":
            next(stream)
        case _:
            with stream:
                raise AssertionError("not reached")


@pytest.mark.parametrize("way", ["for", "next", "with"])
def test_a_request_that_fails(tally: Tally, exporter: RecordingExporter, way: str) -> None:
    """An exception of the callable makes an error record, and reaches the caller unchanged."""
    error = RequestError("too many")

    def ask() -> Iterator[Any]:
        raise error

    stream = tally.wrap(ask)
    with pytest.raises(RequestError) as caught:
        _started_by(way, stream)
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    (record,) = exporter.records
    assert record.outcome is Outcome.ERROR
    assert record.error is not None
    assert (record.error.type, record.error.status, record.error.message) == ("RequestError", 429, "too many")
    assert record.timing.started_from == "request"
    assert len(tally.accumulator) == 0


@pytest.mark.anyio
@pytest.mark.parametrize("called", [True, False], ids=["async callable", "awaitable"])
@pytest.mark.parametrize("inside", [True, False], ids=["with", "for"])
async def test_an_awaited_request_that_fails(tally: Tally, exporter: RecordingExporter, called: bool, inside: bool) -> None:
    """An exception of a coroutine makes an error record, and reaches the caller unchanged."""
    error = RequestError("too many")

    async def ask() -> AsyncIterator[Any]:
        await asyncio.sleep(0)
        raise error

    stream = tally.wrap(ask if called else ask())
    with pytest.raises(RequestError) as caught:
        await (stream.__aenter__() if inside else anext(stream))
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    (record,) = exporter.records
    assert record.outcome is Outcome.ERROR
    assert record.timing.started_from == ("request" if called else "wrap")


@pytest.mark.anyio
async def test_a_request_that_is_cancelled(tally: Tally, exporter: RecordingExporter) -> None:
    """Cancelling a task before its response arrived makes the outcome cancelled."""
    asked = asyncio.Event()

    async def ask() -> AsyncIterator[Any]:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError("not reached")

    task = asyncio.create_task(streamtally.acollect(tally.wrap(ask)))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]


@pytest.mark.anyio
async def test_a_callable_may_return_any_stream(tally: Tally) -> None:
    """A callable may return a sync or an async stream."""
    assert list(tally.wrap(chat_chunks)) == chat_chunks()
    assert [chunk async for chunk in tally.wrap(lambda: AsyncChunks(Source(Script.WHOLE)))] == chat_chunks()
    assert [chunk async for chunk in tally.wrap(Source(Script.WHOLE).agenerator)] == chat_chunks()


def test_an_async_request_in_a_sync_loop(tally: Tally, exporter: RecordingExporter) -> None:
    """An async callable in a sync loop raises `TypeError`, and its coroutine is closed."""
    source = Source(Script.WHOLE)
    asked: list[Any] = []

    async def ask() -> AsyncChunks:
        return AsyncChunks(source)

    def keep() -> Any:
        asked.append(ask())
        return asked[0]

    with pytest.raises(TypeError, match="coroutine"):
        list(tally.wrap(keep))
    assert inspect.getcoroutinestate(asked[0]) == inspect.CORO_CLOSED
    assert exporter.records[0].outcome is Outcome.ERROR


@pytest.mark.anyio
async def test_both_protocols(tally: Tally) -> None:
    """A source with both protocols has a wrapper with both, and is closed once."""
    source = Source(Script.WHOLE)
    stream = tally.wrap(Both(source))
    assert next(stream) == chat_chunks()[0]
    stream.close()
    await stream.aclose()
    assert source.closed == 1
    source = Source(Script.WHOLE)
    async with tally.wrap(Both(source)) as stream:
        assert [chunk async for chunk in stream] == chat_chunks()
    assert stream.close() is None
    assert source.closed == 1


@pytest.mark.anyio
async def test_closed_one_way_and_read_the_other(tally: Tally) -> None:
    """A stream that was closed through one protocol yields nothing through the other."""
    source = Source(Script.WHOLE)
    stream = tally.wrap(Both(source))
    stream.close()
    assert [chunk async for chunk in stream] == list(stream) == []
    assert source.closed == 1


class SyncClose(AsyncIterable):
    """An async source whose `close` is an ordinary method."""

    def close(self) -> str:  # type: ignore[override]
        self.source.closed += 1
        return "closed"


@pytest.mark.anyio
async def test_close_is_awaited_where_the_source_s_is(tally: Tally, exporter: RecordingExporter) -> None:
    """`close` of an async wrapper is a coroutine exactly if that of the source is one."""
    source = Source(Script.WHOLE)
    stream = tally.wrap(AsyncIterable(source))
    await anext(stream)
    await stream.close()
    await stream.close()
    assert source.closed == 1
    source = Source(Script.WHOLE)
    stream = tally.wrap(SyncClose(source))
    await anext(stream)
    assert [stream.close(), stream.close()] == ["closed", None]
    await stream.aclose()
    assert source.closed == 1
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED] * 2


class FailingClose(Iterable):
    """A source whose iterator and whose `close` both raise when they are closed."""

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self.left
        finally:
            raise SourceError("iterator")

    def close(self) -> None:
        super().close()
        raise SourceError("source")


class AsyncFailingClose(AsyncIterable):
    """An async source whose iterator and whose `close` both raise when they are closed."""

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            for chunk in self.left:
                yield chunk
        finally:
            raise SourceError("iterator")

    async def close(self) -> None:
        await super().close()
        raise SourceError("source")


def test_a_close_that_raises(tally: Tally, exporter: RecordingExporter) -> None:
    """An exception of the source's `close` is raised after everything is closed and exported; a second `close` does nothing."""
    source = Source(Script.WHOLE)
    stream = tally.wrap(FailingClose(source))
    next(stream)
    with pytest.raises(SourceError, match="iterator"):
        stream.close()
    stream.close()
    assert source.closed == 1
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]


@pytest.mark.anyio
async def test_an_async_close_that_raises(tally: Tally, exporter: RecordingExporter) -> None:
    """An exception of an async source's `close` is raised after everything is closed and exported."""
    source = Source(Script.WHOLE)
    stream = tally.wrap(AsyncFailingClose(source))
    await anext(stream)
    with pytest.raises(SourceError, match="iterator"):
        await stream.aclose()
    await stream.aclose()
    assert source.closed == 1
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]


def test_a_close_that_raises_after_the_source(tally: Tally, exporter: RecordingExporter) -> None:
    """The caller gets the exception raised while reading, not one that closing raises."""
    stream = tally.wrap(FailingClose(Source(Script.WHOLE)))
    with pytest.raises(SourceError, match="iterator"):
        list(stream)
    assert [record.outcome for record in exporter.records] == [Outcome.ERROR]


class NoIterator(Chunks):
    """An iterable whose `__iter__` raises."""

    def __iter__(self) -> Iterator[Any]:
        raise SourceError("no iterator")


class NoAsyncIterator(AsyncChunks):
    """An async iterable whose `__aiter__` raises."""

    def __aiter__(self) -> AsyncIterator[Any]:
        raise SourceError("no iterator")


@pytest.mark.anyio
async def test_a_source_that_cannot_be_iterated(tally: Tally, exporter: RecordingExporter) -> None:
    """The exception of `__iter__` reaches the caller, and the source is closed."""
    source = Source(Script.WHOLE)
    with pytest.raises(SourceError, match="no iterator"):
        list(tally.wrap(NoIterator(source)))
    with pytest.raises(SourceError, match="no iterator"):
        await anext(tally.wrap(NoAsyncIterator(source)))
    assert source.closed == 2
    assert [record.outcome for record in exporter.records] == [Outcome.ERROR] * 2


def test_an_interrupted_read(tally: Tally, exporter: RecordingExporter) -> None:
    """`KeyboardInterrupt` during a read makes the outcome cancelled, not an error."""

    def source() -> Iterator[Any]:
        yield chat_chunks()[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(tally.wrap(source()))
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]


@pytest.mark.anyio
async def test_cancelled_while_closing(tally: Tally, exporter: RecordingExporter) -> None:
    """Cancelling a task while a source closes leaves one record, and the rest is still closed."""
    closes = asyncio.Event()
    source = Source(Script.WHOLE)

    class Slow(AsyncIterable):
        async def __aiter__(self) -> AsyncIterator[Any]:
            try:
                async for chunk in super().__aiter__():
                    yield chunk
            finally:
                closes.set()
                await asyncio.Event().wait()

    async def early() -> None:
        async with tally.wrap(Slow(source)) as stream:
            await anext(stream)

    task = asyncio.create_task(early())
    await closes.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.closed == 1
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]


@pytest.mark.anyio
async def test_cancelled_while_closing_at_the_end(tally: Tally, exporter: RecordingExporter) -> None:
    """Cancelling a task while an exhausted source closes leaves the stream completed."""
    closes = asyncio.Event()

    class Slow(AsyncChunks):
        async def aclose(self) -> None:
            closes.set()
            await asyncio.Event().wait()

    stream = tally.wrap(Slow(Source(Script.WHOLE)))

    async def read() -> None:
        async for _ in stream:
            pass

    task = asyncio.create_task(read())
    await closes.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [record.outcome for record in exporter.records] == [Outcome.COMPLETED]
    assert len(tally.accumulator) == 0


@pytest.mark.anyio
async def test_wrapped_in_one_task_and_read_in_another(tally: Tally, exporter: RecordingExporter) -> None:
    """A stream may be wrapped, read and closed in different tasks and threads."""

    async def wrap() -> Any:
        return tally.wrap(AsyncIterable(Source(Script.WHOLE)))

    async def read(stream: Any, count: int) -> list[Any]:
        return [await anext(stream) for _ in range(count)]

    stream = await asyncio.create_task(wrap())
    assert await asyncio.create_task(read(stream, 2)) == chat_chunks()[:2]
    assert await asyncio.create_task(read(stream, 4)) == chat_chunks()[2:]
    await asyncio.create_task(stream.aclose())
    assert [record.outcome for record in exporter.records] == [Outcome.COMPLETED]
    elsewhere = await asyncio.to_thread(tally.wrap, AsyncIterable(Source(Script.WHOLE)))
    assert [chunk async for chunk in elsewhere] == chat_chunks()


def test_the_first_example_of_the_documentation(world: World, tally: Tally) -> None:
    """The first example of the documentation works."""
    client = world.client(Script.WHOLE)
    with tally.wrap(lambda: client.chat.completions.create(**REQUEST)) as stream:
        words = [chunk.choices[0].delta.content for chunk in stream if chunk.choices]
    assert stream.record.text == "".join(word or "" for word in words) != ""
