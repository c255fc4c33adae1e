"""T25–T30: exact times, by a clock that the tests advance."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import openai
import pytest
from opentelemetry.sdk.trace import ReadableSpan

from streamtally import Tally
from streamtally.testing import FakeClock, FakeProvider
from tests.acceptance.calls import ANSWER, CHAT, CLAUDE_EVENTS
from tests.acceptance.telemetry import DURATION, FIRST_CHUNK, FIRST_TOKEN, PER_CHUNK, Telemetry
from tests.streams.sources import AsyncChunks, Script, Source, chat_chunk, chat_chunks

Timed = Sequence[tuple[float, Any]]
"""Chunks, each with the seconds that the provider takes for it."""


def playing(clock: FakeClock, chunks: Timed) -> Iterator[Any]:
    """A provider that takes the given time for each chunk."""
    for seconds, chunk in chunks:
        clock.advance(seconds)
        yield chunk


def seconds_of(span: ReadableSpan) -> float:
    """The length of a span in seconds."""
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


ROLE = chat_chunk({"role": "assistant", "content": ""})
WORD = chat_chunk({"content": "one"})
END = chat_chunk({}, "stop")


def test_t25_the_role_is_no_token(clock: FakeClock, timed: Telemetry) -> None:
    """Role after 30 ms, content after 100 ms: first chunk and first token differ, on span and metrics."""
    list(timed.tally.wrap(lambda: playing(clock, [(0.030, ROLE), (0.070, WORD), (0.020, END)])))
    attributes = timed.attributes()
    assert attributes["gen_ai.response.time_to_first_chunk"] == pytest.approx(0.030)
    assert attributes["streamtally.time_to_first_token"] == pytest.approx(0.100)
    assert timed.total(FIRST_CHUNK) == timed.scraped("gen_ai_client_operation_time_to_first_chunk_seconds_sum")
    assert [timed.total(FIRST_CHUNK), timed.total(FIRST_TOKEN)] == pytest.approx([0.030, 0.100])
    assert timed.scraped("streamtally_time_to_first_token_seconds_sum") == pytest.approx(0.100)


def _tool(**function: Any) -> dict[str, Any]:
    return chat_chunk({"tool_calls": [{"index": 0, "id": "call_0", "type": "function", "function": function}]})


FIRST_TOKENS: dict[str, Any] = {
    "text": WORD,
    "tool call": _tool(name="look_up", arguments=""),
    "tool arguments": _tool(arguments="{"),
    "reasoning": chat_chunk({"reasoning_content": "hm"}),
    "refusal": chat_chunk({"refusal": "no"}),
    "anthropic text": CLAUDE_EVENTS[2],
    "anthropic thinking": {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "thinking_delta", "thinking": "hm"},
    },
    "anthropic tool call": {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "tool_use", "id": "t", "name": "look_up", "input": {}},
    },
    "responses text": {"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "content_index": 0, "delta": "a"},
    "responses arguments": {
        "type": "response.function_call_arguments.delta",
        "item_id": "i",
        "output_index": 0,
        "delta": "{",
    },
}


@pytest.mark.parametrize("name", FIRST_TOKENS)
def test_t26_what_stops_the_clock(clock: FakeClock, timed: Telemetry, name: str) -> None:
    """Generated content of any kind is a first token."""
    dialect = "anthropic.messages" if "anthropic" in name else "openai.responses" if "responses" in name else "openai.chat"
    chunks = [(0.5, FIRST_TOKENS[name]), (1.0, FIRST_TOKENS[name])]
    list(timed.tally.wrap(lambda: playing(clock, chunks), dialect=dialect))
    assert timed.attributes()["streamtally.time_to_first_token"] == 0.5


NO_TOKENS: dict[str, Any] = {
    "role": ROLE,
    "empty text": chat_chunk({"content": ""}),
    "null": chat_chunk({"content": None}),
    "empty reasoning": chat_chunk({"reasoning_content": ""}),
    "empty arguments": chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": ""}}]}),
    "usage": chat_chunks()[-1],
    "anthropic head": CLAUDE_EVENTS[0],
    "anthropic block": CLAUDE_EVENTS[1],
    "anthropic ping": {"type": "ping"},
    "anthropic empty text": {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}},
    "responses head": {"type": "response.created", "response": {"id": "r", "object": "response", "output": []}},
}


@pytest.mark.parametrize("name", NO_TOKENS)
def test_t26_what_does_not_stop_the_clock(clock: FakeClock, timed: Telemetry, name: str) -> None:
    """A role, an empty text, a ping and usage are no first token."""
    prefix = name.split()[0]
    dialect = {"anthropic": "anthropic.messages", "responses": "openai.responses"}.get(prefix, "openai.chat")
    word = FIRST_TOKENS.get(f"{prefix} text", WORD)
    list(timed.tally.wrap(lambda: playing(clock, [(0.5, NO_TOKENS[name]), (1.0, word)]), dialect=dialect))
    assert timed.attributes()["streamtally.time_to_first_token"] == 1.5


HEADERS = 0.080


def test_t27_the_delay_of_the_headers_counts(clock: FakeClock, timed: Telemetry) -> None:
    """If the caller gives the time of the request, every latency includes the time until the stream was open."""
    began = clock.monotonic_ns() / 1e9
    clock.advance(HEADERS)
    list(timed.tally.wrap(playing(clock, [(0.020, WORD), (0, END)]), started_at=began))
    assert timed.attributes()["streamtally.time_to_first_token"] == pytest.approx(HEADERS + 0.020)
    assert timed.total(FIRST_TOKEN) == timed.total(DURATION) == pytest.approx(HEADERS + 0.020)


def test_t27_the_delay_of_real_headers_counts(clock: FakeClock, timed: Telemetry) -> None:
    """Over HTTP, if `wrap` makes the request; a stream that was already open has no latency."""
    with FakeProvider(sleep=clock.sleep) as provider, openai.OpenAI(base_url=provider.base_url, api_key="test") as client:
        provider.enqueue(*[ANSWER.delayed(headers=HEADERS)] * 2)
        with timed.tally.wrap(lambda: client.chat.completions.create(**CHAT)) as stream:
            list(stream)
        assert timed.attributes()["streamtally.time_to_first_token"] == HEADERS
        with timed.tally.wrap(client.chat.completions.create(**CHAT)) as stream:
            list(stream)
    assert (timed.count(FIRST_TOKEN), timed.count(DURATION)) == (1, 1)
    assert "gen_ai.response.time_to_first_chunk" not in (timed.finished[-1].attributes or {})


def test_t28_the_consumer_s_time_is_not_the_provider_s(clock: FakeClock, timed: Telemetry) -> None:
    """The consumer takes 50 ms and the provider none: there is no provider wait, only consumer wait."""
    with timed.tally.wrap(lambda: playing(clock, [(0.0, chunk) for chunk in chat_chunks()])) as stream:
        for _ in stream:
            clock.advance(0.050)
    timing: Any = stream.record.timing
    assert (timing.provider_wait, timing.inter_chunk.max) == (0.0, 0.0)
    assert timing.consumer_wait == pytest.approx(5 * 0.050)
    assert timing.duration == pytest.approx(6 * 0.050)
    assert (timed.count(PER_CHUNK) > 0, timed.total(PER_CHUNK)) == (True, 0.0)


def test_t28_the_provider_s_time_is_not_the_consumer_s(clock: FakeClock, timed: Telemetry) -> None:
    """The provider takes 50 ms and the consumer none."""
    with timed.tally.wrap(lambda: playing(clock, [(0.050, chunk) for chunk in chat_chunks()])) as stream:
        list(stream)
    timing: Any = stream.record.timing
    assert timing.provider_wait == pytest.approx(6 * 0.050)
    assert timing.consumer_wait == 0.0
    assert timed.total(PER_CHUNK) == pytest.approx(0.050 * timed.count(PER_CHUNK)) != 0


class SlowToClose(AsyncChunks):
    """A source that takes time to close."""

    clock: FakeClock

    async def aclose(self) -> None:
        self.clock.advance(100)
        await super().aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("reads", [1, 6, 7], ids=["left early", "left at the end", "exhausted"])
async def test_t29_the_end_is_before_the_closing(clock: FakeClock, timed: Telemetry, reads: int) -> None:
    """The time to close the source is in neither span nor metrics."""
    source = Source(Script.WHOLE)

    def ask() -> AsyncChunks:
        made = SlowToClose(source)
        made.clock = clock
        return made

    async with timed.tally.wrap(ask) as stream:
        for _ in range(reads):
            clock.advance(0.5)
            await anext(stream, None)
    assert source.closed == 1
    assert seconds_of(timed.span()) == timed.total(DURATION) == 0.5 * reads


class SteppedBack(FakeClock):
    """A clock whose wall-clock time is set back by an hour on request."""

    stepped = False

    def wall_ns(self, stamp: int) -> int:
        return super().wall_ns(stamp) - 3_600 * 10**9 * self.stepped


def _check_times(telemetry: Telemetry, record: Any) -> None:
    assert seconds_of(telemetry.span()) >= 0
    figures = record.timing.model_dump()
    numbers = [*figures.values(), *(figures["inter_chunk"] or {}).values()]
    assert [number for number in numbers if isinstance(number, int | float) and number < 0] == []
    sums = [point.sum for points in telemetry.metrics().values() for point in points if hasattr(point, "sum")]
    assert min(sums) >= 0


def test_t30_a_wall_clock_that_steps_back() -> None:
    """No duration is negative and no span ends before its start: durations are monotonic time."""
    clock = SteppedBack()
    telemetry = Telemetry(clock)
    with telemetry.tally.wrap(lambda: playing(clock, [(0.5, chunk) for chunk in chat_chunks()])) as stream:
        next(stream)
        clock.stepped = True
        list(stream)
    assert seconds_of(telemetry.span()) == telemetry.total(DURATION) == 3.0
    _check_times(telemetry, stream.record)
    telemetry.close()


def test_t30_stamps_that_step_back(timed: Telemetry) -> None:
    """No duration is negative if the times given with chunks contradict each other and the start."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    timed.tally.open("r", started_at=began)
    record = None
    for number, chunk in enumerate(chat_chunks()):
        record = timed.tally.add("r", chunk, index=number, at=began - timedelta(seconds=number)) or record
    _check_times(timed, record or timed.tally.finish("r"))


