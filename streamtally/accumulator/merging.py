"""Merges two partial states of one request into one: the longer prefix stays, the other state completes it."""

from __future__ import annotations

from ..chunks import Chunk
from ..dialects import Unread
from ..errors import MergeError
from ..json_values import merged
from .keyed import KeyedStream


def merged_streams(one: KeyedStream, other: KeyedStream) -> KeyedStream:
    """Both partial states as one: the one with the longer prefix, completed by the other, which must not be used again.

    Raises:
        MergeError: states of two requests, of two kinds of position, or ordered by arrival.
    """
    _check_mergeable(one, other)
    whole, part = (one, other) if _reach(one) >= _reach(other) else (other, one)
    whole.record = None
    whole.set_dialect(part.reader.dialect, is_named=part.reader.is_named)
    for position, (stamp, mine, theirs) in enumerate(
        zip(part.arrivals.stamps, whole.order.digests, part.order.digests, strict=False)
    ):
        whole.arrivals.again(position, stamp)
        whole.conflicts += mine != theirs
    for number, held in part.order.rest():
        whole.put(number, _read(whole, held.chunk), held.stamp)
    whole.settle_dialect()
    whole.order.highest = max((h for h in (whole.order.highest, part.order.highest) if h is not None), default=None)
    whole.opened = _earliest(whole.opened, part.opened)
    whole.given_start = _earliest(whole.given_start, part.given_start)
    _complete(whole, part)
    whole.check_size()
    return whole


def _read(whole: KeyedStream, chunk: Chunk | Unread) -> Chunk | Unread:
    """A held chunk of the other state, read where the dialect is known here."""
    return whole.reader.chunk_of(chunk) if isinstance(chunk, Unread) and whole.reader.dialect is not None else chunk


def _reach(stream: KeyedStream) -> tuple[bool, int]:
    """How much a state holds of the stream: whether anything, and how long its prefix is."""
    return stream.ordering is not None, stream.order.next


def _check_mergeable(one: KeyedStream, other: KeyedStream) -> None:
    if one.request.request_id != other.request.request_id:
        raise MergeError(f"states of two requests: {one.request.request_id!r} and {other.request.request_id!r}")
    if "arrival" in (one.ordering, other.ordering) or one.reader.waiting or other.reader.waiting:
        if _is_empty(one) or _is_empty(other):
            return
        raise MergeError("a state ordered by arrival has no positions to merge by")
    if None in (one.ordering, other.ordering):
        return
    if one.ordering != other.ordering:
        raise MergeError(f"positions of two kinds: {one.ordering} and {other.ordering}")
    if one.order.first != other.order.first:
        raise MergeError(f"positions from {one.order.first} and from {other.order.first}")


def _is_empty(stream: KeyedStream) -> bool:
    """Whether no chunk has come yet."""
    return stream.ordering is None and not stream.reader.waiting


def _complete(whole: KeyedStream, part: KeyedStream) -> None:
    """Set what only the other state knows of the stream."""
    whole.complete(part.request)
    whole.duplicates += part.duplicates
    whole.conflicts += part.conflicts
    whole.dropped_chunks += part.dropped_chunks
    whole.faults += part.faults
    if _is_empty(whole):
        whole.reader.waiting, part.reader.waiting = part.reader.waiting, []
    mine, theirs = whole.fold.answer, part.fold.answer
    if len(mine.earlier) != len(theirs.earlier):  # what they know of their last answers belongs to two of them
        whole.fold_metadata(Chunk(extras=theirs.extras or {}))
        return
    whole.fold_metadata(
        Chunk(
            meta=theirs.meta or {},
            extras=theirs.extras or {},
            # Its prefix is part of this one: what was reported there has been reported here too, and perhaps corrected.
            usage=merged(theirs.usage or {}, mine.usage or {}),
            error=None if mine.error else theirs.error,
            terminal=theirs.terminal,
        )
    )


def _earliest(mine: int | None, theirs: int | None) -> int | None:
    return min((moment for moment in (mine, theirs) if moment is not None), default=None)
