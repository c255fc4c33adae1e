"""T5–T7, T11–T13: however a stream ends, it has one span with the outcome."""

import asyncio
import gc
import inspect
from typing import Any

import openai
import pytest
from opentelemetry.trace import StatusCode

from streamtally import Outcome, replay
from streamtally.testing import FakeProvider, Scenario
from tests.acceptance.calls import ANSWER, CHAT, CLAUDE, CLAUDE_ANSWER, CLAUDE_EVENTS, bench, claude, kinds
from tests.acceptance.telemetry import DURATION, OUTCOME, REASONS, STREAMS, Telemetry
from tests.dialects.test_malformed import STREAMS as DIALECTS
from tests.streams.exits import EXITS, run_loop_until
from tests.streams.sources import Kind, Source, World


def _each(mode: str, way: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in kinds(mode, way)])


async def _made(kind: Kind, way: str, world: World) -> Source:
    made = kind.make(EXITS[way].script, world)
    source: Source = await made if inspect.isawaitable(made) else made
    return source


async def _let_go() -> None:
    """Collect unreachable objects, and let the loop close the generators among them."""
    for _ in range(2):
        gc.collect()
        await run_loop_until(lambda: False, turns=20)


def _check(telemetry: Telemetry, outcome: Outcome) -> None:
    """One span, which is no error and has the finish reason "error"; one stream is counted in each backend."""
    attributes = telemetry.attributes()
    assert (attributes[OUTCOME], attributes[REASONS]) == (outcome.value, ("error",))
    assert telemetry.span().status.status_code is StatusCode.UNSET
    assert "error.type" not in attributes
    assert telemetry.total(STREAMS) == telemetry.total(STREAMS, streamtally__outcome=outcome.value) == 1
    assert telemetry.scraped("streamtally_streams_total") == 1
    assert telemetry.scraped("streamtally_active_streams") == 0
    assert len(telemetry.tally.accumulator) == 0


DROPPED = "break, reference dropped"


@_each("sync", DROPPED)
def test_t05_a_bare_break_and_the_last_reference_gone(telemetry: Telemetry, world: World, kind: Kind) -> None:
    """Nothing is exported by the garbage collector; the next flush exports one span."""
    way = EXITS[DROPPED].sync
    assert way is not None
    way(bench(kind.make(EXITS[DROPPED].script, world), telemetry))
    gc.collect()
    assert telemetry.finished == []
    _check(telemetry, Outcome.ABANDONED)


@pytest.mark.anyio
@_each("async", DROPPED)
async def test_t05_an_async_break_and_the_last_reference_gone(telemetry: Telemetry, aworld: World, kind: Kind) -> None:
    """For async streams too nothing is exported by the garbage collector; the next flush exports one span."""
    way = EXITS[DROPPED].asynchronous
    assert way is not None
    await way(bench(await _made(kind, DROPPED, aworld), telemetry))
    await _let_go()
    assert telemetry.finished == []
    _check(telemetry, Outcome.ABANDONED)
    await _let_go()


BROKEN = "break inside with"


@_each("sync", BROKEN)
def test_t06_with_and_break(telemetry: Telemetry, world: World, kind: Kind) -> None:
    """Every kind of source: the span has ended at the end of the `with` block, without a flush."""
    way = EXITS[BROKEN].sync
    assert way is not None
    stream = way(bench(kind.make(EXITS[BROKEN].script, world), telemetry))
    assert len(telemetry.finished) == 1
    assert stream.record.outcome is Outcome.CANCELLED
    _check(telemetry, Outcome.CANCELLED)


@pytest.mark.anyio
@_each("async", BROKEN)
async def test_t06_async_with_and_break(telemetry: Telemetry, aworld: World, kind: Kind) -> None:
    """Every kind of async source: the span has ended at the end of the `async with` block, without a flush."""
    way = EXITS[BROKEN].asynchronous
    assert way is not None
    stream = await way(bench(await _made(kind, BROKEN, aworld), telemetry))
    assert len(telemetry.finished) == 1
    assert stream.record.outcome is Outcome.CANCELLED
    _check(telemetry, Outcome.CANCELLED)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_t06_with_and_break_in_every_dialect(telemetry: Telemetry, dialect: str) -> None:
    """Every dialect: cancelled after the first payload, unless that was the complete answer."""
    with telemetry.tally.wrap(iter(DIALECTS[dialect]), dialect=dialect) as stream:
        for _ in stream:
            break
    (span,) = telemetry.finished
    whole = replay(DIALECTS[dialect][:1], dialect=dialect).outcome is Outcome.COMPLETED and stream.record.finish_reason
    assert (span.attributes or {})[OUTCOME] == ("completed" if whole else "cancelled")


CLOSED = "closed early"


@_each("sync", CLOSED)
def test_t07_an_early_close(telemetry: Telemetry, world: World, kind: Kind) -> None:
    """One span; a second close (`closed_early` closes twice) has no effect."""
    way, source = EXITS[CLOSED].sync, kind.make(EXITS[CLOSED].script, world)
    assert way is not None
    way(bench(source, telemetry))
    assert len(telemetry.finished) == 1
    assert source.closed <= 1
    _check(telemetry, Outcome.CANCELLED)


@pytest.mark.anyio
@_each("async", CLOSED)
async def test_t07_an_early_aclose(telemetry: Telemetry, aworld: World, kind: Kind) -> None:
    """Every kind of async source: there is one span, and a second `aclose` has no effect."""
    way, source = EXITS[CLOSED].asynchronous, await _made(kind, CLOSED, aworld)
    assert way is not None
    await way(bench(source, telemetry))
    assert len(telemetry.finished) == 1
    assert source.closed <= 1
    _check(telemetry, Outcome.CANCELLED)


