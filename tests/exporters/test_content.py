"""Content leaves only when it is asked for: one rule for all exporters."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import BaseModel

from streamtally.exporters import (
    ConsoleExporter,
    JsonLinesExporter,
    OtelExporter,
    PrometheusExporter,
    redaction,
    without_content,
)
from streamtally.records import Outcome, StreamRecord, StreamType
from tests.exporters.samples import MARK, marked, record

PLAIN = {
    "StreamRecord": "request_id stream_type dialect outcome provider requested_model model response_id conversation_id "
    "server_address server_port choices audio transcript images usage cost timing error ordering missing highest_index "
    "chunk_count duplicates conflicts late dropped_bytes dropped_chunks service_tier system_fingerprint attributes",
    "Choice": "index role tool_calls finish_reason finish_reason_raw",
    "ToolCall": "index id name complete type",
    "Audio": "mime_type size id",
    "Image": "index mime_type partials complete",
    "Transcript": "language duration",
    "Usage": "input_tokens output_tokens total_tokens cache_read_tokens cache_write_tokens cache_write_1h_tokens "
    "reasoning_tokens text_input_tokens text_output_tokens audio_input_tokens audio_output_tokens cache_read_audio_tokens "
    "cache_read_image_tokens image_input_tokens image_output_tokens accepted_prediction_tokens rejected_prediction_tokens "
    "seconds characters images searches image_size image_quality cost_usd source partial "
    "cache_write_12h_tokens cache_write_audio_tokens cache_read_video_tokens video_input_tokens video_output_tokens "
    "citation_tokens video_seconds input_video_seconds input_images megapixels pages annotated_pages grounded_prompts "
    "grounded_queries maps_queries file_searches code_sessions search_units video_size search_context",
    "ErrorDetails": "type code status retryable",
}
"""The fields that are no content. A field that is neither here nor in the rule must be decided on."""

WORDS = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=12, max_size=20).map("zq{}".format)


def everything_exported(of: StreamRecord, *, content: bool) -> str:
    """All that the four exporters let out of a record, in one text."""
    spans, reader, registry, lines, console = (
        InMemorySpanExporter(),
        InMemoryMetricReader(),
        CollectorRegistry(),
        io.StringIO(),
        io.StringIO(),
    )
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    exporters = (
        OtelExporter(tracers, MeterProvider(metric_readers=[reader], shutdown_on_exit=False), content=content),
        PrometheusExporter(registry),
        JsonLinesExporter(lines, content=content),
        ConsoleExporter(console, content=content),
    )
    for exporter in exporters:
        exporter.export(of)
    metrics = reader.get_metrics_data()
    assert metrics is not None
    told = [span.to_json() for span in spans.get_finished_spans()]
    return "\n".join([*told, metrics.to_json(), generate_latest(registry).decode(), lines.getvalue(), console.getvalue()])


@given(mark=WORDS, outcome=st.sampled_from(Outcome), stream_type=st.sampled_from(StreamType))
def test_content_never_leaves_unasked(mark: str, outcome: Outcome, stream_type: StreamType) -> None:
    """A mark in every field of content is nowhere in what the exporters let out, plain or in base64."""
    exported = everything_exported(marked(mark, outcome=outcome, stream_type=stream_type), content=False)
    assert mark not in exported
    assert base64.b64encode(mark.encode()).decode() not in exported


def test_content_leaves_when_asked() -> None:
    """The test above would see it."""
    assert MARK in everything_exported(marked(), content=True)


def test_the_mark_is_in_every_field_of_content() -> None:
    """The marked record leaves none out, so that the tests above mean something."""
    dumped = marked().model_dump()
    for path in _paths(redaction.CONTENT):
        assert MARK in repr(_reach(dumped, path)), path


def test_every_field_is_decided_on() -> None:
    """A new field of a record is either content or plain."""
    for model, rule in _models(StreamRecord, redaction.CONTENT):
        content = {name for name in rule if not isinstance(rule, dict) or rule[name] is True}
        plain = set(PLAIN[model.__name__].split())
        assert content | plain == set(model.model_fields), model.__name__
        assert not content & plain, model.__name__


def test_a_record_without_content_keeps_the_rest() -> None:
    """Counts, names and times are the same, and doing it twice changes nothing."""
    bare = without_content(marked())
    assert MARK not in bare.model_dump_json()
    assert (bare.cost, bare.timing, bare.chunk_count, bare.finish_reasons) == (
        marked().cost,
        marked().timing,
        marked().chunk_count,
        marked().finish_reasons,
    )
    assert [call.name for call in bare.tool_calls] == ["look_up"]
    assert without_content(bare) == bare


@pytest.mark.parametrize("outcome", Outcome)
def test_json_without_content_is_a_record(outcome: Outcome) -> None:
    """Whatever reads records reads it."""
    line = redaction.to_json(record(outcome=outcome), content=False)
    assert StreamRecord.model_validate_json(line) == without_content(record(outcome=outcome))
    assert json.loads(redaction.to_json(record(), content=True))["choices"][0]["text"] == "hello"


def _paths(rule: Any, *above: str) -> Iterator[tuple[str, ...]]:
    for name in rule:
        below = rule[name] if isinstance(rule, dict) else True
        if below is True:
            yield (*above, name)
        else:
            yield from _paths(below, *above, name)


def _reach(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value[0] if name == "__all__" else value[name]
    return value


def _models(model: type[BaseModel], rule: Any) -> Iterator[tuple[type[BaseModel], Any]]:
    """Each model that the rule goes into, with its part of the rule."""
    yield model, rule
    for name in rule:
        if isinstance(rule, dict) and rule[name] is not True:
            below = rule[name]
            yield from _models(
                _model_of(model.model_fields[name].annotation), below.get("__all__", below) if isinstance(below, dict) else below
            )


def _model_of(annotation: Any) -> type[BaseModel]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(_model_of(part) for part in get_args(annotation) if part not in (type(None), Ellipsis))
