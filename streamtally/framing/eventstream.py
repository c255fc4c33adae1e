"""The AWS event stream, application/vnd.amazon.eventstream: binary messages with headers and two checksums.

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
"""How many bytes say how long a message is: its length, that of its headers, and the checksum of both."""

_CHECKSUM = 4
_PRELUDE = struct.Struct("!III")
_HEAD = 1024

HeaderValue: TypeAlias = bool | int | bytes | str

_CONSTANTS = {0: True, 1: False}
_NUMBERS = {kind: struct.Struct(f"!{form}") for kind, form in {2: "b", 3: "h", 4: "i", 5: "q", 8: "q"}.items()}
_BYTES, _STRING, _UUID = 6, 7, 9
_LENGTH = struct.Struct("!H")


class EventStreamMessage(NamedTuple):
    """One message. A header's timestamp is in milliseconds since the epoch, and its UUID is the 16 bytes."""

    headers: Mapping[str, HeaderValue]
    payload: bytes


class EventStreamDecoder:
    """Turns the bytes of an event stream into messages; push with `feed`, end with `flush`.

    The result does not depend on how the bytes were split, and the work is linear in them. After an error nothing tells where
    the next message begins, so the error stays.

    Args:
        max_frame: the longest message in bytes.

    Attributes:
        tail: the message that the end of the stream cut short, in base64; empty where there was none.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.tail = ""
        self._max_frame = max_frame
        self._held = bytearray()
        self._failure: tuple[str, bytes | str] | None = None

    def feed(self, data: bytes) -> list[EventStreamMessage]:
        """The messages that `data` completes.

        Raises:
            FramingError: a wrong checksum, an impossible length or a header of no known form; `frame` is the message's head.
                Messages before it are handed out first, and the error comes with the next call.
        """
        self._raise_failure()
        self._held += data
        messages: list[EventStreamMessage] = []
        start = 0
        try:
            while end := self._end(start):
                messages.append(_message(bytes(self._held[start:end])))
                start = end
        except FramingError as error:
            self._failure = (str(error), error.frame)
            start = len(self._held)
        del self._held[:start]
        if not messages:
            self._raise_failure()
        return messages

    def flush(self) -> list[EventStreamMessage]:
        """At the end of the stream: none, for a message is whole or it is nothing. Raises as `feed` does."""
        self._raise_failure()
        self.tail = base64.b64encode(self._held).decode()
        self._held.clear()
        return []

    def _raise_failure(self) -> None:
        if self._failure is not None:
            _fail(*self._failure)

    def _end(self, start: int) -> int:
        """Where the message that begins at `start` ends; 0 where it is not all there."""
        if len(self._held) - start < PRELUDE:
            return 0
        prelude = bytes(self._held[start : start + PRELUDE])
        length, headers, _ = _PRELUDE.unpack(prelude)
        if not is_prelude(prelude):
            _fail("the checksum of a prelude is wrong", prelude)
        if not PRELUDE + headers + _CHECKSUM <= length <= self._max_frame:
            _fail(f"a message of {length} bytes, {headers} of them headers, where {self._max_frame} are the most", prelude)
        return start + length if len(self._held) - start >= length else 0


def is_prelude(start: bytes) -> bool:
    """Whether an event stream begins so, told by the checksum of its first 8 bytes; False where there are not 12."""
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
    """The value of this type at this place, and where it ends."""
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], at
    if kind == _UUID:
        return _slice(block, at, 16)
    if kind in (_BYTES, _STRING):
        data, end = _slice(block, at + 2, _LENGTH.unpack_from(block, at)[0])
        return data.decode() if kind == _STRING else data, end
    if kind not in _NUMBERS:
        raise ValueError(f"no type has the number {kind}")
    number: int = _NUMBERS[kind].unpack_from(block, at)[0]
    return number, at + _NUMBERS[kind].size


def _slice(block: bytes, at: int, length: int) -> tuple[bytes, int]:
    if at + length > len(block):
        raise ValueError("they end too early")
    return block[at : at + length], at + length


def _fail(reason: str, frame: bytes | str) -> NoReturn:
    raise FramingError(reason, frame[:_HEAD])
