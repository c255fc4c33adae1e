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
| unread, because the dialect is not known yet | held; once what follows the prefix decides for a dialect, all is read |
| at the end of the prefix | folded, and so are the held ones that follow |
| ahead of a gap | held; where too much is held, only its metadata is folded, and it counts as dropped |
| at a known position, same content | a duplicate: the earlier of the two stamps stays |
| at a known position, other content | a conflict: of the chunk that loses only the metadata is folded |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from ..chunks import Chunk
from ..dialects import Dialect, Origin, PayloadReader, Unread, decided
from ..json_values import Json
from ..records import StreamRecord, StreamType
from ..usage_reports import merged_usage
from .folding import Fold
from .order import Held, Order, Placed, position_of
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

    def complete(
        self,
        request: RequestInfo,
        dialect: Dialect | None = None,
        given_start: int | None = None,
        extract: Origin | None = None,
    ) -> None:
        """Set what a further caller states of the request and is not known yet; a start that is given replaces the one before."""
        self.record = None
        if extract is not None:
            self.reader.set_extract(extract)
        self.set_dialect(dialect)
        self.given_start = self.given_start if given_start is None else given_start
        self.request.complete(request)
        self.set_images_wanted()

    def set_dialect(self, dialect: Dialect | None, *, is_named: bool = True) -> None:
        """Set the dialect that another caller or state knows, if none is known here, and fold what waited for it."""
        if self.reader.dialect is None and dialect is not None:
            self.reader.dialect, self.reader.is_named = dialect, is_named
            for chunk, at in self.reader.released():
                self._place(chunk, None, at)
            self.settle_dialect()

    def add(self, payload: Any, index: int | None, stamp: int) -> None:
        """Take in one payload, which came at `stamp` (nanoseconds since the epoch). Raises nothing, whatever it is."""
        self.record = None
        try:
            if index is None:
                whole = isinstance(payload, bytes) and _is_json(payload)
                for chunk, at in self.reader.read_at(json.loads(payload) if whole else payload, stamp):
                    self._place(chunk, None, at)
            else:
                self._place_at(self.reader.unit(payload), index, stamp)
        except Exception:  # no payload may raise to the caller; the fault is counted in the record
            self.faults += 1
        self.check_size()

    def end_of_bytes(self) -> None:
        """No more bytes come: fold what waited for the end of an event."""
        self.record = None
        try:
            for chunk, at in self.reader.end_at(self.arrivals.latest or self.opened or 0):
                self._place(chunk, None, at)
        except Exception:  # like a fault in `add`
            self.faults += 1

    def check_size(self) -> None:
        """Stop retaining content once there is too much of it."""
        if self.size > self.limits.stream_bytes:
            self.fold.answer.retention.stop()

    @property
    def ended(self) -> bool:
        """Whether the end marker or all requested images arrived, and nothing before it is missing."""
        beyond = self.order.highest is not None and self.order.highest >= self.order.next and self.ordering != "arrival"
        return not beyond and ((self.fold.terminal and not self.several) or self._has_all_images())

    @property
    def several(self) -> bool:
        """Whether the stream may have several answers, so that the end of one does not end it."""
        return self.request.several is True or self.dialect.sessions

    def _has_all_images(self) -> bool:
        return self.stream_type is StreamType.IMAGE and "n" in self.request.params and self.finished

    def _place_at(self, chunk: Chunk | Unread, index: int, stamp: int) -> None:
        """Put a chunk where the caller states; as long as the dialect is not known it is held, unread."""
        number = position_of(index)
        if isinstance(chunk, Chunk):
            self._place(chunk, index, stamp)
        elif number is not None and self.ordering in (None, "index"):
            self.ordering = "index"
            self.put(number, chunk, stamp)
        else:
            for read, at in self.reader.wait(chunk, stamp):
                self._place(read, None, at)
        self.settle_dialect()

    def settle_dialect(self, *, ended: bool = False) -> None:
        """Read what is held unread, if the dialect is known, or what follows the prefix decides for one; fold what is next.

        Without more to come (`ended`) all that is held decides.
        """
        if not self.order.holds_unread:
            return
        reader = self.reader
        reader.dialect = reader.dialect or decided(self.order.unread(ended=ended), ended=ended)
        if reader.dialect is not None:
            self.order.read(reader.chunk_of)
            self.waiting = sum(held.chunk.size for held in self.order.held.values())
            self._fold_ready()

    def _place(self, chunk: Chunk, index: int | None, stamp: int) -> None:
        number = self._number(chunk, index)
        if self.ordering == "arrival":
            self._fold(chunk, stamp)
        elif number is not None:
            self.put(number, chunk, stamp)
        elif chunk.flags:
            self._order_by_arrival()
            self._fold(chunk, stamp)
        else:
            self.fold_metadata(chunk)

    def _number(self, chunk: Chunk, index: int | None) -> int | None:
        """The position of a chunk, if it has one that can be used; the first chunk decides which kind counts."""
        usable = position_of(index)
        if self.ordering is None:
            self.ordering = "index" if usable is not None else "arrival" if chunk.sequence is None else "sequence"
            if self.ordering == "sequence" and not self.first_given:
                self.order = Order(self.dialect.first_sequence)
        return usable if self.ordering == "index" else chunk.sequence

    def put(self, number: int, chunk: Chunk | Unread, stamp: int) -> None:
        """Put a chunk at its position."""
        order = self.order
        known = order.held.get(number)
        if known is None and number > order.next and self._holds_enough():
            self.dropped_chunks += 1
            order.highest = max(number, order.highest or 0)
            self.fold_metadata(chunk)
            return
        placed = order.offer(number, chunk, stamp)
        if placed is Placed.HELD:
            self.waiting += chunk.size
        elif placed is Placed.READY:
            self._fold(chunk, stamp)
            self._fold_ready()
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
            self.fold_metadata(self._loser(number, chunk, known))

    def _holds_enough(self) -> bool:
        return len(self.order.held) >= self.limits.held_chunks or self.waiting > self.limits.stream_bytes

    def _loser(self, number: int, new: Chunk | Unread, known: Held | None) -> Chunk | Unread:
        """Of two chunks that claim one position, the one that does not get it."""
        if known is None or self.order.held[number] is known:
            return new
        self.waiting += new.size - known.chunk.size
        return known.chunk

    def _fold_ready(self) -> None:
        """Fold the held chunks that follow the prefix."""
        for stamp, chunk in self.order.ready():
            self.waiting -= chunk.size
            self._fold(chunk, stamp)

    def _fold(self, chunk: Chunk | Unread, stamp: int) -> None:
        chunk = self.reader.chunk_of(chunk) if isinstance(chunk, Unread) else chunk
        self.chunk_count += 1
        self.arrivals.append(stamp, chunk.flags)
        self.faults += not _applied(self.fold, chunk)

    def fold_metadata(self, chunk: Chunk | Unread) -> None:
        """Fold what a chunk without a place of its own states of the stream: no content, and nothing over what is known."""
        if isinstance(chunk, Unread):
            dialect = self.reader.dialect or decided([chunk])
            if dialect is None:
                return
            chunk = PayloadReader(dialect, is_named=self.reader.is_named).chunk_of(chunk)
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
        self.settle_dialect(ended=True)
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
        fold, arrivals, rest = self.fold, self.arrivals, self._rest()
        faults, reader = self.faults, self.reader
        if rest:
            fold, arrivals = Fold(self.fold.answer.copy()), self.arrivals.copy()
            if reader.dialect is None:
                reader = PayloadReader(
                    decided((held.chunk for held in rest if isinstance(held.chunk, Unread)), ended=True), is_named=False
                )
            for held in rest:
                chunk = reader.chunk_of(held.chunk) if isinstance(held.chunk, Unread) else held.chunk
                faults += not _applied(fold, chunk)
                arrivals.append(held.stamp, chunk.flags)
        started_from: StartedFrom = "given" if self.given_start is not None else "wrap"
        start = self.opened if self.given_start is None else self.given_start
        return self.build(
            arrivals.figures(start, self._end(arrivals), started_from, self.stall),
            fold=fold,
            dialect=reader.dialect,
            faults=faults,
            missing=() if self.ordering == "arrival" else self.order.missing(),
            ordering=self.ordering or "arrival",
            highest_index=self.order.highest if self.ordering in ("index", "sequence") else None,
            duplicates=self.duplicates,
            conflicts=self.conflicts,
            dropped_chunks=self.dropped_chunks,
            chunk_count=self.chunk_count + len(rest),
        )

    def _rest(self) -> list[Held]:
        """What is not folded yet: the chunks that are held beyond a gap, and those that wait for their dialect."""
        return [*(held for _, held in self.order.rest()), *(Held(stamp, unread) for unread, stamp in self.reader.waiting)]

    def _end(self, arrivals: Arrivals) -> int | None:
        """When the stream ended: with its last chunk, so that the record follows from the chunks alone."""
        if self.seal is None:
            return None
        return self.seal.stamp if self.seal.stamp is not None else arrivals.latest


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
