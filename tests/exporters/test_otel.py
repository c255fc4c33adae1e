"""Spans and metrics, through the real SDK."""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import call, patch

import pytest
from opentelemetry import context, metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from streamtally.exporters import OtelExporter, instruments, labels, names, profiles
from streamtally.exporters.messages import MAX_TEXT
from streamtally.exporters.parameters import MAX_CHOICES
from streamtally.exporters.profiles import PROFILES
from streamtally.records import (
    Audio,
    Choice,
    Cost,
    Image,
    Outcome,
    StreamRecord,
    StreamType,
    Timing,
    ToolCall,
    Transcript,
    Usage,
)
from tests.exporters.samples import BEGAN, MARK, TIMING, ended, marked, record, started

Point = NumberDataPoint | HistogramDataPoint
BEGAN_NS = 1_767_323_045_678_901_000


class Backend:
    """Private providers, and what they received."""

    def __init__(self) -> None:
        self.memory = InMemorySpanExporter()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.memory))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider(metric_readers=[self.reader], shutdown_on_exit=False)

    def exporter(self, **options: Any) -> OtelExporter:
        """An exporter to these providers."""
        return OtelExporter(self.tracers, self.meters, **options)

    def span(self) -> ReadableSpan:
        """The only span."""
        (span,) = self.memory.get_finished_spans()
        return span

    def points(self) -> dict[str, list[Point]]:
        """The data points by the metric's name."""
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name: _points(metric.data.data_points) for scope in scopes for metric in scope.metrics}

    def sums(self, name: str, label: str | None = None) -> dict[Any, float]:
        """The values of a counter that are not 0, by one of its labels."""
        points = self.points().get(name, [])
        values = [((point.attributes or {}).get(label or ""), getattr(point, "value", 0)) for point in points]
        return {label: value for label, value in values if value}


@pytest.fixture
def backend() -> Iterator[Backend]:
    """Private providers."""
    made = Backend()
    yield made
    made.tracers.shutdown()
    made.meters.shutdown()


def test_the_span_of_a_chat(backend: Backend) -> None:
    """Name, kind, times, status and every attribute."""
    exporter = backend.exporter()
    asked = {"params": {"temperature": 0.5, "max_completion_tokens": 9, "n": 1, "seed": True}, "conversation_id": "talk-1"}
    exporter.on_start(started(**asked, attributes={"team": "search", "deep": {"no": "scalar"}}))
    exporter.export(record(**asked, service_tier="default", system_fingerprint="fp_1"))
    span = backend.span()
    assert (span.name, span.kind, span.status.status_code) == ("chat gpt-4o", SpanKind.CLIENT, StatusCode.UNSET)
    assert (span.start_time, span.end_time) == (BEGAN_NS, BEGAN_NS + 2_500_000_000)
    assert span.instrumentation_scope is not None
    assert (span.instrumentation_scope.name, span.instrumentation_scope.schema_url) == ("streamtally", profiles.SCHEMA_URL)
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.conversation.id": "talk-1",
        "gen_ai.response.id": "response-1",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 0.2,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 180,
        "openai.api.type": "chat_completions",
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_1",
        "server.address": "api.openai.com",
        "server.port": 443,
        "streamtally.chunks": 200,
        "streamtally.cost.usd": 0.00205,
        "streamtally.dialect": "openai.chat",
        "streamtally.outcome": "completed",
        "streamtally.request.id": "request-1",
        "streamtally.time_to_first_token": 0.3,
        "streamtally.tokens_per_second": 81.5,
        "team": "search",
    }


def test_what_samplers_need_is_there_from_the_start(backend: Backend) -> None:
    """Attributes that are known when the stream starts are given at the span's creation."""
    seen: dict[str, Any] = {}

    class Watch(SimpleSpanProcessor):
        def on_start(self, span: Any, parent_context: context.Context | None = None) -> None:  # noqa: ARG002
            seen.update(span.attributes)

    backend.tracers.add_span_processor(Watch(InMemorySpanExporter()))
    backend.exporter().on_start(started())
    assert {names.OPERATION, names.PROVIDER, names.REQUEST_MODEL, names.SERVER_ADDRESS, names.SERVER_PORT} <= seen.keys()


