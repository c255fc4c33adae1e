"""T17: one call is measured once, however many look on."""

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
    """A wrapped stream is handed back as it is, also by a tally that exports to the same place."""
    outer = Tally(exporters=[telemetry.otel, telemetry.prometheus, telemetry.recorder]) if other else telemetry.tally
    inner = telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT))
    with outer.wrap(inner) as stream:
        assert stream is inner
        list(stream)
    outer.flush()
    _check_one(telemetry)


class InferenceData:
    """What opentelemetry-util-genai keeps of a call that is being measured."""


def _genai_stands_back() -> bool:
    """opentelemetry-util-genai measures no call inside a call; it believes only its own object."""
    return isinstance(context.get_value("opentelemetry.genai.client.inference.context"), InferenceData)


def _openllmetry_stands_back() -> bool:
    """OpenLLMetry measures nothing where this says so."""
    return bool(context.get_value("suppress_language_model_instrumentation"))


@pytest.mark.parametrize("stands_back", [_genai_stands_back, _openllmetry_stands_back])
def test_t17_another_instrumentation_stands_back(
    telemetry: Telemetry, openai_client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch, stands_back: Callable[[], bool]
) -> None:
    """While we make the request, the other is asked not to measure it; what the caller does else, it measures."""
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
    """The SDKs' streaming calls wrapped by themselves."""
    streamtally.instrument(tally=telemetry.tally)
    yield
    streamtally.uninstrument()


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("times", [1, 2])
def test_t17_wrapped_in_an_instrumented_sdk(telemetry: Telemetry, openai_client: openai.OpenAI, times: int) -> None:
    """Who wraps a call of an SDK that is instrumented, once or twice, has one measure; the raw call has one as well."""
    for _ in range(times - 1):
        streamtally.instrument(tally=telemetry.tally)
    list(telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT)))
    _check_one(telemetry)


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("wrapped", [True, False])
def test_t17_an_instrumented_sdk(telemetry: Telemetry, openai_client: openai.OpenAI, wrapped: bool) -> None:
    """One measure without any wrapping; and what an instrumented call returned is wrapped already."""
    stream = openai_client.chat.completions.create(**CHAT)
    list(telemetry.tally.wrap(stream) if wrapped else stream)
    _check_one(telemetry)


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("key", ["suppress_instrumentation", "suppress_language_model_instrumentation"])
def test_t17_we_stand_back(telemetry: Telemetry, openai_client: openai.OpenAI, key: str) -> None:
    """Where another instrumentation measures a call, and says so by the suppression key, an instrumented SDK does not."""
    token = context.attach(context.set_value(key, True))
    try:
        list(openai_client.chat.completions.create(**CHAT))
    finally:
        context.detach(token)
    assert (telemetry.recorder.records, telemetry.finished) == ([], [])
    assert telemetry.count(DURATION) == 0


def test_t17_beside_opentelemetry_s_own_instrumentation(telemetry: Telemetry, openai_client: openai.OpenAI) -> None:
    """The real one, where it is installed: it measures what is not wrapped, and nothing that is."""
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
