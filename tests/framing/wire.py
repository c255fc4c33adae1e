"""Helpers of the framing tests: bodies in pieces, and AWS event streams.

The layout of the latter is specified at https://smithy.io/2.0/aws/amazon-eventstream.html.
"""

import struct
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple
from zlib import crc32


def cut(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The body in pieces, split at these offsets."""
    places = [0, *sorted(at % (len(body) + 1) for at in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(places)]


class Typed(NamedTuple):
    """A header's value with its type number, 0 to 9; for strings and byte arrays without their length."""

    kind: int
    value: Any


_FORMS = {2: "!b", 3: "!h", 4: "!i", 5: "!q", 8: "!q"}


def message(headers: Mapping[str, Any], payload: bytes = b"") -> bytes:
    """A message; a header's value is a `Typed`, or a string."""
    block = b"".join(_header(name, value if isinstance(value, Typed) else Typed(7, value)) for name, value in headers.items())
    return framed(block, payload)


def framed(block: bytes, payload: bytes = b"") -> bytes:
    """A message around a block of headers, valid or not, with correct lengths and checksums."""
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    body = prelude + struct.pack("!I", crc32(prelude)) + block + payload
    return body + struct.pack("!I", crc32(body))


def prelude(length: int, headers: int) -> bytes:
    """A prelude with these lengths."""
    lengths = struct.pack("!II", length, headers)
    return lengths + struct.pack("!I", crc32(lengths))


def event(name: str, payload: bytes) -> bytes:
    """A message that is an event with a JSON payload."""
    return message({":event-type": name, ":content-type": "application/json", ":message-type": "event"}, payload)


def _header(name: str, typed: Typed) -> bytes:
    kind, value = typed
    data = value.encode() if isinstance(value, str) else value
    if kind in _FORMS:
        data = struct.pack(_FORMS[kind], value)
    elif kind in (0, 1):
        data = b""
    elif kind in (6, 7):
        data = struct.pack("!H", len(data)) + data
    return bytes([len(name.encode())]) + name.encode() + bytes([kind]) + data
