"""HTTP transport with httpx2, sync and async; the only module that imports httpx2."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager, suppress
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any, ClassVar, Generic, Self, TypeVar

import anyio
import httpx2

from ..chunks import Chunk
from ..errors import ProviderError, ProviderTimeout
from ..records import ErrorDetails
from .body import Body, error_of, refusal
from .requests import Call

RecordChunk = Callable[[Chunk], None]
HttpT = TypeVar("HttpT", httpx2.Client, httpx2.AsyncClient)

_PORTS = {"http": 80, "https": 443}
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
"""Connections are unbounded, because streams are long and would otherwise wait for each other."""

_REFUSAL_BYTES = 64 * 1024
_DRAIN_READS = 4
_DRAIN_SECONDS = 0.02
"""The number of reads and the time to wait for the end of the body after the end marker, so that the connection is reusable."""


def failure_of(error: Exception) -> ProviderError | None:
    """The `ProviderError` for an httpx2 exception; None for any other exception."""
    if not isinstance(error, httpx2.HTTPError):
        return None
    name = type(error).__name__
    message = f"{name}: {error}" if str(error) else name
    if isinstance(error, httpx2.TimeoutException):
        return ProviderTimeout(message, type="timeout")
    return ProviderError(message, type=name)


def base_url_of(text: str) -> httpx2.URL:
    """The parsed base URL.

    Raises:
        ValueError: the text is not an HTTP URL with a host.
    """
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise ValueError(f"invalid base URL: {error}") from None
    if url.scheme not in _PORTS or not url.host:
        raise ValueError(f"invalid base URL {url!r}: it must begin with https:// or http:// and a host")
    return url


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and the settings of every request to it.

    Args:
        url: the URL that paths are appended to; its query is kept.
        headers: the headers of every request.
        secrets: values to mask in errors, in case the server repeats them.
        options: httpx2's options of every request.
    """

    url: httpx2.URL
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.url.host, self.url.port or _PORTS[self.url.scheme]


class _Transport(Generic[HttpT]):
    """Sends requests to one server.

    Args:
        server: the server.
        http: the caller's httpx2 client; by default a new one.

    Raises:
        TypeError: `http` is not an httpx2 client of the right kind.
    """

    _kind: ClassVar[type[Any]]

    def __init__(self, server: Server, http: Any = None) -> None:
        if http is not None and not isinstance(http, self._kind):
            raise TypeError(f"http_client must be an httpx2.{self._kind.__name__}, not {type(http).__name__}")
        self.owns_http = http is None
        self.http: HttpT = self._kind(limits=_LIMITS, follow_redirects=True) if http is None else http
        self.server = server

    def request(self, call: Call) -> httpx2.Request:
        """The httpx2 request for a call."""
        url = self.server.url.copy_with(path=self.server.url.path.rstrip("/") + call.endpoint.path)
        if call.endpoint.files:
            options = {"headers": self.server.headers, **self.server.options}
            return self.http.build_request("POST", url, data=call.fields, files=call.files, **options)
        headers = {"content-type": "application/json", **self.server.headers}
        return self.http.build_request("POST", url, content=call.content, headers=headers, **self.server.options)

    def refusal_error(self, response: httpx2.Response, content: bytes, record_chunk: RecordChunk) -> ProviderError:
        """Record a refusal, with secrets masked, and return the exception for it."""
        for secret in self.server.secrets:
            content = content.replace(secret.encode(), b"***")
        chunk = refusal(response.status_code, response.reason_phrase, content, response.headers)
        record_chunk(chunk)
        return error_of(ErrorDetails(**(chunk.error or {})))


