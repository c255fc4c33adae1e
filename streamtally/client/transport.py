"""HTTP by httpx2: the one home of that import. Sync and async differ in their loops and in nothing else."""

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

Note = Callable[[Chunk], None]
HttpT = TypeVar("HttpT", httpx2.Client, httpx2.AsyncClient)

_PORTS = {"http": 80, "https": 443}
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
"""Streams are long: a bound on connections would make one stream wait for another."""

_REFUSAL_BYTES = 64 * 1024
_DRAIN_READS = 4
_DRAIN_SECONDS = 0.02
"""How much may follow the end marker, and how late, and still be read so that the connection can be used again."""


def failure_of(error: Exception) -> ProviderError | None:
    """The exception for one of httpx2's; None for another's."""
    if not isinstance(error, httpx2.HTTPError):
        return None
    name = type(error).__name__
    message = f"{name}: {error}" if str(error) else name
    if isinstance(error, httpx2.TimeoutException):
        return ProviderTimeout(message, type="timeout")
    return ProviderError(message, type=name)


def base_url_of(text: str) -> httpx2.URL:
    """A base URL.

    Raises:
        ValueError: it is none.
    """
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise ValueError(f"the base URL cannot be read: {error}") from None
    if url.scheme not in _PORTS or not url.host:
        raise ValueError(f"{url!r} is no base URL: it must begin with https:// or http:// and a host")
    return url


@dataclass(frozen=True, slots=True)
class Site:
    """One server, and what goes with every request to it.

    Args:
        url: what paths are appended to; a query in it is kept.
        headers: of every request.
        secrets: what no record may show, should the server repeat it.
        options: of every request, as httpx2 names them.
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
    """Where requests go.

    Args:
        site: the server.
        http: a client of the caller's; one of our own if not given.

    Raises:
        TypeError: `http` is no client of the right kind.
    """

    _kind: ClassVar[type[Any]]

    def __init__(self, site: Site, http: Any = None) -> None:
        if http is not None and not isinstance(http, self._kind):
            raise TypeError(f"http_client must be an httpx2.{self._kind.__name__}, not {type(http).__name__}")
        self.owns_http = http is None
        self.http: HttpT = self._kind(limits=_LIMITS, follow_redirects=True) if http is None else http
        self.site = site

    def request(self, call: Call) -> httpx2.Request:
        """The request to send."""
        url = self.site.url.copy_with(path=self.site.url.path.rstrip("/") + call.endpoint.path)
        if call.endpoint.files:
            options = {"headers": self.site.headers, **self.site.options}
            return self.http.build_request("POST", url, data=call.fields, files=call.files, **options)
        headers = {"content-type": "application/json", **self.site.headers}
        return self.http.build_request("POST", url, content=call.content, headers=headers, **self.site.options)

    def refused(self, response: httpx2.Response, content: bytes, note: Note) -> ProviderError:
        """Enter a refusal into the record, and make the exception for it."""
        for secret in self.site.secrets:
            content = content.replace(secret.encode(), b"***")
        chunk = refusal(response.status_code, response.reason_phrase, content, response.headers)
        note(chunk)
        return error_of(ErrorDetails(**(chunk.error or {})))


class Transport(_Transport[httpx2.Client]):
    """Sends requests, and reads the answers."""

    _kind = httpx2.Client

    def open(self, call: Call, note: Note) -> Source:
        """Make the request; the answer as chunks.

        Raises:
            ProviderError: the server refused it; `note` was told.
            httpx2.HTTPError: the server cannot be reached, or does not answer.
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
        raise self.refused(response, content, note)


class AsyncTransport(_Transport[httpx2.AsyncClient]):
    """The same, async."""

    _kind = httpx2.AsyncClient

    async def open(self, call: Call, note: Note) -> AsyncSource:
        """As `Transport.open`."""
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
        raise self.refused(response, content, note)


def _body(call: Call, response: httpx2.Response) -> Body:
    return Body(call.endpoint.dialect, response.headers.get("content-type", ""))


class Source:
    """The chunks of one answer; its own iterator, so that `close` frees the connection whoever reads."""

    def __init__(self, response: httpx2.Response, body: Body) -> None:
        self.response = response
        self._body = body
        self._reads = response.iter_bytes()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Chunk:
        body = self._body
        while body.hungry:
            try:
                body.feed(next(self._reads, None))
            except httpx2.HTTPError as error:
                body.broke(error)
        if body.ready:
            return body.ready.popleft()
        if body.failure is not None:
            raise body.failure
        raise StopIteration

    def close(self) -> None:
        """Free the connection: for the next request where nothing more comes, else by cutting it."""
        try:
            if self._body.complete and not self.response.is_closed:
                with suppress(httpx2.HTTPError):  # what follows the end is no loss
                    self._drain()
        finally:
            self.response.close()

    def _drain(self) -> None:
        stream = self.response.extensions.get("network_stream")
        if stream is None or self.response.http_version != "HTTP/1.1":
            return
        with _in_a_hurry(stream):
            for _ in range(_DRAIN_READS):
                if next(self._reads, None) is None:
                    return


@contextmanager
def _in_a_hurry(stream: Any) -> Iterator[None]:
    """Let this thread's reads from a network stream wait for a moment only.

    The time-out of a body is fixed when its reading begins, and a socket cannot be asked instead: the end may have been read
    from it already, together with what came before. Other threads may get the connection before the block is left.
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
    """The same, async."""

    def __init__(self, response: httpx2.Response, body: Body) -> None:
        self.response = response
        self._body = body
        self._reads = response.aiter_bytes()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        body = self._body
        while body.hungry:
            try:
                body.feed(await anext(self._reads, None))
            except httpx2.HTTPError as error:
                body.broke(error)
        if body.ready:
            return body.ready.popleft()
        if body.failure is not None:
            raise body.failure
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """As `Source.close`."""
        try:
            if self._body.complete and not self.response.is_closed:
                with suppress(httpx2.HTTPError):
                    await self._drain()
        finally:
            await self.response.aclose()
            with suppress(RuntimeError):  # another task reads, and ends with that read
                await self._reads.aclose()

    async def _drain(self) -> None:
        if self.response.http_version == "HTTP/1.1":
            with anyio.move_on_after(_DRAIN_SECONDS):
                for _ in range(_DRAIN_READS):
                    if await anext(self._reads, None) is None:
                        return
