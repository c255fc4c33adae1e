"""`Client` and `AsyncClient`, which share one method per stream type."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeAlias, TypeVar

from ..default import default_tally
from ..errors import MissingExtra
from ..tally import Tally
from . import requests
from .requests import Endpoint, File
from .stream import AsyncChunkStream, ChunkStream, OutcomeErrors, RequestOpener

if TYPE_CHECKING:
    import httpx2

    from .transport import AsyncTransport, Transport

    TimeoutTypes: TypeAlias = float | tuple[float | None, float | None, float | None, float | None] | httpx2.Timeout | None

StreamT = TypeVar("StreamT", ChunkStream, AsyncChunkStream)
HttpT = TypeVar("HttpT")

OPENAI = "https://api.openai.com/v1"
_OPENAI_HOST = "api.openai.com"
_SECRET_HEADERS = ("auth", "cookie", "key", "token")
_MIN_SECRET = 6

DEFAULT_TIMEOUT = (10.0, 60.0, 60.0, 60.0)
"""Seconds to connect, to read the next bytes, to write, and to get a connection. A whole stream has no time-out."""


class _Methods(Generic[StreamT, HttpT]):
    """The methods of both clients."""

    _stream_kind: ClassVar[type[Any]]
    _transport_kind: ClassVar[str]

    def __init__(  # noqa: PLR0913 - all are optional settings, most of them rarely used
        self,
        base_url: str = OPENAI,
        api_key: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        tally: Tally | None = None,
        provider: str | None = None,
        http_client: HttpT | None = None,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT,
        raise_truncated: bool = True,
    ) -> None:
        try:
            from . import transport
        except ImportError as error:
            raise MissingExtra("client", error.name or "httpx2") from error
        keeps_timeout = http_client is not None and timeout is DEFAULT_TIMEOUT
        url = transport.base_url_of(base_url)
        all_headers = _headers(url.host, api_key, headers or {}, require_key=http_client is None)
        server = transport.Server(url, all_headers, _secrets(all_headers), {} if keeps_timeout else {"timeout": timeout})
        self._transport = getattr(transport, self._transport_kind)(server, http_client)
        self._failure_of = transport.failure_of
        self._tally = tally
        self._provider = provider
        self._raise_truncated = raise_truncated

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._transport.server.url!r}>"

    def stream_chat(self, model: str, messages: Iterable[Mapping[str, Any]], **params: Any) -> StreamT:
        """Stream a chat completion.

        Usage is requested with `stream_options`; your own value, or None, overrides that.

        Args:
            model: the provider's name of the model.
            messages: the conversation.
            params: any other fields of the request, sent unchanged.
        """
        return self._stream(requests.CHAT, {"model": model, "messages": list(messages), **params})

    def stream_completion(self, model: str, prompt: str | list[Any], **params: Any) -> StreamT:
        """Stream a text completion; usage is requested as in `stream_chat`."""
        return self._stream(requests.COMPLETION, {"model": model, "prompt": prompt, **params})

    def stream_responses(self, model: str, input: str | list[Any], **params: Any) -> StreamT:  # noqa: A002 - the API's name
        """Stream a response of the Responses API."""
        return self._stream(requests.RESPONSES, {"model": model, "input": input, **params})

    def stream_speech(
        self,
        model: str,
        input: str,  # noqa: A002 - the API's name
        *,
        voice: str,
        sse: bool = False,
        **params: Any,
    ) -> StreamT:
        """Stream generated speech.

        Args:
            model: the model's name.
            input: the text to speak; its characters are counted.
            voice: the provider's name of the voice.
            sse: whether to request events, which end with usage, instead of raw audio.
            params: any other fields of the request, sent unchanged.
        """
        framing = {"stream_format": "sse"} if sse else {}
        return self._stream(requests.SPEECH, {"model": model, "input": input, "voice": voice, **framing, **params})

    def stream_transcription(self, model: str, file: File, **params: Any) -> StreamT:
        """Stream a transcript.

        Args:
            model: the model's name.
            file: the audio: a path, bytes, an open binary file, or a tuple of a name and one of the last two. It is read now.
            params: any other fields of the form.
        """
        return self._stream(requests.TRANSCRIPTION, {"model": model, "file": file, **params})

    def stream_image(self, model: str, prompt: str, *, image: File | list[File] | None = None, **params: Any) -> StreamT:
        """Stream generated images, or with `image` (one file or a list, as in `stream_transcription`) edits of these."""
        endpoint = requests.IMAGE if image is None else requests.IMAGE_EDIT
        files = {} if image is None else {"image": image}
        return self._stream(endpoint, {"model": model, "prompt": prompt, **files, **params})

    def _stream(self, endpoint: Endpoint, params: Mapping[str, Any]) -> StreamT:
        """The wrapped stream of a request, which is made when the stream is entered or read."""
        call = requests.make_call(endpoint, params)
        opening = RequestOpener(partial(self._transport.open, call))
        known = {name: value for name, value in call.params.items() if name != "provider"}
        if self._provider is not None:
            known["provider"] = self._provider
        tally = self._tally or default_tally()
        session = tally.wrap(opening, dialect=endpoint.dialect, params=known)._session
        opening.record_chunk = session.stream.fold.apply
        session.stream.request.server_address, session.stream.request.server_port = self._transport.server.address
        errors = OutcomeErrors(session, self._failure_of, raise_truncated=self._raise_truncated)
        stream: StreamT = self._stream_kind(session, errors)
        return stream


class Client(_Methods[ChunkStream, "httpx2.Client"]):
    """A client for any server with OpenAI's API. Each method returns a wrapped stream of `Chunk`s.

    The request is made when the stream is entered (`with`) or first read; `ChunkStream` lists the exceptions.

    Args:
        base_url: the URL that the API's paths are appended to; its query is kept.
        api_key: sent as bearer token. The default is the environment's `OPENAI_API_KEY` for OpenAI's own server, and no key
            for any other server.
        headers: additional headers of every request.
        tally: the tally that records the streams; by default the default tally.
        provider: the provider's name for records and prices; by default derived from the host.
        http_client: your own httpx2 client, which is not closed with this client.
        timeout: seconds, or (connect, read, write, pool), or an `httpx2.Timeout`; None for no time-out. By default 10 s to
            connect and 60 s without any bytes, or the time-outs of `http_client`. A whole stream has no time-out.
        raise_truncated: whether a stream that ends before its finish raises `StreamTruncated`.

    Raises:
        MissingExtra: httpx2 is not installed.
        TypeError: `http_client` is not an httpx2 client of the right kind.
        ValueError: the base URL is invalid, a header cannot be sent, or OpenAI's own server has no key.

    Example:
        >>> with Client("http://localhost:8000/v1") as client:
        ...     stream = client.stream_chat("a-model", [{"role": "user", "content": "Hello"}], temperature=0)
        >>> stream.record.requested_model
        'a-model'
    """

    _stream_kind = ChunkStream
    _transport_kind = "Transport"
    _transport: Transport

    def close(self) -> None:
        """Close the connections, unless the HTTP client was passed in."""
        if self._transport.owns_http:
            self._transport.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class AsyncClient(_Methods[AsyncChunkStream, "httpx2.AsyncClient"]):
    """The async form of `Client`: `http_client` is an `httpx2.AsyncClient`, and streams are read with `async for`."""

    _stream_kind = AsyncChunkStream
    _transport_kind = "AsyncTransport"
    _transport: AsyncTransport

    async def aclose(self) -> None:
        """Close the connections, unless the HTTP client was passed in."""
        if self._transport.owns_http:
            await self._transport.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


def _headers(host: str, api_key: str | None, given: Mapping[str, str], *, require_key: bool) -> dict[str, str]:
    """The headers of every request."""
    headers = {name.lower(): value for name, value in given.items()}
    if not headers.keys() & {"authorization", "api-key"}:
        key = _key(host, api_key, required=require_key)
        headers.update({} if key is None else {"authorization": f"Bearer {key}"})
    for name, value in headers.items():
        # Checked here because the exception of the HTTP library would show the value.
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"the header {name} has a character that is not allowed in headers")
    return headers


def _key(host: str, api_key: str | None, *, required: bool) -> str | None:
    is_openai = host == _OPENAI_HOST
    key = os.environ.get("OPENAI_API_KEY") if api_key is None and is_openai else api_key
    if required and is_openai and not key:
        raise ValueError("no API key: pass api_key, or set OPENAI_API_KEY in the environment")
    return key.strip() if key else None


def _secrets(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The values of secret headers, to be masked in errors; values below `_MIN_SECRET` characters would mask ordinary text."""
    values = (value for name, value in headers.items() if any(word in name for word in _SECRET_HEADERS))
    return tuple(secret for value in values if len(secret := value.removeprefix("Bearer ")) >= _MIN_SECRET)
