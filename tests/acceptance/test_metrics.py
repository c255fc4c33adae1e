"""T32–T35: the number of series is bounded, and labels and values do not depend on how a stream is read."""

import inspect
import random
from itertools import product
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from prometheus_client import CollectorRegistry

from streamtally import Outcome, StreamRecord, StreamType
from streamtally.exporters import OtelExporter, PrometheusExporter
from streamtally.exporters.labels import MAX_VALUES
from streamtally.testing import FakeClock
from tests.acceptance.calls import kinds
from tests.acceptance.telemetry import DURATION, FIRST_TOKEN, STREAMS, Telemetry
from tests.dialects.test_malformed import STREAMS as DIALECTS
from tests.exporters.samples import ended, record, started
from tests.streams.exits import EXITS
from tests.streams.sources import Kind, World, chat_chunks

MODELS = 100_000
CAPPED = MAX_VALUES + 1
"""The cap on the values of one label, and "other"."""


def _many_models(count: int) -> Any:
    """Records of this many streams, each with an unknown model."""
    draw, base = random.Random(7), dict(record().__dict__)
    for number in range(count):
        name = f"model-{draw.getrandbits(48):x}"
        yield StreamRecord.model_construct(**{**base, "request_id": f"r{number}", "requested_model": name, "model": name})


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
def test_t32_a_hundred_thousand_models() -> None:
    """Each metric stays under the cap, all streams are counted, and models beyond the cap are "other"."""
    exporter = PrometheusExporter(CollectorRegistry())
    for one in _many_models(MODELS):
        exporter.export(one)
    for metric in exporter.registry.collect():
        label = "gen_ai_request_model"
        assert len({sample.labels[label] for sample in metric.samples if label in sample.labels}) <= CAPPED, metric.name
    (streams,) = [metric for metric in exporter.registry.collect() if metric.name == "streamtally_streams"]
    counted = [one for one in streams.samples if one.name.endswith("_total") and one.labels["streamtally_outcome"] == "completed"]
    assert sum(one.value for one in counted) == MODELS
    assert len(counted) == CAPPED
    assert max(counted, key=lambda one: one.value).labels["gen_ai_request_model"] == "other"


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
def test_t32_ten_thousand_models_in_opentelemetry() -> None:
    """Each OpenTelemetry metric stays under the cap, which is below the SDK's own of 2,000 series; all streams are counted."""
    reader = InMemoryMetricReader()
    tracers, meters = TracerProvider(ALWAYS_OFF, shutdown_on_exit=False), MeterProvider([reader], shutdown_on_exit=False)
    exporter = OtelExporter(tracers, meters)
    for one in _many_models(MODELS // 10):
        exporter.export(one)
    data: Any = reader.get_metrics_data()
    metrics = {metric.name: metric.data.data_points for metric in data.resource_metrics[0].scope_metrics[0].metrics}
    for name, points in metrics.items():
        assert len({point.attributes.get("gen_ai.request.model") for point in points}) <= CAPPED, name
        assert not any("otel.metric.overflow" in point.attributes for point in points)
    assert sum(point.count for point in metrics[DURATION]) == MODELS // 10
    assert sum(point.value for point in metrics[STREAMS]) == MODELS // 10


def test_t32_labels_are_those_that_were_declared() -> None:
    """Only attributes that the exporter declares become labels, and their values are capped."""
    telemetry = Telemetry(labels=("team",))
    for number in range(2 * MAX_VALUES):
        attributes = {"team": f"team-{number}", "user": f"user-{number}"}
        list(telemetry.tally.wrap(chat_chunks(), attributes=attributes))
    points = telemetry.points(STREAMS)
    assert not any("user" in (point.attributes or {}) for point in points)
    assert len({(point.attributes or {})["team"] for point in points}) == CAPPED
    samples = telemetry.samples("streamtally_streams_total")
    assert not any("user" in sample.labels for sample in samples)
    assert len({sample.labels["team"] for sample in samples}) == CAPPED
    assert telemetry.total(STREAMS) == telemetry.scraped("streamtally_streams_total") == 2 * MAX_VALUES
    telemetry.close()


ALLOWED = {
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.token.type",
    "gen_ai.token.modality",
    "server.address",
    "server.port",
    "error.type",
    "streamtally.cost.status",
    "streamtally.fault",
    "streamtally.finish_reason",
    "streamtally.outcome",
}
"""All labels that a metric may have. Each has few values, for any number of requests."""

SECRETS = {"request-77", "response-77", "talk-77", "fp-77", "user-77", "call-77"}


def test_t33_metrics_have_few_attributes_and_no_ids() -> None:
    """For streams of every type and outcome, with all kinds of IDs: no ID is on a metric."""
    telemetry = Telemetry()
    for stream_type, outcome in product(StreamType, Outcome):
        ids: dict[str, Any] = {
            "request_id": "request-77",
            "response_id": "response-77",
            "conversation_id": "talk-77",
            "system_fingerprint": "fp-77",
            "attributes": {"user": "user-77"},
            "params": {"user": "user-77", "metadata": {"call": "call-77"}},
        }
        telemetry.otel.on_start(started(stream_type=stream_type, **ids))
        completed = outcome is Outcome.COMPLETED
        whole = record(stream_type=stream_type, **ids) if completed else ended(outcome, stream_type=stream_type, **ids)
        telemetry.otel.export(whole)
        telemetry.prometheus.export(whole)
    attributes: list[dict[str, Any]] = [dict(point.attributes or {}) for point in telemetry.points()]
    assert len(attributes) > 50
    assert set().union(*attributes) <= ALLOWED
    samples: list[dict[str, Any]] = [sample.labels for metric in telemetry.registry.collect() for sample in metric.samples]
    assert set().union(*samples) <= {name.replace(".", "_") for name in ALLOWED} | {"le"}
    values = {str(value) for one in [*attributes, *samples] for value in one.values()}
    assert not any(secret in value for secret in SECRETS for value in values)
    telemetry.close()


UNKNOWN: dict[str, Any] = {
    "provider": None,
    "requested_model": None,
    "model": None,
    "response_id": None,
    "server_address": None,
    "server_port": None,
    "usage": None,
    "error": None,
}


def test_t34_no_record_has_the_wrong_labels() -> None:
    """Whichever fields of a record are None, every series of one metric has the same labels, and no exporter fails."""
    telemetry = Telemetry()
    for number, (stream_type, outcome) in enumerate(product(StreamType, Outcome)):
        for missing in ({}, UNKNOWN, *({name: None} for name in UNKNOWN)):
            fields = {"stream_type": stream_type, "outcome": outcome, "request_id": f"{number} {sorted(missing)}", **missing}
            telemetry.prometheus.on_start(started(**{**fields, "outcome": None}))
            telemetry.prometheus.export(record(**fields))
            telemetry.otel.export(record(**fields))
    for metric in telemetry.registry.collect():
        labels = {frozenset(sample.labels.keys() - {"le"}) for sample in metric.samples}
        assert len(labels) <= 1, metric.name
    assert telemetry.scraped("streamtally_streams_total") == telemetry.total(STREAMS) == 6 * 7 * (2 + len(UNKNOWN))
    telemetry.close()


def _each(mode: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in kinds(mode, "exhausted")])


