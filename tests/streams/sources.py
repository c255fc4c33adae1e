"""The kinds of source that the tests wrap: each plays a script, and counts how often it was opened and closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from enum import Enum
from inspect import CORO_CREATED, getcoroutinestate, iscoroutinefunction
from typing import Any, NamedTuple

from openai import APIError, AsyncOpenAI, OpenAI

from streamtally import ProviderError, Tally
from streamtally.client import AsyncClient, Client
from streamtally.testing import FakeProvider, Scenario, scenarios
from tests.waiting import PATIENCE


class Script(Enum):
    """What a source does."""

    WHOLE = "all chunks, and the end"
    SHORT = "the end, before the finish"
    FAILS = "an exception after three chunks"
    TIMES_OUT = "a time-out after three chunks"
    BLOCKS = "nothing more after three chunks, and no end"


class SourceError(Exception):
    """The exception that a source raises."""


class ReadTimeout(Exception):
    """A time-out that is recognised by its class name alone."""


FAULTS = (SourceError, ReadTimeout, APIError, ProviderError)
"""Exceptions that the sources raise."""


def chat_chunk(delta: dict[str, Any], finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a chat completion chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c1", "object": "chat.completion.chunk", "model": "gpt-4.1-mini", "choices": [choice], **fields}


def chat_chunks() -> list[dict[str, Any]]:
    """Return a role, three words, the finish reason (the fifth chunk) and the usage."""
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    return [
        chat_chunk({"role": "assistant", "content": ""}),
        chat_chunk({"content": "one"}),
        chat_chunk({"content": " two"}),
        chat_chunk({"content": " three"}),
        chat_chunk({}, "stop"),
        {**chat_chunk({}), "choices": [], "usage": usage},
    ]


class Source:
    """A source under test, and what the tests know of it.

    Attributes:
        given: the argument of `wrap`.
        translates: whether the caller gets another exception than the one raised while reading.
        chunks: the objects that the source yields; None if the test cannot know them.
        raised: the exception that the source raised last; None if the test cannot know it.
        opened: how often something was opened.
        closed: how often something was closed.
        helper: whether the source yields other objects than the provider's chunks.
        cyclic: whether the source is part of a reference cycle, which only the garbage collector frees.
        finished_after: how many chunks of `Script.WHOLE` there are up to the finish reason.
    """

    translates = False
    helper = False
    cyclic = False
    finished_after = 5

    def __init__(self, script: Script) -> None:
        self.script = script
        whole = chat_chunks()
        ends = {Script.WHOLE: 6, Script.SHORT: 4}.get(script, 3)
        self.chunks: list[dict[str, Any]] | None = whole[:ends]
        self.raised: BaseException | None = None
        self.opened = 1
        self.closed = 0
        self.given: Any = None

    def wrapped(self, tally: Tally) -> Any:
        """Wrap the source."""
        return tally.wrap(self.given)

    @property
    def settled(self) -> bool:
        """Whether all that was opened is closed."""
        return self.opened == self.closed

    def fail(self) -> None:
        """Raise the exception of the script, if it has one."""
        if self.script is Script.FAILS:
            self.raised = SourceError("the source failed")
        elif self.script is Script.TIMES_OUT:
            self.raised = ReadTimeout("nothing came")
        if self.raised is not None:
            raise self.raised

    async def afail(self) -> None:
        """Raise the exception of the script, or wait for ever if the script blocks."""
        self.fail()
        if self.script is Script.BLOCKS:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as error:
                self.raised = error
                raise

    def generator(self) -> Iterator[Any]:
        """Return the chunks as a generator."""
        try:
            yield from self.chunks or ()
            self.fail()
        finally:
            self.closed += 1

    async def agenerator(self) -> AsyncIterator[Any]:
        """Return the chunks as an async generator."""
        try:
            for chunk in self.chunks or ():
                yield chunk
            await self.afail()
        finally:
            self.closed += 1


class Chunks:
    """An iterator class with `close`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.left = iter(source.chunks or ())

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        for chunk in self.left:
            return chunk
        self.source.fail()
        raise StopIteration

    def close(self) -> None:
        self.source.closed += 1


