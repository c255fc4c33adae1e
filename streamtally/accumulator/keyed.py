"""A stream whose chunks come from anywhere: late, twice, out of order, from several workers."""

from __future__ import annotations

import base64
import json
import operator
import sys
from array import array
from collections.abc import Mapping
from typing import Any, Literal, get_args

from ..chunks import Chunk, joined, merged_usage
from ..clock import Clock
from ..dialects import Dialect, dialect_named
from ..errors import MergeError
from ..json_values import Json, merged
from ..limits import Limits
from ..records import StreamRecord, StreamType
from .document import Document
from .fold import Fold
from .order import Held, Order, Placed
from .state import Keep, RequestInfo, Stream
from .strip import strip
from .timing import Arrivals, StartedFrom

Ordering = Literal["index", "sequence", "arrival"]
STATE_VERSION = 1


class KeyedStream(Stream):
    """A set of facts, each with a position.

    `ordering` says what positions are: the caller's "index", the protocol's "sequence" numbers, or, once neither can be
    trusted, the order of "arrival", for good.
    """

    __slots__ = (
        "arrivals",
        "conflicts",
        "dropped_chunks",
        "duplicates",
        "given_start",
        "kept",
        "opened",
        "order",
        "ordering",
        "waiting",
    )

    def __init__(self, request: RequestInfo, *, first_index: int = 0, **options: Any) -> None:
        super().__init__(request, **options)
        self.order = Order(first_index)
        self.ordering: Ordering | None = None
        self.arrivals = Arrivals()
        self.given_start: int | None = None
        self.opened: int | None = None
        self.duplicates = self.conflicts = self.dropped_chunks = 0
        self.kept = self.waiting = 0

    @property
    def size(self) -> int:
        """Characters and bytes of content that are retained, about: those folded, and those that wait beyond a gap."""
        return self.kept + self.waiting

    def learn(self, request: RequestInfo, dialect: Dialect | None = None, given_start: int | None = None) -> None:
        """Take over what a further user says of the stream and nobody has said before; a start that is given counts."""
        self.record = None
        self.reader.dialect = self.reader.dialect or dialect
        self.given_start = self.given_start if given_start is None else given_start
        self.request.complete(request)
        self.note_wanted()

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
        except Exception:  # no payload may harm whoever hands it on; the record counts it
            self.faults += 1
        self._check_size()

    def end_of_bytes(self) -> None:
        """No more bytes come: fold what waited for the end of an event."""
        self.record = None
        try:
            for chunk in self.reader.end():
                self._place(chunk, None, self.arrivals.latest or self.opened or 0)
        except Exception:  # as in `add`
            self.faults += 1

    def _check_size(self) -> None:
        """Stop retaining content once there is too much; what was replaced since (previews, drafts) is none."""
        if self.size > self.limits.stream_bytes and self.fold.document.retain:
            self.kept = self.fold.document.size
            if self.size > self.limits.stream_bytes:
                self.fold.document.stop_retaining()

    @property
    def ended(self) -> bool:
        """Whether the end marker came, or all the images that were asked for, and nothing before it is missing."""
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
            self._go_by_arrival()
            self._fold(chunk, stamp)
        else:
            self._fold_aside(chunk)

    def _number(self, chunk: Chunk, index: int | None) -> int | None:
        """The position of a chunk, if it has one that can be used; the first chunk decides which kind counts."""
        usable = _usable(index)
        if self.ordering is None:
            self.ordering = "index" if usable is not None else "arrival" if chunk.sequence is None else "sequence"
        return usable if self.ordering == "index" else chunk.sequence

    def _put(self, number: int, chunk: Chunk, stamp: int) -> None:
        """Put a chunk at its position."""
        order = self.order
        known = order.held.get(number)
        if known is None and number > order.next and self._holds_enough():
            self.dropped_chunks += 1
            order.highest = max(number, order.highest or 0)
            self._fold_aside(chunk)
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
            self._go_by_arrival()
            self._fold(chunk, stamp)
        else:
            self.conflicts += 1
            self._fold_aside(self._loser(number, chunk, known))

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
        if self.fold.document.retain:
            self.kept += chunk.size
        self.faults += not _applied(self.fold, chunk)

    def _fold_aside(self, chunk: Chunk) -> None:
        """Fold what a chunk without a place of its own says of the stream: never words, and nothing over what is known."""
        document = self.fold.document
        known = document.get("usage")
        bare = chunk.without_content()
        self.fold.apply(
            bare._replace(
                usage=merged_usage(chunk.usage, known) if chunk.usage and known else chunk.usage,
                deltas=() if self.finished else bare.deltas,
                meta=_unknown(chunk.meta, document.get("meta")),
                extras=_unknown(chunk.extras, document.get("extras")),
            )
        )

    def _go_by_arrival(self) -> None:
        """Stop trusting positions: what is held folds in their order, and from here on arrival is the order."""
        self.ordering = "arrival"
        for _, held in self.order.rest():
            self._fold(held.chunk, held.stamp)
        self.order.held.clear()
        self.waiting = 0

    def snapshot(self) -> StreamRecord:
        """The record as things stand; what is held counts past the gaps. Made once between two chunks."""
        if self.record is None:
            self.record = self._build()
        return self.record

    def _build(self) -> StreamRecord:
        fold, arrivals, rest = self.fold, self.arrivals, self.order.rest()
        faults = self.faults
        if rest:
            fold, arrivals = Fold(self.fold.document.copy()), self.arrivals.copy()
            for _, held in rest:
                faults += not _applied(fold, held.chunk)
                arrivals.append(held.stamp, held.chunk.flags)
        started_from: StartedFrom = "given" if self.given_start is not None else "wrap"
        start = self.given_start if self.given_start is not None else self._own_start(arrivals)
        return self.build(
            arrivals.figures(start, self._end(arrivals), started_from),
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
        whole._check_size()
        return whole

    def _reach(self) -> tuple[bool, int]:
        """How much a state holds of the stream: whether anything, and how long its prefix is."""
        return self.ordering is not None, self.order.next

    def _check_mergeable(self, other: KeyedStream) -> None:
        if self.request.request_id != other.request.request_id:
            raise MergeError(f"states of two requests: {self.request.request_id!r} and {other.request.request_id!r}")
        if "arrival" in (self.ordering, other.ordering) and None not in (self.ordering, other.ordering):
            raise MergeError("a state ordered by arrival has no positions to merge by")
        if None not in (self.ordering, other.ordering) and self.ordering != other.ordering:
            raise MergeError(f"positions of two kinds: {self.ordering} and {other.ordering}")
        if self.order.first != other.order.first:
            raise MergeError(f"positions from {self.order.first} and from {other.order.first}")

    def _adopt(self, part: KeyedStream) -> None:
        """Take over what only the other state knows of the stream."""
        self.learn(part.request, part.reader.dialect)
        self.duplicates += part.duplicates
        self.conflicts += part.conflicts
        self.dropped_chunks += part.dropped_chunks
        self.faults += part.faults
        said = part.fold.document.get
        self._fold_aside(
            Chunk(
                meta=said("meta") or {},
                extras=said("extras") or {},
                # Its prefix is part of this one: what it was told there has been said here too, and perhaps corrected.
                usage=merged(said("usage") or {}, self.fold.document.get("usage") or {}),
                error=None if self.fold.error else said("error"),
                terminal=part.fold.terminal,
            )
        )

    def dump(self) -> bytes:
        """The state as bytes (JSON) that `load` reads, here or in another process."""
        request = self.request
        state = {
            "version": STATE_VERSION,
            "request_id": request.request_id,
            "stream_type": request.stream_type,
            "params": dict(request.params),
            "attributes": dict(request.attributes),
            "conversation_id": request.conversation_id,
            "characters": request.characters,
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
            "counts": [self.chunk_count, self.duplicates, self.conflicts, self.dropped_chunks, self.faults],
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
            stream = cls._loaded(state, clock, limits, keep)
            stream._check_whole()
            return stream
        except MergeError:
            raise
        except Exception as error:  # bytes from elsewhere may hold anything
            raise MergeError(f"not the state of a stream: {error!r}") from error

    @classmethod
    def _loaded(cls, state: Json, clock: Clock, limits: Limits, keep: Keep) -> KeyedStream:
        stream = cls(
            RequestInfo(
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
        document = Document.load(state["document"])
        stream.fold = Fold(strip(document) if keep == "counts" and document.retain else document)
        stream.kept = stream.fold.document.size
        stream.waiting = sum(held.chunk.size for held in stream.order.held.values())
        stream.chunk_count, stream.duplicates, stream.conflicts, stream.dropped_chunks, stream.faults = state["counts"]
        return stream

    def _check_whole(self) -> None:
        """A state that was loaded says the same of its prefix everywhere, and a record can be made of it."""
        order, arrivals = self.order, self.arrivals
        lengths = {len(arrivals.stamps), len(arrivals.flags)}
        if self.ordering != "arrival":
            lengths |= {len(order.digests), order.next - order.first}
        if len(lengths) > 1 or any(type(number) is not int or number <= order.next for number in order.held):
            raise MergeError("a state whose parts do not fit together")
        if self.ordering not in (None, *get_args(Ordering)) or self.snapshot().request_id != self.request.request_id:
            raise MergeError("a state that makes no record")


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