CANCELLED = "cancelled while reading"


@pytest.mark.anyio
@_each("async", CANCELLED)
async def test_t11_cancelled_in_the_middle_of_a_read(telemetry: Telemetry, aworld: World, kind: Kind) -> None:
    """The span has ended before the await returns, and the exception is the original one. A cancellation is no error."""
    source = await _made(kind, CANCELLED, aworld)
    stream = source.wrapped(telemetry.tally)
    waits, ended = asyncio.Event(), list[int]()
    caught: list[BaseException] = []

    async def read() -> None:
        seen = 0
        try:
            async for _ in stream:
                seen += 1
                if seen == 3:
                    waits.set()
        except asyncio.CancelledError as error:
            ended.append(len(telemetry.finished))
            caught.append(error)
            raise

    task = asyncio.create_task(read())
    await waits.wait()
    await run_loop_until(lambda: False, turns=5)
    assert telemetry.finished == []
    task.cancel("enough")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [1]
    assert source.raised in (None, caught[0])
    assert caught[0].args in (("enough",), ())  # what the HTTP library raises anew has no message
    _check(telemetry, Outcome.CANCELLED)
    await _let_go()


FAILURES: dict[str, Scenario] = {
    "an error event": ANSWER.failing(3),
    "a dropped connection": ANSWER.cut(len(b"".join(ANSWER.frames[:3]))),
}


def _error_type(telemetry: Telemetry) -> str:
    """The error type, which is the same on span and metrics; the span's status is ERROR."""
    span, error_type = telemetry.span(), telemetry.attributes()["error.type"]
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    (point,) = telemetry.points(DURATION)
    assert (point.attributes or {})["error.type"] == error_type
    (sample,) = telemetry.samples("gen_ai_client_operation_duration_seconds_count")
    assert (sample.labels["error_type"], sample.value) == (error_type, 1)
    return str(error_type)


@pytest.mark.parametrize("name", FAILURES)
def test_t12_an_error_in_the_middle(
    telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider, name: str
) -> None:
    """The SDK's exception reaches the caller; span and duration have its type, which a later close does not overwrite."""
    provider.enqueue(FAILURES[name])
    stream = telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT))
    with pytest.raises(Exception, match=r".") as caught, stream:
        list(stream)
    stream.close()
    assert _error_type(telemetry) == type(caught.value).__name__ != "Exception"
    assert telemetry.attributes()[REASONS] == ("error",)


def test_t12_an_error_event_of_anthropic(telemetry: Telemetry, anthropic_client: Any, provider: FakeProvider) -> None:
    """Anthropic's exception reaches the caller; the span has its type and the outcome error."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    provider.enqueue(claude([*CLAUDE_EVENTS[:4], error]))
    stream = telemetry.tally.wrap(lambda: anthropic_client.messages.create(**CLAUDE, stream=True))
    with pytest.raises(Exception, match="Overloaded") as caught:
        list(stream)
    assert _error_type(telemetry) == type(caught.value).__name__
    assert telemetry.attributes()[OUTCOME] == "error"


def _ask(telemetry: Telemetry, client: Any, api: str) -> Any:
    if api == "openai":
        return telemetry.tally.wrap(lambda: client.chat.completions.create(**CHAT))
    return telemetry.tally.wrap(lambda: client.messages.create(**CLAUDE, stream=True))


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_t13_an_end_without_a_finish(
    telemetry: Telemetry, request: pytest.FixtureRequest, provider: FakeProvider, api: str
) -> None:
    """The transport ends normally, but the record is truncated, and the finish reason is "error"."""
    answer = {"openai": ANSWER, "anthropic": CLAUDE_ANSWER}[api]
    provider.enqueue(answer.cut(len(b"".join(answer.frames[:4])), clean=True))
    list(_ask(telemetry, request.getfixturevalue(f"{api}_client"), api))
    _check(telemetry, Outcome.TRUNCATED)


FINISHED = {"openai": 5, "anthropic": 7}
"""Chunks up to the finish reason: a role or head, three words and what is around them, the reason."""


@pytest.mark.parametrize("api", FINISHED)
@pytest.mark.parametrize("dropped", [False, True], ids=["closed", "dropped"])
def test_t13_finished_and_then_left(
    telemetry: Telemetry, request: pytest.FixtureRequest, provider: FakeProvider, api: str, dropped: bool
) -> None:
    """A stream that is closed after its finish reason is complete: the outcome is completed."""
    provider.enqueue({"openai": ANSWER, "anthropic": CLAUDE_ANSWER}[api])
    stream = _ask(telemetry, request.getfixturevalue(f"{api}_client"), api)
    for _ in range(FINISHED[api]):
        next(stream)
    if not dropped:
        stream.close()
    del stream
    attributes = telemetry.attributes()
    assert (attributes[OUTCOME], attributes[REASONS]) == ("completed", ("stop",))
    assert telemetry.span().status.status_code is StatusCode.UNSET


def test_t13_of_several_choices_those_that_never_finished(telemetry: Telemetry) -> None:
    """The finish reasons are in the order of the choices."""
    chunk: dict[str, Any] = {"object": "chat.completion.chunk", "model": "m"}
    contents = [{**chunk, "choices": [{"index": place, "delta": {"content": "x"}, "finish_reason": None}]} for place in (0, 1)]
    finish = {**chunk, "choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]}
    list(telemetry.tally.wrap([*contents, finish], params={"n": 3}))
    assert telemetry.attributes()[REASONS] == ("error", "length", "error")
