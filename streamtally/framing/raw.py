"""Bodies that have no frames: text and sound, handed out as they come."""

from __future__ import annotations

import codecs


class BytesDecoder:
    """Hands out the bytes as they are; the form of a decoder, for a body that needs none."""

    tail = ""

    def feed(self, data: bytes) -> list[bytes]:
        """The bytes themselves."""
        return [data] if data else []

    def flush(self) -> list[bytes]:
        """Nothing: nothing waits."""
        return []


class TextDecoder:
    """Turns UTF-8 into text, whatever the bytes were split at; bytes that are no UTF-8 become U+FFFD."""

    tail = ""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> list[str]:
        """The text that `data` completes."""
        text = self._decoder.decode(data)
        return [text] if text else []

    def flush(self) -> list[str]:
        """At the end of the stream: what stands for half a character."""
        text = self._decoder.decode(b"", final=True)
        return [text] if text else []
