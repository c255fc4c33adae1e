"""The HTTP server that plays scenarios, in a thread of its own. This module alone needs starlette and uvicorn."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from .request import ReceivedRequest
from .scenario import Scenario

_START_SECONDS = 10.0


class PlaybackServer(uvicorn.Server):
    """Answers each request on a free port of 127.0.0.1 with the scenario that `choose` names.

    Args:
        choose: called with each request, in the server's thread.
        left: called when a client is gone before its scenario was played to the end.
    """

    def __init__(self, choose: Callable[[ReceivedRequest], Scenario], left: Callable[[], None]) -> None:
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,  # `_drop` finds a connection by its client's own address
        )
        super().__init__(config)
        self._choose = choose
        self._left = left
        self._listener = _listener()
        self._stopping = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve_in_thread, name="streamtally-fake-provider", daemon=True)
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> None:
        """Serve, in the background, until `stop`."""
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise RuntimeError(f"the server did not start within {_START_SECONDS} seconds")

    def stop(self) -> None:
        """Drop what is still playing, and return when the thread has ended."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _serve_in_thread(self) -> None:
        asyncio.run(self.serve(sockets=[self._listener]))

    async def main_loop(self) -> None:
        """Wait for `stop`; uvicorn's own loop looks ten times a second."""
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Drop every connection; uvicorn's own way waits for the streams to end."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(0)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        query = dict(request.query_params)
        scenario = self._choose(ReceivedRequest(request.method, request.url.path, dict(request.headers), body, query))
        playing = asyncio.create_task(self._play(scenario, scope, send))
        leaving = asyncio.create_task(_departure(receive))
        await asyncio.wait({playing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if playing.done():
                await playing
                await leaving
            elif not self._stopping.is_set():
                self._left()
        finally:
            playing.cancel()
            leaving.cancel()

    async def _play(self, scenario: Scenario, scope: Scope, send: Send) -> None:
        await asyncio.sleep(scenario.header_delay)
        if scenario.status is not None:
            headers = {"content-type": scenario.content_type, **scenario.headers}
            pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": scenario.status, "headers": pairs})
            for delay, frame in scenario.steps:
                await asyncio.sleep(delay)
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        if scenario.dropped or scenario.status is None:
            self._drop(scope)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _drop(self, scope: Scope) -> None:
        for connection in self.server_state.connections:
            if getattr(connection, "client", None) == scope["client"]:
                connection.transport.close()


def _listener() -> socket.socket:
    """A listening socket that names its protocol: asyncio sets TCP_NODELAY only then, and without it a reused connection waits
    40 ms for the acknowledgement of each small write.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


async def _departure(receive: Receive) -> None:
    """Returns when the client is gone, or its response complete."""
    while (await receive())["type"] != "http.disconnect":
        pass
