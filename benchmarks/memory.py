"""What an open stream holds: bytes that the wrapper adds to a stream of 200 chunks that is not finished.

    python -m benchmarks.memory [--against REVISION]

Each chunk is parsed from JSON when it is read, and dropped after that, so that its words are strings of their own, as those of
a provider are. With `--against` the package of another commit is measured in the same run.
"""

from __future__ import annotations

import argparse
import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from openai._models import construct_type
from openai.types.chat import ChatCompletionChunk
from rich.console import Console
from rich.table import Table

from streamtally import Tally

from .revision import package_of, run
from .streams import payload, word
from .tables import table

STREAMS, LENGTH, LONG = 20, 200, 1_000
ADDED, FURTHER, TEXT = f"added by {LENGTH} chunks", "per further chunk", "text of a chunk"


def _chunks() -> Iterator[Any]:
    """The SDK's chunk objects of an endless stream; nothing in one is shared with another."""
    opening, number = json.dumps(payload({"role": "assistant", "content": ""})), 0
    yield construct_type(value=json.loads(opening), type_=ChatCompletionChunk)
    while True:
        line = json.dumps(payload({"content": word(number)}))
        yield construct_type(value=json.loads(line), type_=ChatCompletionChunk)
        number += 1


def _held(wrap: Callable[[Iterator[Any]], Any], length: int) -> float:
    """Bytes per stream that are held when `length` chunks were read."""
    streams = []
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(STREAMS):
            wrapper = wrap(_chunks())
            reader = iter(wrapper)
            for _ in islice(reader, length):
                pass
            streams.append((wrapper, reader))
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / STREAMS
    finally:
        tracemalloc.stop()


def bytes_per_open_stream() -> dict[str, float]:
    """Bytes added per open stream after 200 chunks, the slope per further chunk, and the characters of one chunk's text."""
    tally = Tally()
    for _ in range(2):  # what the process loads once is no stream's: the second call makes the records that the first abandoned
        _held(tally.wrap, LENGTH)
    bare, short, long = _held(lambda source: source, LENGTH), _held(tally.wrap, LENGTH), _held(tally.wrap, LONG)
    return {ADDED: short - bare, FURTHER: (long - short) / (LONG - LENGTH), TEXT: len(word(0))}


def report(revision: str | None = None) -> Table:
    """The table, beside that of a commit where one is given."""
    here = measured(None)
    before = None if revision is None else measured(revision)
    made = table("Bytes of an open stream", "", "streamtally", *([] if revision is None else [revision, "ratio"]))
    for row in (ADDED, FURTHER):
        against = [] if before is None else [f"{before[row]:,.1f}", f"{here[row] / before[row]:.3f}"]
        made.add_row(row, f"{here[row]:,.1f}", *against)
    made.caption = f"the text of a chunk: {here[TEXT]:.0f} characters"
    return made


def measured(revision: str | None) -> dict[str, float]:
    """The figures of `bytes_per_open_stream` from a fresh process, with the package of this checkout or of a commit."""
    with package_of(revision) as package:
        found: dict[str, float] = json.loads(run(package, "benchmarks.memory", "--json"))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description="Bytes of an open stream.")
    parser.add_argument("--against", metavar="REVISION", help="a commit to measure in the same run")
    parser.add_argument("--json", action="store_true", help="measure in this process, and print the figures as JSON")
    arguments = parser.parse_args()
    if arguments.json:
        print(json.dumps(bytes_per_open_stream()))
    else:
        Console(width=110).print(report(arguments.against))


if __name__ == "__main__":
    main()
