"""The state of a keyed stream as bytes, and back: how a partial state travels to another process, or into a store.

The bytes are JSON (UTF-8). Arrays of integers are packed, little-endian on every machine, and written as base64.
"""

from __future__ import annotations

import base64
import json
import sys
from array import array
from typing import get_args

from ..chunks import Chunk
from ..clock import Clock
from ..dialects import Unread, dialect_named
from ..errors import MergeError
from ..json_values import Json
from ..limits import Limits
from .folding import Answer, Fold
from .keyed import KeyedStream, Ordering
from .order import Held
from .request_info import Keep, RequestInfo

STATE_VERSION = 2

_ANY = Chunk(meta={"response_id": "r"}, extras={"x": 1}, usage={"x": 1}, error={"type": "x"})
"""A chunk that states something of everything."""


def dump(stream: KeyedStream) -> bytes:
    """The state as bytes that `load` reads, here or in another process."""
    order = stream.order
    state = {
        "version": STATE_VERSION,
        "request": stream.request.state(),
        "dialect": stream.reader.dialect.name if stream.reader.dialect else None,
        "is_named": stream.reader.is_named,
        "provider": stream.reader.provider,
        "cumulative": stream.reader.cumulative,
        "ordering": stream.ordering,
        "given_start": stream.given_start,
        "opened": stream.opened,
        "first": order.first if stream.first_given or stream.ordering else None,
        "next": order.next,
        "highest": order.highest,
        "held": [[number, held.stamp, held.chunk.state()] for number, held in order.rest()],
        "digests": _packed(order.digests),
        "stamps": _packed(stream.arrivals.stamps),
        "flags": base64.b64encode(stream.arrivals.flags).decode(),
        "waiting": [[unread.state(), stamp] for unread, stamp in stream.reader.waiting],
        "answer": stream.fold.answer.dump(),
        "counts": [
            stream.chunk_count,
            stream.duplicates,
            stream.conflicts,
            stream.dropped_chunks,
            stream.all_faults,
        ],
    }
    return json.dumps(state, separators=(",", ":"), default=str).encode()


def load(dumped: bytes, *, clock: Clock, limits: Limits, keep: Keep) -> KeyedStream:
    """The stream that `dump` described; with `keep="counts"` without the content that the state holds.

    Raises:
        MergeError: bytes that are no such state.
    """
    try:
        state = json.loads(dumped)
        if state["version"] != STATE_VERSION:
            raise MergeError(f"a state of version {state['version']}, not {STATE_VERSION}")
        stream = _loaded(state, clock, limits, keep)
        _check_whole(stream)
    except MergeError:
        raise
    except Exception as error:  # bytes from elsewhere may hold anything
        raise MergeError(f"not the state of a stream: {error!r}") from error
    return stream


def _loaded(state: Json, clock: Clock, limits: Limits, keep: Keep) -> KeyedStream:
    request = RequestInfo.from_state(state["request"], keep_input=keep == "content+input")
    dialect = dialect_named(state["dialect"]) if state["dialect"] else None
    stream = KeyedStream(request, first_index=state["first"], dialect=dialect, clock=clock, limits=limits, keep=keep)
    stream.reader.is_named = state["is_named"] is True
    stream.reader.provider, stream.reader.cumulative = state["provider"], state["cumulative"]
    stream.ordering = state["ordering"]
    stream.given_start, stream.opened = state["given_start"], state["opened"]
    stream.order.next, stream.order.highest = state["next"], state["highest"]
    stream.order.held = {number: Held(stamp, _chunk_of(chunk)) for number, stamp, chunk in state["held"]}
    stream.order.holds_unread = any(isinstance(held.chunk, Unread) for held in stream.order.held.values())
    stream.reader.waiting = [(Unread.from_state(unread), stamp) for unread, stamp in state["waiting"]]
    stream.order.digests = _unpacked("Q", state["digests"])
    stream.arrivals.stamps = _unpacked("q", state["stamps"])
    stream.arrivals.flags = bytearray(base64.b64decode(state["flags"]))
    answer = Answer.load(state["answer"])
    if keep == "counts" and answer.retention.keep:
        answer.remove_content()
    stream.fold = Fold(answer)
    stream.waiting = sum(held.chunk.size for held in stream.order.held.values())
    stream.chunk_count, stream.duplicates, stream.conflicts, stream.dropped_chunks, stream.faults = state["counts"]
    return stream


def _chunk_of(state: Json) -> Chunk | Unread:
    return Unread.from_state(state) if isinstance(state, dict) else Chunk.from_state(state)


def _check_whole(stream: KeyedStream) -> None:
    """Check that a state that was loaded has the same prefix everywhere, and that a record can be made of it."""
    order, arrivals = stream.order, stream.arrivals
    lengths = {len(arrivals.stamps), len(arrivals.flags)}
    if stream.ordering != "arrival":
        lengths |= {len(order.digests), order.next - order.first}
    first = order.next + (not order.holds_unread)  # the next chunk is held only if it is unread
    if len(lengths) > 1 or any(type(number) is not int or number < first for number in order.held):
        raise MergeError("a state whose parts do not fit together")
    Fold(stream.fold.answer.copy()).apply(_ANY)  # raises for a state whose facts are of other types
    if stream.ordering not in (None, *get_args(Ordering)) or stream.snapshot().request_id != stream.request.request_id:
        raise MergeError("a state that makes no record")


def _packed(numbers: array[int]) -> str:
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
