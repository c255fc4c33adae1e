"""The backends of the acceptance tests: OpenTelemetry's SDK with exporters in memory, and a Prometheus registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

from streamtally import Tally
from streamtally.clock import Clock
from streamtally.exporters import OtelExporter, PrometheusExporter
from streamtally.testing import RecordingExporter

DURATION = "gen_ai.client.operation.duration"
FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
PER_CHUNK = "gen_ai.client.operation.time_per_output_chunk"
TOKENS = "gen_ai.client.token.usage"
FIRST_TOKEN = "streamtally.time_to_first_token"
STREAMS = "streamtally.streams"
ESTIMATED = "streamtally.estimated_tokens"

REASONS = "gen_ai.response.finish_reasons"
OUTCOME = "streamtally.outcome"

Point = NumberDataPoint | HistogramDataPoint


class Telemetry:
    """A tally that exports spans and metrics to these backends, and what they received.

    Args:
        clock: the tally's clock.
        labels: attributes of the records that become metric labels.
        exporters: further exporters.
    """

    def __init__(self, clock: Clock | None = None, *, labels: Iterable[str] = (), exporters: Iterable[Any] = ()) -> None:
        self.memory, self.reader, self.registry = InMemorySpanExporter(), InMemoryMetricReader(), CollectorRegistry()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.memory))
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.tracer = self.tracers.get_tracer("caller")
        self.otel = OtelExporter(self.tracers, self.meters, labels=labels)
        self.prometheus = PrometheusExporter(self.registry, labels=labels)
        self.recorder = RecordingExporter()
        self.tally = Tally(exporters=[self.otel, self.prometheus, self.recorder, *exporters], clock=clock)

    @property
    def finished(self) -> list[ReadableSpan]:
        """The spans of streamtally that have ended."""
        return [span for span in self.memory.get_finished_spans() if _scope(span) == "streamtally"]

    @property
    def callers(self) -> dict[str, ReadableSpan]:
        """The caller's spans that have ended, by name."""
        return {span.name: span for span in self.memory.get_finished_spans() if _scope(span) == "caller"}

    def span(self) -> ReadableSpan:
        """The only span of streamtally, after abandoned streams are exported too."""
        self.tally.flush()
        (span,) = self.finished
        return span

    def attributes(self) -> Mapping[str, Any]:
        """The attributes of the only span of streamtally."""
        return self.span().attributes or {}

    def points(self, name: str | None = None) -> list[Point]:
        """OpenTelemetry's data points of one metric, or of all."""
        self.tally.flush()
        return [point for metric, points in self.metrics().items() for point in points if name in (None, metric)]

    def metrics(self) -> dict[str, list[Point]]:
        """OpenTelemetry's data points by the metric's name, including those of other instrumentations."""
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        found: dict[str, list[Point]] = {}
        for metric in (metric for scope in scopes for metric in scope.metrics):
            points = [one for one in metric.data.data_points if isinstance(one, NumberDataPoint | HistogramDataPoint)]
            found.setdefault(metric.name, []).extend(points)
        return found

    def total(self, name: str, **labels: str) -> float:
        """The value of a counter, or the sum of a histogram, over all series with these labels (dots are written `__`)."""
        wanted = {label.replace("__", "."): value for label, value in labels.items()}
        points = [point for point in self.points(name) if wanted.items() <= dict(point.attributes or {}).items()]
        return sum(point.value if isinstance(point, NumberDataPoint) else point.sum for point in points)

    def count(self, name: str) -> int:
        """The number of values in a histogram."""
        return sum(point.count for point in self.points(name) if isinstance(point, HistogramDataPoint))

    def samples(self, name: str) -> list[Sample]:
        """Prometheus's samples of one name."""
        self.tally.flush()
        return [sample for metric in self.registry.collect() for sample in metric.samples if sample.name == name]

    def scraped(self, name: str) -> float:
        """The sum of these samples."""
        return sum(sample.value for sample in self.samples(name))

    def close(self) -> None:
        """End the tally and the providers."""
        self.tally.close()
        self.tracers.shutdown()
        self.meters.shutdown()


def _scope(span: ReadableSpan) -> str | None:
    return None if span.instrumentation_scope is None else span.instrumentation_scope.name


def span_id(span: Any) -> int:
    """The ID of a span."""
    return int(span.get_span_context().span_id)


def parent_id(span: ReadableSpan) -> int | None:
    """The ID of a span's parent."""
    return None if span.parent is None else span.parent.span_id
