"""The official SDKs as sources over HTTP: one entry of `APIS` for each streaming method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import anthropic
import boto3
import cohere
import httpx
import httpx2
import ollama
import openai
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from streamtally.testing import Scenario, scenarios
from tests.streams.sources import Kind, Script, Source, World, timeout_of

FAULTS = (openai.APIError, anthropic.APIError, httpx.HTTPError, httpx2.HTTPError, urllib3.exceptions.HTTPError, BotoCoreError)
"""Exceptions that the SDKs raise when the transport fails."""

TEXT = "one two three"
MESSAGES: Any = [{"role": "user", "content": "Hi"}]


class ClientOptions(NamedTuple):
    """The options of a client: server address, time-out, HTTP client and mode."""

    url: str
    seconds: float
    http: Any
    is_async: bool


def _openai(given: ClientOptions) -> Any:
    kind = openai.AsyncOpenAI if given.is_async else openai.OpenAI
    return kind(base_url=f"{given.url}/v1", api_key="test", max_retries=0, timeout=given.seconds, http_client=given.http)


def _anthropic(given: ClientOptions) -> Any:
    kind = anthropic.AsyncAnthropic if given.is_async else anthropic.Anthropic
    return kind(base_url=given.url, api_key="test", max_retries=0, timeout=given.seconds, http_client=given.http)


def _gemini(given: ClientOptions) -> Any:
    http: Any = {"base_url": given.url, "timeout": round(given.seconds * 1000)}
    http["httpx_async_client" if given.is_async else "httpx_client"] = given.http
    client = pytest.importorskip("google.genai").Client(api_key="test", http_options=http)
    return client.aio if given.is_async else client


def _mistral(given: ClientOptions) -> Any:
    http = {"async_client" if given.is_async else "client": given.http}
    options = {"server_url": given.url, "timeout_ms": round(given.seconds * 1000), **http}
    return pytest.importorskip("mistralai.client").Mistral(api_key="test", **options)


def _cohere(given: ClientOptions) -> Any:
    kind = cohere.AsyncClientV2 if given.is_async else cohere.ClientV2
    return kind(api_key="test", base_url=given.url, timeout=given.seconds, httpx_client=given.http)


def _ollama(given: ClientOptions) -> Any:
    client: Any = object.__new__(ollama.AsyncClient if given.is_async else ollama.Client)
    given.http.base_url = given.url
    client._client = given.http  # its constructor accepts no HTTP client, and sets TLS up, which is slow
    return client


_AWS: dict[tuple[str, float], Any] = {}


def _bedrock(given: ClientOptions) -> Any:
    key = (given.url, given.seconds)
    if key not in _AWS:  # shared, because each client loads the description of the service, which is slow
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        config = Config(retries={"total_max_attempts": 1}, read_timeout=given.seconds)
        _AWS[key] = boto3.client("bedrock-runtime", endpoint_url=given.url, config=config, **keys)
    return _AWS[key]


def close_clients() -> None:
    """Close the clients that the tests share."""
    while _AWS:
        _AWS.popitem()[1].close()


_BOTH = ("sync", "async")


class Api(NamedTuple):
    """One streaming method of one SDK.

    Args:
        name: the name of the kind of source.
        client: creates the client.
        ask: makes the request that is wrapped.
        scenario: what the server sends: three words.
        three: how many frames of the scenario make three chunks.
        finish: how many frames the scenario has from the finish reason on.
        finished_after: how many chunks there are up to the finish reason.
        library: the HTTP library, or None if the SDK accepts no HTTP client.
        modes: for which modes the SDK has a client.
        helper: whether the caller gets other objects than the provider's chunks.
        cyclic: in which modes an early close releases the response only on garbage collection.
    """

    name: str
    client: Callable[[ClientOptions], Any]
    ask: Callable[[Any], Any]
    scenario: Scenario
    finish: int
    finished_after: int
    three: int = 3
    library: Any = httpx2
    modes: tuple[str, ...] = _BOTH
    helper: bool = False
    cyclic: tuple[str, ...] = ()

    def scenario_of(self, script: Script) -> Scenario:
        """Return the scenario of the server for a script."""
        frames = self.scenario.frames
        match script:
            case Script.SHORT:
                return self.scenario.cut(len(b"".join(frames[: -self.finish])), clean=True)
            case Script.FAILS:
                return self.scenario.cut(len(b"".join(frames[: self.three])))
            case Script.TIMES_OUT | Script.BLOCKS:
                return self.scenario.stalled(self.three, 600.0)
            case _:
                return self.scenario


_REQUEST: dict[str, Any] = {"model": "any", "messages": MESSAGES}
_CLAUDE: dict[str, Any] = {**_REQUEST, "max_tokens": 9}
_CONVERSE: dict[str, Any] = {"modelId": "any", "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
_MESSAGES = scenarios.anthropic(TEXT)
_CHAT = scenarios.chat(TEXT)

APIS = (
    Api("anthropic", _anthropic, lambda c: c.messages.create(**_CLAUDE, stream=True), _MESSAGES, 2, 7, three=4),
    Api(
        "gemini",
        _gemini,
        lambda c: c.models.generate_content_stream(model="any", contents="Hi"),
        scenarios.gemini(TEXT),
        1,
        4,
        cyclic=("async",),
    ),
    Api("mistral", _mistral, lambda c: c.chat.stream(**_REQUEST), scenarios.mistral(TEXT), 2, 5, modes=("sync",)),
    Api("mistral", _mistral, lambda c: c.chat.stream_async(**_REQUEST), scenarios.mistral(TEXT), 2, 5, modes=("async",)),
    Api("cohere", _cohere, lambda c: c.chat_stream(**_REQUEST), scenarios.cohere(TEXT), 1, 7, library=httpx),
    Api("ollama", _ollama, lambda c: c.chat(**_REQUEST, stream=True), scenarios.ollama(TEXT), 1, 4, library=httpx),
    Api("bedrock", _bedrock, lambda c: c.converse_stream(**_CONVERSE), scenarios.converse(TEXT), 2, 6, 3, None, ("sync",)),
    Api("openai helper", _openai, lambda c: c.chat.completions.stream(**_REQUEST), _CHAT, 3, 9, helper=True, cyclic=_BOTH),
    Api(
        "anthropic helper",
        _anthropic,
        lambda c: c.messages.stream(**_CLAUDE),
        _MESSAGES,
        2,
        10,
        three=4,
        helper=True,
        cyclic=_BOTH,
    ),
)


class ApiSource(Source):
    """A stream of an SDK; the responses of its HTTP client are what must be closed."""

    def __init__(self, script: Script, world: World, api: Api, mode: str) -> None:
        super().__init__(script)
        self.chunks = None
        self.helper = api.helper
        self.cyclic = mode in api.cyclic
        self.finished_after = api.finished_after
        self.responses: list[Any] = []
        self.api = api
        self.provider = world.provider
        http = None if api.library is None else self._http(world, mode)
        client = api.client(ClientOptions(world.provider.url, timeout_of(script), http, mode == "async"))
        self.given = lambda: self.ask(client)

    def _http(self, world: World, mode: str) -> Any:
        http: Any = world.http(self.script, self.api.library)
        hooks = (self._aenqueue, self._akeep) if mode == "async" else (self._enqueue, self.responses.append)
        http.event_hooks = {"request": [hooks[0]], "response": [hooks[1]]}
        return http

    def ask(self, client: Any) -> Any:
        """Make the request that is wrapped."""
        if self.api.library is None:
            self._enqueue(None)
        return self.api.ask(client)

    def _enqueue(self, _: Any) -> None:
        """Enqueue the answer when the request is sent, because some SDKs send it only with the first read."""
        self.provider.enqueue(self.api.scenario_of(self.script))

    async def _aenqueue(self, request: Any) -> None:
        self._enqueue(request)

    async def _akeep(self, response: Any) -> None:
        self.responses.append(response)

    @property
    def settled(self) -> bool:
        return all(response.is_closed for response in self.responses)


def _kinds(mode: str) -> tuple[Kind, ...]:
    def make(api: Api) -> Callable[[Script, World], Source]:
        return lambda script, world: ApiSource(script, world, api, mode)

    return tuple(Kind(api.name, make(api)) for api in APIS if mode in api.modes)


SYNC_APIS = _kinds("sync")
ASYNC_APIS = _kinds("async")
