"""Bodies of JSON texts: in lines (https://github.com/ndjson/ndjson-spec), one after another, in one array, or one alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NoReturn, TypeAlias

from ..errors import FramingError
from .splitter import MAX_FRAME

_HEAD = 1024
_BOM = b"\xef\xbb\xbf"
_LF, _QUOTE, _BACKSLASH, _BRACE, _BRACKET, _END = b'\n"\\{[]'
_BLANK = b" \t\r\n"

_State: TypeAlias = Literal["between", "opened", "plain", "fresh", "string", "escape", "line"]


def _plain(levels: int) -> bytes:
    """What may stand in a text: whole strings, line ends but those before an object, and whole brackets within brackets."""
    plain = rb'[^"{}\[\]\n]++|"(?:[^"\\\n]++|\\[^\n])*+"|\n(?!\{|\Z)'
    return rb"(?:%b|[{\[]%b[}\]])*+" % (plain, _plain(levels - 1)) if levels else rb"(?:%b)*+" % plain


_SKIPPED: dict[_State, re.Pattern[bytes]] = {
    "between": re.compile(rb"[\s,]*+"),
    "opened": re.compile(rb"\s*+"),
    "plain": re.compile(_plain(levels=4)),
    "fresh": re.compile(b""),
    "string": re.compile(rb'(?:[^"\\\n]++|\\[^\n])*+'),
    "escape": re.compile(b""),
    "line": re.compile(rb"[^\n]*+"),
}
"""What each state passes over at once: between texts, after the first bracket of what may be an array of texts, in a text, at
the start of a line in it, in a string, after a backslash, and in a line that is no object or array."""


class JSONTextDecoder:
    """Cuts bytes into JSON texts; push with `feed`, end with `flush`.

    A text is handed out as soon as it is complete. It may be written over several lines; between texts there may be line ends,
    commas or nothing; of an array of objects each object is a text of its own. What does not begin like an object or an array
    is a text up to the end of its line. Whether a text is JSON is not judged here, but one that was cut costs no other: it
    ends at a line end within a string, and before a line that begins with an object where none can be.

    Bytes that are no UTF-8 become U+FFFD. The result does not depend on how the bytes were split, and the work is linear in
    them.

    Args:
        max_frame: the longest text in bytes, with its line end.

    Attributes:
        tail: the text that the end of the stream cut short, or "[" where an array lacks only its end; else empty.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.tail = ""
        self._max_frame = max_frame
        self._held = bytearray()
        self._start = self._at = self._depth = 0
        self._state: _State = "between"
        self._in_array = False
        self._before_mark = True
        self._failed = False

    def feed(self, data: bytes) -> list[str]:
        """The texts that `data` completes.

        Raises:
            FramingError: a text is longer than `max_frame`; `frame` is its head. Texts before it are handed out first.
        """
        if not self._failed:
            self._held += data
        texts = [] if self._before_mark and self._waits_for_mark() else list(self._texts())
        if self._failed and not texts:
            self._fail()
        del self._held[: self._start]
        self._at -= self._start
        self._start = 0
        return texts

    def flush(self) -> list[str]:
        """At the end of the stream: the text that is not complete, or that only a line end would end. Raises as `feed` does."""
        if self._failed:
            self._fail()
        begun = self._state not in ("between", "opened")
        texts = [self._text(len(self._held))] if begun else []
        self.tail = "".join(texts) or ("[" if self._in_array or self._state == "opened" else "")
        self._held.clear()
        self._start = self._at = 0
        self._state, self._in_array = "between", False
        return texts

    def _waits_for_mark(self) -> bool:
        """Whether a byte order mark may still come; drops it where it came."""
        if len(self._held) < len(_BOM) and _BOM.startswith(self._held):
            return True
        self._before_mark = False
        if self._held.startswith(_BOM):
            del self._held[: len(_BOM)]
        return False

    def _texts(self) -> Iterator[str]:
        while not self._failed:
            self._at = _SKIPPED[self._state].match(self._held, self._at).end()  # type: ignore[union-attr]
            if self._state == "between":
                self._start = self._at
            ended = self._at < len(self._held) and self._step(self._held[self._at])
            if self._at - self._start > self._max_frame:
                self._failed = True
            elif ended:
                yield self._text(self._at)
                self._start, self._state = self._at, "between"
            elif self._at == len(self._held):
                return

    def _step(self, byte: int) -> bool:
        """Take the byte at which the state stopped; whether the text ends at the place that was reached."""
        if self._state == "plain":
            return self._in_text(byte)
        if self._state == "string":
            self._at += 1
            self._state = "plain" if byte == _QUOTE else "escape" if byte == _BACKSLASH else "string"
            return byte == _LF
        if self._state == "escape":
            self._state = "string"
            self._at += byte != _LF
            return False
        if self._state == "fresh":
            self._state = "plain"
            return byte == _BRACE and self._is_misplaced()
        if self._state == "line":
            self._at += 1
            return True
        return self._before_text(byte)

    def _in_text(self, byte: int) -> bool:
        self._at += 1
        if byte == _QUOTE:
            self._state = "string"
        elif byte == _LF:
            self._state = "fresh"
        else:
            self._depth += 1 if byte in (_BRACE, _BRACKET) else -1
        return self._depth == 0

    def _before_text(self, byte: int) -> bool:
        if self._state == "opened":
            self._in_array = byte in (_BRACE, _END)
            self._state = "between" if self._in_array else "plain"
        elif byte == _END and self._in_array:
            self._in_array = False
            self._at += 1
        elif byte in (_BRACE, _BRACKET):
            self._depth = 1
            self._state = "opened" if byte == _BRACKET and not self._in_array else "plain"
            self._at += 1
        else:
            self._state = "line"
        return False

    def _is_misplaced(self) -> bool:
        """Whether no object can be here in JSON: a value may only come after a comma, a colon or a bracket."""
        before = self._at - 1
        while self._held[before] in _BLANK:
            before -= 1
        return self._held[before] not in b",:["

    def _text(self, end: int) -> str:
        return self._held[self._start : end].decode("utf-8", "replace").strip(" \t\r\n")

    def _fail(self) -> NoReturn:
        del self._held[: self._start]
        del self._held[_HEAD:]
        self._start = 0
        raise FramingError(f"a text of more than {self._max_frame} bytes", bytes(self._held))
