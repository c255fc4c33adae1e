"""The instrumentor that `opentelemetry-instrument` finds by its entry point."""

import sys
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

import pytest
from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from streamtally import MissingExtra, default
from streamtally.testing import FakeProvider, scenarios

INSTALLED = find_spec("opentelemetry.instrumentation") is not None
MODULE = "streamtally.integrations.otel"

needs_the_package = pytest.mark.skipif(not INSTALLED, reason="opentelemetry-instrumentation is not installed: NOT tested")


@pytest.fixture(autouse=True)
def _no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(default, "_default", None)


@needs_the_package
def test_it_wraps_and_exports(provider: FakeProvider, client: OpenAI) -> None:
    """One span for a call of the SDK, and none after it is undone."""
    spans, provided = InMemorySpanExporter(), TracerProvider()
    provided.add_span_processor(SimpleSpanProcessor(spans))
    instrumentor = import_module(MODULE).StreamtallyInstrumentor()
    instrumentor.instrument(tracer_provider=provided)
    asked: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    try:
        provider.enqueue(scenarios.chat("one"))
        list(client.chat.completions.create(**asked))
    finally:
        instrumentor.uninstrument()
    provider.enqueue(scenarios.chat("one"))
    list(client.chat.completions.create(**asked))
    assert [span.name for span in spans.get_finished_spans()] == ["chat gpt-4o"]


@needs_the_package
def test_exporters_that_the_environment_names_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment decides whether OpenTelemetry is one of them."""
    monkeypatch.setenv("STREAMTALLY_EXPORTERS", "console")
    instrumentor = import_module(MODULE).StreamtallyInstrumentor()
    instrumentor.instrument()
    instrumentor.uninstrument()
    delivery = default.default_tally().delivery
    assert delivery is not None
    assert [type(one).__name__ for one in delivery.exporters] == ["ConsoleExporter"]


def test_the_entry_point() -> None:
    """The entry point loads the instrumentor, if the package is installed with its metadata."""
    found = [one for one in entry_points(group="opentelemetry_instrumentor") if one.name == "streamtally"]
    if not found:
        pytest.skip("streamtally is not installed with this entry point: install it anew")
    assert found[0].value == f"{MODULE}:StreamtallyInstrumentor"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error states what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.instrumentor", None)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    with pytest.raises(MissingExtra, match=r"streamtally\[instrument\]"):
        import_module(MODULE)
