"""Content is exported only when the user asks for it: one rule for all exporters."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

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
from streamtally.records import Outcome, StreamRecord, StreamType, Usage, base
from streamtally.records.base import Frozen, Private
from tests.exporters.samples import MARK, marked, record


def _results(base_class: type[BaseModel] = Frozen) -> list[type[BaseModel]]:
    """All classes of results, from which a record is built."""
    found = []
    for model in base_class.__subclasses__():
        found += [*([] if model is Private else [model]), *_results(model)]
    return found


WORDS = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=12, max_size=20).map("zq{}".format)


def everything_exported(of: StreamRecord, *, content: bool) -> str:
    """The output of all four exporters for a record, in one text."""
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
    finished = [span.to_json() for span in spans.get_finished_spans()]
    return "\n".join([*finished, metrics.to_json(), generate_latest(registry).decode(), lines.getvalue(), console.getvalue()])


@given(mark=WORDS, outcome=st.sampled_from(Outcome), stream_type=st.sampled_from(StreamType))
def test_content_is_not_exported_by_default(mark: str, outcome: Outcome, stream_type: StreamType) -> None:
    """A mark in every field of content is nowhere in the output of the exporters, plain or in base64."""
    exported = everything_exported(marked(mark, outcome=outcome, stream_type=stream_type), content=False)
    assert mark not in exported
    assert base64.b64encode(mark.encode()).decode() not in exported


def test_content_is_exported_on_request() -> None:
    """The test above would find the mark."""
    assert MARK in everything_exported(marked(), content=True)


def test_the_mark_is_in_every_field_of_content() -> None:
    """The marked record has the mark in every field of content, which the tests above rely on."""
    dumped = marked().model_dump()
    for path in _paths(redaction.CONTENT):
        assert MARK in repr(_reach(dumped, path)), path


@pytest.mark.parametrize("model", _results(), ids=lambda model: model.__name__)
def test_every_field_is_decided_on(model: type[BaseModel]) -> None:
    """A field of a record, at any depth, is either content or plain."""
    table = "streamtally/exporters/redaction.py: FIELDS"
    assert model in redaction.FIELDS, f"add {model.__name__} to {table}"
    content, plain = redaction.FIELDS[model]
    assert content | plain == set(model.model_fields), f"decide on these fields of {model.__name__} in {table}"
    assert not content & plain, f"each field of {model.__name__} has one place in {table}"


def test_the_rule_goes_into_nested_models() -> None:
    """In the form that pydantic's `exclude` takes."""
    assert redaction.CONTENT["choices"]["__all__"]["tool_calls"] == {
        "__all__": {"arguments": True, "arguments_json": True, "extras": True}
    }
    assert redaction.CONTENT["error"] == {"message": True, "body": True}
    assert redaction.CONTENT["params"] is True
    assert not {"request_id", "cost", "timing"} & redaction.CONTENT.keys()


def test_a_field_without_a_decision_is_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a forgotten field is not exported."""
    content, plain = redaction.FIELDS[Usage]
    undecided = redaction._Fields(content, plain - {"searches"})
    monkeypatch.setattr(redaction, "FIELDS", dict(redaction.FIELDS) | {Usage: undecided})
    assert redaction._excluded(Usage) == {"raw": True, "searches": True}


def test_repr_shows_no_field_of_content() -> None:
    """The fields that `repr` shows in full include no content."""
    content = {name for fields in redaction.FIELDS.values() for name in fields.content}
    assert not base._PLAIN_FIELDS & content


def test_a_record_without_content_keeps_the_rest() -> None:
    """Counts, names and times are unchanged, and a second call changes nothing."""
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
    """The JSON of a record without content can be parsed as a record."""
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
