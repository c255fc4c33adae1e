"""Where frames end: the cut that all text framings share, linear however the bytes arrive."""

from __future__ import annotations

from typing import NoReturn

from ..errors import FramingError

MAX_FRAME = 64 * 2**20
"""The longest frame that is accepted by default: base64 images and audio come in frames of many MiB."""

_HEAD = 1024


class Splitter:
    """Cuts pushed bytes after each `separator`, and bounds what it has to hold until one comes.

    Args:
        separator: the line feeds that end a frame.
        max_frame: the longest frame in bytes, without the line feeds around it.
    """

    def __init__(self, separator: bytes, max_frame: int) -> None:
        self._separator = separator
        self._max_frame = max_frame
        self._held = bytearray()
        self._failed = False

    def push(self, data: bytes) -> bytes | None:
        """The frames that `data` completes, still joined by the separator; None where it completes none.

        Raises:
            FramingError: a frame is too long. Frames before it are handed out first, and the error comes with the next call.
        """
        if self._held or not data.endswith(self._separator):
            return self._joined(data)
        block = data[: -len(self._separator)]
        return block if len(block) <= self._max_frame else self._bounded(block)

    def rest(self) -> bytes:
        """What came after the last separator; nothing is held afterwards. Raises as `push` does."""
        rest = bytes(self._held)
        if self._failed or not self._fits(rest):
            self._fail(rest)
        self._held.clear()
        return rest

    def _joined(self, data: bytes) -> bytes | None:
        if self._failed:
            self._fail(self._held)
        held, separator = self._held, self._separator
        # Only what is new is searched, and the seam, for a separator may lie across it.
        unsearched = max(0, len(held) - len(separator) + 1)
        held += data
        end = held.rfind(separator, unsearched)
        if end < 0:
            return None if self._fits(held) else self._fail(held)
        block = bytes(held[:end])
        del held[: end + len(separator)]
        return block if len(block) <= self._max_frame else self._bounded(block)

    def _bounded(self, block: bytes) -> bytes:
        """The frames of `block` before the first that is too long; that one is kept, to fail with it at the next call."""
        frames = block.split(self._separator)
        for count, frame in enumerate(frames):
            if not self._fits(frame):
                if not count:
                    self._fail(frame)
                self._doom(frame)
                return self._separator.join(frames[:count])
        return block

    def _fits(self, frame: bytes | bytearray) -> bool:
        return len(frame) <= self._max_frame or len(frame.strip(b"\n")) <= self._max_frame

    def _fail(self, frame: bytes | bytearray) -> NoReturn:
        self._doom(frame)
        raise FramingError(f"a frame of more than {self._max_frame} bytes", bytes(self._held))

    def _doom(self, frame: bytes | bytearray) -> None:
        self._failed = True
        self._held[:] = frame[:_HEAD].strip(b"\n")
