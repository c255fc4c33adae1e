"""Decoders of bodies without frames: text and binary audio."""

from __future__ import annotations

import codecs


class BytesDecoder:
    """Returns the bytes unchanged; has the interface of a decoder."""

    tail = ""

    def feed(self, data: bytes) -> list[bytes]:
        """The bytes themselves."""
        return [data] if data else []

    def flush(self) -> list[bytes]:
        """Always empty, because nothing is buffered."""
        return []


class TextDecoder:
    """Decodes UTF-8 text, however the bytes are split; invalid UTF-8 becomes U+FFFD."""

    tail = ""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> list[str]:
        """The text that `data` completes."""
        text = self._decoder.decode(data)
        return [text] if text else []

    def flush(self) -> list[str]:
        """End the stream; returns U+FFFD for an incomplete character, if any."""
        text = self._decoder.decode(b"", final=True)
        return [text] if text else []
