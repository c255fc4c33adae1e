"""The streams that a client returns: wrapped streams that raise if the provider failed or did not finish."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Self

from ..chunks import Chunk
from ..errors import ProviderError, StreamTruncated
from ..records import Outcome, StreamRecord
from ..streams import AsyncTalliedStream, StreamSession, TalliedStream
from .body import error_of


class RequestOpener:
    """The callable that makes the request; `record_chunk` must be set before it is called.

    Args:
        send: makes the request; it receives `record_chunk`, to record a refusal before raising it.
    """

    __slots__ = ("_send", "record_chunk")

    def __init__(self, send: Callable[[Callable[[Chunk], None]], Any]) -> None:
        self._send = send
        self.record_chunk: Callable[[Chunk], None]

    def __call__(self) -> Any:
        """Make the request and return its source of chunks."""
        return self._send(self.record_chunk)


class OutcomeErrors:
    """Raises the exceptions for the end of a stream, after its record is complete; each carries the record.

    Args:
        session: the session of the stream.
        failure_of: converts an exception of the transport; returns None for any other exception.
        raise_truncated: whether to raise if the stream ends before its finish.
    """

    def __init__(
        self, session: StreamSession, failure_of: Callable[[Exception], ProviderError | None], *, raise_truncated: bool
    ) -> None:
        self._session = session
        self._failure_of = failure_of
        self._raise_truncated = raise_truncated

    @property
    def _record(self) -> StreamRecord:
        return self._session.record

    @contextmanager
    def translated(self) -> Iterator[None]:
        """A context in which exceptions of the transport are raised as `ProviderError`."""
        try:
            yield
        except ProviderError as error:
            error.partial = self._record
            raise
        except Exception as error:
            failure = self._failure_of(error)
            if failure is None:
                raise
            failure.partial = self._record
            raise failure from error

    def raise_for_outcome(self) -> None:
        """Raise if the record of an exhausted stream has an error or is truncated."""
        record = self._record
        if record.error is not None:
            error = error_of(record.error)
            error.partial = record
            raise error
        if record.outcome is Outcome.TRUNCATED and self._raise_truncated:
            raise StreamTruncated("the stream ended before the provider finished it", partial=record)


class ChunkStream(TalliedStream[Chunk]):
    """A wrapped stream of chunks. The request is made when it is entered (`with`) or first read.

    Entering or reading it raises:
        ProviderError: the provider refused, failed during the stream, or could not be reached; `partial` is the record.
        ProviderTimeout: it did not respond in time; also a `TimeoutError`.
        StreamTruncated: the stream ended before its finish.
    """

    def __init__(self, session: StreamSession, errors: OutcomeErrors) -> None:
        self._errors = errors
        super().__init__(session)

    def _reader(self) -> Generator[Chunk, None, None]:
        return _with_errors(super()._reader(), self._errors)

    def __enter__(self) -> Self:
        with self._errors.translated():
            return super().__enter__()


class AsyncChunkStream(AsyncTalliedStream[Chunk]):
    """The async form of `ChunkStream`."""

    def __init__(self, session: StreamSession, errors: OutcomeErrors) -> None:
        super().__init__(session)
        self._errors = errors
        self._achunks = _awith_errors(self._achunks, errors)

    async def __aenter__(self) -> Self:
        with self._errors.translated():
            return await super().__aenter__()


def _with_errors(chunks: Generator[Chunk, None, None], errors: OutcomeErrors) -> Generator[Chunk, None, None]:
    with errors.translated():
        yield from chunks
    errors.raise_for_outcome()


async def _awith_errors(chunks: AsyncGenerator[Chunk, None], errors: OutcomeErrors) -> AsyncGenerator[Chunk, None]:
    with errors.translated():
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk
    errors.raise_for_outcome()
