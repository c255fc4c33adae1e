"""A provider on this machine: a real HTTP server that plays scenarios."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from threading import Condition
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..errors import MissingExtra
from .defaults import default_scenario
from .recordings import read_recordings
from .request import ReceivedRequest
from .scenario import Scenario

if TYPE_CHECKING:
    from .server import PlaybackServer


class FakeProvider:
    """Serves the streaming APIs of OpenAI and other providers on `127.0.0.1`, with exact bytes and timing.

    A context manager. The other APIs are Anthropic's Messages, Gemini, Cohere, Ollama and Amazon Bedrock, and Mistral, whose path
    equals OpenAI's, so that its streams must be enqueued or selected by model.

    The response to a request is the next scenario of `enqueue`; else the scenario or recording of the request's model; else a
    default stream for the path, or 404 for an unknown path.

    Args:
        scenarios: the scenarios by model name.
        corpus: a folder of recorded streams (see `read_recordings`), each of which is selected by its name as model.
        sleep: awaited with each delay in seconds. `FakeClock.sleep` advances a clock without waiting.

    Attributes:
        requests: all requests so far.

    >>> from streamtally.testing.scenarios import chat
    >>> with FakeProvider({"slow": chat("One two three").delayed(0.1)}) as provider:
    ...     provider.base_url.endswith("/v1")
    True
    """

    def __init__(
        self,
        scenarios: Mapping[str, Scenario] | None = None,
        *,
        corpus: str | os.PathLike[str] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.requests: list[ReceivedRequest] = []
        self._recordings = () if corpus is None else tuple(read_recordings(Path(corpus)))
        self._by_model = {recording.name: recording.scenario for recording in self._recordings} | dict(scenarios or {})
        self._sleep = sleep
        self._queue: deque[Scenario] = deque()
        self._closed_early = 0
        self._changed = Condition()
        self._server: PlaybackServer | None = None

    def start(self) -> Self:
        """Start the server.

        Raises:
            MissingExtra: starlette or uvicorn is not installed.
        """
        try:
            from .server import PlaybackServer
        except ImportError as error:
            raise MissingExtra("testing", error.name or "starlette") from error
        if self._server is None:
            self._server = PlaybackServer(self._choose, self._count_early_close, self._sleep)
            self._server.start()
        return self

    def stop(self) -> None:
        """Drop all connections and stop the server. Counts and requests stay; `start` uses another port."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The URL of the server, without a path.

        Raises:
            RuntimeError: the server is not running.
        """
        if self._server is None:
            raise RuntimeError("the fake provider is not running: use it in a with statement, or call start()")
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def base_url(self) -> str:
        """The `base_url` for an OpenAI client."""
        return f"{self.url}/v1"

    @property
    def recordings(self) -> dict[str, tuple[str, ...]]:
        """The names of the recordings, by API."""
        apis = sorted({recording.api for recording in self._recordings})
        return {api: tuple(one.name for one in self._recordings if one.api == api) for api in apis}

    @property
    def closed_early(self) -> int:
        """The number of clients that disconnected before the end of their stream."""
        return self._closed_early

    def wait_closed_early(self, count: int = 1, timeout: float = 60.0) -> bool:
        """Wait until `closed_early` is at least `count`, since servers detect disconnects late; False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed_early >= count, timeout)

    def enqueue(self, *scenarios: Scenario) -> None:
        """Add scenarios for the next requests, one for each, whatever the request."""
        self._queue.extend(scenarios)

    def _choose(self, request: ReceivedRequest) -> Scenario:
        self.requests.append(request)
        if self._queue:
            return self._queue.popleft()
        return self._by_model.get(request.model or "") or default_scenario(request)

    def _count_early_close(self) -> None:
        with self._changed:
            self._closed_early += 1
            self._changed.notify_all()
