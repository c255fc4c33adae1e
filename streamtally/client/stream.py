"""The streams that a client hands out: wrapped streams that also say, by an exception, when the provider did not finish."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Self

from ..chunks import Chunk
from ..errors import ProviderError, StreamTruncated
from ..records import Outcome, StreamRecord
from ..streams import AsyncTalliedStream, StreamSession, TalliedStream
from .body import error_of


class Opening:
    """The callable that makes the request; `note` is to be given before it is called.

    Args:
        send: makes the request. Is handed `note`, to enter a refusal into the record before raising it.
    """

    __slots__ = ("_send", "note")

    def __init__(self, send: Callable[[Callable[[Chunk], None]], Any]) -> None:
        self._send = send
        self.note: Callable[[Chunk], None]

    def __call__(self) -> Any:
        """Make it."""
        return self._send(self.note)


class Ending:
    """What the caller hears of how a stream ended: always after its record is made, and with that record.

    Args:
        session: the stream.
        failure_of: the exception for one of the transport's, None for one that is not the transport's.
        raise_truncated: whether an end before the finish is an exception.
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
    def told(self) -> Iterator[None]:
        """Exceptions of the transport leave the block as the provider's."""
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

    def judge(self) -> None:
        """Raise what the record of a stream that ended by itself calls for."""
        record = self._record
        if record.error is not None:
            error = error_of(record.error)
            error.partial = record
            raise error
        if record.outcome is Outcome.TRUNCATED and self._raise_truncated:
            raise StreamTruncated("the stream ended before the provider finished it", partial=record)


class ChunkStream(TalliedStream[Chunk]):
    """A wrapped stream of chunks. The request is made when it is entered (`with`) or first read.

    Raises where it is entered or read:
        ProviderError: the provider refused, failed in the middle, or could not be reached; `partial` is the record.
        ProviderTimeout: it did not answer in time; also a `TimeoutError`.
        StreamTruncated: the stream ended before its finish.
    """

    def __init__(self, session: StreamSession, ending: Ending) -> None:
        self._ending = ending
        super().__init__(session)

    def _reader(self) -> Generator[Chunk, None, None]:
        return _judged(super()._reader(), self._ending)

    def __enter__(self) -> Self:
        with self._ending.told():
            return super().__enter__()


class AsyncChunkStream(AsyncTalliedStream[Chunk]):
    """The async form of `ChunkStream`."""

    def __init__(self, session: StreamSession, ending: Ending) -> None:
        super().__init__(session)
        self._ending = ending
        self._achunks = _ajudged(self._achunks, ending)

    async def __aenter__(self) -> Self:
        with self._ending.told():
            return await super().__aenter__()


def _judged(chunks: Generator[Chunk, None, None], ending: Ending) -> Generator[Chunk, None, None]:
    with ending.told():
        yield from chunks
    ending.judge()


async def _ajudged(chunks: AsyncGenerator[Chunk, None], ending: Ending) -> AsyncGenerator[Chunk, None]:
    with ending.told():
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk
    ending.judge()