class Iterable(Chunks):
    """An iterable whose iterator is a generator, as the SDKs' streams are."""

    def __iter__(self) -> Iterator[Any]:
        yield from self.left
        self.source.fail()


class AsyncChunks:
    """An async iterator class with `aclose`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.left = iter(source.chunks or ())

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        for chunk in self.left:
            return chunk
        await self.source.afail()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.source.closed += 1


class AsyncIterable:
    """An async iterable whose iterator is an async generator and whose `close` is a coroutine, as the SDKs' streams are."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.left = iter(source.chunks or ())

    async def __aiter__(self) -> AsyncIterator[Any]:
        for chunk in self.left:
            yield chunk
        await self.source.afail()

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.source.closed += 1


class GeneratorSource(Source):
    """A generator or an async generator; one that never started shows only by its state that it was closed."""

    @property
    def settled(self) -> bool:
        frame = getattr(self.given, "gi_frame", None) or getattr(self.given, "ag_frame", None)
        return frame is None and self.closed <= 1


class ListSource(Source):
    """A list, which has nothing to close."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.opened = 0
        self.given = self.chunks


class CalledSource(Source):
    """A source that a callable or a coroutine makes, if it is ever called."""

    def __init__(self, script: Script, make: Callable[[Source], Any]) -> None:
        super().__init__(script)
        self.opened = 0
        self.make = make

    def call(self) -> Any:
        """Make the source."""
        self.opened += 1
        return self.make(self)

    async def acall(self) -> Any:
        """Make the source asynchronously."""
        await asyncio.sleep(0)
        return self.call()


class AwaitedSource(CalledSource):
    """A source that a coroutine makes; the coroutine must be closed if it is never awaited."""

    @property
    def settled(self) -> bool:
        return super().settled and getcoroutinestate(self.given) != CORO_CREATED


class SdkSource(Source):
    """A stream of the official SDK over HTTP."""

    def __init__(self, script: Script, provider: FakeProvider) -> None:
        super().__init__(script)
        self.chunks = None
        self.opened = 0
        self.responses: list[Any] = []
        self.provider = provider

    @property
    def settled(self) -> bool:
        return super().settled and all(response.is_closed for response in self.responses)

    def ask(self, client: OpenAI | AsyncOpenAI) -> Any:
        """Make the request."""
        self.provider.enqueue(_scenario(self.script))
        return client.chat.completions.create(**REQUEST)

    def count_closings(self, stream: Any) -> Any:
        """Count how often the SDK's stream is closed."""
        close = stream.close
        self.opened += 1
        self.responses.append(stream.response)

        def counting() -> Any:
            self.closed += 1
            return close()

        async def acounting() -> Any:
            self.closed += 1
            return await close()

        stream.close = acounting if iscoroutinefunction(close) else counting
        return stream


REQUEST: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def _scenario(script: Script) -> Scenario:
    scenario = scenarios.chat("one two three")
    at_three = len(b"".join(scenario.frames[:3]))
    match script:
        case Script.SHORT:
            return scenario.cut(len(b"".join(scenario.frames[:4])), clean=True)
        case Script.FAILS:
            return scenario.cut(at_three)
        case Script.TIMES_OUT | Script.BLOCKS:
            return scenario.stalled(3, 600.0)
        case _:
            return scenario


def timeout_of(script: Script) -> float:
    """Return the client's read time-out in seconds, long enough for the first three chunks on a busy machine."""
    return 1.0 if script is Script.TIMES_OUT else PATIENCE


class World(NamedTuple):
    """The fake provider, and factories of the SDK's and the HTTP library's clients for a script."""

    provider: FakeProvider
    client: Callable[[Script], OpenAI]
    aclient: Callable[[Script], AsyncOpenAI]
    http: Callable[..., Any]


