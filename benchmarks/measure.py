"""Measuring: rows in turn, round by round, so that a drift of the machine's speed hits all of them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping

Run = Callable[[], object]


def cpu_times(runs: Mapping[str, Run], rounds: int) -> dict[str, float]:
    """The median CPU nanoseconds of each run, over interleaved rounds after one warm-up."""
    times: dict[str, list[int]] = {name: [] for name in runs}
    for round_number in range(rounds + 1):
        for name, run in runs.items():
            gc.collect()
            began = time.thread_time_ns()
            run()
            if round_number:
                times[name].append(time.thread_time_ns() - began)
    return {name: statistics.median(taken) for name, taken in times.items()}
