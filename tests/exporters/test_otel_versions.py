"""Spans and metrics by each version of the conventions; events; content of requests; links; the metrics of the package itself."""

import inspect
import json
import logging
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from opentelemetry import _logs
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from streamtally import Tally
from streamtally.exporters import OtelExporter, PrometheusExporter, labels, names, profiles, totals
from streamtally.exporters.environment import CAPTURE, STABILITY
from streamtally.exporters.messages import Part
from streamtally.exporters.profiles import PROFILES
from streamtally.records import Choice, Outcome, StreamRecord, Usage
from tests.exporters.samples import MARK, ended, record, started

MemoryOfLogs: Any = getattr(log_export, "InMemoryLogRecordExporter", None) or getattr(log_export, "InMemoryLogExporter")  # noqa: B009
"""Renamed in 1.39."""

needs_events = pytest.mark.skipif(
    "event_name" not in inspect.signature(_logs.Logger.emit).parameters, reason="this version of opentelemetry-api has no events"
)


class Backend:
    """Private providers, and what they received."""

    def __init__(self) -> None:
        self.spans, self.reader, self.logs = InMemorySpanExporter(), InMemoryMetricReader(), MemoryOfLogs()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.meters = MeterProvider(metric_readers=[self.reader], shutdown_on_exit=False)
        self.loggers = LoggerProvider(shutdown_on_exit=False)
        self.loggers.add_log_record_processor(log_export.SimpleLogRecordProcessor(self.logs))

    def exporter(self, **options: Any) -> OtelExporter:
        """An exporter to these providers."""
        return OtelExporter(self.tracers, self.meters, self.loggers, **options)

    def span(self) -> ReadableSpan:
        """The only span."""
        (span,) = self.spans.get_finished_spans()
        return span

    def events(self) -> dict[str | None, Any]:
        """The events, by name."""
        return {one.log_record.event_name: one.log_record for one in self.logs.get_finished_logs()}

    def metrics(self) -> dict[str, Any]:
        """The metrics by name."""
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name: metric for scope in scopes for metric in scope.metrics}


@pytest.fixture
def backend() -> Iterator[Backend]:
    """Private providers."""
    made = Backend()
    yield made
    made.tracers.shutdown()
    made.meters.shutdown()
    made.loggers.shutdown()


CACHED = Usage(input_tokens=100, output_tokens=50, cache_write_tokens=7)


@pytest.mark.parametrize(
    ("semconv", "expected", "schema", "top_k"),
    [
        ("1.41", {"gen_ai.usage.cache_creation.input_tokens"}, profiles.SCHEMA_URL, 40.0),
        ("latest", {"gen_ai.usage.cache_write.input_tokens"}, "", 40),
        ("both", {"gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens"}, "", 40.0),
    ],
)
def test_spans_by_version(backend: Backend, semconv: Any, expected: set[str], schema: str, top_k: float) -> None:
    """The attribute of cache writes, the schema URL and the type of top_k differ."""
    backend.exporter(semconv=semconv).export(record(usage=CACHED, params={"top_k": 40}))
    span = backend.span()
    attributes = span.attributes or {}
    assert {name for name in attributes if "cache" in name} == expected
    assert (span.instrumentation_scope.schema_url if span.instrumentation_scope else None) == schema
    assert attributes["gen_ai.request.top_k"] == top_k
    assert type(attributes["gen_ai.request.top_k"]) is type(top_k)


@pytest.mark.parametrize("semconv", ["1.41", "latest", "both"])
def test_metrics_by_version(backend: Backend, semconv: Any) -> None:
    """Each standard metric of the version that this record can fill, with its unit, buckets and attributes."""
    backend.exporter(semconv=semconv).export(ended(Outcome.ERROR, usage=CACHED))
    found = {name: metric for name, metric in backend.metrics().items() if name.startswith("gen_ai.")}
    table = {one.name: one for one in PROFILES[semconv] if one.name.startswith("gen_ai.")}
    assert table.keys() - found.keys() <= {
        "gen_ai.client.inference.usage.cache_read.input_tokens",
        "gen_ai.client.inference.usage.reasoning.output_tokens",
    }
    for name, metric in found.items():
        assert metric.unit == table[name].unit
        for point in metric.data.data_points:
            assert set(labels.BASE_LABELS) | set(table[name].labels) == (point.attributes or {}).keys()
            if isinstance(point, HistogramDataPoint):
                assert tuple(point.explicit_bounds) == table[name].buckets


