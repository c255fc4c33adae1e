"""What one chunk costs through `wrap` and through `Accumulator.add`, beside the floors, and whether it grows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

from streamtally import Accumulator, Tally

from .floors import F2, f1, f2_text_async
from .loops import drain, through, through_async
from .measure import cpu_times
from .streams import payloads, sdk_chunks

LENGTH = 1_000
GROWTH = (100, 1_000, 10_000, 100_000)


def wrapped(kind: str, rounds: int = 15) -> dict[str, float]:
    """Nanoseconds per chunk added over the bare loop by F1, F2 and `wrap`, for the SDK's chunk objects."""
    chunks, tally = sdk_chunks(kind, LENGTH), Tally()
    times = cpu_times(
        {
            "bare": through(lambda source: source, chunks),
            "F1": through(f1, chunks),
            "F2": through(F2[kind], chunks),
            "wrap": through(tally.wrap, chunks),
        },
        rounds,
    )
    return {name: (time - times["bare"]) / LENGTH for name, time in times.items() if name != "bare"}


def wrapped_async(rounds: int = 15) -> dict[str, float]:
    """The same for async text, beside an async F2."""
    chunks, tally = sdk_chunks("text", LENGTH), Tally()
    times = cpu_times(
        {
            "bare": through_async(lambda source: source, chunks),
            "F2": through_async(f2_text_async, chunks),
            "wrap": through_async(tally.wrap, chunks),
        },
        rounds,
    )
    return {name: (time - times["bare"]) / LENGTH for name, time in times.items() if name != "bare"}


def added(kind: str, rounds: int = 7) -> dict[str, float]:
    """Nanoseconds per chunk of `Accumulator.add`, for mappings: by arrival, and by index in order and reversed."""
    chunks = payloads(kind, LENGTH)
    times = cpu_times(
        {
            "add, by arrival": lambda: _add(chunks, None),
            "add, by index": lambda: _add(chunks, range(LENGTH)),
            "add, reversed": lambda: _add(chunks, range(LENGTH - 1, -1, -1)),
        },
        rounds,
    )
    return {name: time / LENGTH for name, time in times.items()}


def _add(chunks: list[Any], order: Iterable[int] | None) -> None:
    accumulator = Accumulator()
    if order is None:
        for chunk in chunks:
            accumulator.add("r", chunk)
    else:
        for index in order:
            accumulator.add("r", chunks[index], index=index)
    accumulator.finish("r")


def growth(kind: str) -> dict[int, float]:
    """Nanoseconds per chunk through `wrap`, over the bare loop, by length of stream."""
    tally, found = Tally(), {}
    for length in GROWTH:
        chunks = sdk_chunks(kind, length)
        runs = {"bare": drain(chunks), "wrap": through(tally.wrap, chunks)}
        times = cpu_times(runs, max(3, 3_000 // length))
        found[length] = (times["wrap"] - times["bare"]) / length
    return found


def added_growth(kind: str) -> dict[int, float]:
    """Nanoseconds per chunk of `Accumulator.add` by index, by length of stream."""
    found = {}
    for length in GROWTH:
        add = partial(_add, payloads(kind, length), range(length))
        found[length] = cpu_times({"add": add}, max(2, 1_000 // length))["add"] / length
    return found


def exponent(costs: dict[int, float], first: int = 1_000) -> float:
    """The growth exponent of the whole cost from `first` chunks to the longest stream: 1 is linear."""
    last = max(costs)
    return 1 + math.log(costs[last] / costs[first]) / math.log(last / first)
