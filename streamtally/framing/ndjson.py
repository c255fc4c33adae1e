"""Newline-delimited text: NDJSON and JSON lines (https://github.com/ndjson/ndjson-spec)."""

from __future__ import annotations

from .splitter import MAX_FRAME, Splitter


class LineDecoder:
    """Turns bytes into lines of text; push with `feed`, end with `flush`.

    Lines end with LF or CRLF and with nothing else; blank lines are skipped; bytes that are no UTF-8 become U+FFFD. The
    result does not depend on how the bytes were split, and the work is linear in them.

    Args:
        max_frame: the longest line in bytes.

    Attributes:
        tail: the last line where no line end followed it, else empty.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.tail = ""
        self._frames = Splitter(b"\n", max_frame)
        self._at_start = True

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes.

        Raises:
            FramingError: a line is longer than `max_frame`; `frame` is its head. Lines before it are handed out first.
        """
        block = self._frames.push(data)
        return [] if block is None else self._lines(block)

    def flush(self) -> list[str]:
        """At the end of the stream: the last line, where no line end followed it. Raises as `feed` does."""
        lines = self._lines(self._frames.rest())
        self.tail = "".join(lines)
        return lines

    def _lines(self, block: bytes) -> list[str]:
        text = block.decode("utf-8", "replace")
        if self._at_start:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        return [line.removesuffix("\r") for line in text.split("\n") if line and not line.isspace()]
