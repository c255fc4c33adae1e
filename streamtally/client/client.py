"""`Client` and `AsyncClient`: one method for each kind of stream, written once for both."""

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
from .stream import AsyncChunkStream, ChunkStream, Ending, Opening

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
"""Seconds to connect, for the next bytes, to write, to get a connection. A stream as a whole may take any time."""


class _Methods(Generic[StreamT, HttpT]):
    """What both clients share: all but the loop."""

    _stream_kind: ClassVar[type[Any]]
    _transport_kind: ClassVar[str]

    def __init__(  # noqa: PLR0913 - all have defaults, and the most are rarely needed
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
        given = http_client is not None and timeout is DEFAULT_TIMEOUT
        url = transport.base_url_of(base_url)
        sent = _headers(url.host, api_key, headers or {}, demand_key=http_client is None)
        site = transport.Site(url, sent, _secrets(sent), {} if given else {"timeout": timeout})
        self._transport = getattr(transport, self._transport_kind)(site, http_client)
        self._failure_of = transport.failure_of
        self._tally = tally
        self._provider = provider
        self._raise_truncated = raise_truncated

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._transport.site.url!r}>"

    def stream_chat(self, model: str, messages: Iterable[Mapping[str, Any]], **params: Any) -> StreamT:
        """Ask for a chat completion.

        Usage is asked for with `stream_options`; give your own, or None, to ask otherwise.

        Args:
            model: the model's name, as the provider has it.
            messages: the conversation.
            params: any other field of the request, sent as it is.
        """
        return self._stream(requests.CHAT, {"model": model, "messages": list(messages), **params})

    def stream_completion(self, model: str, prompt: str | list[Any], **params: Any) -> StreamT:
        """Ask for a text completion; usage is asked for as in `stream_chat`."""
        return self._stream(requests.COMPLETION, {"model": model, "prompt": prompt, **params})

    def stream_responses(self, model: str, input: str | list[Any], **params: Any) -> StreamT:  # noqa: A002 - the API's name
        """Ask for a response of the Responses API."""
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
        """Ask for speech.

        Args:
            model: the model's name.
            input: what is to be spoken; its characters are counted.
            voice: the provider's name for the voice.
            sse: whether the sound comes in events, which end with usage, and not as it is.
            params: any other field of the request, sent as it is.
        """
        framing = {"stream_format": "sse"} if sse else {}
        return self._stream(requests.SPEECH, {"model": model, "input": input, "voice": voice, **framing, **params})

    def stream_transcription(self, model: str, file: File, **params: Any) -> StreamT:
        """Ask for a transcript.

        Args:
            model: the model's name.
            file: the sound: a path, bytes, an open binary file, or a name and one of the last two. It is read now.
            params: any other field of the form.
        """
        return self._stream(requests.TRANSCRIPTION, {"model": model, "file": file, **params})

    def stream_image(self, model: str, prompt: str, *, image: File | list[File] | None = None, **params: Any) -> StreamT:
        """Ask for images, or with `image` (one file or a list, as in `stream_transcription`) for edits of those."""
        endpoint = requests.IMAGE if image is None else requests.IMAGE_EDIT
        files = {} if image is None else {"image": image}
        return self._stream(endpoint, {"model": model, "prompt": prompt, **files, **params})

    def _stream(self, endpoint: Endpoint, params: Mapping[str, Any]) -> StreamT:
        """The wrapped stream of a request that is made when the stream is entered or read."""
        call = requests.call(endpoint, params)
        opening = Opening(partial(self._transport.open, call))
        known = {name: value for name, value in call.params.items() if name != "provider"}
        if self._provider is not None:
            known["provider"] = self._provider
        tally = self._tally or default_tally()
        session = tally.wrap(opening, dialect=endpoint.dialect, params=known)._session
        opening.note = session.stream.fold.apply
        session.stream.request.server_address, session.stream.request.server_port = self._transport.site.address
        ending = Ending(session, self._failure_of, raise_truncated=self._raise_truncated)
        stream: StreamT = self._stream_kind(session, ending)
        return stream


class Client(_Methods[ChunkStream, "httpx2.Client"]):
    """A client for any server that speaks OpenAI's API. Each method returns a wrapped stream of `Chunk`s.

    The request is made when the stream is entered (`with`) or first read; see `ChunkStream` for what is raised.

    Args:
        base_url: what the paths of the API are appended to; a query in it is kept.
        api_key: sent as bearer token. Without one it is the environment's `OPENAI_API_KEY` for OpenAI's own server, and none
            for any other, which has no business with that key.
        headers: further headers of every request.
        tally: who keeps the records; the default one if not given.
        provider: the provider's name for records and prices; told from the host if not given.
        http_client: an httpx2 client of yours, which stays yours to close.
        timeout: seconds, or (connect, read, write, pool), or an `httpx2.Timeout`; None for none. By default 10 s to connect
            and 60 s without any bytes, or what `http_client` has. There is no bound on the whole.
        raise_truncated: whether a stream that ends before its finish raises `StreamTruncated`.

    Raises:
        MissingExtra: httpx2 is not installed.
        TypeError: `http_client` is no client of the right kind.
        ValueError: the base URL is none, a header cannot be sent, or OpenAI's own server is asked without a key.

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
        """Close the connections, unless the HTTP client is yours."""
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
        """As `Client.close`."""
        if self._transport.owns_http:
            await self._transport.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


def _headers(host: str, api_key: str | None, given: Mapping[str, str], *, demand_key: bool) -> dict[str, str]:
    """The headers of every request."""
    headers = {name.lower(): value for name, value in given.items()}
    if not headers.keys() & {"authorization", "api-key"}:
        key = _key(host, api_key, demanded=demand_key)
        headers.update({} if key is None else {"authorization": f"Bearer {key}"})
    for name, value in headers.items():
        # The HTTP library would show the value in its exception.
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"the header {name} holds a character that no header may hold")
    return headers


def _key(host: str, api_key: str | None, *, demanded: bool) -> str | None:
    is_openai = host == _OPENAI_HOST
    key = os.environ.get("OPENAI_API_KEY") if api_key is None and is_openai else api_key
    if demanded and is_openai and not key:
        raise ValueError("no API key: give api_key, or set OPENAI_API_KEY in the environment")
    return key.strip() if key else None


def _secrets(headers: Mapping[str, str]) -> tuple[str, ...]:
    """What stands in headers whose name says that it is to be kept; a word that is too short would be found everywhere."""
    values = (value for name, value in headers.items() if any(word in name for word in _SECRET_HEADERS))
    return tuple(secret for value in values if len(secret := value.removeprefix("Bearer ")) >= _MIN_SECRET)