def test_the_parent_is_the_callers_span_at_the_start(backend: Backend) -> None:
    """The span that is current when the stream ends has no effect."""
    exporter, tracer = backend.exporter(), backend.tracers.get_tracer("caller")
    with tracer.start_as_current_span("caller") as caller:
        exporter.on_start(started())
        assert trace.get_current_span() is caller
    with tracer.start_as_current_span("somebody else") as other:
        exporter.export(record())
        assert trace.get_current_span() is other
    span = next(span for span in backend.memory.get_finished_spans() if span.name == "chat gpt-4o")
    assert span.parent is not None
    assert span.parent.span_id == caller.get_span_context().span_id


def test_a_stream_whose_start_nobody_told_still_has_its_span(backend: Backend) -> None:
    """The span is created at the end, with the record's times, as a child of the current span."""
    with backend.tracers.get_tracer("caller").start_as_current_span("caller") as caller:
        backend.exporter().export(record())
    span = backend.memory.get_finished_spans()[0]
    assert (span.start_time, span.end_time) == (BEGAN_NS, BEGAN_NS + 2_500_000_000)
    assert span.parent is not None
    assert span.parent.span_id == caller.get_span_context().span_id


def test_what_the_first_chunk_tells_corrects_the_start(backend: Backend) -> None:
    """Dialect and provider, and with them the operation and the span's name, may be known only at the end."""
    exporter = backend.exporter()
    exporter.on_start(started(stream_type="text.completion", dialect="opaque", provider=None, requested_model=None))
    exporter.export(record(requested_model=None))
    span = backend.span()
    assert span.name == "chat gpt-4o-2024-08-06"
    assert span.attributes is not None
    assert (span.attributes[names.OPERATION], span.attributes[names.PROVIDER]) == ("chat", "openai")
    assert names.REQUEST_MODEL not in span.attributes


def test_a_span_names_no_provider_that_nobody_named(backend: Backend) -> None:
    """No attribute, and no guess from the format."""
    backend.exporter().export(record(provider=None))
    attributes = backend.span().attributes
    assert attributes is not None
    assert names.PROVIDER not in attributes


@pytest.mark.parametrize("outcome", Outcome)
def test_status_and_reasons_by_outcome(backend: Backend, outcome: Outcome) -> None:
    """Only errors and time-outs have the status ERROR; a missing finish reason is "error"."""
    exporter = backend.exporter()
    exporter.on_start(started())
    exporter.export(ended(outcome, choices=()) if outcome is not Outcome.COMPLETED else record())
    span = backend.span()
    error = {Outcome.ERROR: "server_error", Outcome.TIMEOUT: "timeout"}.get(outcome)
    assert span.status.status_code is (StatusCode.ERROR if error else StatusCode.UNSET)
    assert span.status.description is None
    assert span.attributes is not None
    assert span.attributes.get(names.ERROR_TYPE) == error
    assert span.attributes[names.OUTCOME] == outcome.value
    assert span.attributes[names.RESPONSE_FINISH_REASONS] == (("stop",) if outcome is Outcome.COMPLETED else ("error",))


@pytest.mark.parametrize("stream_type", StreamType)
def test_every_stream_type_has_its_span(backend: Backend, stream_type: StreamType) -> None:
    """Each has its operation; types without choices have no finish reasons."""
    choices = () if "." in stream_type and stream_type.value.startswith(("audio", "image")) else record().choices
    backend.exporter().export(record(stream_type=stream_type, choices=choices))
    attributes = backend.span().attributes or {}
    assert attributes[names.OPERATION]
    assert (names.RESPONSE_FINISH_REASONS in attributes) == bool(choices)
    expected = {StreamType.SPEECH: "speech", StreamType.IMAGE: "image", StreamType.TRANSCRIPTION: "text"}
    assert attributes.get(names.OUTPUT_TYPE) == expected.get(stream_type)


def test_reasons_stand_in_the_places_of_the_choices(backend: Backend) -> None:
    """One for each choice that was requested, up to a maximum."""
    exporter = backend.exporter()
    choices = (Choice(finish_reason="length"), Choice(index=1, finish_reason=None))
    exporter.export(ended(Outcome.CANCELLED, choices=choices, params={"n": 3}))
    exporter.export(ended(Outcome.CANCELLED, choices=choices, params={"n": 10**9}))
    exporter.export(record(choices=(Choice(text="a format that states none", finish_reason=None),)))
    first, second, third = (span.attributes or {} for span in backend.memory.get_finished_spans())
    assert first[names.RESPONSE_FINISH_REASONS] == ("length", "error", "error")
    assert first[names.REQUEST_CHOICE_COUNT] == 3
    reasons = second[names.RESPONSE_FINISH_REASONS]
    assert isinstance(reasons, tuple)
    assert len(reasons) == MAX_CHOICES
    assert names.RESPONSE_FINISH_REASONS not in third