def test_the_environment_chooses_the_version(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variable of the conventions' migration plan selects the version."""
    monkeypatch.setenv(STABILITY, "gen_ai_latest_experimental")
    backend.exporter().export(record())
    assert "gen_ai.client.inference.duration" in backend.metrics()


def test_parameters_wherever_a_provider_has_them(backend: Backend) -> None:
    """Also from the objects that Gemini, Bedrock and other providers nest them in."""
    params = {
        "generationConfig": {"maxOutputTokens": 9, "topP": 0.5, "topK": 3, "candidateCount": 2, "stopSequences": [MARK]},
        "reasoning": {"effort": "high"},
        "response_format": {"type": "json_schema", "json_schema": {"name": MARK}},
        "previous_response_id": "resp_0",
        "temperature": float("nan"),
        "seed": 7,
    }
    backend.exporter().export(record(params=params))
    attributes = backend.span().attributes or {}
    assert {name: value for name, value in attributes.items() if name.startswith(("gen_ai.request.", "gen_ai.output"))} == {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.top_k": 3.0,
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.seed": 7,
        "gen_ai.request.reasoning.level": "high",
        "gen_ai.request.previous_response.id": "resp_0",
        "gen_ai.output.type": "json",
    }
    assert attributes[names.RESPONSE_FINISH_REASONS] == ("stop", "error")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"text": {"format": {"type": "json_object"}}}, "json"),
        ({"modalities": ["text", "audio"]}, "speech"),
        ({"response_format": {"type": "text"}}, "text"),
        ({"response_format": "verbose_json"}, None),
        ({}, None),
    ],
)
def test_the_requested_output_type(backend: Backend, params: dict[str, Any], expected: str | None) -> None:
    """The requested output type is read from the parameters of both OpenAI APIs; without one there is no attribute."""
    backend.exporter().export(record(params=params))
    assert (backend.span().attributes or {}).get(names.OUTPUT_TYPE) == expected


# ------------------------------------------------------------------------------------------------------------- content

PICTURE = {"type": "image_url", "image_url": {"url": "data:x"}}
ASKED = {
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "be brief"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": {"url": "data:x"}}],
        },
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "function": {"name": "look", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "a cat"},
    ],
    "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
    "stop": "END",
}


def test_what_the_user_wrote_is_there_when_it_is_kept_and_asked_for(backend: Backend) -> None:
    """By default the tally does not keep it, and the exporter does not export it."""
    for keep in ("content", "content+input"):
        with Tally(exporters=[backend.exporter(content=True)], keep=keep) as tally:
            list(tally.wrap(["hi"], params=ASKED))
    plain, asked = [span.attributes or {} for span in backend.spans.get_finished_spans()]
    assert names.INPUT_MESSAGES not in plain
    assert json.loads(str(asked[names.INPUT_MESSAGES])) == [
        {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
        {
            "role": "user",
            "parts": [{"type": "text", "content": "what is this?"}, {"type": "image_url", "size": len(json.dumps(PICTURE))}],
        },
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "look", "arguments": "{}"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "a cat"}]},
    ]
    assert json.loads(str(asked[names.TOOL_DEFINITIONS])) == [
        {"type": "function", "name": "look", "parameters": {"type": "object"}}
    ]
    assert asked[names.REQUEST_STOP_SEQUENCES] == ("END",)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"input": "hello", "instructions": "be brief"}, [{"role": "user", "parts": [{"type": "text", "content": "hello"}]}]),
        ({"prompt": ["a", "b"]}, [{"role": "user", "parts": [{"type": "text", "content": one}]} for one in "ab"]),
        (
            {"contents": [{"role": "model", "parts": [{"text": "hello"}]}]},
            [{"role": "model", "parts": [{"type": "text", "content": "hello"}]}],
        ),
        (
            {"input": [{"type": "function_call_output", "call_id": "c1", "output": "x"}]},
            [{"role": "user", "parts": [{"type": "tool_call_response", "id": "c1", "response": "x"}]}],
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"url": "https://host/a.png"}}]}]},
            [{"role": "user", "parts": [{"type": "uri", "modality": "image", "uri": "https://host/a.png"}]}],
        ),
    ],
)
def test_messages_of_every_request(backend: Backend, params: dict[str, Any], expected: list[Any]) -> None:
    """Responses, completions, Gemini and Anthropic."""
    backend.exporter(content=True).export(record(params=params))
    attributes = backend.span().attributes or {}
    assert json.loads(str(attributes[names.INPUT_MESSAGES])) == expected
    assert (names.SYSTEM_INSTRUCTIONS in attributes) == ("instructions" in params)