class ClientSource(Source):
    """A stream of this package's client, which wraps it; the HTTP response is what must be closed."""

    translates = True

    def __init__(self, script: Script, world: World, client: type[Client | AsyncClient]) -> None:
        super().__init__(script)
        self.chunks = None
        self.client = client
        self.world = world
        self.responses: list[Any] = []

    def wrapped(self, tally: Tally) -> Any:
        http: Any = self.world.http(self.script)
        if self.client is AsyncClient:
            http.event_hooks = {"request": [self.aask], "response": [self.akeep]}
        else:
            http.event_hooks = {"request": [self.ask], "response": [self.responses.append]}
        client = self.client(self.world.provider.base_url, http_client=http, tally=tally, raise_truncated=False)
        return client.stream_chat(REQUEST["model"], REQUEST["messages"])

    def ask(self, _: Any) -> None:
        """Enqueue the answer when a request is sent."""
        self.world.provider.enqueue(_scenario(self.script))

    async def aask(self, request: Any) -> None:
        """Enqueue the answer when an async request is sent."""
        self.ask(request)

    async def akeep(self, response: Any) -> None:
        """Keep the response of an async request."""
        self.responses.append(response)

    @property
    def settled(self) -> bool:
        return all(response.is_closed for response in self.responses)


class Kind(NamedTuple):
    """A kind of source: its name, its factory, and the scripts it can play."""

    name: str
    make: Callable[[Script, World], Any]
    scripts: frozenset[Script] = frozenset(Script)


def _generator(script: Script, _: World) -> Source:
    source = GeneratorSource(script)
    source.given = source.generator()
    return source


def _agenerator(script: Script, _: World) -> Source:
    source = GeneratorSource(script)
    source.given = source.agenerator()
    return source


def _of_class(kind: Callable[[Source], Any]) -> Callable[[Script, World], Source]:
    def make(script: Script, _: World) -> Source:
        source = Source(script)
        source.given = kind(source)
        return source

    return make


def _called(kind: Callable[[Source], Any]) -> Callable[[Script, World], Source]:
    def make(script: Script, _: World) -> Source:
        source = CalledSource(script, kind)
        source.given = source.call
        return source

    return make


def _acalled(kind: Callable[[Source], Any]) -> Callable[[Script, World], Source]:
    def make(script: Script, _: World) -> Source:
        source = CalledSource(script, kind)
        source.given = source.acall
        return source

    return make


def _awaited(kind: Callable[[Source], Any]) -> Callable[[Script, World], Source]:
    def make(script: Script, _: World) -> Source:
        source = AwaitedSource(script, kind)
        source.given = source.acall()
        return source

    return make


def _sdk(script: Script, world: World) -> Source:
    source = SdkSource(script, world.provider)
    source.given = source.count_closings(source.ask(world.client(script)))
    return source


def _sdk_called(script: Script, world: World) -> Source:
    source = SdkSource(script, world.provider)
    source.given = lambda: source.count_closings(source.ask(world.client(script)))
    return source


async def _asdk(script: Script, world: World) -> Source:
    source = SdkSource(script, world.provider)
    source.given = source.count_closings(await source.ask(world.aclient(script)))
    return source


def _asdk_called(script: Script, world: World) -> Source:
    source = SdkSource(script, world.provider)

    async def ask() -> Any:
        return source.count_closings(await source.ask(world.aclient(script)))

    source.given = ask
    return source


SYNC_KINDS = (
    Kind("generator", _generator),
    Kind("iterator", _of_class(Chunks)),
    Kind("iterable", _of_class(Iterable)),
    Kind("list", lambda script, _: ListSource(script), frozenset({Script.WHOLE, Script.SHORT})),
    Kind("callable", _called(Chunks)),
    Kind("openai", _sdk),
    Kind("openai callable", _sdk_called),
    Kind("client", lambda script, world: ClientSource(script, world, Client)),
)

ASYNC_KINDS = (
    Kind("generator", _agenerator),
    Kind("iterator", _of_class(AsyncChunks)),
    Kind("iterable", _of_class(AsyncIterable)),
    Kind("callable", _called(AsyncChunks)),
    Kind("async callable", _acalled(AsyncIterable)),
    Kind("awaitable", _awaited(AsyncChunks)),
    Kind("openai", _asdk),
    Kind("openai callable", _asdk_called),
    Kind("client", lambda script, world: ClientSource(script, world, AsyncClient)),
)
