"""The order of chunks with positions: a prefix that is folded already, and the chunks held beyond a gap.

It separates repeats from conflicts and knows the gaps, so that the order of arrival leaves no trace.
"""

from __future__ import annotations

import operator
from array import array
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from typing import Any, NamedTuple

from ..chunks import Chunk
from ..dialects import Unread


class Placed(Enum):
    """What became of a chunk that was offered."""

    READY = auto()
    HELD = auto()
    DUPLICATE = auto()
    CONFLICT = auto()


class Held(NamedTuple):
    """A chunk that is held until those before it have come, or their dialect is known, and when it came (nanoseconds since the
    epoch)."""

    stamp: int
    chunk: Chunk | Unread

    def beats(self, other: Held) -> bool:
        """Whether this chunk wins a position over another: the earlier one does, at the same moment the smaller bytes."""
        return (self.stamp, self.chunk.canonical()) < (other.stamp, other.chunk.canonical())


class Order:
    """The positions of one stream, from `first` on. `holds_unread` is False if all that is held was read.

    In order an offer costs a compare and an append; a straggler costs an entry of a dict. The width of a gap costs
    nothing.
    """

    __slots__ = ("digests", "first", "held", "highest", "holds_unread", "next")

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.next = first
        self.highest: int | None = None
        self.held: dict[int, Held] = {}
        self.holds_unread = False
        self.digests = array("Q")

    def offer(self, index: int, chunk: Chunk | Unread, stamp: int) -> Placed:
        """Place a chunk. READY means that it is next: fold it, and then those that `ready` gives. What is unread is held."""
        if self.highest is None or index > self.highest:
            self.highest = index
        if isinstance(chunk, Unread) or index > self.next or index in self.held:
            return self._hold(index, Held(stamp, chunk)) if index >= self.next else Placed.CONFLICT
        if index == self.next:
            self._fold(chunk)
            return Placed.READY
        known = self.digests[index - self.first] if index >= self.first else None
        return Placed.DUPLICATE if known == chunk.digest() else Placed.CONFLICT

    def _fold(self, chunk: Chunk) -> None:
        self.digests.append(chunk.digest())
        self.next += 1

    def _hold(self, index: int, new: Held) -> Placed:
        known = self.held.get(index)
        self.holds_unread = self.holds_unread or isinstance(new.chunk, Unread)
        if known is None:
            self.held[index] = new
            return Placed.HELD
        if known.chunk.canonical() == new.chunk.canonical():
            self.held[index] = min(known, new, key=lambda held: held.stamp)
            return Placed.DUPLICATE
        if new.beats(known):
            self.held[index] = new
        return Placed.CONFLICT

    def ready(self) -> Iterator[tuple[int, Chunk]]:
        """The held chunks that follow the prefix without a gap, in order, each with its stamp; it counts as folded once it is
        taken. What is unread ends them."""
        while self.held and (held := self.held.get(self.next)) is not None and not isinstance(held.chunk, Unread):
            del self.held[self.next]
            self._fold(held.chunk)
            yield held.stamp, held.chunk

    def unread(self, *, ended: bool = False) -> Iterator[Unread]:
        """What is unread and follows the prefix without a gap, in order; with `ended` beyond gaps too."""
        for number, (position, held) in enumerate(self.rest(), self.next):
            if position != number and not ended:
                return
            if isinstance(held.chunk, Unread):
                yield held.chunk

    def read(self, read: Callable[[Unread], Chunk]) -> None:
        """Put the chunk that `read` makes of it in the place of all that is unread."""
        self.holds_unread = False
        for number, held in self.held.items():
            if isinstance(held.chunk, Unread):
                self.held[number] = held._replace(chunk=read(held.chunk))

    def rest(self) -> list[tuple[int, Held]]:
        """The chunks held beyond a gap, in order of position."""
        return sorted(self.held.items(), key=lambda item: item[0])

    def missing(self) -> tuple[tuple[int, int], ...]:
        """The gaps before the highest position, as half-open ranges."""
        end = () if self.highest is None else (self.highest + 1,)
        return tuple(gaps(self.next, (*sorted(self.held), *end)))


def gaps(start: int, positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The half-open ranges from `start` on that sorted `positions` leave out.

    >>> list(gaps(2, [2, 5, 6, 9]))
    [(3, 5), (7, 9)]
    """
    for position in positions:
        if position > start:
            yield start, position
        start = position + 1


def position_of(index: Any) -> int | None:
    """An index as a position: any kind of integer from 0 on."""
    try:
        number = operator.index(index)
    except TypeError:
        return None
    return number if number >= 0 and not isinstance(index, bool) else None