def test_what_is_unknown_has_no_attribute(backend: Backend) -> None:
    """Without usage, cost and model no values are set, except the reason for the missing cost."""
    backend.exporter().export(
        StreamRecord(request_id="r", stream_type=StreamType.CHAT, dialect="openai.chat", outcome=Outcome.ABANDONED)
    )
    span = backend.span()
    assert span.name == "chat"
    assert not [name for name in span.attributes or {} if "usage" in name or "model" in name or "provider" in name]
    assert (span.attributes or {}).get(names.COST_USD) is None
    assert (span.attributes or {})[names.COST_STATUS] == "no_usage"


def test_usage_with_its_parts_and_marks(backend: Backend) -> None:
    """Estimated and partial counts are marked."""
    usage = Usage(input_tokens=0, cache_read_tokens=3, cache_write_tokens=4, reasoning_tokens=5, source="estimated", partial=True)
    backend.exporter().export(record(usage=usage))
    found = {name: value for name, value in (backend.span().attributes or {}).items() if "usage" in name}
    assert found == {
        "gen_ai.usage.input_tokens": 0,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.cache_creation.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "streamtally.usage.source": "estimated",
        "streamtally.usage.partial": True,
    }


def test_lower_bounds_are_marked_and_not_under_the_standard_name(backend: Backend) -> None:
    """A stream that was already open when it was wrapped has no time to the first chunk."""
    backend.exporter().export(record(timing=TIMING.model_copy(update={"started_from": "wrap"})))
    attributes = backend.span().attributes or {}
    assert names.RESPONSE_TIME_TO_FIRST_CHUNK not in attributes
    assert (attributes[names.STARTED_FROM], attributes[names.TIME_TO_FIRST_TOKEN]) == ("wrap", 0.3)


def test_parameters_and_attributes_of_other_providers(backend: Backend) -> None:
    """Words are exported only from closed lists; OpenAI's attributes only for OpenAI."""
    exporter = backend.exporter()
    params = {"reasoning_effort": "high", "service_tier": "free text", "top_k": 40}
    exporter.export(record(params=params, provider="groq", service_tier="default", missing=((1, 3),), duplicates=2))
    attributes = backend.span().attributes or {}
    assert attributes["gen_ai.request.reasoning.level"] == "high"
    assert attributes["gen_ai.request.top_k"] == 40.0
    assert attributes[names.PROVIDER] == "groq"
    assert not [name for name in attributes if name.startswith("openai.")]
    assert (attributes[names.MISSING_CHUNKS], attributes[names.DUPLICATE_CHUNKS]) == (2, 2)


def test_times_without_a_duration(backend: Backend) -> None:
    """If the monotonic duration is unknown, the span ends at the wall-clock time."""
    backend.exporter().export(record(timing=Timing(started_at=BEGAN, ended_at=BEGAN + timedelta(seconds=1))))
    assert backend.span().end_time == BEGAN_NS + 1_000_000_000


def test_a_wall_clock_that_went_back_does_not_turn_a_span_around(backend: Backend) -> None:
    """The span's length is the monotonic duration."""
    backend.exporter().export(record(timing=TIMING.model_copy(update={"ended_at": BEGAN - timedelta(hours=1)})))
    assert backend.span().end_time == BEGAN_NS + 2_500_000_000