class Transport(_Transport[httpx2.Client]):
    """The sync transport."""

    _kind = httpx2.Client

    def open(self, call: Call, record_chunk: RecordChunk) -> Source:
        """Make the request; returns the response as chunks.

        Raises:
            ProviderError: the server refused the request; the refusal was passed to `record_chunk`.
            httpx2.HTTPError: the server cannot be reached, or does not respond.
        """
        response = self.http.send(self.request(call), stream=True)
        if response.is_success:
            return Source(response, _body(call, response))
        content = b""
        with closing(response), suppress(httpx2.HTTPError):
            for data in response.iter_bytes():
                content += data
                if len(content) > _REFUSAL_BYTES:
                    break
        raise self.refusal_error(response, content, record_chunk)


class AsyncTransport(_Transport[httpx2.AsyncClient]):
    """The async transport."""

    _kind = httpx2.AsyncClient

    async def open(self, call: Call, record_chunk: RecordChunk) -> AsyncSource:
        """Make the request; returns the response as chunks and raises as `Transport.open` does."""
        response = await self.http.send(self.request(call), stream=True)
        if response.is_success:
            return AsyncSource(response, _body(call, response))
        content = b""
        async with aclosing(response):
            with suppress(httpx2.HTTPError):
                async for data in response.aiter_bytes():
                    content += data
                    if len(content) > _REFUSAL_BYTES:
                        break
        raise self.refusal_error(response, content, record_chunk)


def _body(call: Call, response: httpx2.Response) -> Body:
    return Body(call.endpoint.dialect, response.headers.get("content-type", ""))


class Source:
    """The chunks of one response; an iterator with `close`, which frees the connection."""

    def __init__(self, response: httpx2.Response, body: Body) -> None:
        self.response = response
        self._body = body
        self._reads = response.iter_bytes()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Chunk:
        body = self._body
        while body.needs_data:
            try:
                body.feed(next(self._reads, None))
            except httpx2.HTTPError as error:
                body.fail(error)
        if body.ready:
            return body.ready.popleft()
        if body.failure is not None:
            raise body.failure
        raise StopIteration

    def close(self) -> None:
        """Free the connection: reusable if the body has ended, else by closing it."""
        try:
            if self._body.complete and not self.response.is_closed:
                with suppress(httpx2.HTTPError):  # bytes after the end marker do not matter
                    self._drain()
        finally:
            self.response.close()

    def _drain(self) -> None:
        stream = self.response.extensions.get("network_stream")
        if stream is None or self.response.http_version != "HTTP/1.1":
            return
        with _short_timeout(stream):
            for _ in range(_DRAIN_READS):
                if next(self._reads, None) is None:
                    return


@contextmanager
def _short_timeout(stream: Any) -> Iterator[None]:
    """Shorten the time-out of this thread's reads from a network stream.

    httpx2 fixes the time-out when reading the body begins, and polling the socket does not help, because the end may be buffered
    already. Only this thread is affected, because another one may get the connection before the block ends.
    """
    read, reader = stream.read, get_ident()

    def read_at_once(max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = read(max_bytes, timeout=_DRAIN_SECONDS if get_ident() == reader else timeout)
        return data

    stream.read = read_at_once
    try:
        yield
    finally:
        del stream.read


class AsyncSource:
    """The chunks of one response; an async iterator with `aclose`, which frees the connection."""

    def __init__(self, response: httpx2.Response, body: Body) -> None:
        self.response = response
        self._body = body
        self._reads = response.aiter_bytes()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        body = self._body
        while body.needs_data:
            try:
                body.feed(await anext(self._reads, None))
            except httpx2.HTTPError as error:
                body.fail(error)
        if body.ready:
            return body.ready.popleft()
        if body.failure is not None:
            raise body.failure
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Free the connection: reusable if the body has ended, else by closing it."""
        try:
            if self._body.complete and not self.response.is_closed:
                with suppress(httpx2.HTTPError):
                    await self._drain()
        finally:
            await self.response.aclose()
            with suppress(RuntimeError):  # another task is reading, and closes the generator
                await self._reads.aclose()

    async def _drain(self) -> None:
        if self.response.http_version == "HTTP/1.1":
            with anyio.move_on_after(_DRAIN_SECONDS):
                for _ in range(_DRAIN_READS):
                    if await anext(self._reads, None) is None:
                        return
