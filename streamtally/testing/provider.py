"""A provider on this machine: a real HTTP server that plays what a test has written."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
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
    """Speaks the streaming APIs of OpenAI and of other providers on `127.0.0.1`, byte for byte and with set timing.

    A context manager. The others are the Messages API of Anthropic, Gemini, Cohere, Mistral (whose path is OpenAI's, so that
    its streams are to be enqueued or named), Ollama, and Amazon Bedrock.

    The answer to a request is the next scenario of `enqueue`; else the one that the request's `model` names, in `scenarios` or
    among the recordings; else a sensible stream for the path. A path that no API has is answered with 404.

    Args:
        scenarios: scenarios by the name of the model that plays them.
        corpus: a folder of recorded streams (see `read_recordings`), each of which is a model by its name.

    Attributes:
        requests: every request so far.

    >>> from streamtally.testing.scenarios import chat
    >>> with FakeProvider({"slow": chat("One two three").delayed(0.1)}) as provider:
    ...     provider.base_url.endswith("/v1")
    True
    """

    def __init__(self, scenarios: Mapping[str, Scenario] | None = None, *, corpus: str | os.PathLike[str] | None = None) -> None:
        self.requests: list[ReceivedRequest] = []
        self._recordings = () if corpus is None else tuple(read_recordings(Path(corpus)))
        self._by_model = {recording.name: recording.scenario for recording in self._recordings} | dict(scenarios or {})
        self._queue: deque[Scenario] = deque()
        self._left = 0
        self._changed = Condition()
        self._server: PlaybackServer | None = None

    def start(self) -> Self:
        """Serve from now on.

        Raises:
            MissingExtra: starlette or uvicorn is not installed.
        """
        try:
            from .server import PlaybackServer
        except ImportError as error:
            raise MissingExtra("testing", error.name or "starlette") from error
        if self._server is None:
            self._server = PlaybackServer(self._choose, self._note_departure)
            self._server.start()
        return self

    def stop(self) -> None:
        """Drop what is still playing, and serve no more. What was counted stays; `start` opens another port."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it serves, without a path; `RuntimeError` while it does not."""
        if self._server is None:
            raise RuntimeError("the fake provider does not run: use it in a with statement, or call start()")
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its `base_url`."""
        return f"{self.url}/v1"

    @property
    def recordings(self) -> dict[str, tuple[str, ...]]:
        """The names of the recordings, by API."""
        apis = sorted({recording.api for recording in self._recordings})
        return {api: tuple(one.name for one in self._recordings if one.api == api) for api in apis}

    @property
    def closed_early(self) -> int:
        """How many clients were gone before their stream was played to the end."""
        return self._left

    def wait_closed_early(self, count: int = 1, timeout: float = 2.0) -> bool:
        """Wait until `closed_early` is at least `count`, for a server learns late that a client is gone; False if it is not."""
        with self._changed:
            return self._changed.wait_for(lambda: self._left >= count, timeout)

    def enqueue(self, *scenarios: Scenario) -> None:
        """Play these for the next requests, one for each, whatever they ask."""
        self._queue.extend(scenarios)

    def _choose(self, request: ReceivedRequest) -> Scenario:
        self.requests.append(request)
        if self._queue:
            return self._queue.popleft()
        return self._by_model.get(request.model or "") or default_scenario(request)

    def _note_departure(self) -> None:
        with self._changed:
            self._left += 1
            self._changed.notify_all()
