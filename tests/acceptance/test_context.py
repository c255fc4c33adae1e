"""T1–T4: the wrapper never changes the current span, before, between or after the chunks."""

import asyncio
import gc
import logging
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.context import Context

from streamtally.testing import FakeProvider
from tests.acceptance.calls import ANSWER, CHAT
from tests.acceptance.telemetry import Telemetry, parent_id, span_id
from tests.streams.exits import run_loop_until


@pytest.fixture(autouse=True)
def _answer(provider: FakeProvider) -> None:
    """The next request is answered with a chat."""
    provider.enqueue(ANSWER)


def _complaints(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [one for one in caplog.records if one.name.startswith("opentelemetry")]


@pytest.mark.anyio
async def test_t01_no_detach_error_across_tasks(
    telemetry: Telemetry, async_openai_client: openai.AsyncOpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    """Created in one task, read in another, collected in a third: OpenTelemetry logs no error."""
    left: list[Any] = []

    async def make() -> None:
        with telemetry.tracer.start_as_current_span("caller"):
            left.append(telemetry.tally.wrap(await async_openai_client.chat.completions.create(**CHAT)))

    async def read() -> None:
        async for _ in left[0]:
            break

    async def drop() -> None:
        left.clear()
        gc.collect()

    for step in (make, read, drop):
        await asyncio.create_task(step())
    await run_loop_until(lambda: False, turns=10)
    assert parent_id(telemetry.span()) == span_id(telemetry.callers["caller"])
    assert _complaints(caplog) == []


class Attached:
    """A runtime context that counts what is attached and not detached."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.attachments = 0
        self.tokens: list[Any] = []

    def attach(self, context: Context) -> Any:
        self.attachments += 1
        self.tokens.append(self.real.attach(context))
        return self.tokens[-1]

    def get_current(self) -> Any:
        return self.real.get_current()

    def detach(self, token: Any) -> None:
        self.tokens.remove(token)
        self.real.detach(token)


@pytest.fixture
def attached(monkeypatch: pytest.MonkeyPatch) -> Iterator[Attached]:
    """All that is attached, through any function of OpenTelemetry."""
    from opentelemetry import context

    spy = Attached(context._RUNTIME_CONTEXT)
    monkeypatch.setattr(context, "_RUNTIME_CONTEXT", spy)
    with trace.use_span(trace.INVALID_SPAN):
        assert spy.tokens != []  # it sees what it is to see
    yield spy
    assert spy.tokens == []


def test_t02_nothing_is_attached_across_a_yield(telemetry: Telemetry, openai_client: openai.OpenAI, attached: Attached) -> None:
    """After each `next`, and at the end, nothing is attached."""
    stream = telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT))
    for _ in stream:
        assert attached.tokens == []
    assert len(telemetry.finished) == 1


@pytest.mark.anyio
async def test_t02_nothing_is_attached_across_an_async_yield(
    telemetry: Telemetry, async_openai_client: openai.AsyncOpenAI, attached: Attached
) -> None:
    """After each `anext`, and after an early end, nothing is attached."""
    async with telemetry.tally.wrap(lambda: async_openai_client.chat.completions.create(**CHAT)) as stream:
        await anext(stream)
        assert attached.tokens == []
        await anext(stream)
        assert attached.tokens == []
    assert len(telemetry.finished) == 1


@pytest.mark.parametrize("held", [True, False], ids=["held", "dropped"])
def test_t03_after_a_break_the_caller_s_span_is_current(telemetry: Telemetry, openai_client: openai.OpenAI, held: bool) -> None:
    """Also if the stream was collected; outside of any span there is no current span."""
    with telemetry.tracer.start_as_current_span("caller") as own:
        stream = telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT))
        for _ in stream:
            assert trace.get_current_span() is own
            break
        if not held:
            del stream
        assert trace.get_current_span() is own
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_t04_a_span_of_the_loop_s_body_is_the_caller_s_child(telemetry: Telemetry, openai_client: openai.OpenAI) -> None:
    """A span of the loop's body is a child of the caller's span, as the stream's span is, and not of the stream's span."""
    with telemetry.tracer.start_as_current_span("caller"):
        for _ in telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT)):
            with telemetry.tracer.start_as_current_span("body"):
                pass
    caller = span_id(telemetry.callers["caller"])
    assert parent_id(telemetry.callers["body"]) == caller
    assert parent_id(telemetry.span()) == caller
