"""The hot loops: they read a source to its end, and fold what passes.

Everything that can be is done once for a block, or once for a stream.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from itertools import islice
from typing import Any

from ..accumulator import WrappedStream
from ..dialects import Take
from ..records import Outcome
from .reading import Reading
from .sources import aclose_all, close_all, is_awaitable, running_loop

BLOCK = 64
"""Chunks between two settlements of the stamps: what is pinned stays small, and the cost of settling is spread."""


def _decline(_: Any) -> bool:
    """The fast path of a dialect that has none."""
    return False


def _fast_path(stream: WrappedStream, chunk: Any, known: Take) -> Take:
    """The fast path for chunks like this one, unless one is `known`; none if it cannot even be asked what it is."""
    if known is not _decline:
        return known
    try:
        return stream.fast_path(chunk) or _decline
    except Exception:  # a chunk may be anything
        return _decline


def read(reading: Reading) -> Generator[Any, None, None]:
    """Reads a source to its end. The hot path: everything that can be is done once for a block, or once for a stream."""
    stream = reading.stream
    clock = stream.clock.monotonic_ns
    reads, add, unsealed = stream.reads, stream.add, stream.unsealed
    pending = reads.pending
    wait = pending.append
    source = reading.call()
    now = stream.started
    try:
        iterator = reading.begin(source, iter(source))
        reads.begun = now = before = clock()
        take: Take = _decline
        while unsealed:
            for chunk in islice(iterator, BLOCK):
                now = clock()
                wait(now - before)
                try:
                    taken = take(chunk)
                except Exception:  # a chunk of another shape: the general way knows what to do
                    taken = False
                if not taken:
                    add(chunk, now)
                    take = _fast_path(stream, chunk, take)
                yield chunk
                if not unsealed:  # closed from elsewhere
                    break
                before = clock()
            if len(pending) < BLOCK:
                break
            if stream.settle():
                take = _decline
    except BaseException as error:
        reads.last = now
        close_all(reading.fail(error), quiet=True)
        raise
    reads.last = now
    stream.end_of_source()
    if reading.seal(Outcome.COMPLETED):
        reading.end()
    close_all(reading.take_closers(), quiet=True)


async def aread(reading: Reading) -> AsyncGenerator[Any, None]:
    """The same for an async source."""
    stream = reading.stream
    clock = stream.clock.monotonic_ns
    reads, add, unsealed = stream.reads, stream.add, stream.unsealed
    pending = reads.pending
    wait = pending.append
    source = await opened(reading)
    now = stream.started
    try:
        read = reading.begin(source, aiter(source)).__anext__
        reads.begun = now = before = clock()
        take: Take = _decline
        exhausted = False
        while unsealed and not exhausted:
            for _ in range(BLOCK):
                try:
                    chunk = await read()
                except StopAsyncIteration:
                    exhausted = True
                    break
                now = clock()
                wait(now - before)
                try:
                    taken = take(chunk)
                except Exception:  # as above
                    taken = False
                if not taken:
                    add(chunk, now)
                    take = _fast_path(stream, chunk, take)
                yield chunk
                if not unsealed:  # closed from elsewhere
                    break
                before = clock()
            if stream.settle():
                take = _decline
    except BaseException as error:
        reads.last = now
        await aclose_all(reading.fail(error), quiet=True)
        raise
    reads.last = now
    stream.end_of_source()
    if reading.seal(Outcome.COMPLETED):
        reading.end()
    await aclose_all(reading.take_closers(), quiet=True)


async def opened(reading: Reading) -> Any:
    """The async source, awaited where it was still to come."""
    reading.loop = running_loop()
    source = reading.call()
    if not hasattr(type(source), "__aiter__") and is_awaitable(source):
        reading.closers = []  # what is being awaited can only be cancelled
        try:
            source = await source
        except BaseException as error:
            reading.fail(error)
            raise
        reading.source, reading.closers = source, [source]
    return source
