"""All that is sent over OTLP: spans, metrics, schema URL and resource, compared attribute by attribute.

The expectations are those of conventions 1.41; `RENAMED` and `METRICS` have the differences of other versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from inspect import signature
from typing import Any

import pytest
from opentelemetry._logs import Logger
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_WARN as WARN
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from streamtally import Tally
from streamtally.exporters import OtelExporter
from streamtally.exporters.profiles import PROFILES, Semconv
from streamtally.records import StreamRecord
from streamtally.testing import FakeClock
from tests.backends.cases import CASES, ERROR
from tests.backends.otlp import ReceivedMetric, ReceivedSpan, Receiver, receiving, values

VERSIONS: tuple[Semconv, ...] = ("1.41", "latest")
RESOURCE = {"service.name": "chat", "service.version": "1.2.3", "deployment.environment.name": "test"}

SCHEMA_URLS = {"1.41": "https://opentelemetry.io/schemas/1.41.1", "latest": ""}
"""The schema URL by version of the conventions; the later conventions have not published one."""

RENAMED: Mapping[str, Mapping[str, str]] = {
    "1.41": {},
    "latest": {"gen_ai.usage.cache_creation.input_tokens": "gen_ai.usage.cache_write.input_tokens"},
}

BASE = {
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
}
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)


@dataclass(frozen=True)
class Expected:
    """A metric of the conventions: its unit, its bounds (of a histogram), and its attributes beyond `BASE`."""

    unit: str
    bounds: tuple[float, ...] | None
    labels: frozenset[str] = frozenset()


_FAILING = frozenset({"error.type"})
_MODALITY = frozenset({"gen_ai.token.modality"})
METRICS: Mapping[str, Mapping[str, Expected]] = {
    "1.41": {
        "gen_ai.client.operation.duration": Expected("s", SECONDS, _FAILING),
        "gen_ai.client.operation.time_to_first_chunk": Expected("s", SECONDS),
        "gen_ai.client.operation.time_per_output_chunk": Expected("s", SECONDS),
        "gen_ai.client.token.usage": Expected("{token}", TOKENS, frozenset({"gen_ai.token.type"})),
    },
    "latest": {
        "gen_ai.client.inference.duration": Expected("s", SECONDS, _FAILING),
        "gen_ai.client.inference.time_to_first_chunk": Expected("s", SECONDS),
        "gen_ai.client.inference.time_per_output_chunk": Expected("s", SECONDS),
        "gen_ai.client.inference.operation.input_tokens": Expected("{token}", TOKENS, _FAILING),
        "gen_ai.client.inference.operation.output_tokens": Expected("{token}", TOKENS, _FAILING),
        "gen_ai.client.inference.usage.input_tokens": Expected("{token}", None, _MODALITY),
        "gen_ai.client.inference.usage.output_tokens": Expected("{token}", None, _MODALITY),
        "gen_ai.client.inference.usage.cache_read.input_tokens": Expected("{token}", None, _MODALITY),
        "gen_ai.client.inference.usage.cache_write.input_tokens": Expected("{token}", None, _MODALITY),
        "gen_ai.client.inference.usage.reasoning.output_tokens": Expected("{token}", None, _MODALITY),
    },
}
"""The metrics under `gen_ai.`, by version of the conventions."""

SDK = tuple(map(int, version("opentelemetry-sdk").split(".")[:2]))
"""Older releases omit the schema URL (before 1.31) and the recommended buckets (before 1.32)."""

NOTHING_TO_TELL = {
    "streamtally.dropped_records",
    "streamtally.estimated_tokens",
    "streamtally.exporter.failures",
    "streamtally.label_overflow",
}
"""Metrics that are not sent until they have a value."""


events_exist = pytest.mark.skipif(
    "event_name" not in signature(Logger.emit).parameters, reason="this version of opentelemetry-api has no events"
)


@dataclass(frozen=True)
class Sent:
    """All cases as they were received, and their records."""

    receiver: Receiver
    spans: Mapping[str, ReceivedSpan]
    metrics: Mapping[str, ReceivedMetric]
    records: Mapping[str, StreamRecord]


@pytest.fixture(scope="module", params=VERSIONS)
def profile(request: pytest.FixtureRequest) -> Semconv:
    """Each version of the conventions."""
    version: Semconv = request.param
    return version


@pytest.fixture(scope="module")
def sent(profile: Semconv) -> Iterator[Sent]:
    """All cases, streamed and sent by the SDK's own exporters."""
    with receiving() as receiver:
        resource = Resource.create(RESOURCE)
        tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{receiver.url}/v1/traces")))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{receiver.url}/v1/metrics"))
        meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
        loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{receiver.url}/v1/logs")))
        records: dict[str, StreamRecord] = {}
        clock = FakeClock()
        about: dict[str, Any] = {"conversation_id": "talk-1", "attributes": {"team": "search"}}
        with (
            Tally(clock=clock, exporters=[OtelExporter(tracers, meters, loggers, semconv=profile)]) as tally,
            tracers.get_tracer("application").start_as_current_span("request"),
        ):
            for name, case in CASES.items():
                records[name] = case.play.run(tally, clock, request_id=name, **about)
        tracers.shutdown()
        meters.shutdown()
        loggers.shutdown()
        spans = {str(span.attributes.get("streamtally.request.id")): span for span in receiver.spans()}
        yield Sent(receiver, spans, receiver.last_metrics(), records)


