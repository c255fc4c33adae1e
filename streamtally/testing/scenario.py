"""The scenarios that a fake provider plays: frames with timing, and faults."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

EVENT_STREAM = "text/event-stream; charset=utf-8"

Step = tuple[float, bytes]
"""The seconds to wait, and the bytes to write afterwards."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One HTTP response, byte for byte. Each method returns a new scenario, so that faults can be combined.

    A frame's position `at` counts from 0, or from the end if negative; a position without a frame raises `IndexError`.

    Args:
        frames: the pieces of the body, each sent in one write.
        delays: the seconds before each frame, or one number for all frames.
        header_delay: the seconds before the response headers.
        status: the HTTP status; None drops the connection without a response.
        content_type: the media type of the body.
        headers: additional response headers.
        dropped: whether the connection is dropped after the last frame, which the client sees as a broken transport.

    Raises:
        ValueError: the numbers of delays and frames differ, or a delay is negative.
    """

    frames: tuple[bytes, ...] = ()
    delays: float | tuple[float, ...] = 0.0
    header_delay: float = 0.0
    status: int | None = 200
    content_type: str = EVENT_STREAM
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    dropped: bool = False

    def __post_init__(self) -> None:
        delays = self._delays()
        if len(delays) != len(self.frames):
            raise ValueError(f"{len(delays)} delays for {len(self.frames)} frames")
        if any(not seconds >= 0 for seconds in (self.header_delay, *delays)):
            raise ValueError(f"a delay must not be negative: {min(self.header_delay, *delays)}")

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.frames)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Each frame with the seconds before it."""
        return tuple(zip(self._delays(), self.frames, strict=True))

    def delayed(self, seconds: float = 0.0, *, headers: float = 0.0) -> Self:
        """Add `seconds` before each frame, and `headers` seconds before the headers."""
        later = self._with_steps((delay + seconds, frame) for delay, frame in self.steps)
        return replace(later, header_delay=self.header_delay + headers)

    def stalled(self, at: int, seconds: float) -> Self:
        """Add a pause before one frame."""
        steps = list(self.steps)
        delay, frame = steps[at]
        steps[at] = (delay + seconds, frame)
        return self._with_steps(steps)

    def duplicated(self, *at: int) -> Self:
        """Send these frames twice in a row, without delay between; all frames if none is given."""
        twice = self._positions(at or range(len(self.frames)))
        return self._with_steps(
            (delay * first, frame)
            for position, (delay, frame) in enumerate(self.steps)
            for first in ((1, 0) if position in twice else (1,))
        )

    def without(self, *at: int) -> Self:
        """Drop these frames."""
        lost = self._positions(at)
        return self._with_steps(step for position, step in enumerate(self.steps) if position not in lost)

    def reordered(self, seed: int = 0) -> Self:
        """Shuffle the frames, by seed; the delays and a final `[DONE]` keep their positions."""
        frames = list(self.frames)
        done = [frames.pop()] if frames and frames[-1].strip() == b"data: [DONE]" else []
        random.Random(seed).shuffle(frames)
        return replace(self, frames=(*frames, *done))

    def rechunked(self, size: int) -> Self:
        """Send the same bytes in writes of `size` bytes; a frame's delay stays before its first byte."""
        if size < 1:
            raise ValueError(f"writes must have at least one byte, not {size}")
        return self._with_steps(
            (0.0 if start else delay, frame[start : start + size])
            for delay, frame in self.steps
            for start in range(0, len(frame), size)
        )

    def cut(self, at_byte: int, *, clean: bool = False) -> Self:
        """End the body before this byte, counted from the end if negative, and drop the connection.

        With `clean` the response ends regularly there, which the transport cannot distinguish from a complete one.
        """
        remaining = at_byte if at_byte >= 0 else max(0, len(self.body) + at_byte)
        steps: list[Step] = []
        for delay, frame in self.steps:
            if remaining > 0:
                steps.append((delay, frame[:remaining]))
            remaining -= len(frame)
        return replace(self._with_steps(steps), dropped=not clean)

    def failing(self, at: int, message: str = "The server had an error while processing your request.") -> Self:
        """Replace the frames from `at` on by an error inside the stream, as OpenAI sends it under HTTP 200."""
        steps = list(self.steps)
        delay, _ = steps[at]
        error = {"error": {"message": message, "type": "server_error", "param": None, "code": None}}
        return self._with_steps([*steps[:at], (delay, f"data: {json.dumps(error)}\n\n".encode())])

    def pings(self, n: int, every: float, *, at: int = 0) -> Self:
        """Insert `n` keepalive comments before a frame, `every` seconds apart; `at` may also be the end of the body."""
        steps = list(self.steps)
        at = range(len(steps) + 1)[at] if at >= 0 else range(len(steps))[at]
        return self._with_steps([*steps[:at], *[(every, b": ping\n\n")] * n, *steps[at:]])

    def unanswered(self) -> Self:
        """Drop the connection without a response."""
        return replace(self, status=None)

    def _delays(self) -> tuple[float, ...]:
        return self.delays if isinstance(self.delays, tuple) else (self.delays,) * len(self.frames)

    def _with_steps(self, steps: Iterable[Step]) -> Self:
        steps = tuple(steps)
        return replace(self, frames=tuple(frame for _, frame in steps), delays=tuple(delay for delay, _ in steps))

    def _positions(self, at: Iterable[int]) -> set[int]:
        positions = range(len(self.frames))
        return {positions[position] for position in at}