@_each("sync")
def test_t34_every_kind_of_source_yields_the_first_token(telemetry: Telemetry, world: World, kind: Kind) -> None:
    """Always on the span, and in the histogram if the start of the request is known."""
    stream = kind.make(EXITS["exhausted"].script, world).wrapped(telemetry.tally)
    list(stream)
    assert telemetry.attributes()["streamtally.time_to_first_token"] >= 0
    assert telemetry.count(FIRST_TOKEN) == (stream.record.timing.started_from != "wrap")


@pytest.mark.anyio
@_each("async")
async def test_t34_every_kind_of_async_source_yields_the_first_token(telemetry: Telemetry, aworld: World, kind: Kind) -> None:
    """The first token is always on the span, and in the histogram if the start of the request is known, for async sources."""
    made = kind.make(EXITS["exhausted"].script, aworld)
    source = await made if inspect.isawaitable(made) else made
    stream = source.wrapped(telemetry.tally)
    async for _ in stream:
        pass
    assert telemetry.attributes()["streamtally.time_to_first_token"] >= 0
    assert telemetry.count(FIRST_TOKEN) == (stream.record.timing.started_from != "wrap")


OPERATIONS = {
    "anthropic.completions": "text_completion",
    "huggingface.tgi": "text_completion",
    "llamacpp": "text_completion",
    "openai.completions": "text_completion",
    "openai.speech": "generate_content",
    "openai.transcription": "generate_content",
    "openai.images": "generate_content",
    "ollama.generate": "text_completion",
    "gemini": "generate_content",
    "gemini.live": "generate_content",
}
"""The conventions' name of the operation, if it is not "chat"."""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_t34_every_dialect_yields_the_first_token(telemetry: Telemetry, dialect: str) -> None:
    """Every dialect, with its operation."""
    list(telemetry.tally.wrap(lambda: iter(DIALECTS[dialect]), dialect=dialect))
    assert telemetry.count(FIRST_TOKEN) == telemetry.count(DURATION) == 1
    assert telemetry.attributes()["gen_ai.operation.name"] == OPERATIONS.get(dialect, "chat")


