"""A stream whose chunks come from anywhere: late, twice, out of order, from several workers.

`ordering` is what positions are. The first chunk decides, and later it only ever changes to "arrival":

| ordering | position of a chunk | set when |
| --- | --- | --- |
| None | none | nothing came yet |
| "index" | the caller's `index` | the first chunk has one |
| "sequence" | the protocol's own number | the first chunk has a number and no `index` |
| "arrival" | the order in which chunks come, for good | the first chunk has neither |
| | | a chunk with content has no position |
| | | a number of the protocol comes back with other content |

What becomes of a chunk that has a position (`Order.offer`):

| chunk | becomes |
| --- | --- |
| at the end of the prefix | folded, and so are the held ones that follow |
| ahead of a gap | held; where too much is held, only its metadata is folded, and it counts as dropped |
| at a known position, same content | a duplicate: the earlier of the two stamps stays |
| at a known position, other content | a conflict: of the chunk that loses only the metadata is folded |
"""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from typing import Any, Literal

from ..chunks import Chunk, joined, merged_usage
from ..dialects import Dialect
from ..errors import MergeError
from ..json_values import Json, merged
from ..records import StreamRecord, StreamType
from .folding import Fold
from .order import Held, Order, Placed
from .request_info import RequestInfo
from .stream import Stream
from .timing import Arrivals, StartedFrom

Ordering = Literal["index", "sequence", "arrival"]


