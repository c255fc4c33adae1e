"""What the end of a stream costs the thread that reads it, with exporters of each kind.

    python -m benchmarks.finishing

From the last chunk to the end of the loop: the record, its price, and handing it on.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

from openai._models import construct_type
from openai.types.chat import ChatCompletionChunk
from prometheus_client import CollectorRegistry

from streamtally import JsonLinesExporter, PrometheusExporter, StreamRecord, Tally

from .streams import ENVELOPE, sdk_chunks

STREAMS = 300
WARM_UP = 50
CHUNKS = 100


class _Hanging:
    """Never comes back from its first record."""

    def export(self, record: StreamRecord) -> None:
        del record
        threading.Event().wait()

    def flush(self, timeout: float | None = None) -> bool:
        del timeout
        return False

    def close(self) -> None: ...


EXPORTERS: dict[str, Callable[[str], list[Any]]] = {
    "none": lambda _: [],
    "a function": lambda _: [lambda _: None],
    "a function that takes 5 ms": lambda _: [lambda _: time.sleep(0.005)],
    "one that hangs": lambda _: [_Hanging()],
    "jsonl": lambda folder: [JsonLinesExporter(os.path.join(folder, "records.jsonl"))],
    "prometheus": lambda _: [PrometheusExporter(CollectorRegistry())],
}


def finishing(name: str, *, deferred: bool) -> float:
    """Median microseconds of the last step of a loop over a stream."""
    usage = {"prompt_tokens": 9, "completion_tokens": 98, "total_tokens": 107}
    last = construct_type(value={**ENVELOPE, "choices": [], "usage": usage}, type_=ChatCompletionChunk)
    chunks = [*sdk_chunks("text", CHUNKS - 1), last]
    with tempfile.TemporaryDirectory() as folder:
        tally = Tally(exporters=EXPORTERS[name](folder), deferred=deferred)
        taken = [_last_step(tally, chunks) for _ in range(STREAMS)]
        tally.flush(0.1)
    return statistics.median(taken[WARM_UP:])


def _last_step(tally: Tally, chunks: list[Any]) -> float:
    read = iter(tally.wrap(chunks, params={"model": "gpt-4o"}))
    for _ in chunks:
        next(read)
    before = time.perf_counter_ns()
    ended = next(read, None)
    after = time.perf_counter_ns()
    assert ended is None
    return (after - before) / 1e3


if __name__ == "__main__":
    print(f"{'exporter':28s} {'at once':>10s} {'deferred':>10s}   (µs, median of {STREAMS - WARM_UP} streams of {CHUNKS} chunks)")
    for each in EXPORTERS:
        print(f"{each:28s} {finishing(each, deferred=False):10.1f} {finishing(each, deferred=True):10.1f}")
