"""The loops whose instructions are counted. `instructions.py` runs this module under callgrind.

    python -m benchmarks.counted LIBRARY

LIBRARY is `toggle.c`, compiled. Only the public API of streamtally is used, so that the package of another commit can be
measured.

CPython finds attributes of a class through a cache of 4,096 places, chosen by the class's version and the address of the name.
Two names of one loop that share a place evict each other, which adds hundreds of instructions per chunk and is an accident of
the process. So each loop is counted `LAYOUTS` times, with new versions of the SDK's classes each time, and the median is taken.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from itertools import count, product
from typing import Any

from pydantic import BaseModel

from streamtally import Tally

from .floors import F2
from .loops import drain, through
from .streams import payloads, sdk_chunks

KINDS = ("text", "nulls", "tool")
KEYED = "keyed add"
LENGTHS = (1_000, 2_000)
WARM_UP = 3
LAYOUTS = 3

Run = Callable[[], object]


def _added(tally: Tally, mappings: list[Any]) -> Run:
    """Adds mappings by request ID and index, in order."""
    numbers = count()

    def run() -> None:
        request_id, add = f"request-{next(numbers)}", tally.add
        for index, mapping in enumerate(mappings):
            add(request_id, mapping, index=index)
        tally.finish(request_id)

    return run


def _runs(length: int) -> dict[tuple[str, str], Run]:
    """By row and way: the bare loop, the floor F2 (of keyed `add`: that of text), and streamtally."""
    tally, found = Tally(), dict[tuple[str, str], Run]()
    for kind in KINDS:
        chunks = sdk_chunks(kind, length)
        found[kind, "bare"] = through(lambda source: source, chunks)
        found[kind, "F2"] = through(F2[kind], chunks)
        found[kind, "streamtally"] = through(tally.wrap, chunks)
    mappings = payloads("text", length)
    found[KEYED, "bare"] = drain(mappings)
    found[KEYED, "streamtally"] = _added(tally, mappings)
    return found


def main(library: str) -> None:
    """Run every loop warm, and count it, in every layout."""
    toggle = ctypes.CDLL(library)
    for length, layout in product(LENGTHS, range(LAYOUTS)):
        BaseModel.__doc__ = f"layout {layout}"  # a class that is changed gets a new version, and so do those that inherit from it
        for (row, way), run in _runs(length).items():
            for _ in range(WARM_UP):
                run()
            gc.collect()
            gc.freeze()  # what collecting costs in the loop is then the cost of what the loop makes
            toggle.start_counting()
            run()
            toggle.stop_counting(f"{row}/{way}/{length}".encode())


if __name__ == "__main__":
    main(sys.argv[1])