class KeyedStream(Stream):
    """A set of chunks, each with a position: a folded prefix, and the chunks held beyond it.

    Attributes:
        first_given: whether the caller stated the first position; else the dialect does, for its own numbers.
        ordering: what positions are, see above.
        opened: when a caller opened the stream; None where a chunk did.
        given_start: when the request was made, where the caller stated it.
        waiting: characters and bytes of content of the held chunks.
    """

    __slots__ = (
        "arrivals",
        "conflicts",
        "dropped_chunks",
        "duplicates",
        "first_given",
        "given_start",
        "opened",
        "order",
        "ordering",
        "waiting",
    )

    def __init__(self, request: RequestInfo, *, first_index: int | None = None, **options: Any) -> None:
        super().__init__(request, **options)
        self.first_given = first_index is not None
        self.order = Order(first_index or 0)
        self.ordering: Ordering | None = None
        self.arrivals = Arrivals()
        self.given_start: int | None = None
        self.opened: int | None = None
        self.duplicates = self.conflicts = self.dropped_chunks = 0
        self.waiting = 0

    @property
    def size(self) -> int:
        """Characters and bytes of content that are retained: those folded, and those held beyond a gap."""
        return self.fold.answer.retention.kept + self.waiting

    def complete(self, request: RequestInfo, dialect: Dialect | None = None, given_start: int | None = None) -> None:
        """Set what a further caller states of the request and is not known yet; a start that is given replaces the one before."""
        self.record = None
        self.reader.dialect = self.reader.dialect or dialect
        self.given_start = self.given_start if given_start is None else given_start
        self.request.complete(request)
        self.set_images_wanted()

    def add(self, payload: Any, index: int | None, stamp: int) -> None:
        """Take in one payload, which came at `stamp` (nanoseconds since the epoch). Raises nothing, whatever it is."""
        self.record = None
        try:
            if index is None:
                whole = isinstance(payload, bytes) and _is_json(payload)
                for chunk in self.reader.read_whole(payload) if whole else self.reader.read(payload):
                    self._place(chunk, None, stamp)
            else:
                self._place(joined(self.reader.read_whole(payload)), index, stamp)
        except Exception:  # no payload may raise to the caller; the fault is counted in the record
            self.faults += 1
        self._check_size()

    def end_of_bytes(self) -> None:
        """No more bytes come: fold what waited for the end of an event."""
        self.record = None
        try:
            for chunk in self.reader.end():
                self._place(chunk, None, self.arrivals.latest or self.opened or 0)
        except Exception:  # like a fault in `add`
            self.faults += 1

    def _check_size(self) -> None:
        """Stop retaining content once there is too much of it."""
        if self.size > self.limits.stream_bytes:
            self.fold.answer.retention.stop()

    @property
    def ended(self) -> bool:
        """Whether the end marker or all requested images arrived, and nothing before it is missing."""
        beyond = self.order.highest is not None and self.order.highest >= self.order.next and self.ordering != "arrival"
        return not beyond and (self.fold.terminal or self._has_all_images())

    def _has_all_images(self) -> bool:
        return self.stream_type is StreamType.IMAGE and "n" in self.request.params and self.finished

    def _place(self, chunk: Chunk, index: int | None, stamp: int) -> None:
        number = self._number(chunk, index)
        if self.ordering == "arrival":
            self._fold(chunk, stamp)
        elif number is not None:
            self._put(number, chunk, stamp)
        elif chunk.flags:
            self._order_by_arrival()
            self._fold(chunk, stamp)
        else:
            self._fold_metadata(chunk)

    def _number(self, chunk: Chunk, index: int | None) -> int | None:
        """The position of a chunk, if it has one that can be used; the first chunk decides which kind counts."""
        usable = _usable(index)
        if self.ordering is None:
            self.ordering = "index" if usable is not None else "arrival" if chunk.sequence is None else "sequence"
            if self.ordering == "sequence" and not self.first_given:
                self.order = Order(self.dialect.first_sequence)
        return usable if self.ordering == "index" else chunk.sequence

    def _put(self, number: int, chunk: Chunk, stamp: int) -> None:
        """Put a chunk at its position."""
        order = self.order
        known = order.held.get(number)
        if known is None and number > order.next and self._holds_enough():
            self.dropped_chunks += 1
            order.highest = max(number, order.highest or 0)
            self._fold_metadata(chunk)
            return
        placed = order.offer(number, chunk, stamp)
        if placed is Placed.HELD:
            self.waiting += chunk.size
        elif placed is Placed.READY:
            self._fold(chunk, stamp)
            for held in order.ready():
                self.waiting -= held.chunk.size
                self._fold(held.chunk, held.stamp)
        elif placed is Placed.DUPLICATE:
            self.duplicates += 1
            self.arrivals.again(number - order.first, stamp)
        elif self.ordering == "sequence":
            if known is not None:
                order.held[number] = known
            self._order_by_arrival()
            self._fold(chunk, stamp)
        else:
            self.conflicts += 1
            self._fold_metadata(self._loser(number, chunk, known))

    def _holds_enough(self) -> bool:
        return len(self.order.held) >= self.limits.held_chunks or self.waiting > self.limits.stream_bytes

    def _loser(self, number: int, new: Chunk, known: Held | None) -> Chunk:
        """Of two chunks that claim one position, the one that does not get it."""
        if known is None or self.order.held[number] is known:
            return new
        self.waiting += new.size - known.chunk.size
        return known.chunk

    def _fold(self, chunk: Chunk, stamp: int) -> None:
        self.chunk_count += 1
        self.arrivals.append(stamp, chunk.flags)
        self.faults += not _applied(self.fold, chunk)

    def _fold_metadata(self, chunk: Chunk) -> None:
        """Fold what a chunk without a place of its own states of the stream: no content, and nothing over what is known."""
        answer = self.fold.answer
        bare = chunk.without_content()
        self.fold.apply(
            bare._replace(
                usage=merged_usage(chunk.usage, answer.usage) if chunk.usage and answer.usage else chunk.usage,
                deltas=() if self.finished else bare.deltas,
                meta=_unknown(chunk.meta, answer.meta),
                extras=_unknown(chunk.extras, answer.extras),
            )
        )

    def _order_by_arrival(self) -> None:
        """Stop trusting positions: what is held folds in their order, and from here on arrival is the order."""
        self.ordering = "arrival"
        for _, held in self.order.rest():
            self._fold(held.chunk, held.stamp)
        self.order.held.clear()
        self.waiting = 0

    def snapshot(self) -> StreamRecord:
        """The record as things stand; held chunks are folded past the gaps. Made once between two chunks."""
        if self.record is None:
            self.record = self._build()
        return self.record

    def _build(self) -> StreamRecord:
        fold, arrivals, rest = self.fold, self.arrivals, self.order.rest()
        faults = self.faults
        if rest:
            fold, arrivals = Fold(self.fold.answer.copy()), self.arrivals.copy()
            for _, held in rest:
                faults += not _applied(fold, held.chunk)
                arrivals.append(held.stamp, held.chunk.flags)
        started_from: StartedFrom = "given" if self.given_start is not None else "wrap"
        start = self.opened if self.given_start is None else self.given_start
        return self.build(
            arrivals.figures(start, self._end(arrivals), started_from, self.stall),
            fold=fold,
            faults=faults,
            missing=() if self.ordering == "arrival" else self.order.missing(),
            ordering=self.ordering or "arrival",
            highest_index=self.order.highest if self.ordering in ("index", "sequence") else None,
            duplicates=self.duplicates,
            conflicts=self.conflicts,
            dropped_chunks=self.dropped_chunks,
            chunk_count=self.chunk_count + len(rest),
        )

    def _end(self, arrivals: Arrivals) -> int | None:
        """When the stream ended: with its last chunk, so that the record follows from the chunks alone."""
        if self.seal is None:
            return None
        return self.seal.stamp if self.seal.stamp is not None else arrivals.latest

    def merged_with(self, other: KeyedStream) -> KeyedStream:
        """Both partial states as one: the one with the longer prefix, completed by the other, which must not be used again.

        Raises:
            MergeError: states of two requests, of two kinds of position, or ordered by arrival.
        """
        self._check_mergeable(other)
        whole, part = (self, other) if self._reach() >= other._reach() else (other, self)
        whole.record = None
        for position, (stamp, mine, theirs) in enumerate(
            zip(part.arrivals.stamps, whole.order.digests, part.order.digests, strict=False)
        ):
            whole.arrivals.again(position, stamp)
            whole.conflicts += mine != theirs
        for number, held in part.order.rest():
            whole._put(number, held.chunk, held.stamp)
        whole.order.highest = max((h for h in (whole.order.highest, part.order.highest) if h is not None), default=None)
        whole.opened = _earliest(whole.opened, part.opened)
        whole.given_start = _earliest(whole.given_start, part.given_start)
        whole._complete_from(part)
        whole._check_size()
        return whole

    def _reach(self) -> tuple[bool, int]:
        """How much a state holds of the stream: whether anything, and how long its prefix is."""
        return self.ordering is not None, self.order.next

    def _check_mergeable(self, other: KeyedStream) -> None:
        if self.request.request_id != other.request.request_id:
            raise MergeError(f"states of two requests: {self.request.request_id!r} and {other.request.request_id!r}")
        if None in (self.ordering, other.ordering):
            return
        if "arrival" in (self.ordering, other.ordering):
            raise MergeError("a state ordered by arrival has no positions to merge by")
        if self.ordering != other.ordering:
            raise MergeError(f"positions of two kinds: {self.ordering} and {other.ordering}")
        if self.order.first != other.order.first:
            raise MergeError(f"positions from {self.order.first} and from {other.order.first}")

    def _complete_from(self, part: KeyedStream) -> None:
        """Set what only the other state knows of the stream."""
        self.complete(part.request, part.reader.dialect)
        self.duplicates += part.duplicates
        self.conflicts += part.conflicts
        self.dropped_chunks += part.dropped_chunks
        self.faults += part.faults
        mine, theirs = self.fold.answer, part.fold.answer
        self._fold_metadata(
            Chunk(
                meta=theirs.meta or {},
                extras=theirs.extras or {},
                # Its prefix is part of this one: what was reported there has been reported here too, and perhaps corrected.
                usage=merged(theirs.usage or {}, mine.usage or {}),
                error=None if mine.error else theirs.error,
                terminal=theirs.terminal,
            )
        )


def _applied(fold: Fold, chunk: Chunk) -> bool:
    """Fold a chunk; False where that failed, for no fault of a fold may reach the caller."""
    try:
        fold.apply(chunk)
    except Exception:
        return False
    return True


def _unknown(fields: Mapping[str, Json], known: Mapping[str, Json] | None) -> Mapping[str, Json]:
    return {name: value for name, value in fields.items() if name not in (known or {})}


def _is_json(payload: bytes) -> bool:
    """Whether bytes are one JSON object by themselves, as a queue hands them on, and not a piece of a body."""
    if not payload.lstrip().startswith(b"{"):
        return False
    try:
        json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return True


def _usable(index: Any) -> int | None:
    """An index as a position: any kind of integer from 0 on."""
    try:
        number = operator.index(index)
    except TypeError:
        return None
    return number if number >= 0 and not isinstance(index, bool) else None


def _earliest(mine: int | None, theirs: int | None) -> int | None:
    return min((moment for moment in (mine, theirs) if moment is not None), default=None)
