"""T8–T10: each stream that starts also ends, and leaves no objects behind."""

import gc
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from prometheus_client import CollectorRegistry

from streamtally import Tally
from streamtally.exporters import OtelExporter, PrometheusExporter
from streamtally.streams import BLOCK
from tests.acceptance.telemetry import Telemetry
from tests.streams.exits import EXITS, Bench
from tests.streams.sources import SYNC_KINDS, World, chat_chunk, chat_chunks


class Counting(SpanProcessor):
    """Counts starts and ends, and keeps no references."""

    def __init__(self) -> None:
        self.started: Counter[int] = Counter()
        self.ended: Counter[int] = Counter()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's signature
        self.started[_id(span)] += 1

    def on_end(self, span: ReadableSpan) -> None:
        self.ended[_id(span)] += 1


def _id(span: Any) -> int:
    return int(span.get_span_context().span_id)


def test_t08_as_many_ends_as_starts(telemetry: Telemetry, world: World) -> None:
    """A hundred streams, with every kind of end: each span is started once and ended once."""
    counting = Counting()
    telemetry.tracers.add_span_processor(counting)
    ways = [way for way in EXITS.values() if way.sync is not None]
    kind = next(kind for kind in SYNC_KINDS if kind.name == "iterable")
    benches: list[Bench] = []
    for number in range(100):
        way = ways[number % len(ways)]
        benches.append(bench := Bench(kind.make(way.script, world)))
        bench.tally = Tally(exporters=[telemetry.otel, telemetry.prometheus, bench.exporter])
        assert way.sync is not None
        way.sync(bench)
    gc.collect()
    for bench in benches:
        bench.tally.flush()
        assert len(bench.exporter.started) == len(bench.exporter.records) == 1
    assert len(counting.started) == 100
    assert counting.started == counting.ended == Counter(dict.fromkeys(counting.started, 1))
    assert telemetry.scraped("streamtally_active_streams") == telemetry.total("streamtally.active_streams") == 0


def _census() -> Counter[str]:
    """The number of objects of the types of streamtally and of the backends."""
    gc.collect()
    kinds = (type(one) for one in gc.get_objects())
    ours = ("streamtally", "opentelemetry", "prometheus_client")
    return Counter(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds if str(kind.__module__).startswith(ours))


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
def test_t09_ten_thousand_abandoned_streams() -> None:
    """The number of objects of each type is the same after 500 as after 10,000, except for a few in use."""
    tracers, meters = TracerProvider(shutdown_on_exit=False), MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    tracers.add_span_processor(counting := Counting())
    tally = Tally(exporters=[OtelExporter(tracers, meters), PrometheusExporter(CollectorRegistry())])
    chunks = chat_chunks()[:2]

    def abandon(count: int) -> Counter[str]:
        for number in range(count):
            stream = tally.wrap(chunks)
            if number % 2:
                next(stream)
            del stream
        tally.flush()
        assert len(tally.accumulator) == 0
        return _census()

    before = abandon(500)
    assert {kind: more for kind, more in (abandon(9_500) - before).items() if more > 10} == {}
    assert len(counting.started) == sum(counting.ended.values()) == 10_000
    tally.close()


class Payload(dict[str, Any]):
    """A payload that supports weak references."""


def _payload() -> Any:
    return Payload(chat_chunk({"content": "x"}))


_CHOICES = [Choice.model_construct(index=0, delta=ChoiceDelta.model_construct(content="x"), finish_reason=None)]


def _sdk_object() -> Any:
    return ChatCompletionChunk.model_construct(id="c", model="m", object="chat.completion.chunk", created=1, choices=_CHOICES)


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
@pytest.mark.parametrize("make", [_payload, _sdk_object])
def test_t10_a_hundred_thousand_chunks(telemetry: Telemetry, make: Callable[[], Any]) -> None:
    """The text is kept, the chunks are not: neither while the stream is read, nor in its record."""
    seen: list[weakref.ref[Any]] = []

    def source() -> Iterator[Any]:
        for number in range(100_000):
            chunk = make()
            seen.append(weakref.ref(chunk))
            yield chunk
            del chunk
            if number == 50_000:
                assert sum(reference() is not None for reference in seen) <= BLOCK

    stream = telemetry.tally.wrap(source())
    for _ in stream:
        pass
    del _
    assert len(seen) == stream.record.chunk_count == 100_000
    assert stream.record.text == "x" * 100_000
    assert not any(reference() for reference in seen)
