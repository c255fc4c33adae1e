"""T17: one call is measured once, beside any other instrumentation."""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import openai
import pytest
from opentelemetry import context

import streamtally
from streamtally import Tally
from streamtally.testing import FakeProvider
from tests.acceptance.calls import ANSWER, CHAT
from tests.acceptance.telemetry import DURATION, STREAMS, Telemetry


@pytest.fixture(autouse=True)
def _answer(provider: FakeProvider) -> None:
    """The next request is answered with a chat."""
    provider.enqueue(ANSWER)


def _check_one(telemetry: Telemetry) -> None:
    assert len(telemetry.finished) == 1
    assert telemetry.total(STREAMS) == telemetry.scraped("streamtally_streams_total") == telemetry.count(DURATION) == 1
    assert len(telemetry.recorder.records) == len(telemetry.recorder.started) == 1


@pytest.mark.parametrize("other", [False, True], ids=["the same tally", "another tally"])
def test_t17_wrapped_twice(telemetry: Telemetry, openai_client: openai.OpenAI, other: bool) -> None:
    """A wrapped stream is returned as it is, also by another tally."""
    outer = Tally(exporters=[telemetry.otel, telemetry.prometheus, telemetry.recorder]) if other else telemetry.tally
    inner = telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT))
    with outer.wrap(inner) as stream:
        assert stream is inner
        list(stream)
    outer.flush()
    _check_one(telemetry)


class InferenceData:
    """The object that opentelemetry-util-genai keeps in the context of a call that it measures."""


def _genai_stands_back() -> bool:
    """opentelemetry-util-genai measures no call inside another one; it accepts only its own type."""
    return isinstance(context.get_value("opentelemetry.genai.client.inference.context"), InferenceData)


def _openllmetry_stands_back() -> bool:
    """OpenLLMetry measures nothing if this key is set."""
    return bool(context.get_value("suppress_language_model_instrumentation"))


@pytest.mark.parametrize("stands_back", [_genai_stands_back, _openllmetry_stands_back])
def test_t17_another_instrumentation_is_suppressed(
    telemetry: Telemetry, openai_client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch, stands_back: Callable[[], bool]
) -> None:
    """It is suppressed while the request is made, and not for other calls of the caller."""
    library = ModuleType("opentelemetry.util.genai.invocation")
    monkeypatch.setattr(library, "InferenceData", InferenceData, raising=False)
    monkeypatch.setitem(sys.modules, library.__name__, library)
    duration = telemetry.meters.get_meter("another").create_histogram(DURATION, "s")

    def create() -> Any:
        if not stands_back():
            duration.record(1.0, {"gen_ai.operation.name": "chat"})
        return openai_client.chat.completions.create(**CHAT)

    for _ in telemetry.tally.wrap(create):
        assert not stands_back()  # the loop's body is the caller's
    assert telemetry.count(DURATION) == 1
    list(create())
    assert telemetry.count(DURATION) == 2


@pytest.fixture
def instrumented(telemetry: Telemetry) -> Iterator[None]:
    """The SDKs' streaming calls, wrapped by `instrument`."""
    streamtally.instrument(tally=telemetry.tally)
    yield
    streamtally.uninstrument()


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("times", [1, 2])
def test_t17_wrapped_in_an_instrumented_sdk(telemetry: Telemetry, openai_client: openai.OpenAI, times: int) -> None:
    """A call of an instrumented SDK that is wrapped, once or twice, is measured once, and so is the bare call."""
    for _ in range(times - 1):
        streamtally.instrument(tally=telemetry.tally)
    list(telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT)))
    _check_one(telemetry)


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("wrapped", [True, False])
def test_t17_an_instrumented_sdk(telemetry: Telemetry, openai_client: openai.OpenAI, wrapped: bool) -> None:
    """The call is measured once without `wrap`, and what it returns is wrapped already."""
    stream = openai_client.chat.completions.create(**CHAT)
    list(telemetry.tally.wrap(stream) if wrapped else stream)
    _check_one(telemetry)


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("key", ["suppress_instrumentation", "suppress_language_model_instrumentation"])
def test_t17_our_instrumentation_is_suppressed(telemetry: Telemetry, openai_client: openai.OpenAI, key: str) -> None:
    """If another instrumentation has set the suppression key for a call, `instrument` does not wrap it."""
    token = context.attach(context.set_value(key, True))
    try:
        list(openai_client.chat.completions.create(**CHAT))
    finally:
        context.detach(token)
    assert (telemetry.recorder.records, telemetry.finished) == ([], [])
    assert telemetry.count(DURATION) == 0


def test_t17_beside_opentelemetry_s_own_instrumentation(telemetry: Telemetry, openai_client: openai.OpenAI) -> None:
    """The real one, if it is installed: it measures calls that are not wrapped, and no others."""
    theirs = pytest.importorskip(
        "opentelemetry.instrumentation.genai.openai", reason="the instrumentation is no part of the development environment"
    )
    instrumentor = theirs.OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=telemetry.tracers, meter_provider=telemetry.meters)
    try:
        list(telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT)))
        _check_one(telemetry)
        assert len(telemetry.memory.get_finished_spans()) == 1
        list(openai_client.chat.completions.create(**CHAT))
        assert telemetry.count(DURATION) == len(telemetry.memory.get_finished_spans()) == 2
    finally:
        instrumentor.uninstrument()
