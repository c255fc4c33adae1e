"""The wrappers: what the caller holds in place of a source."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import suppress
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from ..records import Outcome, StreamRecord
from .closing import aclose_all, close_all
from .loops import aopened, aread, opened, read, tapped
from .protocols import is_awaitable, is_manager, is_over, protocols, response_of, stream_in
from .session import StreamSession

T = TypeVar("T")


class _Wrapper(Generic[T]):
    """What sync and async wrappers share: the record, and the attributes and class of the source."""

    def __init__(self, session: StreamSession) -> None:
        self._session = session
        if session.opener is None and not is_awaitable(session.source):
            tapped(session)

    @property
    def record(self) -> StreamRecord:
        """The record as things stand, priced; the final one once the stream has ended, however it did."""
        return self._session.record

    @property
    def request_id(self) -> str:
        """The ID of the stream."""
        return self._session.stream.request.request_id

    @property  # type: ignore[misc]  # `isinstance` reads it, and nothing ever sets it
    def __class__(self) -> type[Any]:
        """The source's class, so that `isinstance` holds; our own where the source is a builtin or does not exist yet."""
        kind = type(self._session.source)
        ours: type[Any] = type(self)
        return ours if kind.__module__ in ("builtins", "types") else kind

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_session":
            raise AttributeError(name)
        return getattr(self._session.source, name)

    def __getitem__(self, key: Any) -> Any:
        """A part of the mapping that holds the source, as boto3's response; the wrapper is the part that is the source."""
        session = self._session
        part = (session.source if session.holder is None else session.holder)[key]
        return self if part is session.source else part

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.request_id} of {self._session.source!r}>"


class TalliedStream(_Wrapper[T]):
    """A wrapped sync stream: iterate it as the source, close it, use it in `with`; `record` can be read at any time.

    A bare `break` only pauses: another loop continues. The stream ends with exhaustion, `close`, `with`, an error, or the last
    reference.
    """

    def __init__(self, session: StreamSession) -> None:
        super().__init__(session)
        self._chunks: Generator[T, None, None] | None = None

    def __iter__(self) -> Iterator[T]:
        return self._generator()

    def _generator(self) -> Generator[T, None, None]:
        """The generator that reads; a new one after a `yield from` closed the last, for that only pauses."""
        chunks = self._chunks
        if chunks is None or (is_over(chunks) and self._session.stream.seal_token):
            self._chunks = chunks = self._reader()
        return chunks

    def __next__(self) -> T:
        try:
            return next(self._chunks or self._generator())
        except StopIteration:
            if not self._session.stream.seal_token:
                raise
        return next(iter(self))

    def _reader(self) -> Generator[T, None, None]:
        return read(self._session)

    def __enter__(self) -> Self:
        opened(self._session)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool | None:
        if (leaving := self._session.exit) is not None:
            leaving.details = (kind, error, trace)
        TalliedStream.close(self)
        return None if leaving is None else leaving.swallows

    def close(self) -> Any:
        """End the stream here, and close the source: "completed" if it had finished, else "cancelled"."""
        session = self._session
        sealed = session.seal(Outcome.CANCELLED)
        try:
            with suppress(ValueError):  # it is reading in another thread, and ends after that read
                (self._chunks or self._generator()).close()
            if sealed:
                session.end()
        finally:
            close_all(session.take_closers(), quiet=False)


class AsyncTalliedStream(_Wrapper[T]):
    """A wrapped async stream; see `TalliedStream`. `close` and `aclose` are the same coroutine."""

    def __init__(self, session: StreamSession) -> None:
        super().__init__(session)
        self._achunks: AsyncGenerator[T, None] = aread(session)

    def __aiter__(self) -> AsyncIterator[T]:
        return self._achunks

    def __anext__(self) -> Awaitable[T]:
        return self._achunks.__anext__()

    async def __aenter__(self) -> Self:
        await aopened(self._session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if (leaving := self._session.exit) is not None:
            leaving.details = (kind, error, trace)
        await self.aclose()
        return None if leaving is None else leaving.swallows

    async def aclose(self) -> None:
        """End the stream here, and close the source: "completed" if it had finished, else "cancelled"."""
        session = self._session
        sealed = session.seal(Outcome.CANCELLED)
        try:
            with suppress(RuntimeError):  # it is reading in another task, and ends after that read
                await self._achunks.aclose()
            if sealed:
                session.end()
        finally:
            await aclose_all(session.take_closers(), quiet=False)

    def close(self) -> Any:
        """`aclose`, to be awaited, as SDKs have it; closes at once where the source's own `close` is no coroutine."""
        session = self._session
        close = getattr(session.source, "close", None)
        if not callable(close) or iscoroutinefunction(close) or not _closes_itself(session.source):
            return self.aclose()
        try:
            if session.seal(Outcome.CANCELLED):
                session.end()
        finally:
            closed = close() if session.take_closers() else None
        return closed


class DualTalliedStream(TalliedStream[T], AsyncTalliedStream[T]):
    """A wrapper with both protocols: of a source that has both, or of a callable whose result is not known yet."""

    def __init__(self, session: StreamSession) -> None:
        TalliedStream.__init__(self, session)
        self._achunks = aread(session)

    def close(self) -> Any:
        """Close: a coroutine to await if the source is async."""
        return AsyncTalliedStream.close(self) if protocols(self._session.source) == (False, True) else super().close()


def _closes_itself(source: Any) -> bool:
    """Whether an async source is closed by its own `close`, where that is no coroutine."""
    return not is_awaitable(source) and response_of(source) is None


def wrapper_of(source: Any) -> type[TalliedStream[Any]] | type[AsyncTalliedStream[Any]]:
    """The wrapper class for a source. Raises `TypeError` for what is no stream."""
    read = stream_in(source) if isinstance(source, Mapping) else source
    if isinstance(read, str | bytes | bytearray | None):
        raise TypeError(f"a {type(source).__name__} is no stream; replay() takes a whole recorded body")
    match protocols(read):
        case (True, False):
            return TalliedStream
        case (False, True):
            return AsyncTalliedStream
        case (True, True):
            return DualTalliedStream
    if callable(source):
        return DualTalliedStream
    raise TypeError(f"cannot wrap a {type(source).__name__}: give an iterable, an async iterable, an awaitable or a callable")


def opener_of(source: Any) -> Callable[[], Any] | None:
    """The callable that makes the request or returns the context manager; None for a source that is open."""
    if is_manager(source):
        return lambda: source
    return source if callable(source) and not any(protocols(source)) else None
