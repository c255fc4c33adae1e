"""How much is retained. Passing a bound never cuts the caller's stream: the record says what was dropped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of retention, of one stream and of all streams of an accumulator.

    Args:
        stream_bytes: text, audio and image kept of one stream.
        stream_chunks: chunks of one stream whose times are kept, and whose raw payloads with `keep_raw`.
        held_chunks: chunks of one stream held beyond a gap; the width of the gap does not count.
        streams: keyed streams open at once; the one idle for longest is ended first.
        total_bytes: text, audio and image kept of all keyed streams together.
        idle_seconds: how long a keyed stream may stand still, from its last chunk on.
        tombstones: ended request IDs that are remembered, so that late chunks are counted and open nothing.
        ended_records: records of ended streams that a repeated `finish` can still return.
    """

    stream_bytes: int = 64 * 2**20
    stream_chunks: int = 1_000_000
    held_chunks: int = 100_000
    streams: int = 100_000
    total_bytes: int = 2**30
    idle_seconds: float = 1800.0
    tombstones: int = 10_000
    ended_records: int = 256

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) >= 0:
                raise ValueError(f"limit {name} must not be negative: {getattr(self, name)!r}")


DEFAULT_LIMITS = Limits()
