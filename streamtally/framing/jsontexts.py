"""Decoder of JSON texts: in lines (https://github.com/ndjson/ndjson-spec), concatenated, in one array, or a single one."""

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

_State: TypeAlias = Literal["between", "bracket", "plain", "line start", "string", "escape", "line"]


def _plain(levels: int) -> bytes:
    """A pattern for what a state skips within a text: strings, line ends except before an object, and balanced brackets."""
    plain = rb'[^"{}\[\]\n]++|"(?:[^"\\\n]++|\\[^\n])*+"|\n(?!\{|\Z)'
    return rb"(?:%b|[{\[]%b[}\]])*+" % (plain, _plain(levels - 1)) if levels else rb"(?:%b)*+" % plain


_SKIPPED: dict[_State, re.Pattern[bytes]] = {
    "between": re.compile(rb"[\s,]*+"),
    "bracket": re.compile(rb"\s*+"),
    "plain": re.compile(_plain(levels=4)),
    "line start": re.compile(b""),
    "string": re.compile(rb'(?:[^"\\\n]++|\\[^\n])*+'),
    "escape": re.compile(b""),
    "line": re.compile(rb"[^\n]*+"),
}
"""The bytes that each state skips at once. The states:

    between     between two texts
    bracket     after the first bracket of a possible array of texts
    plain       inside a text, outside strings
    line start  inside a text, at the start of a line
    string      inside a string of a text
    escape      after a backslash in a string
    line        in a line that begins with neither an object nor an array
"""


class JSONTextDecoder:
    """Splits bytes into JSON texts; `feed` bytes, then `flush`.

    A text is returned as soon as it is complete. It may span several lines. Between texts there may be line ends, commas or
    nothing. Each object of an array of objects is a text of its own. A line that begins with neither an object nor an array is a
    text. Texts are not validated, but an incomplete text does not spoil the next ones: it ends at a line end inside a string, or
    before a line that begins with an object where JSON allows none.

    Invalid UTF-8 becomes U+FFFD. The result does not depend on how the bytes are split, and the work is linear in them.

    Args:
        max_frame: the maximum length of a text in bytes, with its line end.

    Attributes:
        tail: the incomplete text at the end of the stream, or "[" if an array lacks only its end; else empty.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.tail = ""
        self._max_frame = max_frame
        self._buffer = bytearray()
        self._start = self._at = self._depth = 0
        self._state: _State = "between"
        self._in_array = False
        self._before_bom = True
        self._failed = False

    def feed(self, data: bytes) -> list[str]:
        """The texts that `data` completes.

        Raises:
            FramingError: a text is longer than `max_frame`; `frame` has its start. Texts before it are returned first.
        """
        if not self._failed:
            self._buffer += data
        texts = [] if self._before_bom and self._awaits_bom() else list(self._texts())
        if self._failed and not texts:
            self._fail()
        del self._buffer[: self._start]
        self._at -= self._start
        self._start = 0
        return texts

    def flush(self) -> list[str]:
        """End the stream; returns the text that is incomplete or lacks only its line end, if any. Raises as `feed` does."""
        if self._failed:
            self._fail()
        begun = self._state not in ("between", "bracket")
        texts = [self._text(len(self._buffer))] if begun else []
        self.tail = "".join(texts) or ("[" if self._in_array or self._state == "bracket" else "")
        self._buffer.clear()
        self._start = self._at = 0
        self._state, self._in_array = "between", False
        return texts

    def _awaits_bom(self) -> bool:
        """Whether a byte order mark may still be incomplete; removes a complete one."""
        if len(self._buffer) < len(_BOM) and _BOM.startswith(self._buffer):
            return True
        self._before_bom = False
        if self._buffer.startswith(_BOM):
            del self._buffer[: len(_BOM)]
        return False

    def _texts(self) -> Iterator[str]:
        while not self._failed:
            self._at = _SKIPPED[self._state].match(self._buffer, self._at).end()  # type: ignore[union-attr]
            if self._state == "between":
                self._start = self._at
            ended = self._at < len(self._buffer) and self._step(self._buffer[self._at])
            if self._at - self._start > self._max_frame:
                self._failed = True
            elif ended:
                yield self._text(self._at)
                self._start, self._state = self._at, "between"
            elif self._at == len(self._buffer):
                return

    def _step(self, byte: int) -> bool:
        """Process the byte at which the state stopped; returns whether the text ends at the current offset."""
        if self._state == "plain":
            return self._step_in_text(byte)
        if self._state == "string":
            self._at += 1
            self._state = "plain" if byte == _QUOTE else "escape" if byte == _BACKSLASH else "string"
            return byte == _LF
        if self._state == "escape":
            self._state = "string"
            self._at += byte != _LF
            return False
        if self._state == "line start":
            self._state = "plain"
            return byte == _BRACE and self._cannot_be_value()
        if self._state == "line":
            self._at += 1
            return True
        return self._step_before_text(byte)

    def _step_in_text(self, byte: int) -> bool:
        self._at += 1
        if byte == _QUOTE:
            self._state = "string"
        elif byte == _LF:
            self._state = "line start"
        else:
            self._depth += 1 if byte in (_BRACE, _BRACKET) else -1
        return self._depth == 0

    def _step_before_text(self, byte: int) -> bool:
        if self._state == "bracket":
            self._in_array = byte in (_BRACE, _END)
            self._state = "between" if self._in_array else "plain"
        elif byte == _END and self._in_array:
            self._in_array = False
            self._at += 1
        elif byte in (_BRACE, _BRACKET):
            self._depth = 1
            self._state = "bracket" if byte == _BRACKET and not self._in_array else "plain"
            self._at += 1
        else:
            self._state = "line"
        return False

    def _cannot_be_value(self) -> bool:
        """Whether JSON allows no value at this offset: one may only follow a comma, a colon or a bracket."""
        before = self._at - 1
        while self._buffer[before] in _BLANK:
            before -= 1
        return self._buffer[before] not in b",:["

    def _text(self, end: int) -> str:
        return self._buffer[self._start : end].decode("utf-8", "replace").strip(" \t\r\n")

    def _fail(self) -> NoReturn:
        del self._buffer[: self._start]
        del self._buffer[_HEAD:]
        self._start = 0
        raise FramingError(f"a JSON text of more than {self._max_frame} bytes", bytes(self._buffer))