@pytest.mark.parametrize("name", CASES)
def test_a_span_says_what_the_conventions_say(sent: Sent, profile: Semconv, name: str) -> None:
    """Name, kind, status and exactly these attributes."""
    case, received = CASES[name], sent.spans[name]
    assert (received.span.name, received.span.kind) == (case.name, Span.SPAN_KIND_CLIENT)
    assert received.span.status.code == case.status
    about = {"streamtally.request.id": name, "gen_ai.conversation.id": "talk-1", "team": "search"}
    cost = sent.records[name].cost.usd
    priced = {} if cost is None else {"streamtally.cost.usd": float(cost)}
    expected = {RENAMED[profile].get(key, key): value for key, value in {**case.attributes, **about, **priced}.items()}
    assert received.attributes == expected


@pytest.mark.parametrize("name", CASES)
def test_a_span_lasts_as_long_as_its_stream(sent: Sent, name: str) -> None:
    """From the request to the end, to the microsecond; within the application's own span and its trace."""
    span, timing = sent.spans[name].span, sent.records[name].timing
    assert timing.duration is not None
    assert timing.started_at is not None
    assert span.end_time_unix_nano - span.start_time_unix_nano == round(timing.duration * 1e9)
    assert span.start_time_unix_nano == round(timing.started_at.timestamp() * 1e6) * 1000
    (parent,) = (one.span for one in sent.receiver.spans() if one.span.name == "request")
    assert (span.trace_id, span.parent_span_id) == (parent.trace_id, parent.span_id)


def test_everything_comes_in_its_envelope(sent: Sent, profile: Semconv) -> None:
    """The application's resource, the scope of streamtally, and the schema URL of the version."""
    received: list[ReceivedSpan | ReceivedMetric] = [*sent.spans.values(), *sent.metrics.values()]
    ours = [one for one in received if one.scope != "application"]
    assert len(ours) == len(CASES) + len(PROFILES[profile].instruments) - len(NOTHING_TO_TELL)
    for one in ours:
        assert one.resource.items() >= RESOURCE.items()
        assert one.scope == "streamtally"
        assert one.schema_url == SCHEMA_URLS[profile] or SDK < (1, 31)
    assert sent.receiver.refused == []


def test_the_conventions_metrics_are_all_there_and_no_others(sent: Sent, profile: Semconv) -> None:
    """Kind, unit, bounds and attributes of each; no metrics for model servers."""
    found = {name: received for name, received in sent.metrics.items() if name.startswith("gen_ai.")}
    assert found.keys() == METRICS[profile].keys()
    for name, expected in METRICS[profile].items():
        received = found[name]
        assert received.metric.unit == expected.unit, name
        assert _keys(received) == BASE | expected.labels, name
        if expected.bounds is None:
            assert received.metric.sum.is_monotonic, name
            assert received.metric.sum.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE, name
        elif SDK >= (1, 32):
            assert {tuple(point.explicit_bounds) for point in received.points} == {expected.bounds}, name


def test_other_metrics_have_the_prefix_and_few_labels(sent: Sent, profile: Semconv) -> None:
    """The name of each metric beyond the conventions begins with `streamtally.`, and it has few labels."""
    ours = {one.name: one for one in PROFILES[profile] if not one.name.startswith("gen_ai.")}
    assert {name for name in sent.metrics if not name.startswith("gen_ai.")} == ours.keys() - NOTHING_TO_TELL
    for name in ours.keys() - NOTHING_TO_TELL:
        assert name.startswith("streamtally.")
        assert sent.metrics[name].metric.unit == ours[name].unit
        assert _keys(sent.metrics[name]) <= BASE | set(ours[name].labels)


def test_every_stream_is_counted_once(sent: Sent, profile: Semconv) -> None:
    """Durations by error type, and outcomes."""
    (duration,) = (name for name in METRICS[profile] if name.endswith(".duration"))
    failed = {values(point.attributes).get("error.type"): 0 for point in sent.metrics[duration].points}
    for point in sent.metrics[duration].points:
        failed[values(point.attributes).get("error.type")] += point.count
    assert failed == {None: len(CASES) - 3, "server_error": 1, "Dropped": 1, "timeout": 1}
    outcomes: dict[str, float] = {}
    for point in sent.metrics["streamtally.streams"].points:
        outcome = values(point.attributes)["streamtally.outcome"]
        outcomes[outcome] = outcomes.get(outcome, 0) + point.as_int + point.as_double
    assert {outcome: count for outcome, count in outcomes.items() if count} == {
        "completed": len(CASES) - 6,
        "truncated": 2,
        "cancelled": 1,
        "error": 2,
        "timeout": 1,
    }


@events_exist
def test_an_exception_is_an_event_of_its_span(sent: Sent) -> None:
    """Each failed stream has one, a warning without the message; the others have none."""
    failed = {name for name, case in CASES.items() if case.status == ERROR}
    types = {}
    for event, attributes in sent.receiver.events():
        assert (event.event_name, event.severity_number) == ("gen_ai.client.operation.exception", WARN)
        assert "exception.message" not in attributes
        types[event.span_id] = attributes["exception.type"]
    assert types == {sent.spans[name].span.span_id: CASES[name].attributes["error.type"] for name in failed}


def test_no_content_leaves_unasked(sent: Sent) -> None:
    """No generated text, no tool name, no error message."""
    everything = b"".join(sent.receiver.bodies)
    assert b"gpt-4.1-mini" in everything
    assert [word for word in (b"look_up", b"no more", b"gone", b"END", b"processing your request") if word in everything] == []
    assert {received.span.status.message for received in sent.spans.values()} == {""}


def _keys(received: ReceivedMetric) -> set[str]:
    return {key for point in received.points for key in values(point.attributes)}