def _figures(telemetry: Telemetry) -> dict[str, list[tuple[Any, ...]]]:
    """The number and the sum of the values of each metric, by its attributes."""
    telemetry.tally.flush()
    found: dict[str, list[tuple[Any, ...]]] = {}
    for name, points in telemetry.metrics().items():
        values = [(sorted((point.attributes or {}).items()), getattr(point, "count", None), _sum(point)) for point in points]
        found[name] = sorted(values, key=repr)
    return found


def _sum(point: Any) -> float:
    value: float = point.value if hasattr(point, "value") else point.sum
    return round(value, 9)


ASKED = {"model": "m", "provider": "openai"}


def _by_callback(telemetry: Telemetry, clock: FakeClock, payloads: list[Any], dialect: str) -> None:
    """A stream as callbacks of a framework: one call for the start, one for each chunk, one for the end."""
    options: dict[str, Any] = {"dialect": dialect, "params": ASKED, "started_at": clock.monotonic_ns() / 1e9}
    clock.advance(0.5)
    handle = telemetry.tally.open("r", **options)
    for number, payload in enumerate(payloads):
        clock.advance(0.25)
        telemetry.tally.add("r", payload, index=number)
    if "r" in telemetry.tally.accumulator:
        telemetry.tally.finish("r")
    handle.close()


def _by_iterator(telemetry: Telemetry, clock: FakeClock, payloads: list[Any], dialect: str) -> None:
    def ask() -> Any:
        clock.advance(0.5)
        for payload in payloads:
            clock.advance(0.25)
            yield payload

    list(telemetry.tally.wrap(ask, dialect=dialect, params=ASKED))


def _up_to_its_end(dialect: str) -> list[Any]:
    """Payloads up to the terminal one, which ends a keyed stream; an iterator would read on."""
    return DIALECTS[dialect][:-1] if dialect.startswith("bedrock.") else DIALECTS[dialect]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_t35_callbacks_emit_what_an_iterator_emits(dialect: str) -> None:
    """The same chunks at the same times yield the same metrics and the same span, by iterator or by callback."""
    found, spans = list[Any](), list[Any]()
    for bring in (_by_iterator, _by_callback):
        clock = FakeClock()
        telemetry = Telemetry(clock)
        bring(telemetry, clock, _up_to_its_end(dialect), dialect)
        found.append(_figures(telemetry))
        spans.append((telemetry.span().name, telemetry.span().start_time, telemetry.span().end_time))
        telemetry.close()
    assert found[0] == found[1]
    assert spans[0] == spans[1]
    assert {DURATION, FIRST_TOKEN, STREAMS} <= found[0].keys()
    operation = OPERATIONS.get(dialect, "chat")
    labels = [dict(attributes) for points in found[0].values() for attributes, _, _ in points if attributes]
    assert {one["gen_ai.operation.name"] for one in labels} == {operation}
