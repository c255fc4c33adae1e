"""SDK helper streams keep their interface when wrapped: every method works, and what it reads is recorded."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from anthropic.lib.streaming import AsyncMessageStream, MessageStream
from openai import AsyncStream, Stream
from openai.lib.streaming.chat import ChatCompletionStream
from pydantic import BaseModel

from streamtally import Outcome, Tally
from streamtally.testing import FakeClock, RecordingExporter, Scenario, scenarios
from streamtally.testing.media import silence
from tests.streams import sdks
from tests.streams.sources import Script, World, timeout_of

REQUEST: dict[str, Any] = {"model": "any", "messages": sdks.MESSAGES}
CHAT = scenarios.chat(sdks.TEXT)
MESSAGES = scenarios.anthropic(sdks.TEXT)
RESPONSES = scenarios.responses(sdks.TEXT)
SPEECH: dict[str, Any] = {"model": "any", "input": "Hi", "voice": "alloy"}


@pytest.fixture
def exporter() -> RecordingExporter:
    """An exporter that keeps the records."""
    return RecordingExporter()


@pytest.fixture
def tally(exporter: RecordingExporter) -> Tally:
    """A tally with that exporter and a fake clock."""
    return Tally(exporters=[exporter], clock=FakeClock(tick=0.001))


def client_of(world: World, api: str, scenario: Scenario, *, asynchronous: bool = False) -> Any:
    """Enqueue the scenario, and return a client of the SDK."""
    world.provider.enqueue(scenario)
    make = {"openai": sdks._openai, "anthropic": sdks._anthropic}[api]
    return make(sdks.ClientOptions(world.provider.url, timeout_of(Script.WHOLE), world.http(Script.WHOLE), asynchronous))


def ask(client: Any, api: str) -> Any:
    """Return the SDK's context manager of a helper stream."""
    match api:
        case "messages":
            return client.messages.stream(**REQUEST, max_tokens=9)
        case "responses":
            return client.responses.stream(model="any", input="Hi")
        case _:
            return client.chat.completions.stream(**REQUEST)


HELPERS: dict[str, tuple[str, str, Scenario, Callable[[Any], Any]]] = {
    "chat, final": ("openai", "chat", CHAT, lambda s: s.get_final_completion().choices[0].message.content),
    "chat, until done": ("openai", "chat", CHAT, lambda s: s.until_done().current_completion_snapshot.choices[0].message.content),
    "responses, final": ("openai", "responses", RESPONSES, lambda s: s.get_final_response().output_text),
    "messages, final": ("anthropic", "messages", MESSAGES, lambda s: s.get_final_message().content[0].text),
    "messages, final text": ("anthropic", "messages", MESSAGES, lambda s: s.get_final_text()),
    "messages, texts": ("anthropic", "messages", MESSAGES, lambda s: "".join(s.text_stream)),
    "messages, until done": (
        "anthropic",
        "messages",
        MESSAGES,
        lambda s: s.until_done() or s.current_message_snapshot.content[0].text,
    ),
    "messages, events": (
        "anthropic",
        "messages",
        MESSAGES,
        lambda s: [event.snapshot for event in s if event.type == "text"][-1],
    ),
    "messages, some of each": (
        "anthropic",
        "messages",
        MESSAGES,
        lambda s: [next(s), next(iter(s)), next(s.text_stream)] and s.get_final_text(),
    ),
}


@pytest.mark.parametrize("name", HELPERS)
@pytest.mark.parametrize("called", [True, False], ids=["callable", "manager"])
def test_helpers(world: World, tally: Tally, exporter: RecordingExporter, name: str, called: bool) -> None:
    """The record is complete before `with` is left, whichever method reads the helper."""
    api, method, scenario, use = HELPERS[name]
    client = client_of(world, api, scenario)
    with tally.wrap((lambda: ask(client, method)) if called else ask(client, method)) as stream:
        assert use(stream) == sdks.TEXT
        assert stream.record.text == sdks.TEXT
        assert stream.record.outcome is Outcome.COMPLETED
    (record,) = exporter.records
    assert record.usage is not None or api == "openai"
    assert record.timing.started_from == "request"
    assert record.server_address == "127.0.0.1"
    assert len(tally.accumulator) == 0


