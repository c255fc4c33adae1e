"""The HTTP server that plays scenarios in a thread of its own; the only module that needs starlette and uvicorn."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from .request import ReceivedRequest
from .scenario import Scenario

_START_SECONDS = 60.0


class PlaybackServer(uvicorn.Server):
    """Serves the scenario that `choose` returns for each request, on a free port of 127.0.0.1.

    Args:
        choose: returns the scenario for a request; called in the server's thread.
        on_early_close: called when a client disconnects before the end of its scenario.
        sleep: awaited with each delay in seconds.
    """

    def __init__(
        self,
        choose: Callable[[ReceivedRequest], Scenario],
        on_early_close: Callable[[], None],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,  # `_drop` finds a connection by its client's real address
        )
        super().__init__(config)
        self._choose = choose
        self._on_early_close = on_early_close
        self._sleep = sleep
        self._listener = _listener()
        self._stopping = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve_in_thread, name="streamtally-fake-provider", daemon=True)
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> None:
        """Start the server in the background.

        Raises:
            RuntimeError: it did not start in time.
        """
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise RuntimeError(f"the server did not start within {_START_SECONDS} seconds")

    def stop(self) -> None:
        """Drop all connections, and wait until the thread has ended."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _serve_in_thread(self) -> None:
        asyncio.run(self.serve(sockets=[self._listener]))

    async def main_loop(self) -> None:
        """Wait for `stop`; replaces uvicorn's loop, which polls ten times a second."""
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Drop every connection; replaces uvicorn's method, which waits for the streams to end."""
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
        disconnected = asyncio.create_task(_until_disconnected(receive))
        await asyncio.wait({playing, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if playing.done():
                await playing
                await disconnected
            elif not self._stopping.is_set():
                self._on_early_close()
        finally:
            playing.cancel()
            disconnected.cancel()

    async def _play(self, scenario: Scenario, scope: Scope, send: Send) -> None:
        await self._sleep(scenario.header_delay)
        if scenario.status is not None:
            headers = {"content-type": scenario.content_type, **scenario.headers}
            pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": scenario.status, "headers": pairs})
            for delay, frame in scenario.steps:
                await self._sleep(delay)
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
    """A listening socket with its protocol set, because asyncio sets TCP_NODELAY only then.

    Without TCP_NODELAY a reused connection waits 40 ms for the acknowledgement of each small write.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


async def _until_disconnected(receive: Receive) -> None:
    """Wait until the client disconnects, or its response is complete."""
    while (await receive())["type"] != "http.disconnect":
        pass
