"""Splits bytes at a separator, as all text framings do, in linear time however the bytes arrive."""

from __future__ import annotations

from typing import NoReturn

from ..errors import FramingError

MAX_FRAME = 64 * 2**20
"""The default maximum length of a frame in bytes; frames with base64 images and audio have many MiB."""

_HEAD = 1024


class Splitter:
    """Splits pushed bytes after each `separator`, and bounds the size of its buffer.

    Args:
        separator: the line feeds that end a frame.
        max_frame: the maximum length of a frame in bytes, without the line feeds around it.
    """

    def __init__(self, separator: bytes, max_frame: int) -> None:
        self._separator = separator
        self._max_frame = max_frame
        self._buffer = bytearray()
        self._failed = False

    def push(self, data: bytes) -> bytes | None:
        """The frames that `data` completes, joined by the separator; None if it completes none.

        Raises:
            FramingError: a frame is too long. Frames before it are returned first, and the next call raises the error.
        """
        if self._buffer or not data.endswith(self._separator):
            return self._push_to_buffer(data)
        block = data[: -len(self._separator)]
        return block if len(block) <= self._max_frame else self._within_bound(block)

    def rest(self) -> bytes:
        """The bytes after the last separator; clears the buffer. Raises as `push` does."""
        rest = bytes(self._buffer)
        if self._failed or not self._is_within_bound(rest):
            self._fail(rest)
        self._buffer.clear()
        return rest

    def _push_to_buffer(self, data: bytes) -> bytes | None:
        if self._failed:
            self._fail(self._buffer)
        buffer, separator = self._buffer, self._separator
        # Only the new bytes are searched, and the end of the old ones, because a separator may span both.
        unsearched = max(0, len(buffer) - len(separator) + 1)
        buffer += data
        end = buffer.rfind(separator, unsearched)
        if end < 0:
            return None if self._is_within_bound(buffer) else self._fail(buffer)
        block = bytes(buffer[:end])
        del buffer[: end + len(separator)]
        return block if len(block) <= self._max_frame else self._within_bound(block)

    def _within_bound(self, block: bytes) -> bytes:
        """The frames of `block` before the first one that is too long, for which the next call raises."""
        frames = block.split(self._separator)
        for count, frame in enumerate(frames):
            if not self._is_within_bound(frame):
                if not count:
                    self._fail(frame)
                self._set_failed(frame)
                return self._separator.join(frames[:count])
        return block

    def _is_within_bound(self, frame: bytes | bytearray) -> bool:
        return len(frame) <= self._max_frame or len(frame.strip(b"\n")) <= self._max_frame

    def _fail(self, frame: bytes | bytearray) -> NoReturn:
        self._set_failed(frame)
        raise FramingError(f"a frame of more than {self._max_frame} bytes", bytes(self._buffer))

    def _set_failed(self, frame: bytes | bytearray) -> None:
        self._failed = True
        self._buffer[:] = frame[:_HEAD].strip(b"\n")