async def _texts(stream: Any) -> str:
    return "".join([text async for text in stream.text_stream])


async def _chat(stream: Any) -> Any:
    return (await stream.get_final_completion()).choices[0].message.content


async def _response(stream: Any) -> Any:
    return (await stream.get_final_response()).output_text


async def _message(stream: Any) -> Any:
    return (await stream.get_final_message()).content[0].text


ASYNC_HELPERS: dict[str, tuple[str, str, Scenario, Callable[[Any], Any]]] = {
    "chat, final": ("openai", "chat", CHAT, _chat),
    "responses, final": ("openai", "responses", RESPONSES, _response),
    "messages, final": ("anthropic", "messages", MESSAGES, _message),
    "messages, texts": ("anthropic", "messages", MESSAGES, _texts),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", ASYNC_HELPERS)
async def test_async_helpers(aworld: World, tally: Tally, exporter: RecordingExporter, name: str) -> None:
    """The record of an async helper is complete before `async with` is left."""
    api, method, scenario, use = ASYNC_HELPERS[name]
    async with tally.wrap(ask(client_of(aworld, api, scenario, asynchronous=True), method)) as stream:
        assert await use(stream) == sdks.TEXT
        assert stream.record.text == sdks.TEXT
        assert stream.record.outcome is Outcome.COMPLETED
    assert len(exporter.records) == 1


def test_types_of_helpers(world: World, tally: Tally) -> None:
    """The wrapper is an instance of the helper's class, and yields the helper's events."""
    with tally.wrap(ask(client_of(world, "anthropic", MESSAGES), "messages")) as stream:
        assert isinstance(stream, MessageStream)
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        kinds = [event.type for event in stream]
    assert kinds.count("text") == 3
    with tally.wrap(ask(client_of(world, "openai", CHAT), "chat")) as stream:
        assert isinstance(stream, ChatCompletionStream)
        assert "content.done" in [event.type for event in stream]


@pytest.mark.anyio
async def test_types_of_async_helpers(aworld: World, tally: Tally) -> None:
    """The wrapper is an instance of the async helper's class, and yields the helper's events."""
    async with tally.wrap(ask(client_of(aworld, "anthropic", MESSAGES, asynchronous=True), "messages")) as stream:
        assert isinstance(stream, AsyncMessageStream)
        assert "text" in [event.type async for event in stream]


def test_a_helper_that_is_open(world: World, tally: Tally) -> None:
    """A helper whose context manager was already entered can be wrapped."""
    with ask(client_of(world, "openai", CHAT), "chat") as helper:
        stream = tally.wrap(helper)
        assert stream.get_final_completion().choices[0].message.content == sdks.TEXT
    assert (stream.record.text, stream.record.outcome) == (sdks.TEXT, Outcome.COMPLETED)


def test_a_helper_that_was_already_read(world: World, tally: Tally, exporter: RecordingExporter) -> None:
    """A helper that was already read still works when wrapped, and gets a record."""
    with ask(client_of(world, "anthropic", MESSAGES), "messages") as helper:
        next(helper)
        stream = tally.wrap(helper)
        assert stream.get_final_text() == sdks.TEXT
        stream.close()
    assert len(exporter.records) == 1


def test_a_helper_closed_early(world: World, tally: Tally, exporter: RecordingExporter) -> None:
    """Leaving `with` early cancels the stream with what was read, and further reading yields nothing."""
    with tally.wrap(ask(client_of(world, "anthropic", MESSAGES), "messages")) as stream:
        assert next(stream.text_stream) == "one"
    assert list(stream) == []
    (record,) = exporter.records
    assert (record.outcome, record.text) == (Outcome.CANCELLED, "one")
    assert stream.response.is_closed
    assert record.timing.duration is not None


class Shape(BaseModel):
    """A response format that the answer does not match."""

    word: str


def test_an_exception_of_the_helper(world: World, tally: Tally, exporter: RecordingExporter) -> None:
    """An exception that the helper raises while it parses reaches the caller, and the stream gets a record."""
    client = client_of(world, "openai", CHAT)
    with (
        pytest.raises(ValueError, match="expected value"),
        tally.wrap(client.chat.completions.stream(**REQUEST, response_format=Shape)) as stream,
    ):
        list(stream)
    (record,) = exporter.records
    assert record.outcome is not None
    assert record.text in sdks.TEXT


def read_lines(response: Any) -> Any:
    """Return the lines of a streamed response."""
    return list(response.iter_lines())


@pytest.mark.parametrize(
    "use", [read_lines, lambda r: r.read(), lambda r: list(r.parse()), list], ids=["lines", "read", "parse", "iterate"]
)
def test_streamed_responses(world: World, tally: Tally, use: Callable[[Any], Any]) -> None:
    """All ways of reading a `with_streaming_response` are recorded."""
    client = client_of(world, "openai", CHAT)
    with tally.wrap(client.chat.completions.with_streaming_response.create(**REQUEST, stream=True)) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert use(response)
        assert response.http_response.is_closed
    assert (response.record.text, response.record.outcome) == (sdks.TEXT, Outcome.COMPLETED)


def test_streamed_speech(world: World, tally: Tally) -> None:
    """Streamed speech is recorded as bytes, and can be read again from the response."""
    client = client_of(world, "openai", scenarios.speech(silence()))
    with tally.wrap(client.audio.speech.with_streaming_response.create(**SPEECH)) as response:
        assert response.read() == response.read() == silence()
    assert response.record.outcome is Outcome.COMPLETED
    assert response.record.audio is not None
    assert response.record.audio.size == len(silence())


def test_streamed_response_left_early(world: World, tally: Tally) -> None:
    """Leaving `with` early cancels the stream and closes the response."""
    client = client_of(world, "openai", CHAT)
    with tally.wrap(client.chat.completions.with_streaming_response.create(**REQUEST, stream=True)) as response:
        next(response.iter_lines())
    assert response.record.outcome is Outcome.CANCELLED
    assert response.is_closed


def raw(client: Any) -> Any:
    """Return a raw response, whose `parse` gives a stream."""
    return client.chat.completions.with_raw_response.create(**REQUEST, stream=True)


def test_raw_responses(world: World, tally: Tally) -> None:
    """A wrapped raw response has headers, and `parse` returns the SDK's stream, whose end makes the record."""
    response = tally.wrap(raw(client_of(world, "openai", CHAT)))
    assert response.headers["content-type"].startswith("text/event-stream")
    parsed = response.parse()
    assert parsed is response.parse()
    assert type(parsed) is Stream
    assert "".join(chunk.choices[0].delta.content or "" for chunk in parsed if chunk.choices) == sdks.TEXT
    assert (response.record.text, response.record.outcome) == (sdks.TEXT, Outcome.COMPLETED)


@pytest.mark.parametrize("read", [0, 2])
def test_raw_responses_closed_early(world: World, tally: Tally, exporter: RecordingExporter, read: int) -> None:
    """A raw response that is closed early, parsed or not, is cancelled with one record."""
    response = tally.wrap(raw(client_of(world, "openai", CHAT)))
    if read:
        with response.parse() as parsed:
            next(parsed)
        assert len(exporter.records) == 1
    response.close()
    assert response.is_closed
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]


