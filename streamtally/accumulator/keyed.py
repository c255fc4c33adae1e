"""A stream whose chunks come from anywhere: late, twice, out of order, from several workers."""

from __future__ import annotations

import base64
import json
import sys
from array import array
from typing import Any, Literal

from ..chunks import Chunk, joined
from ..clock import Clock
from ..dialects import dialect_named
from ..errors import MergeError
from ..jsonish import Json
from ..limits import Limits
from ..records import StreamRecord, StreamType
from .document import Document
from .fold import Fold, merged_usage
from .order import Held, Order, Placed
from .state import About, Keep, Stream
from .timing import Arrivals, StartedFrom

Ordering = Literal["index", "sequence", "arrival"]
STATE_VERSION = 1


class KeyedStream(Stream):
    """A set of facts, each with a position.

    `ordering` says what positions are: the caller's "index", the protocol's "sequence" numbers, or, once neither can be
    trusted, the order of "arrival", for good.
    """

    __slots__ = ("arrivals", "conflicts", "dropped_chunks", "duplicates", "given_start", "opened", "order", "ordering", "size")

    def __init__(self, about: About, *, first_index: int = 0, **options: Any) -> None:
        super().__init__(about, **options)
        self.order = Order(first_index)
        self.ordering: Ordering | None = None
        self.arrivals = Arrivals()
        self.given_start: int | None = None
        self.opened: int | None = None
        self.duplicates = self.conflicts = self.dropped_chunks = 0
        self.size = 0

    def add(self, payload: Any, index: int | None, stamp: int) -> None:
        """Take in one payload, which came at `stamp` (nanoseconds since the epoch)."""
        self.record = None
        if index is None:
            for chunk in self.reader.read(payload):
                self._place(chunk, None, stamp)
        else:
            self._place(joined(self.reader.read_whole(payload)), index, stamp)
        if self.size > self.limits.stream_bytes:
            self.fold.document.stop_retaining()

    @property
    def ended(self) -> bool:
        """Whether the end marker came and nothing before it is missing."""
        return self.fold.terminal and not self.order.held

    def _place(self, chunk: Chunk, index: int | None, stamp: int) -> None:
        number = self._number(chunk, index)
        if self.ordering == "arrival":
            self._fold(chunk, stamp)
        elif number is not None:
            self._put(number, chunk, stamp)
        elif chunk.flags:
            self._go_by_arrival()
            self._fold(chunk, stamp)
        else:
            self._fold_aside(chunk)

    def _number(self, chunk: Chunk, index: int | None) -> int | None:
        """The position of a chunk, if it has one that can be used; the first chunk decides which kind counts."""
        usable = index if type(index) is int and index >= 0 else None
        if self.ordering is None:
            self.ordering = "index" if usable is not None else "arrival" if chunk.sequence is None else "sequence"
        return usable if self.ordering == "index" else chunk.sequence

    def _put(self, number: int, chunk: Chunk, stamp: int) -> None:
        """Put a chunk at its position."""
        order = self.order
        if number > order.next and len(order.held) >= self.limits.held_chunks and number not in order.held:
            self.dropped_chunks += 1
            self._fold_aside(chunk)
            return
        placed = order.offer(number, chunk, stamp)
        if placed is Placed.HELD:
            self.size += chunk.size
        elif placed is Placed.READY:
            self._fold(chunk, stamp)
            for held in order.ready():
                self.size -= held.chunk.size
                self._fold(held.chunk, held.stamp)
        elif placed is Placed.DUPLICATE:
            self.duplicates += 1
            self.arrivals.again(number - order.first, stamp)
        elif self.ordering == "sequence":
            self._go_by_arrival()
            self._fold(chunk, stamp)
        else:
            self.conflicts += 1
            self._fold_aside(chunk)

    def _fold(self, chunk: Chunk, stamp: int) -> None:
        self.chunk_count += 1
        self.size += chunk.size
        self.arrivals.append(stamp, chunk.flags)
        try:
            self.fold.apply(chunk)
        except Exception:  # no fault of a fold may reach the caller; the record counts it
            self.faults += 1

    def _fold_aside(self, chunk: Chunk) -> None:
        """Fold what a chunk without a place of its own says of the stream: never words, and nothing over what is known."""
        known = self.fold.document.get("usage")
        usage = merged_usage(chunk.usage, known) if chunk.usage and known else chunk.usage
        finished = self.finished
        bare = chunk.without_content()
        self.fold.apply(bare._replace(usage=usage, deltas=() if finished else bare.deltas, meta={}, extras={}))

    def _go_by_arrival(self) -> None:
        """Stop trusting positions: what is held folds in their order, and from here on arrival is the order."""
        self.ordering = "arrival"
        for _, held in self.order.rest():
            self.size -= held.chunk.size
            self._fold(held.chunk, held.stamp)
        self.order.held.clear()

    def snapshot(self) -> StreamRecord:
        """The record as things stand; what is held counts past the gaps. Made once between two chunks."""
        if self.record is None:
            self.record = self._build()
        return self.record

    def _build(self) -> StreamRecord:
        fold, arrivals, rest = self.fold, self.arrivals, self.order.rest()
        if rest:
            fold, arrivals = Fold(self.fold.document.copy()), self.arrivals.copy()
            for _, held in rest:
                fold.apply(held.chunk)
                arrivals.append(held.stamp, held.chunk.flags)
        started_from: StartedFrom = "given" if self.given_start is not None else "wrap"
        start = self.given_start if self.given_start is not None else self._own_start(arrivals)
        return self.build(
            arrivals.figures(start, self._end(arrivals), started_from),
            fold=fold,
            missing=self.order.missing(),
            ordering=self.ordering or "arrival",
            highest_index=self.order.highest if self.ordering in ("index", "sequence") else None,
            duplicates=self.duplicates,
            conflicts=self.conflicts,
            dropped_chunks=self.dropped_chunks,
            chunk_count=self.chunk_count + len(rest),
        )

    def _own_start(self, arrivals: Arrivals) -> int | None:
        moments = [moment for moment in (self.opened, arrivals.earliest) if moment is not None]
        return min(moments, default=None)

    def _end(self, arrivals: Arrivals) -> int | None:
        """When the stream ended: with its last chunk, so that the record follows from the chunks alone."""
        if self.seal is None:
            return None
        return self.seal.stamp if self.seal.stamp is not None else arrivals.latest

    def unite(self, other: KeyedStream) -> KeyedStream:
        """Both partial states as one, made of the one whose prefix is longer; the other must not be used again.

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
        whole._adopt(part)
        return whole

    def _reach(self) -> tuple[bool, int]:
        """How much a state holds of the stream: whether anything, and how long its prefix is."""
        return self.ordering is not None, self.order.next

    def _check_mergeable(self, other: KeyedStream) -> None:
        if self.about.request_id != other.about.request_id:
            raise MergeError(f"states of two requests: {self.about.request_id!r} and {other.about.request_id!r}")
        if "arrival" in (self.ordering, other.ordering) and None not in (self.ordering, other.ordering):
            raise MergeError("a state ordered by arrival has no positions to merge by")
        if None not in (self.ordering, other.ordering) and self.ordering != other.ordering:
            raise MergeError(f"positions of two kinds: {self.ordering} and {other.ordering}")
        if self.order.first != other.order.first:
            raise MergeError(f"positions from {self.order.first} and from {other.order.first}")

    def _adopt(self, part: KeyedStream) -> None:
        """Take over what only the other state knows of the stream."""
        self.reader.dialect = self.reader.dialect or part.reader.dialect
        mine, theirs = self.about, part.about
        mine.stream_type = mine.stream_type or theirs.stream_type
        mine.params = {**theirs.params, **mine.params}
        mine.attributes = {**theirs.attributes, **mine.attributes}
        mine.conversation_id = mine.conversation_id or theirs.conversation_id
        mine.characters = theirs.characters if mine.characters is None else mine.characters
        self.duplicates += part.duplicates
        self.conflicts += part.conflicts
        self.dropped_chunks += part.dropped_chunks

    def dump(self) -> bytes:
        """The state as bytes (JSON) that `load` reads, here or in another process."""
        about = self.about
        state = {
            "version": STATE_VERSION,
            "request_id": about.request_id,
            "stream_type": about.stream_type,
            "params": dict(about.params),
            "attributes": dict(about.attributes),
            "conversation_id": about.conversation_id,
            "characters": about.characters,
            "dialect": self.reader.dialect.name if self.reader.dialect else None,
            "ordering": self.ordering,
            "given_start": self.given_start,
            "opened": self.opened,
            "first": self.order.first,
            "next": self.order.next,
            "highest": self.order.highest,
            "held": [[number, held.stamp, held.chunk.state()] for number, held in self.order.rest()],
            "digests": _packed(self.order.digests),
            "stamps": _packed(self.arrivals.stamps),
            "flags": base64.b64encode(self.arrivals.flags).decode(),
            "document": self.fold.document.dump(),
            "counts": [self.chunk_count, self.duplicates, self.conflicts, self.dropped_chunks],
        }
        return json.dumps(state, separators=(",", ":"), default=str).encode()

    @classmethod
    def load(cls, dumped: bytes, *, clock: Clock, limits: Limits, keep: Keep) -> KeyedStream:
        """The state that `dump` described.

        Raises:
            MergeError: bytes that are no such state.
        """
        try:
            state = json.loads(dumped)
            if state["version"] != STATE_VERSION:
                raise MergeError(f"a state of version {state['version']}, not {STATE_VERSION}")
            return cls._loaded(state, clock, limits, keep)
        except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
            if isinstance(error, MergeError):
                raise
            raise MergeError(f"not the state of a stream: {error!r}") from error

    @classmethod
    def _loaded(cls, state: Json, clock: Clock, limits: Limits, keep: Keep) -> KeyedStream:
        stream = cls(
            About(
                state["request_id"],
                StreamType(state["stream_type"]) if state["stream_type"] else None,
                state["params"],
                state["attributes"],
                state["conversation_id"],
                characters=state["characters"],
            ),
            first_index=state["first"],
            dialect=dialect_named(state["dialect"]) if state["dialect"] else None,
            clock=clock,
            limits=limits,
            keep=keep,
        )
        stream.ordering = state["ordering"]
        stream.given_start, stream.opened = state["given_start"], state["opened"]
        stream.order.next, stream.order.highest = state["next"], state["highest"]
        stream.order.held = {number: Held(stamp, Chunk.from_state(chunk)) for number, stamp, chunk in state["held"]}
        stream.order.digests = _unpacked("Q", state["digests"])
        stream.arrivals.stamps = _unpacked("q", state["stamps"])
        stream.arrivals.flags = bytearray(base64.b64decode(state["flags"]))
        stream.fold = Fold(Document.load(state["document"]))
        stream.size = stream.fold.document.size + sum(held.chunk.size for held in stream.order.held.values())
        stream.chunk_count, stream.duplicates, stream.conflicts, stream.dropped_chunks = state["counts"]
        return stream


def _earliest(mine: int | None, theirs: int | None) -> int | None:
    return min((moment for moment in (mine, theirs) if moment is not None), default=None)


def _packed(numbers: array[int]) -> str:
    """Little-endian on every machine."""
    little = array(numbers.typecode, numbers)
    if sys.byteorder == "big":
        little.byteswap()
    return base64.b64encode(little.tobytes()).decode()


def _unpacked(typecode: str, text: str) -> array[int]:
    numbers = array(typecode)
    numbers.frombytes(base64.b64decode(text))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
