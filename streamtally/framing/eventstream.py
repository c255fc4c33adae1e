"""Decoder of the AWS event stream, application/vnd.amazon.eventstream: binary messages with headers and two checksums.

Source: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple, NoReturn, TypeAlias
from zlib import crc32

from ..errors import FramingError
from .splitter import MAX_FRAME

PRELUDE: Final = 12
"""The length of a prelude in bytes: the lengths of message and headers, and a checksum of both."""

_CHECKSUM = 4
_PRELUDE = struct.Struct("!III")
_HEAD = 1024

HeaderValue: TypeAlias = bool | int | bytes | str

_CONSTANTS = {0: True, 1: False}
_NUMBERS = {kind: struct.Struct(f"!{form}") for kind, form in {2: "b", 3: "h", 4: "i", 5: "q", 8: "q"}.items()}
_BYTES, _STRING, _UUID = 6, 7, 9
_LENGTH = struct.Struct("!H")


class EventStreamMessage(NamedTuple):
    """One message. A header's timestamp is in milliseconds since the epoch, and a UUID is its 16 bytes."""

    headers: Mapping[str, HeaderValue]
    payload: bytes


class EventStreamDecoder:
    """Decodes the bytes of an AWS event stream to messages; `feed` bytes, then `flush`.

    The result does not depend on how the bytes are split, and the work is linear in them. After an error the start of the next
    message is unknown, so every later call raises the error again.

    Args:
        max_frame: the maximum length of a message in bytes.

    Attributes:
        tail: the incomplete message at the end of the stream, in base64; empty if there is none.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.tail = ""
        self._max_frame = max_frame
        self._buffer = bytearray()
        self._failure: tuple[str, bytes | str] | None = None

    def feed(self, data: bytes) -> list[EventStreamMessage]:
        """The messages that `data` completes.

        Raises:
            FramingError: a wrong checksum, an impossible length or an invalid header; `frame` has the start of the message.
                Messages before it are returned first, and the next call raises the error.
        """
        self._raise_failure()
        self._buffer += data
        messages: list[EventStreamMessage] = []
        start = 0
        try:
            while end := self._end(start):
                messages.append(_message(bytes(self._buffer[start:end])))
                start = end
        except FramingError as error:
            self._failure = (str(error), error.frame)
            start = len(self._buffer)
        del self._buffer[:start]
        if not messages:
            self._raise_failure()
        return messages

    def flush(self) -> list[EventStreamMessage]:
        """End the stream and set `tail`; returns no messages, because incomplete ones are not decoded. Raises as `feed` does."""
        self._raise_failure()
        self.tail = base64.b64encode(self._buffer).decode()
        self._buffer.clear()
        return []

    def _raise_failure(self) -> None:
        if self._failure is not None:
            _fail(*self._failure)

    def _end(self, start: int) -> int:
        """The end offset of the message that begins at `start`; 0 if it is not complete."""
        if len(self._buffer) - start < PRELUDE:
            return 0
        prelude = bytes(self._buffer[start : start + PRELUDE])
        length, headers, _ = _PRELUDE.unpack(prelude)
        if not is_prelude(prelude):
            _fail("the checksum of a prelude is wrong", prelude)
        if not PRELUDE + headers + _CHECKSUM <= length <= self._max_frame:
            _fail(f"impossible message of {length} bytes with {headers} bytes of headers (at most {self._max_frame})", prelude)
        return start + length if len(self._buffer) - start >= length else 0


def is_prelude(start: bytes) -> bool:
    """Whether these bytes start an event stream, by the checksum of the first 8 bytes; False if there are fewer than 12."""
    return len(start) >= PRELUDE and crc32(start[:8]) == _PRELUDE.unpack_from(start)[2]


def _message(message: bytes) -> EventStreamMessage:
    if crc32(message[:-_CHECKSUM]) != int.from_bytes(message[-_CHECKSUM:], "big"):
        _fail("the checksum of a message is wrong", message)
    payload = PRELUDE + int.from_bytes(message[4:8], "big")
    try:
        headers = _headers(message[PRELUDE:payload])
    except (LookupError, ValueError, struct.error) as error:
        _fail(f"the headers of a message cannot be read: {error}", message)
    return EventStreamMessage(headers, message[payload:-_CHECKSUM])


def _headers(block: bytes) -> dict[str, HeaderValue]:
    headers = {}
    at = 0
    while at < len(block):
        name, at = _slice(block, at + 1, block[at])
        headers[name.decode()], at = _value(block, at + 1, block[at])
    return headers


def _value(block: bytes, at: int, kind: int) -> tuple[HeaderValue, int]:
    """The header value of type `kind` at offset `at`, and its end offset."""
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], at
    if kind == _UUID:
        return _slice(block, at, 16)
    if kind in (_BYTES, _STRING):
        data, end = _slice(block, at + 2, _LENGTH.unpack_from(block, at)[0])
        return data.decode() if kind == _STRING else data, end
    if kind not in _NUMBERS:
        raise ValueError(f"unknown type {kind}")
    number: int = _NUMBERS[kind].unpack_from(block, at)[0]
    return number, at + _NUMBERS[kind].size


def _slice(block: bytes, at: int, length: int) -> tuple[bytes, int]:
    if at + length > len(block):
        raise ValueError(f"a value of {length} bytes exceeds the header block")
    return block[at : at + length], at + length


def _fail(reason: str, frame: bytes | str) -> NoReturn:
    raise FramingError(reason, frame[:_HEAD])
