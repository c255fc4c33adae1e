"""Detects the framing of a body from its first bytes."""

from __future__ import annotations

import codecs
from typing import Literal, TypeAlias

from .eventstream import PRELUDE, is_prelude

Framing: TypeAlias = Literal["event stream", "sse", "json", "text", "bytes"]

_BOM = b"\xef\xbb\xbf"
_FIELDS = (b"data:", b"event:", b"id:", b"retry:")
_BY_FIRST_BYTE: dict[bytes, Framing] = {b":": "sse", b"{": "json", b"[": "json"}
_HEAD = 64


def detect_framing(start: bytes, *, last: bool, frames_only: bool = False) -> Framing | None:
    """The framing of a body from its first bytes; None if more bytes are needed, or if there were only blanks.

    Binary audio may begin with any byte. Therefore a start that looks like text, a comment or JSON only counts as such if no
    control characters follow: within some bytes for text, up to the end of the line for the others.

    Args:
        start: all bytes so far.
        last: whether these are all bytes of the body.
        frames_only: whether the body can be neither audio nor plain text.

    >>> detect_framing(b'data: {"a": 1}', last=False)
    'sse'
    >>> detect_framing(b"<html><body>Bad gateway</body></html>", last=True)
    'text'
    """
    if start.startswith(b"\0") and (frames_only or is_prelude(start)):
        return "event stream"
    body = start.removeprefix(_BOM).lstrip()
    if not body or (not last and _is_incomplete_prefix(start)):
        return None
    if body.startswith(_FIELDS):
        return "sse"
    first = _BY_FIRST_BYTE.get(body[:1])
    if frames_only:
        return first or "sse"
    return _text_or_binary(body, first, last=last)


def _is_incomplete_prefix(start: bytes) -> bool:
    """Whether these bytes may be the first part of a byte order mark, or of the prelude of an event stream."""
    return _BOM.startswith(start) or (len(start) < PRELUDE and start.startswith(b"\0"))


def _text_or_binary(body: bytes, first: Framing | None, *, last: bool) -> Framing | None:
    if not last and any(field.startswith(body) for field in _FIELDS):
        return None
    head = body[:_HEAD]
    if first:
        head, line_end, _ = head.partition(b"\n")
        last = last or bool(line_end)
    if not _is_text(head, utf8=first is None):
        return "bytes"
    return first or "text" if last or len(head) == _HEAD else None


def _is_text(head: bytes, *, utf8: bool) -> bool:
    """Whether there are no control characters, and with `utf8` only UTF-8; the last character may be incomplete."""
    if any(byte < 9 or 13 < byte < 32 for byte in head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")("strict" if utf8 else "replace").decode(head)
    except UnicodeDecodeError:
        return False
    return True