def test_t30_the_system_s_wall_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package reads the system's wall clock once, and never for a difference."""
    import time

    telemetry = Telemetry()
    now = time.time_ns()
    with telemetry.tally.wrap(chat_chunks) as stream:
        next(stream)
        monkeypatch.setattr(time, "time_ns", lambda: now - 10**15)
        monkeypatch.setattr(time, "time", lambda: now / 1e9 - 10**6)
        list(stream)
    _check_times(telemetry, stream.record)
    telemetry.close()


async def _aplaying(clock: FakeClock, chunks: Timed) -> AsyncIterator[Any]:
    for chunk in playing(clock, chunks):
        yield chunk


@pytest.mark.anyio
async def test_t25_and_t28_async(clock: FakeClock) -> None:
    """An async source is timed in the same way."""
    async with Tally(clock=clock).wrap(lambda: _aplaying(clock, [(0.030, ROLE), (0.070, WORD), (0.0, END)])) as stream:
        async for _ in stream:
            clock.advance(0.050)
    timing = stream.record.timing
    assert timing.time_to_first_chunk == pytest.approx(0.030)
    assert timing.time_to_first_token == pytest.approx(0.150)
    assert timing.provider_wait == pytest.approx(0.100)
    assert timing.consumer_wait == pytest.approx(0.100)
