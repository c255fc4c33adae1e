"""What an open stream holds: bytes added by the wrapper to a stream of 200 chunks that is not finished."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from streamtally import Tally

from .streams import sdk_chunks

STREAMS, LENGTH = 500, 200


def _held(wrap: Callable[[Iterator[Any]], Any], length: int) -> float:
    """Bytes per stream that are held when `length` chunks were read."""
    streams, wrappers = [], []
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        pool = sdk_chunks("text", length + 2)
        shared = tracemalloc.get_traced_memory()[0] - before
        for _ in range(STREAMS):
            wrapper = wrap(iter(pool))
            wrappers.append(wrapper)
            reader = iter(wrapper)
            for _ in range(length):
                next(reader)
            streams.append(reader)
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before - shared) / STREAMS
    finally:
        tracemalloc.stop()


def bytes_per_open_stream() -> dict[str, float]:
    """Bytes added per open stream after 200 chunks, their text's own length, and the slope per further chunk."""
    tally = Tally()
    bare, short, long = _held(lambda source: source, LENGTH), _held(tally.wrap, LENGTH), _held(tally.wrap, 5 * LENGTH)
    text = sum(len(chunk.choices[0].delta.content or "") for chunk in sdk_chunks("text", LENGTH + 2)[:LENGTH])
    return {"added": short - bare, "text": text, "per further chunk": (long - short) / (4 * LENGTH)}
