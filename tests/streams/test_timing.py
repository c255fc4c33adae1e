"""Times of a wrapped stream: the provider's and the consumer's time are measured apart, from the request on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI, RateLimitError

from streamtally import Outcome, StreamRecord, Tally, Timing
from streamtally.testing import FakeClock, FakeProvider, RecordingExporter, scenarios
from tests.streams.sources import REQUEST, Chunks, Script, Source, World, chat_chunk, chat_chunks

READ, CONSUME, OPEN = 0.25, 2.0, 0.5


@pytest.fixture
def clock() -> FakeClock:
    """A clock that only the tests advance."""
    return FakeClock()


@pytest.fixture
def tally(clock: FakeClock) -> Tally:
    """A tally with that clock."""
    return Tally(clock=clock)


def slow(clock: FakeClock, chunks: list[Any]) -> Iterator[Any]:
    """Yield the chunks, each after READ seconds."""
    for chunk in chunks:
        clock.advance(READ)
        yield chunk


async def aslow(clock: FakeClock, chunks: list[Any]) -> AsyncIterator[Any]:
    """Yield the chunks asynchronously, each after READ seconds."""
    for chunk in slow(clock, chunks):
        yield chunk


def read_slowly(clock: FakeClock, stream: Any) -> StreamRecord:
    """Read the stream, spend CONSUME seconds on each chunk, and return the record."""
    with stream:
        for _ in stream:
            clock.advance(CONSUME)
    record: StreamRecord = stream.record
    return record


def check_times(timing: Timing, chunks: int) -> None:
    """Check the times of a stream whose reads took READ and whose consumer took CONSUME for each chunk."""
    assert timing.time_to_first_chunk == READ
    assert timing.provider_wait == pytest.approx(chunks * READ)
    assert timing.consumer_wait == pytest.approx((chunks - 1) * CONSUME)
    assert timing.inter_chunk is not None
    assert timing.inter_chunk.count == chunks - 1
    assert timing.inter_chunk.mean == timing.inter_chunk.p50 == timing.inter_chunk.max == READ
    assert timing.duration == pytest.approx(chunks * (READ + CONSUME))


def test_a_slow_consumer(clock: FakeClock, tally: Tally) -> None:
    """The consumer's time is not part of the provider's wait or of the gaps between chunks."""
    check_times(read_slowly(clock, tally.wrap(slow(clock, chat_chunks()))).timing, 6)


@pytest.mark.anyio
async def test_a_slow_async_consumer(clock: FakeClock, tally: Tally) -> None:
    """An async consumer's time is not part of the provider's wait or of the gaps between chunks."""
    async with tally.wrap(aslow(clock, chat_chunks())) as stream:
        async for _ in stream:
            clock.advance(CONSUME)
    check_times(stream.record.timing, 6)


@pytest.mark.parametrize("count", [2, 63, 64, 65, 127, 128, 129, 1_000])
def test_whatever_the_length(clock: FakeClock, tally: Tally, count: int) -> None:
    """Times are exact for any length, although they are processed in blocks."""
    check_times(read_slowly(clock, tally.wrap(slow(clock, [chat_chunk({"content": "x"})] * count))).timing, count)


def test_closed_early(clock: FakeClock, tally: Tally) -> None:
    """A stream that is closed early has the times until then, and ends when it is closed."""
    with tally.wrap(slow(clock, chat_chunks())) as stream:
        for _ in range(2):
            next(stream)
            clock.advance(CONSUME)
    timing = stream.record.timing
    assert (timing.provider_wait, timing.consumer_wait) == (2 * READ, CONSUME)
    assert timing.duration == 2 * (READ + CONSUME)


def test_abandoned(clock: FakeClock) -> None:
    """An abandoned stream ends with its last read, because a finaliser reads no clock."""
    exporter = RecordingExporter()
    tally = Tally(clock=clock, exporters=[exporter])
    chunks = iter(tally.wrap(slow(clock, chat_chunks())))
    next(chunks)
    clock.advance(CONSUME)
    next(chunks)
    del chunks
    clock.advance(100)
    tally.flush()
    assert exporter.records[0].timing.duration == 2 * READ + CONSUME
    assert exporter.records[0].outcome is Outcome.ABANDONED


def test_nothing_was_read(clock: FakeClock, tally: Tally) -> None:
    """Times that were not measured are None, not 0."""
    nothing: list[Any] = []
    with tally.wrap(nothing) as stream:
        list(stream)
    timing = stream.record.timing
    assert (timing.time_to_first_chunk, timing.time_to_first_token, timing.inter_chunk) == (None, None, None)
    assert (timing.provider_wait, timing.tokens_per_second, timing.duration) == (None, None, 0.0)
    stream = tally.wrap(nothing)
    clock.advance(1)
    stream.close()
    assert stream.record.timing.duration == 1.0


ROLE = chat_chunk({"role": "assistant", "content": ""})
CALL = {"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}


@pytest.mark.parametrize(
    ("chunks", "token", "text"),
    [
        ([ROLE, chat_chunk({"content": "x"})], 2, 2),
        ([ROLE, chat_chunk({"tool_calls": [CALL]})], 2, None),
        ([ROLE, chat_chunk({"reasoning_content": "hm"}), chat_chunk({"content": "x"})], 2, 3),
        ([ROLE, chat_chunk({"content": ""}), {**ROLE, "choices": []}], None, None),
        ([{**ROLE, "choices": [], "usage": {"prompt_tokens": 1}}, chat_chunk({"content": "x"})], 2, 2),
    ],
    ids=["text", "tool call", "reasoning", "nothing", "usage first"],
)
def test_the_first_token(clock: FakeClock, tally: Tally, chunks: list[Any], token: int | None, text: int | None) -> None:
    """The first token is the first generated content of any kind, but no role, empty text or usage."""
    timing = read_slowly(clock, tally.wrap(slow(clock, chunks))).timing
    at = {place: place * READ + (place - 1) * CONSUME for place in (1, 2, 3)}
    assert timing.time_to_first_chunk == at[1]
    assert timing.time_to_first_token == (at[token] if token else None)
    assert timing.time_to_first_text == (at[text] if text else None)


def slow_request(clock: FakeClock) -> Callable[[], Any]:
    """Return a request that takes OPEN seconds."""

    def ask() -> Iterator[Any]:
        clock.advance(OPEN)
        return slow(clock, chat_chunks())

    return ask


def test_started_from(clock: FakeClock, tally: Tally) -> None:
    """The time of a request is measured if a callable makes it, but not for a stream that was already open."""
    with tally.wrap(slow_request(clock)) as stream:
        clock.advance(READ)
        next(stream)
    assert stream.record.timing.started_from == "request"
    assert stream.record.timing.time_to_first_chunk == OPEN + READ + READ
    with tally.wrap(slow_request(clock)()) as stream:
        next(stream)
    assert stream.record.timing.started_from == "wrap"
    assert stream.record.timing.time_to_first_chunk == READ


def test_the_request_starts_when_it_is_made(clock: FakeClock, tally: Tally) -> None:
    """The time between wrapping and making the request is not part of the latency."""
    stream = tally.wrap(slow_request(clock))
    clock.advance(1_000)
    next(stream)
    assert stream.record.timing.time_to_first_chunk == OPEN + READ


@pytest.mark.parametrize("called", [True, False])
@pytest.mark.parametrize("form", ["stamp", "moment"])
def test_started_at(clock: FakeClock, tally: Tally, called: bool, form: str) -> None:
    """The start of the request may be given as monotonic seconds or as an aware datetime, also for a callable."""
    at = clock.monotonic_ns() / 1e9 if form == "stamp" else datetime.fromtimestamp(clock.time_ns() / 1e9, UTC)
    clock.advance(10)
    ask = slow_request(clock)
    with tally.wrap(ask if called else ask(), started_at=at) as stream:
        next(stream)
    timing = stream.record.timing
    assert timing.started_from == "given"
    assert timing.time_to_first_chunk == pytest.approx(10 + OPEN + READ)
    assert timing.started_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_an_impossible_start(clock: FakeClock, tally: Tally) -> None:
    """A start in the future makes times None, not negative."""
    later = datetime.fromtimestamp(clock.time_ns() / 1e9, UTC) + timedelta(hours=1)
    timing = read_slowly(clock, tally.wrap(slow(clock, chat_chunks()), started_at=later)).timing
    assert (timing.time_to_first_chunk, timing.time_to_first_token, timing.duration) == (None, None, None)
    assert timing.provider_wait == 6 * READ


class SlowToClose(Chunks):
    """A source that takes 100 seconds to close."""

    def __init__(self, source: Source, clock: FakeClock) -> None:
        super().__init__(source)
        self.clock = clock

    def close(self) -> None:
        self.clock.advance(100)


@pytest.mark.parametrize("count", [2, 6])
def test_the_end_is_before_the_closing(clock: FakeClock, tally: Tally, count: int) -> None:
    """The time that closing the source takes is not part of the duration."""
    with tally.wrap(SlowToClose(Source(Script.WHOLE), clock)) as stream:
        for _ in range(count):
            next(stream)
        clock.advance(1)
    assert stream.record.timing.duration == 1.0


HEADER_DELAY = 0.3


@pytest.fixture
def late(clock: FakeClock) -> Iterator[FakeProvider]:
    """A provider that delays its headers by HEADER_DELAY on that clock."""
    with FakeProvider(sleep=clock.sleep) as running:
        running.enqueue(*[scenarios.chat("one two three").delayed(headers=HEADER_DELAY)] * 2)
        yield running


def test_late_headers_show(late: FakeProvider, tally: Tally) -> None:
    """Time to first token includes the wait for the headers if the wrapper makes the request."""
    with OpenAI(base_url=late.base_url, api_key="test") as client:
        with tally.wrap(lambda: client.chat.completions.create(**REQUEST)) as stream:
            list(stream)
        timing = stream.record.timing
        assert (timing.started_from, timing.time_to_first_token) == ("request", HEADER_DELAY)
        assert timing.time_to_first_chunk == timing.duration == HEADER_DELAY
        with tally.wrap(client.chat.completions.create(**REQUEST)) as stream:
            list(stream)
    timing = stream.record.timing
    assert (timing.started_from, timing.time_to_first_token) == ("wrap", 0.0)


@pytest.mark.anyio
async def test_late_headers_show_async(late: FakeProvider, tally: Tally) -> None:
    """Time to first token of an async request includes the wait for the headers."""
    async with (
        AsyncOpenAI(base_url=late.base_url, api_key="test") as client,
        tally.wrap(lambda: client.chat.completions.create(**REQUEST)) as stream,
    ):
        async for _ in stream:
            await asyncio.sleep(0)
    assert stream.record.timing.time_to_first_token == HEADER_DELAY


def refused(client: OpenAI, tally: Tally) -> Any:
    """Wrap a request that the provider refuses."""
    return tally.wrap(lambda: client.chat.completions.create(**REQUEST), params={"model": REQUEST["model"]})


def test_a_refusal_is_a_record(provider: FakeProvider, world: World) -> None:
    """On HTTP 429 the SDK's exception reaches the caller, and the record has status, model and `retryable`."""
    exporter = RecordingExporter()
    tally, client = Tally(exporters=[exporter]), world.client(Script.WHOLE)
    provider.enqueue(scenarios.refused(429))
    with pytest.raises(RateLimitError):
        list(refused(client, tally))
    (record,) = exporter.records
    assert (record.outcome, record.requested_model, record.usage) == (Outcome.ERROR, REQUEST["model"], None)
    assert record.error is not None
    assert (record.error.status, record.error.type, record.error.retryable) == (429, "rate_limit_exceeded", True)
    assert record.timing.started_from == "request"
    assert record.timing.duration is not None
    assert record.timing.time_to_first_token is None