def test_tools_of_the_provider_and_compaction(backend: Backend) -> None:
    """Function calls are excluded, since they are in the choice."""
    items = (
        {"type": "function_call", "call_id": "c1"},
        {"type": "web_search_call", "id": "ws_1", "action": {"query": "cats"}},
        {"type": "web_search_tool_result", "tool_use_id": "ws_1", "content": ["x" * 70_000]},
        {"type": "compaction", "id": "cmp_1", "content": "summary"},
        {"type": "message"},
    )
    backend.exporter(content=True).export(record(output_items=items))
    (message,) = json.loads(str((backend.span().attributes or {})[names.OUTPUT_MESSAGES]))
    text, call, response, compaction = message["parts"]
    assert text["type"] == "text"
    assert (call["type"], call["name"], call["server_tool_call"]["action"]) == (
        "server_tool_call",
        "web_search",
        {"query": "cats"},
    )
    assert (response["type"], len(response["server_tool_call_response"])) == ("server_tool_call_response", 65_536)
    assert compaction == {"type": "compaction", "id": "cmp_1", "content": "summary"}


def test_latest_messages_state_no_finish_reason(backend: Backend) -> None:
    """The field is deprecated in that version: the span has the reasons."""
    backend.exporter(content=True, semconv="latest").export(record())
    (message,) = json.loads(str((backend.span().attributes or {})[names.OUTPUT_MESSAGES]))
    assert message.keys() == {"role", "parts"}


def test_redaction(backend: Backend) -> None:
    """Each part is exported as the function returns it, or removed if it returns None."""

    def redact(part: Part) -> Part | None:
        return None if part["type"] == "reasoning" else {**part, "content": part["content"].replace("hello", "***")}

    choice = Choice(text="hello you", reasoning="hm", finish_reason="stop")
    backend.exporter(content=True, redact=redact).export(record(choices=(choice,)))
    (message,) = json.loads(str((backend.span().attributes or {})[names.OUTPUT_MESSAGES]))
    assert message["parts"] == [{"type": "text", "content": "*** you"}]


def test_a_redaction_that_fails_lets_nothing_out(backend: Backend) -> None:
    """The span still ends; the exception is raised, for the dispatcher to count."""

    def redact(_: Part) -> Part | None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        backend.exporter(content="SPAN_AND_EVENT", redact=redact).export(record())
    assert names.OUTPUT_MESSAGES not in (backend.span().attributes or {})
    assert not backend.events()


# -------------------------------------------------------------------------------------------------------------- events


@needs_events
@pytest.mark.parametrize(
    ("mode", "on_span", "in_event"),
    [("NO_CONTENT", False, None), ("SPAN_ONLY", True, None), ("event_only", False, True), ("SPAN_AND_EVENT", True, True)],
)
def test_content_goes_where_it_is_asked(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, mode: str, on_span: bool, in_event: bool | None
) -> None:
    """JSON on the span, structured in the event."""
    monkeypatch.setenv(CAPTURE, mode)
    exporter = backend.exporter()
    exporter.on_start(started())
    exporter.export(record())
    span, event = backend.span(), backend.events().get(names.DETAILS_EVENT)
    assert (names.OUTPUT_MESSAGES in (span.attributes or {})) == on_span
    assert (event is not None) == bool(in_event)
    if event is not None:
        assert event.attributes[names.OUTPUT_MESSAGES][0]["parts"][0] == {"type": "text", "content": "hello"}
        assert event.attributes[names.RESPONSE_MODEL] == "gpt-4o-2024-08-06"
        assert (event.trace_id, event.span_id) == (span.get_span_context().trace_id, span.get_span_context().span_id)  # type: ignore[union-attr]
        assert event.timestamp == span.end_time


@needs_events
@pytest.mark.parametrize("content", [False, True])
def test_the_exception_that_ended_a_stream(backend: Backend, content: bool) -> None:
    """A warning with the error's type; its message only if content is exported."""
    backend.exporter(content=content).export(ended(Outcome.ERROR))
    event = backend.events()[names.EXCEPTION_EVENT]
    assert event.severity_number is _logs.SeverityNumber.WARN
    assert event.attributes["exception.type"] == "server_error"
    assert event.attributes.get("exception.message") == (MARK if content else None)
    assert event.attributes[names.REQUEST_MODEL] == "gpt-4o"


def test_only_failures_make_an_exception_event(backend: Backend) -> None:
    """A cancelled or abandoned stream has no such event."""
    for outcome in (Outcome.CANCELLED, Outcome.ABANDONED, Outcome.TRUNCATED):
        backend.exporter().export(ended(outcome))
    assert not backend.events()