@pytest.mark.anyio
async def test_async_responses(aworld: World, tally: Tally) -> None:
    """Async raw and streamed responses are recorded and closed."""
    response = tally.wrap(await raw(client_of(aworld, "openai", CHAT, asynchronous=True)))
    parsed = response.parse()
    assert type(parsed) is AsyncStream
    assert len([chunk async for chunk in parsed]) == 6
    assert (response.record.text, response.record.outcome) == (sdks.TEXT, Outcome.COMPLETED)
    response = tally.wrap(await raw(client_of(aworld, "openai", CHAT, asynchronous=True)))
    await response.close()
    assert response.is_closed
    client = client_of(aworld, "openai", CHAT, asynchronous=True)
    async with tally.wrap(client.chat.completions.with_streaming_response.create(**REQUEST, stream=True)) as response:
        assert [line async for line in response.iter_lines()]
    assert (response.record.text, response.record.outcome) == (sdks.TEXT, Outcome.COMPLETED)


@pytest.mark.anyio
async def test_an_abandoned_async_response(aworld: World, tally: Tally, exporter: RecordingExporter) -> None:
    """An abandoned raw response is closed on its loop, and its connection is released."""
    client = client_of(aworld, "openai", CHAT, asynchronous=True)
    stream = tally.wrap(await raw(client))
    del stream
    gc.collect()
    tally.flush()
    for _ in range(20):
        await asyncio.sleep(0)
    assert [record.outcome for record in exporter.records] == [Outcome.ABANDONED]
    assert client._client._transport._pool.connections == []


