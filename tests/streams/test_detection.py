"""Detection of dialect and provider from the objects of every SDK, over HTTP, without a dialect given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import InferenceClient, TextGenerationStreamOutput
from mistralai.client.models import CompletionChunk

from streamtally import Outcome, StreamRecord, Tally
from streamtally.testing import FakeProvider, scenarios
from streamtally.testing.scenarios import Call
from tests.streams import sdks
from tests.streams.sources import Script, World, timeout_of

ANSWER: dict[str, Any] = {
    "text": sdks.TEXT,
    "reasoning": "Let me think",
    "tool_calls": [Call("weather", '{"city": "Köln"}', "call_a")],
}

EXPECTED = {
    "anthropic": ("anthropic.messages", None, scenarios.anthropic),
    "anthropic helper": ("anthropic.messages", None, scenarios.anthropic),
    "bedrock": ("bedrock.converse", "aws", scenarios.converse),
    "cohere": ("cohere.v2", "cohere", scenarios.cohere),
    "gemini": ("gemini", "google", scenarios.gemini),
    "mistral": ("mistral.chat", "mistral", scenarios.mistral),
    "ollama": ("ollama.chat", "ollama", scenarios.ollama),
    "openai helper": ("openai.chat", None, scenarios.chat),
}
"""For each SDK: dialect, the provider that its package or format determines, and the scenario that the server plays."""


@pytest.fixture
def tally() -> Tally:
    """A tally."""
    return Tally()


def request_of(api: sdks.Api, world: World, mode: str) -> Any:
    """Enqueue the answer, and return the call that is wrapped."""
    world.provider.enqueue(EXPECTED[api.name][2](**ANSWER))
    http = None if api.library is None else world.http(Script.WHOLE, api.library)
    client = api.client(sdks.ClientOptions(world.provider.url, timeout_of(Script.WHOLE), http, mode == "async"))
    return lambda: api.ask(client)


def check(record: StreamRecord, name: str) -> None:
    """Check that the record has the dialect and provider of the SDK, and the same content for all SDKs."""
    dialect, provider, _ = EXPECTED[name]
    assert (record.dialect, record.provider) == (dialect, provider)
    assert (record.outcome, record.error) == (Outcome.COMPLETED, None)
    assert (record.text, record.reasoning) == (sdks.TEXT, "Let me think")
    (call,) = record.tool_calls
    assert (call.name, call.arguments_json, call.complete) == ("weather", {"city": "Köln"}, True)
    assert record.finish_reason == "tool_calls"
    assert (record.usage is not None and record.usage.input_tokens == 9) or name == "openai helper"
    assert "observation_faults" not in record.extras


@pytest.mark.parametrize("api", [api for api in sdks.APIS if "sync" in api.modes], ids=lambda api: api.name)
def test_sdks(world: World, tally: Tally, api: sdks.Api) -> None:
    """Streams of sync clients are detected."""
    with tally.wrap(request_of(api, world, "sync")) as stream:
        list(stream)
    check(stream.record, api.name)


@pytest.mark.anyio
@pytest.mark.parametrize("api", [api for api in sdks.APIS if "async" in api.modes], ids=lambda api: api.name)
async def test_async_sdks(aworld: World, tally: Tally, api: sdks.Api) -> None:
    """Streams of async clients are detected."""
    async with tally.wrap(request_of(api, aworld, "async")) as stream:
        assert [chunk async for chunk in stream]
    check(stream.record, api.name)


def test_ollama_generate(world: World, tally: Tally) -> None:
    """Streams of Ollama's `generate` are detected."""
    ollama = next(api for api in sdks.APIS if api.name == "ollama")
    client = ollama.client(sdks.ClientOptions(world.provider.url, 30.0, world.http(Script.WHOLE, ollama.library), False))
    record = tally.wrap(client.generate(model="any", prompt="Hi", stream=True)).record
    assert record.outcome is None
    with tally.wrap(client.generate(model="any", prompt="Hi", stream=True)) as stream:
        list(stream)
    assert (stream.record.dialect, stream.record.text) == ("ollama.generate", "Hello! How can I help you?")


def test_bedrock_s_models(world: World, tally: Tally) -> None:
    """The stream in the `body` of a `bedrock.invoke` answer is read, and its dialect detected."""
    world.provider.enqueue(scenarios.invoke(**ANSWER))
    client = sdks._bedrock(sdks.ClientOptions(world.provider.url, 30.0, None, False))
    with tally.wrap(client.invoke_model_with_response_stream(modelId="any", body="{}")) as stream:
        assert stream["ResponseMetadata"]["HTTPStatusCode"] == 200
        list(stream)
    assert (stream.record.dialect, stream.record.text) == ("bedrock.invoke", sdks.TEXT)


def test_gemini_chats(world: World, tally: Tally) -> None:
    """A stream of the chat helper of google-genai is detected, and the helper keeps its history."""
    gemini = next(api for api in sdks.APIS if api.name == "gemini")
    client = gemini.client(sdks.ClientOptions(world.provider.url, 30.0, world.http(Script.WHOLE), False))
    world.provider.enqueue(scenarios.gemini(sdks.TEXT))
    chat = client.chats.create(model="any")
    with tally.wrap(chat.send_message_stream("Hi")) as stream:
        assert "".join(chunk.text or "" for chunk in stream) == sdks.TEXT
    assert (stream.record.dialect, stream.record.text, stream.record.outcome) == ("gemini", sdks.TEXT, Outcome.COMPLETED)
    assert len(chat.get_history()) > 1


