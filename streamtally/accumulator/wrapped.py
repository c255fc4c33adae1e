"""A stream that is read from one source in one order: no positions, no lock, times measured around each read."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from ..chunks import Chunk, ItemDelta
from ..dialects import Dialect, FastPath, Stamped
from ..records import Outcome, StreamRecord
from .folding import Fold
from .request_info import RequestInfo
from .stream import Stream
from .timing import Reads, StartedFrom

_PLAIN = (Mapping, Chunk, str, bytes)
"""Payloads for which there is no fast path."""

MAX_JUMP = 1024
"""How far a protocol number may be ahead of the last one and still be trusted."""


class WrappedStream(Stream):
    """The state behind a wrapper. The thread or task that reads the source is its only writer."""

    __slots__ = ("_numbers", "reads", "started", "started_from")

    def __init__(self, request: RequestInfo, *, started: int, started_from: StartedFrom, **options: Any) -> None:
        super().__init__(request, **options)
        self.started = started
        self.started_from = started_from
        self.reads = Reads(self.stall)
        self._numbers: Numbers | None = None  # most protocols do not number their payloads

    def fast_path(self, payload: Any) -> FastPath | None:
        """The dialect's fast path onto this stream's fold, for payloads like this one.

        None where the dialect has none, where payloads are kept, and for payloads that are no SDK's objects.
        """
        dialect = self.reader.dialect
        if dialect is None or dialect.fast_path is None or self.raw is not None or issubclass(type(payload), _PLAIN):
            return None
        if not self.reader.takes_fast_path(payload):
            return None
        return dialect.fast_path(self.fold)

    def add(self, payload: Any, stamp: int) -> None:
        """Fold one payload that was read at the monotonic `stamp`. Raises nothing: a fault of ours is counted."""
        try:
            self.keep_raw(payload)
            self._fold(self.reader.read_at(payload, stamp))
        except Exception:  # a payload that cannot be folded must not affect the caller's stream
            self.faults += 1

    def end_of_source(self) -> None:
        """Fold what the end of the source completes."""
        try:
            self._fold(self.reader.end_at(self.reads.ended(self.started)))
        except Exception:  # as in `add`
            self.faults += 1

    def _fold(self, chunks: Iterable[Stamped]) -> None:
        for chunk, stamp in chunks:
            self.chunk_count += 1
            try:
                if chunk.sequence is None or self._is_new(chunk):
                    self.reads.note(stamp, chunk.flags)
                    self.fold.apply(chunk)
            except Exception:  # what else came in the same read is folded all the same
                self.faults += 1

    def _is_new(self, chunk: Chunk) -> bool:
        if self._numbers is None:
            self._numbers = Numbers()
        return self._numbers.is_new(chunk)

    @property
    def _repeats(self) -> int:
        return 0 if self._numbers is None else self._numbers.repeats

    def replay(self, payloads: Iterable[Any]) -> StreamRecord:
        """Fold a whole recording, of which no times are known, and seal it. `chunk_count` counts what its bytes hold."""
        for payload in payloads:
            self.add(payload, self.started)
        self.end_of_source()
        self.try_seal(Outcome.COMPLETED)
        return self.build({}, duplicates=self._repeats)

    def settle(self) -> bool:
        """Store the waits of the last block, and check the bounds; True where content is not retained from here on."""
        self.reads.settle(self.limits.stream_chunks)
        return self.check_bounds()

    def snapshot(self) -> StreamRecord:
        """The record as things stand. It changes nothing, and so may be called from any thread."""
        reads, end = self.reads, None
        if self.seal is not None:
            last = reads.ended(self.started)
            end = last if self.seal.stamp is None else self.seal.stamp
        figures = reads.figures(self.started, end, self.started_from, self.clock)
        fold, dialect = self._provisional()
        return self.build(figures, fold=fold, dialect=dialect, chunk_count=reads.count, duplicates=self._repeats)

    def _provisional(self) -> tuple[Fold | None, Dialect | None]:
        """A fold with the payloads that still wait for their dialect, and that dialect; None where nothing waits."""
        if not self.reader.waiting:
            return None, None
        dialect, chunks = self.reader.provisional()
        fold = Fold(self.fold.answer.copy())
        for chunk, _ in chunks:
            with suppress(Exception):  # as in `_fold`, where such a fault is counted
                fold.apply(chunk)
        return fold, dialect


class Numbers:
    """The protocol's numbers of a stream that is read in order: they only show an exact repeat (same number, same content).

    After a number that comes back with other content, or jumps too far, numbers are not trusted any more.
    """

    __slots__ = ("_fingerprints", "_first", "_trusted", "repeats")

    def __init__(self) -> None:
        self.repeats = 0
        self._first: int | None = None
        self._fingerprints = array("q")
        self._trusted = True

    def is_new(self, chunk: Chunk) -> bool:
        """Whether a chunk is not an exact repeat of an earlier one."""
        number = chunk.sequence
        if not self._trusted or number is None:
            return True
        if self._first is None:
            self._first = number
        place, fingerprint = number - self._first, _fingerprint(chunk)
        if 0 <= place < len(self._fingerprints) and self._fingerprints[place] == fingerprint:
            self.repeats += 1
            return False
        ahead = place - len(self._fingerprints)
        if not 0 <= ahead <= MAX_JUMP:
            self._trusted = False
            return True
        self._fingerprints.extend([0] * ahead)
        self._fingerprints.append(fingerprint)
        return True


def _fingerprint(chunk: Chunk) -> int:
    """A number that differs for different content (within this process)."""
    if len(chunk.deltas) == 1 and isinstance(delta := chunk.deltas[0], ItemDelta) and delta.op == "append":
        return hash((delta.id, delta.position, delta.path, delta.value))
    return hash(chunk.canonical())