def test_a_response_of_the_http_library(world: World, tally: Tally) -> None:
    """The context manager of an HTTP client's stream can be wrapped without any SDK."""
    world.provider.enqueue(CHAT)
    http: httpx2.Client = world.http(Script.WHOLE)
    with tally.wrap(http.stream("POST", f"{world.provider.base_url}/chat/completions", json={})) as response:
        assert sum(line.startswith("data:") for line in response.iter_lines()) == 7
    assert (response.record.text, response.record.outcome) == (sdks.TEXT, Outcome.COMPLETED)


def fail_with(error: Exception, *_: Any) -> None:
    """Raise the error."""
    raise error


def test_exceptions_inside_a_context_manager(tally: Tally) -> None:
    """A wrapped context manager gets the exception, may suppress it, and is left once."""
    left: list[Any] = []

    @contextmanager
    def manager() -> Iterator[list[Any]]:
        try:
            yield ["a", "b"]
        except KeyError as error:
            left.append(error)

    with tally.wrap(manager()) as stream:
        fail_with(KeyError("swallowed"), next(stream))
    assert [type(error) for error in left] == [KeyError]
    assert stream.record.outcome is Outcome.CANCELLED
    with pytest.raises(ValueError, match="mine"), tally.wrap(manager()) as stream:
        raise ValueError("mine")


def test_a_manager_that_cannot_be_entered(tally: Tally, exporter: RecordingExporter) -> None:
    """A context manager that cannot be entered makes the outcome an error."""

    @contextmanager
    def manager() -> Iterator[list[Any]]:
        fail_with(ConnectionError("refused"))
        yield []

    with pytest.raises(ConnectionError, match="refused"), tally.wrap(manager()):
        raise AssertionError("not reached")
    assert [record.outcome for record in exporter.records] == [Outcome.ERROR]


def test_a_mapping_with_a_stream(tally: Tally) -> None:
    """A mapping with a stream in it, as boto3 returns, is wrapped with its other keys."""
    answer = {"ResponseMetadata": {"RequestId": "r1"}, "stream": iter([{"a": 1}, {"a": 2}])}
    for source in (answer, lambda: {**answer, "stream": iter([{"a": 1}, {"a": 2}])}):
        stream = tally.wrap(source)
        with stream:
            assert stream["ResponseMetadata"] == {"RequestId": "r1"}
            assert stream["stream"] is stream
            assert list(stream["stream"]) == [{"a": 1}, {"a": 2}]
        assert stream.record.outcome is Outcome.COMPLETED
    with pytest.raises(TypeError, match="dict is no stream"):
        tally.wrap({"choices": [1, 2], "text": "abc"})
