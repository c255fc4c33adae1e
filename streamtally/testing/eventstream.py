"""Encodes messages of the AWS event stream, as Amazon's servers do.

https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream
"""

from __future__ import annotations

import struct
import zlib

_STRING = 7


def message(kind: str, payload: bytes, *, exception: bool = False) -> bytes:
    """One message with its checksums.

    Args:
        kind: the type of the event or exception.
        payload: its JSON.
        exception: whether it is an exception instead of an event.
    """
    word = "exception" if exception else "event"
    headers = b"".join(
        _header(name, value)
        for name, value in ((f":{word}-type", kind), (":content-type", "application/json"), (":message-type", word))
    )
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    checked = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return checked + struct.pack(">I", zlib.crc32(checked))


def _header(name: str, value: str) -> bytes:
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _STRING, len(value)) + value.encode()