def test_huggingface(provider: FakeProvider, tally: Tally) -> None:
    """Chunks of huggingface_hub, which are both dataclasses and mappings, have the dialect of OpenAI."""
    provider.enqueue(scenarios.chat(sdks.TEXT))
    client = InferenceClient(base_url=provider.base_url, api_key="test")
    with tally.wrap(client.chat_completion(sdks.MESSAGES, model="any", stream=True)) as stream:
        list(stream)
    record = stream.record
    assert (record.dialect, record.provider, record.text) == ("openai.chat", "huggingface", sdks.TEXT)
    assert record.outcome is Outcome.COMPLETED


def test_huggingface_text(tally: Tally) -> None:
    """Generated text is detected as text; objects with token details are those of text-generation-inference."""
    record = _read(tally, "one", " two")
    assert (record.dialect, record.text) == ("text", "one two")
    token = {"id": 1, "logprob": -0.1, "special": False, "text": "one"}
    record = _read(tally, TextGenerationStreamOutput.parse_obj_as_instance({"index": 1, "token": token}))
    assert (record.dialect, record.provider, record.text) == ("huggingface.tgi", "huggingface", "one")


def test_mistral_chunks(tally: Tally) -> None:
    """A chunk of Mistral's SDK is detected by its class, because its fields are those of OpenAI."""
    choice = {"index": 0, "delta": {"content": "one"}, "finish_reason": "stop"}
    chunk = CompletionChunk.model_validate({"id": "0", "model": "m", "choices": [choice]})
    record = _read(tally, chunk)
    assert (record.dialect, record.provider, record.text) == ("mistral.chat", "mistral", "one")


def _read(tally: Tally, *chunks: Any, **options: Any) -> StreamRecord:
    with tally.wrap(iter(chunks), **options) as stream:
        list(stream)
    return stream.record


@dataclass
class ModelResponseStream:
    """A stand-in for the class of litellm's chunks, with the attributes that detection reads."""

    id: str
    object: str
    model: str
    choices: list[Any]
    _hidden_params: dict[str, Any]


class CustomStreamWrapper:
    """A stand-in for litellm's stream: both protocols, `aclose` only, and the provider's own stream inside."""

    def __init__(self, provider: str | None, chunks: list[Any]) -> None:
        self.custom_llm_provider = provider
        self.left = iter(chunks)
        self.completion_stream = SimpleNamespace(close=lambda: closed.append("sync"))
        closed: list[str] = []
        self.closed = closed

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self.left)

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self.left)
        except StopIteration:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        self.closed.append("async")


ModelResponseStream.__module__ = "litellm.types.utils"
CustomStreamWrapper.__module__ = "litellm.litellm_core_utils.streaming_handler"


def litellm_chunk(**hidden: Any) -> ModelResponseStream:
    """Return a chunk of litellm."""
    delta = SimpleNamespace(role="assistant", content="one", tool_calls=None)
    choice = SimpleNamespace(index=0, delta=delta, finish_reason="stop", logprobs=None)
    return ModelResponseStream("c", "chat.completion.chunk", "claude", [choice], hidden)


def test_litellm(tally: Tally) -> None:
    """The provider of a litellm stream is that of the stream, or else that of the chunk; the dialect is that of OpenAI."""
    source = CustomStreamWrapper("anthropic", [litellm_chunk()])
    stream = tally.wrap(source)
    assert list(stream)
    assert (stream.record.dialect, stream.record.provider, stream.record.text) == ("openai.chat", "anthropic", "one")
    assert source.closed == ["sync"]
    record = _read(tally, litellm_chunk(custom_llm_provider="bedrock"))
    assert (record.provider, record.outcome) == ("bedrock", Outcome.COMPLETED)

    async def main() -> None:
        source = CustomStreamWrapper("anthropic", [litellm_chunk()])
        async with tally.wrap(source) as stream:
            assert [chunk async for chunk in stream]
        assert (stream.record.provider, source.closed) == ("anthropic", ["async"])

    asyncio.run(main())


def test_the_caller_s_provider_takes_precedence(tally: Tally) -> None:
    """A provider in the parameters takes precedence over a detected one."""
    chunk = litellm_chunk(custom_llm_provider="bedrock")
    assert _read(tally, chunk, params={"provider": "mine"}).provider == "mine"


UNKNOWN: list[Callable[[], Any]] = [lambda: {"strange": 1}, lambda: SimpleNamespace(odd=True), object, lambda: 5]


@pytest.mark.parametrize("make", UNKNOWN)
def test_unknown_objects(tally: Tally, make: Callable[[], Any]) -> None:
    """Unknown objects give the dialect `opaque` and no provider, and the stream completes with its source."""
    record = _read(tally, make())
    assert (record.dialect, record.provider, record.chunk_count) == ("opaque", None, 1)
