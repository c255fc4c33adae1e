"""How fast a stream came."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from .base import Frozen

WAIT_BOUNDS = (0.001, 0.002, 0.005, *(0.01 * 2**power for power in range(14)))
"""Upper bounds of `InterChunk.buckets`, in seconds. From 10 ms on, OpenTelemetry's recommended buckets; finer ones below."""


class InterChunk(Frozen):
    """Seconds between chunks: how long the provider took for each chunk after the first.

    `buckets` counts the waits by size: one count for each upper bound in `WAIT_BOUNDS`, and a last one for longer waits.
    """

    count: int
    mean: float
    p50: float
    p95: float
    p99: float
    max: float
    buckets: tuple[int, ...] = ()


class Timing(Frozen):
    """How fast the stream came, in seconds on the monotonic clock.

    All values count from the start that `started_from` names: "request" (just before the request was made), "given" (the
    time that the caller passed) or "wrap" (the stream was already open, so latencies are lower bounds).
    A value that cannot be known is None. No value is negative.

    `time_to_first_chunk`, `…_token` and `…_text` end with the first chunk of any kind, the first generated content of any kind
    and the first text of the answer. `inter_chunk` is the distribution of the waits for each chunk after the first, and
    `stalls` counts those that were longer than `Limits.stall_seconds` (2 s by default). With G the seconds from the first
    token to the end, `time_per_output_token` is G / (output tokens - 1), and `tokens_per_second` is output tokens / G.
    `provider_wait` is the time spent on waiting for the source, `consumer_wait` the time that its reader took between two
    reads; both are known of wrapped streams only.
    """

    started_from: Literal["request", "given", "wrap"] = "wrap"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    time_to_first_chunk: float | None = None
    time_to_first_token: float | None = None
    time_to_first_text: float | None = None
    duration: float | None = None
    inter_chunk: InterChunk | None = None
    time_per_output_token: float | None = None
    tokens_per_second: float | None = None
    provider_wait: float | None = None
    consumer_wait: float | None = None
    stalls: int | None = None
