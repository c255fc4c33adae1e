"""Bounds on how much is retained. Exceeding one never ends the caller's stream; the record states what was dropped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on retained data, per stream and for all streams of an accumulator.

    Args:
        stream_bytes: bytes of text, audio and images kept per stream.
        stream_chunks: chunks per stream whose times are kept, and with `keep_raw` their payloads.
        held_chunks: chunks per stream held beyond a gap; the width of the gap does not count.
        streams: keyed streams open at once; beyond it the stream that is idle for longest is ended.
        total_bytes: bytes of text, audio and images kept for all keyed streams together.
        idle_seconds: the time after its last chunk at which a keyed stream is ended.
        tombstones: ended request IDs that are remembered, so that late chunks are counted and open no new stream.
        ended_records: records of ended streams that a repeated `finish` can still return.
        stall_seconds: a longer wait between two chunks counts in `Timing.stalls`; it ends nothing.
    """

    stream_bytes: int = 64 * 2**20
    stream_chunks: int = 1_000_000
    held_chunks: int = 100_000
    streams: int = 100_000
    total_bytes: int = 2**30
    idle_seconds: float = 1800.0
    tombstones: int = 10_000
    ended_records: int = 256
    stall_seconds: float = 2.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) >= 0:
                raise ValueError(f"limit {name} must not be negative: {getattr(self, name)!r}")


DEFAULT_LIMITS = Limits()
