"""A handle on a keyed stream."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol, Self

from ..clock import Moment
from ..records import Outcome, StreamRecord
from .open_streams import OpenStream


class Owner(Protocol):
    """What a handle needs of its accumulator."""

    def add(self, request_id: str, payload: Any, *, index: int | None = None, at: Moment | None = None) -> StreamRecord | None:
        """Take in one chunk."""

    def finish(self, request_id: str, outcome: Outcome | str | None = None) -> StreamRecord:
        """End the stream."""

    def fail_stream(self, stream: OpenStream, error: BaseException | str) -> StreamRecord:
        """End an open stream with an error."""

    def release(self, stream: OpenStream) -> None:
        """Count one handle less."""

    def __contains__(self, request_id: object) -> bool:
        """Whether a stream of this ID is open."""


class StreamHandle:
    """One user's handle on a keyed stream: a context manager; `close` may be called again.

    When the last handle is closed, a stream that is still open ends: "completed" if it was finished, "error" after an exception,
    else "cancelled". Its record is then forgotten.
    """

    def __init__(self, owner: Owner, stream: OpenStream) -> None:
        self.request_id = stream.request_id
        self._owner = owner
        self._stream = stream
        self._open = True

    def add(self, payload: Any, *, index: int | None = None, at: Moment | None = None) -> StreamRecord | None:
        """`Accumulator.add` for this request."""
        return None if self._is_replaced else self._owner.add(self.request_id, payload, index=index, at=at)

    def finish(self, outcome: Outcome | None = None) -> StreamRecord:
        """`Accumulator.finish` for this request."""
        record = self._stream.stream.record if self._is_replaced else None
        return self._owner.finish(self.request_id, outcome) if record is None else record

    @property
    def _is_replaced(self) -> bool:
        """Whether the stream has ended and its ID belongs to another stream, which must not be touched."""
        return self._stream.ended.is_set() and self.request_id in self._owner

    def close(self) -> None:
        """Close this handle."""
        if self._open:
            self._open = False
            self._owner.release(self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, Exception) and self._open:
            self._owner.fail_stream(self._stream, error)
        self.close()
