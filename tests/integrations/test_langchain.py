"""The events that LangChain passes to callback handlers make the record that the stream itself would.

The handler is tested with objects of LangChain's form, and with LangChain if it is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from streamtally import Outcome, Tally
from streamtally.testing import RecordingExporter

MODULE = "streamtally.integrations.langchain"
INSTALLED = find_spec("langchain_core") is not None


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch, tally: Tally) -> Any:
    """The handler; its base class is a double if LangChain is not installed."""
    if not INSTALLED:
        callbacks = ModuleType("langchain_core.callbacks")
        callbacks.BaseCallbackHandler = type("BaseCallbackHandler", (), {})  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "langchain_core", ModuleType("langchain_core"))
        monkeypatch.setitem(sys.modules, "langchain_core.callbacks", callbacks)
        monkeypatch.delitem(sys.modules, MODULE, raising=False)
    return import_module(MODULE).TallyHandler(tally)


ABOUT: dict[str, Any] = {
    "metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4o"},
    "invocation_params": {"model": "gpt-4o", "temperature": 0.5, "_type": "openai-chat"},
}


def chunk(content: Any = "", *, info: dict[str, Any] | None = None, **fields: Any) -> SimpleNamespace:
    """A `ChatGenerationChunk`, with the fields that are read."""
    message = {
        "content": content,
        "response_metadata": {},
        "additional_kwargs": {},
        "usage_metadata": None,
        "tool_call_chunks": [],
    }
    return SimpleNamespace(message=SimpleNamespace(**{**message, **fields}), generation_info=info)


USAGE = {
    "input_tokens": 9,
    "output_tokens": 3,
    "total_tokens": 12,
    "input_token_details": {"cache_read": 4},
    "output_token_details": {"reasoning": 1},
}
CHUNKS = (
    chunk("", additional_kwargs={"reasoning_content": "hm"}),
    chunk([{"type": "text", "text": "one"}]),
    chunk(" two", tool_call_chunks=[{"index": 0, "id": "c1", "name": "look_up", "args": '{"a":'}]),
    chunk("", tool_call_chunks=[{"index": 0, "id": None, "name": None, "args": " 1}"}]),
    chunk("", info={"finish_reason": "tool_calls", "model_name": "gpt-4o-2024-08-06"}),
    chunk("", usage_metadata=USAGE),
)


def play(handler: Any, *chunks: Any, start: str = "on_chat_model_start") -> Any:
    """Start a run and stream its chunks; returns its ID."""
    run = uuid4()
    getattr(handler, start)({}, [[]], run_id=run, parent_run_id=None, tags=[], **ABOUT)
    for each in chunks:
        handler.on_llm_new_token("", chunk=each, run_id=run, parent_run_id=None)
    return run


def test_a_run(handler: Any, exporter: RecordingExporter) -> None:
    """Text, reasoning, tool calls, finish, usage, parameters and price; under the run's ID; the handler keeps no state of it."""
    run = play(handler, *CHUNKS)
    handler.on_llm_end(SimpleNamespace(), run_id=run)
    (record,) = exporter.records
    assert (record.request_id, record.outcome, record.text, record.reasoning) == (str(run), Outcome.COMPLETED, "one two", "hm")
    assert [(call.name, call.arguments_json) for call in record.tool_calls] == [("look_up", {"a": 1})]
    assert (record.finish_reason, record.model, record.requested_model) == ("tool_calls", "gpt-4o-2024-08-06", "gpt-4o")
    assert (record.provider, record.params["temperature"]) == ("openai", 0.5)
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.cache_read_tokens, record.usage.reasoning_tokens) == (9, 4, 1)
    assert record.cost.usd is not None
    assert record.timing.time_to_first_token is not None
    assert len(exporter.started) == 1
    assert (handler._runs, len(handler._tally.accumulator)) == ({}, 0)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(RuntimeError("broken"), Outcome.ERROR), (TimeoutError(), Outcome.TIMEOUT), (GeneratorExit(), Outcome.CANCELLED)],
)
def test_a_run_that_ends_otherwise(handler: Any, exporter: RecordingExporter, error: BaseException, outcome: Outcome) -> None:
    """A run that failed, or whose stream was not read to the end, has that outcome."""
    handler.on_llm_error(error, run_id=play(handler, *CHUNKS[:2]))
    assert [(record.outcome, record.text) for record in exporter.records] == [(outcome, "one")]


def test_a_run_that_does_not_stream(handler: Any, exporter: RecordingExporter) -> None:
    """A run that does not stream makes no record, and neither does an event of an unknown run."""
    handler.on_llm_end(SimpleNamespace(), run_id=play(handler))
    handler.on_llm_error(ValueError(), run_id=play(handler))
    handler.on_llm_new_token("x", run_id=uuid4())
    handler.on_llm_end(SimpleNamespace(), run_id=uuid4())
    assert exporter.started == exporter.records == []
    assert handler._runs == {}


def test_a_model_that_completes_a_text(handler: Any, exporter: RecordingExporter) -> None:
    """Tokens of a text completion model, which have no message, are recorded."""
    run = play(handler, start="on_llm_start")
    for token in ("one", " two"):
        handler.on_llm_new_token(token, chunk=SimpleNamespace(text=token, generation_info=None), run_id=run)
    handler.on_llm_end(SimpleNamespace(), run_id=run)
    assert [record.text for record in exporter.records] == ["one two"]


def test_runs_at_the_same_time(handler: Any, exporter: RecordingExporter) -> None:
    """Each has its own record."""
    runs = [play(handler, CHUNKS[1]) for _ in range(3)]
    for run in reversed(runs):
        handler.on_llm_end(SimpleNamespace(), run_id=run)
    assert [record.request_id for record in exporter.records] == [str(run) for run in reversed(runs)]


@pytest.mark.skipif(not INSTALLED, reason="langchain-core is not installed: the real thing is NOT tested")
@pytest.mark.parametrize("whole", [True, False])
def test_with_langchain(handler: Any, exporter: RecordingExporter, whole: bool) -> None:
    """A model of LangChain, read to its end or not."""
    models = import_module("langchain_core.language_models.fake_chat_models")
    messages = import_module("langchain_core.messages")
    model = models.GenericFakeChatModel(messages=iter([messages.AIMessage(content="one two")]), callbacks=[handler])
    chunks: Iterator[Any] = model.stream("Hi")
    for _ in chunks:
        if not whole:
            break
    chunks.close()  # type: ignore[attr-defined]
    (record,) = exporter.records
    assert (record.outcome, record.text.startswith("one")) == (Outcome.COMPLETED if whole else Outcome.CANCELLED, True)


def test_without_langchain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the module states what is to be installed."""
    monkeypatch.setitem(sys.modules, "langchain_core", None)
    monkeypatch.setitem(sys.modules, "langchain_core.callbacks", None)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    with pytest.raises(ImportError, match="pip install langchain-core"):
        import_module(MODULE)
