"""T18–T23: the wrapper behaves like the SDK's stream, for any use and any content."""

import gc
import warnings
from types import SimpleNamespace
from typing import Any

import anthropic
import openai
import pytest
from anthropic.lib.streaming import MessageStream

from streamtally.testing import FakeProvider, Scenario
from tests.acceptance.calls import ANSWER, CHAT, CLAUDE, CLAUDE_ANSWER, MESSAGES, TEXT
from tests.acceptance.telemetry import OUTCOME, STREAMS, Telemetry
from tests.streams.sources import AsyncChunks, Script, Source, chat_chunks


@pytest.mark.parametrize("deferred", [True, False], ids=["callable", "stream"])
def test_t18_isinstance(
    telemetry: Telemetry, openai_client: openai.OpenAI, anthropic_client: Any, provider: FakeProvider, deferred: bool
) -> None:
    """Once the stream is open, the wrapper is an instance of the SDK's stream type, and of no other SDK's."""
    provider.enqueue(ANSWER, CLAUDE_ANSWER)
    asked: dict[type, Any] = {
        openai.Stream: lambda: openai_client.chat.completions.create(**CHAT),
        anthropic.Stream: lambda: anthropic_client.messages.create(**CLAUDE, stream=True),
    }
    for kind, ask in asked.items():
        with telemetry.tally.wrap(ask if deferred else ask()) as stream:
            assert isinstance(stream, kind)
            assert [isinstance(stream, other) for other in asked] == [other is kind for other in asked]


@pytest.mark.anyio
async def test_t18_isinstance_async(
    telemetry: Telemetry, async_openai_client: openai.AsyncOpenAI, async_anthropic_client: Any, provider: FakeProvider
) -> None:
    """Once the stream is open, the wrapper is an instance of the async SDK's stream type, and of no other SDK's."""
    provider.enqueue(ANSWER, CLAUDE_ANSWER)
    async with telemetry.tally.wrap(await async_openai_client.chat.completions.create(**CHAT)) as chat:
        assert isinstance(chat, openai.AsyncStream)
    async with telemetry.tally.wrap(await async_anthropic_client.messages.create(**CLAUDE, stream=True)) as message:
        assert isinstance(message, anthropic.AsyncStream)


@pytest.mark.filterwarnings("default")  # of litellm's own types pydantic warns
def test_t18_isinstance_of_litellm_s_stream(telemetry: Telemetry) -> None:
    """LiteLLM's own stream type, without the network."""
    litellm = pytest.importorskip("litellm", reason="litellm is no part of the development environment")
    source = litellm.completion("gpt-4.1-mini", MESSAGES, mock_response=TEXT, stream=True)
    with telemetry.tally.wrap(source) as stream:
        assert isinstance(stream, litellm.CustomStreamWrapper)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == TEXT
    assert stream.record.text == TEXT


def test_t19_a_warning_is_an_error_in_the_whole_suite(pytestconfig: pytest.Config) -> None:
    """So an unawaited coroutine (a RuntimeWarning) fails the test in which it occurs."""
    assert pytestconfig.getini("filterwarnings") == ["error"]


@pytest.mark.parametrize("way", ["wrapped and dropped", "called and dropped"])
def test_t19_no_coroutine_is_left_unawaited(telemetry: Telemetry, way: str) -> None:
    """A coroutine that was wrapped and never awaited is closed, whatever the warning filters are."""
    source = Source(Script.WHOLE)

    async def ask() -> AsyncChunks:
        return AsyncChunks(source)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stream = telemetry.tally.wrap(ask() if way.startswith("wrapped") else ask)
        del stream
        gc.collect()
        assert telemetry.attributes()[OUTCOME] == "abandoned"
    assert caught == []


def test_t20_attributes_and_methods_are_forwarded(
    telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider
) -> None:
    """All other attributes are the source's, public or not, methods or not; an attribute that it lacks is an AttributeError."""
    provider.enqueue(ANSWER)
    source = openai_client.chat.completions.create(**CHAT)
    source.extra = object()
    stream = telemetry.tally.wrap(source)
    for name in ("extra", "response", "_cast_to", "_client", "_decoder"):
        assert getattr(stream, name) is getattr(source, name)
    assert stream._iter_events == source._iter_events
    assert not hasattr(stream, "get_final_message")
    stream.close()
    assert source.response.is_closed


def test_t20_a_manager_stream_is_intact(telemetry: Telemetry, anthropic_client: Any, provider: FakeProvider) -> None:
    """`messages.stream()` keeps its events, texts and final message, and is measured whichever is used."""
    provider.enqueue(CLAUDE_ANSWER, CLAUDE_ANSWER)
    with telemetry.tally.wrap(anthropic_client.messages.stream(**CLAUDE)) as stream:
        assert isinstance(stream, MessageStream)
        assert "".join(stream.text_stream) == TEXT
        assert stream.get_final_message().usage.output_tokens == 3
        assert stream.current_message_snapshot.stop_reason == "end_turn"
    with telemetry.tally.wrap(lambda: anthropic_client.messages.stream(**CLAUDE)) as stream:
        assert [event.type for event in stream].count("text") == 3
    assert [(span.attributes or {})[OUTCOME] for span in telemetry.finished] == ["completed"] * 2
    assert [record.text for record in telemetry.recorder.records] == [TEXT] * 2