def test_a_span_that_is_not_sampled_costs_no_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metrics are still recorded."""
    reader = InMemoryMetricReader()
    exporter = OtelExporter(TracerProvider(sampler=ALWAYS_OFF), MeterProvider(metric_readers=[reader]))
    monkeypatch.setattr("streamtally.exporters.attributes.response_attributes", _must_not_run)
    exporter.on_start(started())
    exporter.export(record())
    assert reader.get_metrics_data() is not None


def test_metrics_have_the_conventions_names_units_and_buckets(backend: Backend) -> None:
    """One value each, in the recommended buckets."""
    backend.exporter().export(record())
    points = backend.points()
    for name, total in (("duration", 2.5), ("time_to_first_chunk", 0.2), ("time_per_output_chunk", 0.0125)):
        (point,) = points[f"gen_ai.client.operation.{name}"]
        assert isinstance(point, HistogramDataPoint)
        assert (point.count, point.sum, tuple(point.explicit_bounds)) == (1, total, instruments.SECONDS)
    tokens = {(point.attributes or {})[names.TOKEN_TYPE]: point for point in points["gen_ai.client.token.usage"]}
    assert {side: getattr(point, "sum", None) for side, point in tokens.items()} == {"input": 100, "output": 180}
    assert tuple(getattr(tokens["input"], "explicit_bounds", ())) == instruments.TOKENS
    assert backend.sums("streamtally.cost") == {None: 0.00205}


def test_labels_are_few_and_hold_no_ids(backend: Backend) -> None:
    """A fixed set of labels for any record."""
    allowed = {*labels.BASE_LABELS, "team", *(label for one in PROFILES["1.41"] for label in one.labels)}
    exporter = backend.exporter(labels=["team"])
    exporter.export(marked(conversation_id="talk-1", attributes={"team": "a", "user": "u"}))
    exporter.export(record())
    for name, points in backend.points().items():
        for point in points:
            attributes = point.attributes or {}
            assert attributes.keys() <= allowed, name
            assert not {"request-1", "response-1", "talk-1", "u", MARK} & {str(value) for value in attributes.values()}


def test_counters_exist_at_zero(backend: Backend) -> None:
    """So that a rate includes the first increase; the others stay at 0."""
    backend.exporter().export(record())
    streams = {
        (point.attributes or {})[names.OUTCOME]: getattr(point, "value", None)
        for point in backend.points()["streamtally.streams"]
    }
    assert streams == {outcome.value: int(outcome is Outcome.COMPLETED) for outcome in Outcome}


def test_unknown_cost_is_no_cost(backend: Backend) -> None:
    """The stream is counted as unpriced, by the reason."""
    backend.exporter().export(record(cost=Cost(status="unknown_model")))
    assert backend.sums("streamtally.cost") == {}
    assert backend.sums("streamtally.unpriced_streams", names.COST_STATUS) == {"unknown_model": 1}


def test_active_streams_rise_and_fall(backend: Backend) -> None:
    """The series that counted the start is the one that counts the end; a stream without a start counts nowhere."""
    exporter = backend.exporter()
    for request_id in ("a", "b", "c"):
        exporter.on_start(started(request_id=request_id))
    assert backend.sums("streamtally.active_streams") == {None: 3}
    exporter.export(record(request_id="a"))
    exporter.export(record(request_id="never started"))
    assert backend.sums("streamtally.active_streams") == {None: 2}
    outcomes = [(span.attributes or {}).get(names.OUTCOME) for span in backend.memory.get_finished_spans()]
    assert outcomes == ["completed", "completed"]


def test_late_chunks_are_counted(backend: Backend) -> None:
    """After the record was exported."""
    exporter = backend.exporter()
    exporter.export(record())
    exporter.on_late(record())
    exporter.on_late(record())
    assert backend.sums("streamtally.chunk_faults", names.FAULT) == {"late": 2}


def test_two_exporters_on_one_provider_add_to_the_same_metrics(backend: Backend) -> None:
    """For example when exporters are configured again."""
    for _ in range(2):
        backend.exporter().export(record())
    assert backend.sums("streamtally.streams", names.OUTCOME) == {"completed": 2}
    (duration,) = backend.points()["gen_ai.client.operation.duration"]
    assert getattr(duration, "count", None) == 2


def test_ten_thousand_models_stay_under_the_cap(backend: Backend) -> None:
    """The first ones and known ones keep their names, and the rest become "other"."""
    exporter = OtelExporter(trace.NoOpTracerProvider(), backend.meters, max_values=3, known_models={"gpt-4o"}.__contains__)
    for number in range(10_000):
        exporter.export(ended(Outcome.ABANDONED, requested_model=f"model-{number}", model=None, timing=Timing()))
    exporter.export(record())
    found = backend.sums("streamtally.streams", names.REQUEST_MODEL)
    assert found == {"model-0": 1, "model-1": 1, "model-2": 1, labels.OTHER: 9_997, "gpt-4o": 1}


def test_content_goes_out_when_asked(backend: Backend) -> None:
    """One message with parts for each choice; the error's message is the description of the status."""
    parts = (
        ToolCall(index=0, id="call-1", name="look_up", arguments='{"a": 1}', arguments_json={"a": 1}),
        ToolCall(index=1, id="call-2", name="look_up", arguments='{"a":'),
    )
    choices = (
        Choice(role="assistant", text="hello", reasoning="hm", refusal="no", tool_calls=parts, finish_reason="tool_calls"),
        Choice(index=1, text="hi", finish_reason=None),
    )
    backend.exporter(content=True).export(ended(Outcome.ERROR, choices=choices, params={"stop": "END"}))
    span = backend.span()
    assert span.status.description == MARK
    assert span.attributes is not None
    assert span.attributes[names.REQUEST_STOP_SEQUENCES] == ("END",)
    assert _messages(span) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "text", "content": "hello"},
                {"type": "refusal", "content": "no"},
                {"type": "tool_call", "id": "call-1", "name": "look_up", "arguments": {"a": 1}},
                {"type": "tool_call", "id": "call-2", "name": "look_up", "arguments": '{"a":'},
            ],
            "finish_reason": "tool_call",
        },
        {"role": "assistant", "parts": [{"type": "text", "content": "hi"}], "finish_reason": "error"},
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"transcript": Transcript(text="heard")}, [{"type": "text", "content": "heard"}]),
        (
            {"audio": Audio(data=b"123", size=3, mime_type="audio/mpeg", transcript="said")},
            [{"type": "text", "content": "said"}, {"type": "audio", "mime_type": "audio/mpeg", "size": 3}],
        ),
        (
            {"images": (Image(url="https://host/a.png"), Image(index=1, data=b"12", mime_type="image/png"))},
            [
                {"type": "uri", "modality": "image", "uri": "https://host/a.png", "mime_type": None},
                {"type": "image", "mime_type": "image/png", "size": 2},
            ],
        ),
    ],
)
def test_audio_and_images_have_their_size(backend: Backend, fields: dict[str, Any], expected: list[Any]) -> None:
    """Their bytes are never in a span."""
    backend.exporter(content=True).export(record(choices=(), **fields))
    assert _messages(backend.span()) == [{"role": "assistant", "parts": expected, "finish_reason": "stop"}]