def test_an_api_without_events(backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A warning is logged once if events were requested, and spans are unchanged."""
    monkeypatch.setattr(_logs.Logger, "emit", lambda self, record: None)  # noqa: ARG005 - as older ones have it
    with caplog.at_level(logging.WARNING):
        backend.exporter().export(ended(Outcome.ERROR))
        assert not caplog.text
        backend.exporter(content="SPAN_AND_EVENT").export(ended(Outcome.ERROR))
    assert "has no events" in caplog.text
    assert not backend.events()
    assert len(backend.spans.get_finished_spans()) == 2


# --------------------------------------------------------------------------------------------------------------- links


@pytest.mark.parametrize("of", ["first", ["first", "unheard of", 7]])
def test_a_retry_links_to_what_it_retries(backend: Backend, of: Any) -> None:
    """To the spans of failed streams, by request ID; unknown IDs are ignored."""
    exporter = backend.exporter()
    exporter.export(ended(Outcome.ERROR, request_id="first"))
    exporter.on_start(started(request_id="second", attributes={names.RETRY_OF: of}))
    exporter.export(record(request_id="second"))
    first, second = backend.spans.get_finished_spans()
    assert [link.context for link in second.links] == [first.get_span_context()]


def test_only_so_many_failures_are_remembered(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest ones are kept."""
    monkeypatch.setattr("streamtally.exporters.otel.MAX_LINKED", 2)
    exporter = backend.exporter()
    for number in range(5):
        exporter.export(ended(Outcome.ERROR, request_id=str(number)))
    assert list(exporter._linkable) == ["3", "4"]


# ------------------------------------------------------------------------------------------------------------- metrics


def test_values_wait_for_the_sdk_within_bounds(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """No value is lost, and none is counted twice."""
    monkeypatch.setattr(totals, "MAX_PENDING", 5)
    exporter = backend.exporter()
    for _ in range(3):
        for number in range(10):
            exporter.export(record(request_id=str(number)))
        assert len(exporter._pending._pending) == 5
        backend.metrics()
        assert not exporter._pending._pending
    (point,) = backend.metrics()["gen_ai.client.operation.duration"].data.data_points
    assert (point.count, point.sum) == (30, 75.0)


def test_slow_streams_lead_to_their_spans(backend: Backend) -> None:
    """The exemplars of latencies have the stream's own span."""
    backend.exporter().export(record())
    (point,) = backend.metrics()["streamtally.time_to_first_token"].data.data_points
    assert [one.span_id for one in point.exemplars] == [backend.span().get_span_context().span_id]  # type: ignore[union-attr]


def test_the_metrics_of_the_package_itself(backend: Backend) -> None:
    """Failures of exporters, overflow of labels, and the age of the catalog."""

    def broken(_: StreamRecord) -> None:
        raise ZeroDivisionError

    exporter = backend.exporter(labels=["team"], max_values=1)
    tally = Tally(exporters=[exporter, broken])
    for team in ("a", "b", "c"):
        list(tally.wrap(["hi"], attributes={"team": team}))
        tally.flush()
    tally.flush()
    found = {name: metric.data.data_points for name, metric in backend.metrics().items()}
    assert {point.attributes[names.EXPORTER]: point.value for point in found["streamtally.exporter.failures"]} == {
        "test_the_metrics_of_the_package_itself.<locals>.broken": 3
    }
    assert {point.attributes[names.LABEL]: point.value for point in found["streamtally.label_overflow"]}["team"] >= 2
    (age,) = found["streamtally.catalog.age"]
    assert age.value > 0
    tally.close()


def test_prometheus_exporter_wins_over_opentelemetrys_reader(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Both would serve the same names: if the reader is loaded too, this exporter exports spans only."""
    for loaded in (False, True):
        if loaded:
            monkeypatch.setitem(sys.modules, "opentelemetry.exporter.prometheus", ModuleType("reader"))
        exporters = [backend.exporter(), PrometheusExporter(CollectorRegistry())]
        with caplog.at_level(logging.WARNING), Tally(exporters=exporters) as tally:
            list(tally.wrap(["hi"]))
            tally.add("late", {"choices": []}, index=0)
            tally.finish("late")
            tally.add("late", {"choices": []}, index=1)
        assert sum(point.value for point in backend.metrics()["streamtally.streams"].data.data_points) == 2
        assert ("PrometheusExporter only" in caplog.text) == loaded
    assert len(backend.spans.get_finished_spans()) == 4


def test_a_forked_child_begins_anew(backend: Backend) -> None:
    """The parent exports the open streams and the pending values."""
    exporter = backend.exporter()
    exporter.on_start(started())
    exporter.export(record(request_id="other"))
    exporter.after_fork()
    assert "gen_ai.client.operation.duration" not in backend.metrics()
    assert [point.value for point in backend.metrics()["streamtally.active_streams"].data.data_points] == [0]
    exporter.export(record())
    assert [point.count for point in backend.metrics()["gen_ai.client.operation.duration"].data.data_points] == [1]
