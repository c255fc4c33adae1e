"""The loops that are measured: each reads a stream of chunks from beginning to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any


def drain(source: Iterable[Any]) -> Callable[[], None]:
    """Reads an iterable by itself."""

    def run() -> None:
        for _ in source:
            pass

    return run


def through(wrap: Callable[[Iterator[Any]], Iterable[Any]], chunks: list[Any]) -> Callable[[], None]:
    """Reads chunks from a generator, through what `wrap` makes of it."""

    def run() -> None:
        for _ in wrap(chunk for chunk in chunks):
            pass

    return run


def through_async(wrap: Callable[[AsyncIterator[Any]], AsyncIterator[Any]], chunks: list[Any]) -> Callable[[], None]:
    """Reads chunks from an async generator, through what `wrap` makes of it."""

    async def source() -> AsyncIterator[Any]:
        for chunk in chunks:
            yield chunk

    async def run() -> None:
        async for _ in wrap(source()):
            pass

    return lambda: asyncio.run(run())
