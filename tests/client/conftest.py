"""A provider, and one way to send requests that tests the sync and the async client alike."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from streamtally import Chunk, StreamRecord, Tally
from streamtally.client import AsyncClient, Client
from streamtally.testing import FakeProvider

Kind = Literal["sync", "async"]
KEY = "sk-a-secret-that-nobody-may-see"


@dataclass
class Answer:
    """The result of one request: the chunks, the exception, the stream and the exported records."""

    chunks: list[Chunk] = field(default_factory=list)
    error: BaseException | None = None
    exported: list[StreamRecord] = field(default_factory=list)
    stream: Any = None

    @property
    def record(self) -> StreamRecord:
        """The record of the stream, which equals the exported one."""
        assert self.exported == [self.stream.record]
        return self.exported[0]

    @property
    def text(self) -> str:
        """The text of the chunks."""
        return "".join(chunk.text for chunk in self.chunks)


class Asker:
    """Opens a client of one kind, makes one request, and reads the stream to its end or for some chunks."""

    def __init__(self, kind: Kind, base_url: str) -> None:
        self.kind = kind
        self.base_url = base_url

    def __call__(
        self, method: str, *args: Any, client: dict[str, Any] | None = None, only: int | None = None, **params: Any
    ) -> Answer:
        """The result; with `only`, the stream is left after that many chunks."""
        answer = Answer()
        tally = Tally(exporters=[answer.exported.append])
        options = {"base_url": self.base_url, "api_key": KEY, "tally": tally, **(client or {})}
        read = self._read if self.kind == "sync" else lambda *args: asyncio.run(self._aread(*args))
        try:
            read(answer, options, lambda opened: getattr(opened, method)(*args, **params), only)
        except Exception as error:
            answer.error = error
        tally.flush()
        return answer

    @staticmethod
    def _read(answer: Answer, options: dict[str, Any], ask: Callable[[Any], Any], only: int | None) -> None:
        with Client(**options) as client:
            answer.stream = ask(client)
            with answer.stream as stream:
                for chunk in stream:
                    answer.chunks.append(chunk)
                    if len(answer.chunks) == only:
                        break

    @staticmethod
    async def _aread(answer: Answer, options: dict[str, Any], ask: Callable[[Any], Any], only: int | None) -> None:
        async with AsyncClient(**options) as client:
            answer.stream = ask(client)
            async with answer.stream as stream:
                async for chunk in stream:
                    answer.chunks.append(chunk)
                    if len(answer.chunks) == only:
                        break


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """A provider with its default responses."""
    with FakeProvider() as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, provider: FakeProvider) -> Asker:
    """A requester for that provider, with each kind of client."""
    return Asker(request.param, provider.base_url)