def test_sound_within_a_chat_joins_its_message(backend: Backend) -> None:
    """A chat with audio has one message."""
    backend.exporter(content=True).export(record(audio=Audio(size=3)))
    (message,) = _messages(backend.span())
    assert [part["type"] for part in message["parts"]] == ["text", "audio"]


def test_long_texts_are_cut_and_the_json_stays_valid(backend: Backend) -> None:
    """Each text separately."""
    choices = (
        Choice(text='"' * (MAX_TEXT + 5), tool_calls=(ToolCall(index=0, arguments="x" * (MAX_TEXT + 5)),), finish_reason=None),
    )
    backend.exporter(content=True).export(record(choices=choices))
    text, call = _messages(backend.span())[0]["parts"]
    assert len(text["content"]) == len(call["arguments"]) == MAX_TEXT


def test_nothing_said_makes_no_message(backend: Backend) -> None:
    """An abandoned stream may have no content."""
    backend.exporter(content=True).export(ended(Outcome.ABANDONED, choices=()))
    assert names.OUTPUT_MESSAGES not in (backend.span().attributes or {})


def test_flush_asks_the_providers(backend: Backend) -> None:
    """Those that have `force_flush`, with the remaining time."""
    exporter = backend.exporter()
    with (
        patch.object(backend.tracers, "force_flush", return_value=True) as tracers,
        patch.object(backend.meters, "force_flush", return_value=False) as meters,
    ):
        assert not exporter.flush(1.5)
        assert not exporter.flush()
    assert tracers.call_args_list == meters.call_args_list == [call(1_500), call()]
    exporter.close()


def test_without_an_sdk_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Providers of the API alone record nothing, and have nothing to flush."""
    exporter = OtelExporter(trace.NoOpTracerProvider(), metrics.NoOpMeterProvider())
    exporter.on_start(started())
    exporter.export(record())
    assert exporter.flush()
    monkeypatch.setattr("streamtally.exporters.names.SCOPE", "no such distribution")
    OtelExporter(trace.NoOpTracerProvider(), metrics.NoOpMeterProvider()).export(record())


def test_the_global_providers_are_the_default() -> None:
    """The global providers may be set later; exporters on the same provider share their totals."""
    first, second = OtelExporter(), OtelExporter(meter_provider=metrics.get_meter_provider())
    assert first._totals == second._totals
    assert first.flush()


def _points(points: Iterable[Any]) -> list[Point]:
    assert all(isinstance(point, NumberDataPoint | HistogramDataPoint) for point in points)
    return list(points)


def _messages(span: ReadableSpan) -> Any:
    text = (span.attributes or {})[names.OUTPUT_MESSAGES]
    assert isinstance(text, str)
    return json.loads(text)


def _must_not_run(_: StreamRecord) -> None:
    raise AssertionError