def test_t20_a_manager_stream_of_openai_is_intact(
    telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider
) -> None:
    """`chat.completions.stream()` keeps its events and its final completion, and is measured."""
    provider.enqueue(ANSWER)
    asked = {name: value for name, value in CHAT.items() if name != "stream"}
    manager: Any = openai_client.chat.completions.stream(**asked)
    with telemetry.tally.wrap(manager) as stream:
        assert "content.done" in [event.type for event in stream]
        assert stream.get_final_completion().choices[0].message.content == TEXT
    assert (stream.record.text, telemetry.attributes()[OUTCOME]) == (TEXT, "completed")


def test_t21_next_and_iter_and_response(telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider) -> None:
    """Iterator and iterable, like the SDK's stream; `response` is the SDK's."""
    provider.enqueue(ANSWER)
    source = openai_client.chat.completions.create(**CHAT)
    stream = telemetry.tally.wrap(source)
    assert stream.response is source.response
    seen = [next(stream), next(iter(stream)), *stream]
    assert iter(stream) is iter(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in seen if chunk.choices) == TEXT
    assert next(stream, None) is None
    assert telemetry.attributes()["streamtally.chunks"] == len(seen)


@pytest.mark.anyio
async def test_t21_anext_and_aiter_and_response(
    telemetry: Telemetry, async_openai_client: openai.AsyncOpenAI, provider: FakeProvider
) -> None:
    """The wrapper is an async iterator and iterable, as the SDK's stream; `response` is the SDK's."""
    provider.enqueue(ANSWER)
    source = await async_openai_client.chat.completions.create(**CHAT)
    stream = telemetry.tally.wrap(source)
    assert stream.response is source.response
    seen = [await anext(stream), await anext(aiter(stream)), *[chunk async for chunk in stream]]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in seen if chunk.choices) == TEXT
    assert await anext(stream, None) is None
    assert telemetry.attributes()["streamtally.chunks"] == len(seen)


def _raw(client: openai.OpenAI) -> Any:
    return client.chat.completions.with_raw_response.create(**CHAT)


def test_t22_a_raw_response(telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider) -> None:
    """Headers are available first; nothing is read before `parse()`, and the stream that it returns is measured."""
    provider.enqueue(ANSWER)
    raw = telemetry.tally.wrap(_raw(openai_client))
    assert raw.headers["content-type"].startswith("text/event-stream")
    assert raw.status_code == 200
    assert not raw.http_response.is_stream_consumed
    parsed = raw.parse()
    assert parsed is raw.parse()
    assert isinstance(parsed, openai.Stream)
    assert telemetry.finished == []
    assert "".join(chunk.choices[0].delta.content or "" for chunk in parsed if chunk.choices) == TEXT
    assert telemetry.attributes()[OUTCOME] == "completed"
    assert telemetry.recorder.records[0].text == TEXT


@pytest.mark.parametrize("parsed", [False, True], ids=["never parsed", "parsed, never read"])
def test_t22_a_raw_response_that_is_closed_unread(
    telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider, parsed: bool
) -> None:
    """Its span still ends."""
    provider.enqueue(ANSWER)
    raw = telemetry.tally.wrap(_raw(openai_client))
    if parsed:
        raw.parse()
    raw.http_response.close()
    assert [(span.attributes or {})[OUTCOME] for span in telemetry.finished] == ["cancelled"]


ODD_LINES = ("null", "{}", "[]", '"text"', "7", '{"choices":null}', '{"choices":[null]}', '{"choices":[{}]}', '{"usage":[]}')


def test_t23_odd_chunks_from_the_wire(telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider) -> None:
    """The SDK's objects reach the caller unchanged, and the record has the content around them."""
    odd = tuple(f"data: {line}\n\n".encode() for line in ODD_LINES)
    answer = Scenario((*ANSWER.frames[:2], *odd, *ANSWER.frames[2:]))
    provider.enqueue(answer, answer)
    bare = list(openai_client.chat.completions.create(**CHAT))
    stream = telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT))
    assert list(stream) == bare
    assert stream.record.text == TEXT
    attributes = telemetry.attributes()
    assert (attributes["streamtally.chunks"], attributes["error.type"]) == (len(bare), "malformed_payload")


class Hostile(str):
    """A text whose attributes raise."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_t23_odd_objects_among_chunks(telemetry: Telemetry) -> None:
    """They pass unchanged; those that cannot be read are counted, the others are in the record, and in the metrics."""
    odd: list[Any] = [None, {}, [], 7, object(), SimpleNamespace(), SimpleNamespace(choices=None), Hostile("x"), Hostile("y")]
    chunks: list[Any] = [*chat_chunks()[:2], *odd, *chat_chunks()[2:]]
    stream = telemetry.tally.wrap(iter(chunks))
    passed = list(stream)
    assert len(passed) == len(chunks)
    assert all(one is other for one, other in zip(passed, chunks, strict=True))
    assert stream.record.extras["observation_faults"] == 2
    assert (stream.record.text, telemetry.attributes()["streamtally.chunks"]) == (TEXT, len(chunks))
    assert telemetry.total(STREAMS, streamtally__outcome="error") == 1
