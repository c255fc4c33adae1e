"""The loops that read a source to its end, and fold what they pass on: the per-chunk path.

Whatever can be is done once for a block of chunks, or once for a stream.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from itertools import islice
from typing import Any

from ..accumulator import WrappedStream
from ..dialects import FastPath
from .closing import aclose_all, close_all
from .protocols import areadable, readable
from .session import StreamSession
from .taps import Tap, attach

BLOCK = 64
"""Chunks between two calls of `WrappedStream.settle`: few objects are held until then, and its cost is spread."""


def _decline(_: Any) -> bool:
    """The fast path of a dialect that has none."""
    return False


def _fast_path(stream: WrappedStream, chunk: Any, known: FastPath) -> FastPath:
    """The fast path for chunks like this one, unless one is `known`; `_decline` where there is none."""
    if known is not _decline:
        return known
    try:
        return stream.fast_path(chunk) or _decline
    except Exception:  # a chunk may be anything
        return _decline


def _settled(stream: WrappedStream, known: FastPath) -> FastPath:
    """Settle a block; returns the fast path for the next one: none where content is not retained any more."""
    return _decline if stream.settle() else known


def read(session: StreamSession, raw: Any = None) -> Generator[Any, None, None]:
    """Read a source to its end.

    A source that is tapped reads by itself: what it yields is passed on, and `raw`, which it reads, is folded.
    """
    if raw is None and opened(session).tapped:
        yield from _passed(session)
        return
    stream = session.stream
    clock = stream.clock.monotonic_ns
    reads, add, seal_token = stream.reads, stream.add, stream.seal_token
    pending = reads.pending
    wait = pending.append
    source = session.source if raw is None else raw
    now = stream.started
    try:
        iterator = session.begin(source, iter)
        now = before = clock()
        take: FastPath = _decline
        while seal_token:
            for chunk in islice(iterator, BLOCK):
                now = clock()
                wait(now - before)
                try:
                    taken = take(chunk)
                except Exception:  # a chunk of another shape, which is folded the general way
                    taken, take = False, _decline
                if not taken:
                    add(chunk, now)
                    take = _fast_path(stream, chunk, take)
                yield chunk
                if not seal_token:  # closed from elsewhere
                    break
                before = clock()
            if len(pending) < BLOCK:
                break
            take = _settled(stream, take)
    except BaseException as error:
        reads.last = now
        close_all(session.fail(error), quiet=True)
        raise
    session.finish(now)
    close_all(session.take_closers(), quiet=True)


async def aread(session: StreamSession, raw: Any = None) -> AsyncGenerator[Any, None]:
    """`read` for an async source."""
    if raw is None and (await aopened(session)).tapped:
        async for each in _apassed(session):
            yield each
        return
    stream = session.stream
    clock = stream.clock.monotonic_ns
    reads, add, seal_token = stream.reads, stream.add, stream.seal_token
    pending = reads.pending
    wait = pending.append
    source = session.source if raw is None else raw
    now = stream.started
    try:
        read = session.begin(source, aiter).__anext__
        now = before = clock()
        take: FastPath = _decline
        exhausted = False
        while seal_token and not exhausted:
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
                    taken, take = False, _decline
                if not taken:
                    add(chunk, now)
                    take = _fast_path(stream, chunk, take)
                yield chunk
                if not seal_token:  # closed from elsewhere
                    break
                before = clock()
            take = _settled(stream, take)
    except BaseException as error:
        reads.last = now
        await aclose_all(session.fail(error), quiet=True)
        raise
    session.finish(now)
    await aclose_all(session.take_closers(), quiet=True)


def _passed(session: StreamSession) -> Generator[Any, None, None]:
    """Pass on what a tapped source yields; what it raises itself ends the stream too."""
    try:
        yield from readable(session.source)
    except BaseException as error:
        close_all(session.fail(error), quiet=True)
        raise


async def _apassed(session: StreamSession) -> AsyncGenerator[Any, None]:
    try:
        async for each in areadable(session.source):
            yield each
    except BaseException as error:
        await aclose_all(session.fail(error), quiet=True)
        raise


def opened(session: StreamSession) -> StreamSession:
    """Open the source of a session, and tap it where it is a helper; returns the session."""
    session.open()
    return tapped(session)


async def aopened(session: StreamSession) -> StreamSession:
    """`opened` for an async source."""
    await session.aopen()
    return tapped(session)


def tapped(session: StreamSession) -> StreamSession:
    """Tap the source of a session, where it is one that reads by itself. Once, and before the first read."""
    if session.tapped is None:

        def count(raw: Any) -> Any:
            return session.add_inner(read(session, raw))

        def acount(raw: Any) -> Any:
            return session.add_inner(aread(session, raw))

        session.tapped = attach(session.source, Tap(count, acount, session.stop))
    return session
