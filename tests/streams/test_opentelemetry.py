"""The caller's span stays the current one: no context of the wrapper is attached while the caller's code runs."""

import asyncio
import contextvars
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from streamtally import Tally
from streamtally.exporters import OtelExporter
from streamtally.testing import RecordingExporter
from tests.streams.sources import AsyncIterable, Script, Source, chat_chunks


class Traces:
    """A tracer of the caller, and a tally that exports its spans to the same memory."""

    def __init__(self) -> None:
        self.memory = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.memory))
        self.tracer: Tracer = provider.get_tracer("caller")
        self.tally = Tally(exporters=[OtelExporter(tracer_provider=provider)])

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """The finished spans by name; the span of the tally is called "ours"."""
        finished = self.memory.get_finished_spans()
        assert len(finished) == len({span.name for span in finished})
        return {span.name if span.name in ("caller", "body", "inner") else "ours": span for span in finished}


@pytest.fixture
def traces() -> Traces:
    """A tracer and a tally that export to memory."""
    return Traces()


@pytest.fixture(autouse=True)
def _no_warnings(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check that OpenTelemetry logged nothing; it logs an error when a context is detached that is not attached."""
    yield
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def parent_of(span: ReadableSpan) -> int | None:
    """Return the ID of a span's parent."""
    return None if span.parent is None else span.parent.span_id


def id_of(span: ReadableSpan) -> int:
    """Return the ID of a span."""
    context: Any = span.get_span_context()
    return int(context.span_id)


def check_parents(spans: dict[str, ReadableSpan]) -> None:
    """Check that the tally's span and that of the loop's body are children of the caller's span."""
    assert set(spans) == {"caller", "body", "ours"}
    assert parent_of(spans["ours"]) == parent_of(spans["body"]) == id_of(spans["caller"])


def test_the_loop_s_body_is_the_caller_s(traces: Traces) -> None:
    """In the loop's body, after a break and after the end, the caller's span is current."""
    with traces.tracer.start_as_current_span("caller") as own:
        with traces.tally.wrap(chat_chunks()) as stream:
            assert trace.get_current_span() is own
            for number, _ in enumerate(stream):
                assert trace.get_current_span() is own
                if number == 1:
                    with traces.tracer.start_as_current_span("body"):
                        pass
                    break
            assert trace.get_current_span() is own
        assert trace.get_current_span() is own
    check_parents(traces.spans)


@pytest.mark.anyio
async def test_the_async_loop_s_body_is_the_caller_s(traces: Traces) -> None:
    """In the body of an async loop and after it, the caller's span is current."""
    with traces.tracer.start_as_current_span("caller") as own:
        async with traces.tally.wrap(AsyncIterable(Source(Script.WHOLE))) as stream:
            async for _ in stream:
                assert trace.get_current_span() is own
            with traces.tracer.start_as_current_span("body"):
                pass
        assert trace.get_current_span() is own
    check_parents(traces.spans)


def test_the_parent_is_fixed_when_it_is_wrapped(traces: Traces) -> None:
    """The parent of a stream's span is the span that is current when it is wrapped."""
    with traces.tracer.start_as_current_span("caller"):
        stream = traces.tally.wrap(chat_chunks())
    with traces.tracer.start_as_current_span("body") as other:
        next(stream)
        assert trace.get_current_span() is other
    list(stream)
    spans = traces.spans
    assert parent_of(spans["ours"]) == id_of(spans["caller"])
    assert parent_of(spans["body"]) is None


@pytest.mark.anyio
async def test_across_tasks(traces: Traces) -> None:
    """A stream that several tasks wrap, read, abandon and export keeps its parent span."""

    async def begin() -> list[Any]:
        with traces.tracer.start_as_current_span("caller"):
            return [traces.tally.wrap(AsyncIterable(Source(Script.WHOLE)))]

    async def read(holder: list[Any]) -> None:
        await anext(holder[0])

    async def drop(holder: list[Any]) -> None:
        holder.clear()
        gc.collect()

    holder = await asyncio.create_task(begin())
    await asyncio.create_task(read(holder))
    await asyncio.create_task(drop(holder))
    for _ in range(3):
        await asyncio.sleep(0)
    assert "ours" not in traces.spans
    await asyncio.create_task(traces.tally.aflush())
    spans = traces.spans
    assert parent_of(spans["ours"]) == id_of(spans["caller"])


@pytest.mark.parametrize("with_", [True, False], ids=["with", "break"])
def test_what_is_attached_is_detached_before_each_yield(traces: Traces, monkeypatch: pytest.MonkeyPatch, with_: bool) -> None:
    """No context of the tally is attached whenever the caller's code runs."""
    attached: list[object] = []
    attach, detach = context.attach, context.detach

    def counted_attach(attached_context: Any) -> Any:
        attached.append(attached_context)
        return attach(attached_context)

    def counted_detach(token: Any) -> None:
        attached.pop()
        detach(token)

    monkeypatch.setattr(context, "attach", counted_attach)
    monkeypatch.setattr(context, "detach", counted_detach)
    stream = traces.tally.wrap(chat_chunks())
    for number, _ in enumerate(stream):
        assert attached == []
        if number == 1:
            break
    if with_:
        with stream:
            pass
    del stream
    traces.tally.flush()
    assert attached == []
    assert len(traces.spans) == 1


@pytest.mark.parametrize("early", [True, False], ids=["closed early", "exhausted"])
def test_the_caller_s_context_is_as_it_was(traces: Traces, early: bool) -> None:
    """Reading sets no context variable, even in a generator that another context closes."""

    def consumer() -> Iterator[Any]:
        with traces.tally.wrap(chat_chunks()) as stream:
            yield from stream

    generator = consumer()
    first, second = contextvars.copy_context(), contextvars.copy_context()
    before = dict(first)
    first.run(next, generator)
    assert dict(first) == before
    if early:
        second.run(generator.close)  # type: ignore[attr-defined]
    else:
        second.run(list, generator)
    assert dict(second) == before
    assert len(traces.spans) == 1


def test_spans_inside_a_read_are_the_reader_s(traces: Traces) -> None:
    """Spans of the source are children of the span that is current where it is read."""

    def source() -> Iterator[Any]:
        with traces.tracer.start_as_current_span("inner"):
            pass
        yield chat_chunks()[0]

    with traces.tracer.start_as_current_span("caller"):
        list(traces.tally.wrap(source()))
    spans = traces.spans
    assert parent_of(spans["inner"]) == id_of(spans["caller"])


@pytest.mark.anyio
async def test_starts_and_ends_balance() -> None:
    """Streams that end in many ways have one start and one end each."""
    exporter = RecordingExporter()
    tally = Tally(exporters=[exporter])

    async def source() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    for number in range(100):
        stream = tally.wrap(source())
        for _ in range(number % 5):
            await anext(stream, None)
        if number % 2:
            await stream.aclose()
        del stream
        await asyncio.sleep(0)
    for _ in range(3):
        await asyncio.sleep(0)
    tally.flush()
    assert {record.request_id for record in exporter.started} == {record.request_id for record in exporter.records}
    assert len(exporter.started) == len(exporter.records) == 100
