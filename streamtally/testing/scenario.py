"""What a fake provider plays: frames with their timing, and the faults that can be laid over them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

EVENT_STREAM = "text/event-stream; charset=utf-8"

Step = tuple[float, bytes]
"""The seconds to wait, and then the bytes to write."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One HTTP response, byte for byte. Every method returns a new scenario, so that faults can be combined.

    A frame's place, `at`, counts from 0, or from the end where it is negative; no frame there is an `IndexError`.

    Args:
        frames: the pieces of the body; each is sent in one write.
        delays: seconds before each frame, or one number for all of them.
        header_delay: seconds before the response's headers.
        status: the HTTP status; None hangs up without an answer.
        content_type: the media type of the body.
        headers: further response headers.
        dropped: the connection is dropped after the last frame, so that the client sees a broken transport, not an end.

    Raises:
        ValueError: as many delays as frames are needed, and none may be negative.
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
            raise ValueError("a delay must not be negative")

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.frames)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Each frame with the seconds before it."""
        return tuple(zip(self._delays(), self.frames, strict=True))

    def delayed(self, seconds: float = 0.0, *, headers: float = 0.0) -> Self:
        """Each frame `seconds` later after the one before it, and the headers `headers` seconds later."""
        later = self._playing((delay + seconds, frame) for delay, frame in self.steps)
        return replace(later, header_delay=self.header_delay + headers)

    def stalled(self, at: int, seconds: float) -> Self:
        """A pause before one frame."""
        steps = list(self.steps)
        delay, frame = steps[at]
        steps[at] = (delay + seconds, frame)
        return self._playing(steps)

    def duplicated(self, *at: int) -> Self:
        """These frames twice, at once one after the other; all of them where none is named."""
        twice = self._places(at or range(len(self.frames)))
        return self._playing(
            (delay * first, frame)
            for place, (delay, frame) in enumerate(self.steps)
            for first in ((1, 0) if place in twice else (1,))
        )

    def without(self, *at: int) -> Self:
        """These frames are lost."""
        lost = self._places(at)
        return self._playing(step for place, step in enumerate(self.steps) if place not in lost)

    def reordered(self, seed: int = 0) -> Self:
        """The frames in another order, the same for the same seed; the delays and a last `[DONE]` stay where they are."""
        frames = list(self.frames)
        done = [frames.pop()] if frames and frames[-1].strip() == b"data: [DONE]" else []
        random.Random(seed).shuffle(frames)
        return replace(self, frames=(*frames, *done))

    def rechunked(self, size: int) -> Self:
        """The same bytes in writes of `size` bytes, wherever that cuts; a frame's delay stays before its first byte."""
        if size < 1:
            raise ValueError(f"writes must have at least one byte, not {size}")
        return self._playing(
            (0.0 if start else delay, frame[start : start + size])
            for delay, frame in self.steps
            for start in range(0, len(frame), size)
        )

    def cut(self, at_byte: int, *, clean: bool = False) -> Self:
        """The body ends before this byte, counted from the end where negative, and the connection is dropped.

        With `clean` the response ends in good order there, which no transport can tell from a whole one.
        """
        left = at_byte if at_byte >= 0 else max(0, len(self.body) + at_byte)
        steps: list[Step] = []
        for delay, frame in self.steps:
            if left > 0:
                steps.append((delay, frame[:left]))
            left -= len(frame)
        return replace(self._playing(steps), dropped=not clean)

    def failing(self, at: int, message: str = "The server had an error while processing your request.") -> Self:
        """From one frame on, an error inside the stream, as the OpenAI family sends it under HTTP 200; then the end."""
        steps = list(self.steps)
        delay, _ = steps[at]
        error = {"error": {"message": message, "type": "server_error", "param": None, "code": None}}
        return self._playing([*steps[:at], (delay, f"data: {json.dumps(error)}\n\n".encode())])

    def pings(self, n: int, every: float, *, at: int = 0) -> Self:
        """Before a frame, `n` comments to keep the connection alive, `every` seconds apart; `at` may be the body's end too."""
        steps = list(self.steps)
        at = range(len(steps) + 1)[at] if at >= 0 else range(len(steps))[at]
        return self._playing([*steps[:at], *[(every, b": ping\n\n")] * n, *steps[at:]])

    def unanswered(self) -> Self:
        """The connection is dropped before any answer."""
        return replace(self, status=None)

    def _delays(self) -> tuple[float, ...]:
        return self.delays if isinstance(self.delays, tuple) else (self.delays,) * len(self.frames)

    def _playing(self, steps: Iterable[Step]) -> Self:
        steps = tuple(steps)
        return replace(self, frames=tuple(frame for _, frame in steps), delays=tuple(delay for delay, _ in steps))

    def _places(self, at: Iterable[int]) -> set[int]:
        places = range(len(self.frames))
        return {places[place] for place in at}
