"""A hold on a keyed stream."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol, Self

from ..clock import Moment
from ..records import Outcome, StreamRecord
from .books import Entry


class Keeper(Protocol):
    """What a handle needs of the accumulator that gave it out."""

    def add(self, request_id: str, payload: Any, *, index: int | None = None, at: Moment | None = None) -> StreamRecord | None:
        """Take in one chunk."""

    def finish(self, request_id: str, outcome: Outcome | str | None = None) -> StreamRecord:
        """End the stream."""

    def fail_entry(self, entry: Entry, error: BaseException | str) -> StreamRecord:
        """End the stream of an entry with an error."""

    def release(self, entry: Entry) -> None:
        """One hold goes."""

    def __contains__(self, request_id: object) -> bool:
        """Whether a stream of this ID is open."""


class StreamHandle:
    """One user's hold on a keyed stream: a context manager; `close` may be called again.

    When the last hold goes, a stream that is still open ends: "completed" if it was finished, "error" after an exception,
    else "cancelled". Its record is then forgotten.
    """

    def __init__(self, keeper: Keeper, entry: Entry) -> None:
        self.request_id = entry.request_id
        self._keeper = keeper
        self._entry = entry
        self._open = True

    def add(self, payload: Any, *, index: int | None = None, at: Moment | None = None) -> StreamRecord | None:
        """`Accumulator.add` for this request."""
        return None if self._is_succeeded else self._keeper.add(self.request_id, payload, index=index, at=at)

    def finish(self, outcome: Outcome | None = None) -> StreamRecord:
        """`Accumulator.finish` for this request."""
        record = self._entry.stream.record if self._is_succeeded else None
        return self._keeper.finish(self.request_id, outcome) if record is None else record

    @property
    def _is_succeeded(self) -> bool:
        """Whether the stream has ended and its ID is open anew: that stream is another's, and not to be touched."""
        return self._entry.ended.is_set() and self.request_id in self._keeper

    def close(self) -> None:
        """Let go."""
        if self._open:
            self._open = False
            self._keeper.release(self._entry)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, Exception) and self._open:
            self._keeper.fail_entry(self._entry, error)
        self.close()
