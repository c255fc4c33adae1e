"""Small audio and image files that real players and viewers accept."""

from __future__ import annotations

import struct
import zlib

_MP3_FRAME = b"\xff\xfb\x90\x64" + bytes(413)


def silence(frames: int = 8) -> bytes:
    """An MP3 file of silence: MPEG-1 layer III frames of 26 ms and 417 bytes each (ISO/IEC 11172-3, 2.4.1)."""
    return _MP3_FRAME * frames


def png(width: int = 2, height: int = 2, *, grey: int = 128) -> bytes:
    """A PNG image of one shade of grey, 0 to 255 (PNG specification, 11.2)."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([grey]) * width) * height
    chunks = _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", zlib.compress(rows)) + _png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
