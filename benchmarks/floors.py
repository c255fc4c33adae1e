"""The floors: the least that any wrapper must do, written by hand and without any check.

F1 is a generator and a `list.append`. F2 does the job: a generator, one clock, the text read and appended, joined at the end.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any


def f1(source: Iterable[Any]) -> Iterator[Any]:
    """Pass on, and keep the chunks."""
    kept: list[Any] = []
    append = kept.append
    for chunk in source:
        append(chunk)
        yield chunk


def f2_text(source: Iterable[Any]) -> Iterator[Any]:
    """Pass on text chunks, stamp them, and put the text together."""
    clock = time.perf_counter_ns
    stamps: list[int] = []
    pieces: list[str | None] = []
    stamp, append = stamps.append, pieces.append
    for chunk in source:
        stamp(clock())
        append(chunk.choices[0].delta.content)
        yield chunk
    "".join(piece or "" for piece in pieces)


def f2_tool(source: Iterable[Any]) -> Iterator[Any]:
    """The same for chunks of tool arguments; the finish has none."""
    clock = time.perf_counter_ns
    stamps: list[int] = []
    pieces: list[str | None] = []
    stamp, append = stamps.append, pieces.append
    for chunk in source:
        stamp(clock())
        calls = chunk.choices[0].delta.tool_calls
        append(calls[0].function.arguments if calls else None)
        yield chunk
    "".join(piece or "" for piece in pieces)


async def f2_text_async(source: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """The same for an async source of text chunks."""
    clock = time.perf_counter_ns
    stamps: list[int] = []
    pieces: list[str | None] = []
    stamp, append = stamps.append, pieces.append
    async for chunk in source:
        stamp(clock())
        append(chunk.choices[0].delta.content)
        yield chunk
    "".join(piece or "" for piece in pieces)


F2: dict[str, Callable[[Iterable[Any]], Iterator[Any]]] = {"text": f2_text, "nulls": f2_text, "tool": f2_tool}
