"""The events that LiteLLM passes to callbacks make one record for each streaming call.

The callback is tested with objects of LiteLLM's form, and with LiteLLM if it is installed.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest

from streamtally import Outcome, Tally
from streamtally.testing import FakeProvider, RecordingExporter, scenarios
from tests.streams.sources import chat_chunks
from tests.waiting import eventually

MODULE = "streamtally.integrations.litellm"
INSTALLED = find_spec("litellm") is not None


@pytest.fixture
def logger(monkeypatch: pytest.MonkeyPatch, tally: Tally) -> Any:
    """The callback; its base class is a double if LiteLLM is not installed."""
    if not INSTALLED:
        custom = ModuleType("litellm.integrations.custom_logger")
        custom.CustomLogger = type("CustomLogger", (), {})  # type: ignore[attr-defined]
        for name in ("litellm", "litellm.integrations"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setitem(sys.modules, "litellm.integrations.custom_logger", custom)
        monkeypatch.delitem(sys.modules, MODULE, raising=False)
    return import_module(MODULE).TallyLogger(tally)


BEGAN = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - LiteLLM's times have no time zone
FIRST, ENDED = BEGAN + timedelta(seconds=0.5), BEGAN + timedelta(seconds=2)
CALL: dict[str, Any] = {
    "litellm_call_id": "call-1",
    "stream": True,
    "model": "gpt-4o",
    "custom_llm_provider": "openai",
    "optional_params": {"temperature": 0.5, "stream": True, "extra_body": {}, "max_retries": 0},
    "completion_start_time": FIRST,
}
TOOL = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [
        {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "one two", "tool_calls": [TOOL]}},
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
}


def test_a_call(logger: Any, exporter: RecordingExporter) -> None:
    """The content, with the times of the first chunk and of the call; one record, whichever callbacks are called."""
    logger.log_pre_api_call("gpt-4o", [], CALL)
    for _ in range(2):
        logger.log_success_event(kwargs=CALL, response_obj=ANSWER, start_time=BEGAN, end_time=ENDED)
    (record,) = exporter.records
    assert (record.request_id, record.outcome, record.text) == ("call-1", Outcome.COMPLETED, "one two")
    assert [call.name for call in record.tool_calls] == ["look_up"]
    assert (record.finish_reason, record.response_id, record.params) == (
        "tool_calls",
        "chatcmpl-1",
        {"temperature": 0.5, "model": "gpt-4o", "provider": "openai"},
    )
    assert record.usage is not None
    assert (record.usage.output_tokens, record.cost.status) == (3, "priced")
    assert (record.timing.time_to_first_token, record.timing.duration) == (0.5, 2.0)
    assert len(logger._tally.accumulator) == 0


@pytest.mark.anyio
async def test_a_failed_call(logger: Any, exporter: RecordingExporter) -> None:
    """The exception is among the arguments of the callback; a second attempt under the same ID is another call."""
    failed = {**CALL, "exception": TimeoutError("slow")}
    await logger.async_log_failure_event(kwargs=failed, response_obj=None, start_time=BEGAN, end_time=ENDED)
    await logger.async_log_success_event(kwargs=CALL, response_obj=ANSWER, start_time=ENDED, end_time=ENDED)
    logger.log_failure_event(kwargs={**CALL, "litellm_call_id": "call-2"}, response_obj=None, start_time=BEGAN, end_time=ENDED)
    assert [record.outcome for record in exporter.records] == [Outcome.TIMEOUT, Outcome.COMPLETED, Outcome.ERROR]


@pytest.mark.parametrize(
    ("usage", "call", "provider", "expected"),
    [
        ({}, {"response_cost": 0.5}, "openai", ("computed", None, 0.5)),
        ({"cost": 0.5}, {"response_cost": 0.5}, "openai", ("computed", None, 0.5)),
        ({"cost": 0.5}, {"response_cost": 0.5}, "openrouter", ("provider", 0.5, None)),
        ({}, {"response_cost": 0.5}, "openrouter", ("computed", None, 0.5)),
        ({}, {}, "openai", ("computed", None, None)),
    ],
)
def test_the_cost_that_litellm_reckons(
    logger: Any, exporter: RecordingExporter, usage: Any, call: Any, provider: str, expected: Any
) -> None:
    """It is an estimate, below the computed cost, unless the provider bills what it states."""
    answer = {**ANSWER, "usage": {**ANSWER["usage"], **usage}}
    kwargs = {**CALL, **call, "custom_llm_provider": provider, "model": "openai/gpt-4o"}
    logger.log_success_event(kwargs=kwargs, response_obj=answer, start_time=BEGAN, end_time=ENDED)
    cost = exporter.records[0].cost
    amounts = [None if amount is None else float(amount) for amount in (cost.provider_usd, cost.gateway_usd)]
    assert (cost.source, *amounts) == expected


def test_calls_that_do_not_stream(logger: Any, exporter: RecordingExporter) -> None:
    """Calls that do not stream make no record."""
    logger.log_success_event(kwargs={**CALL, "stream": False}, response_obj=ANSWER, start_time=BEGAN, end_time=ENDED)
    logger.log_failure_event(kwargs={"model": "m"}, response_obj=None, start_time=BEGAN, end_time=ENDED)
    assert exporter.started == []


def test_other_kinds_of_answer(logger: Any, exporter: RecordingExporter) -> None:
    """A text completion, and an answer of the Responses API."""
    text = {"id": "t", "object": "text_completion", "choices": [{"index": 0, "text": "one", "finish_reason": "stop"}]}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "two"}]}
    response = {"id": "r", "object": "response", "status": "completed", "model": "m", "output": [message]}
    for number, answer in enumerate((text, response)):
        call = {**CALL, "litellm_call_id": f"call-{number}"}
        logger.log_success_event(kwargs=call, response_obj=answer, start_time=BEGAN, end_time=ENDED)
    assert [(record.dialect, record.text, record.outcome) for record in exporter.records] == [
        ("openai.completions", "one", Outcome.COMPLETED),
        ("openai.responses", "two", Outcome.COMPLETED),
    ]


def test_a_call_that_is_wrapped(logger: Any, tally: Tally, exporter: RecordingExporter) -> None:
    """A call whose stream is wrapped is not recorded twice."""

    def call() -> Any:
        logger.log_pre_api_call("gpt-4o", [], CALL)
        return iter(chat_chunks())

    with tally.wrap(call) as stream:
        list(stream)
    logger.log_success_event(kwargs=CALL, response_obj=ANSWER, start_time=BEGAN, end_time=ENDED)
    assert exporter.records == [stream.record]


@pytest.mark.anyio
async def test_a_stream_of_the_proxy(logger: Any, exporter: RecordingExporter) -> None:
    """A stream of the proxy passes through a wrapper unchanged, and the callbacks after it make no second record."""

    async def response() -> AsyncIterator[Any]:
        for chunk in chat_chunks():
            yield chunk

    request = {"litellm_call_id": "call-1", "model": "gpt-4o", "messages": ["secret"], "api_key": "secret"}
    hook = logger.async_post_call_streaming_iterator_hook(user_api_key_dict=None, response=response(), request_data=request)
    assert [chunk async for chunk in hook] == chat_chunks()
    await logger.async_log_success_event(kwargs=CALL, response_obj=ANSWER, start_time=BEGAN, end_time=ENDED)
    (record,) = exporter.records
    assert (record.text, record.requested_model, record.params) == ("one two three", "gpt-4o", {"model": "gpt-4o"})


def test_what_is_remembered_is_bounded(logger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls whose end LiteLLM does not report do not accumulate."""
    monkeypatch.setattr(sys.modules[MODULE], "_MAX_REMEMBERED", 10)
    assert all(logger._is_new(number) for number in range(100))
    assert len(logger._seen) == 10


@pytest.mark.skipif(not INSTALLED, reason="litellm is not installed: the real thing is NOT tested")
@pytest.mark.filterwarnings("default")
def test_with_litellm(logger: Any, exporter: RecordingExporter, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that streams over HTTP."""
    litellm = import_module("litellm")
    monkeypatch.setattr(litellm, "callbacks", [logger])
    provider.enqueue(scenarios.chat("one two"))
    asked = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    list(litellm.completion(**asked, api_base=provider.base_url, api_key="test"))
    eventually(lambda: exporter.records or None, "the record")  # LiteLLM calls its callbacks on threads of its own
    assert [(record.text, record.provider, record.outcome) for record in exporter.records] == [
        ("one two", "openai", Outcome.COMPLETED)
    ]


def test_without_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the module states what is to be installed."""
    for name in ("litellm", "litellm.integrations", "litellm.integrations.custom_logger"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    with pytest.raises(ImportError, match="pip install litellm"):
        import_module(MODULE)
