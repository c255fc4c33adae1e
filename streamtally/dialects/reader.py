"""From what a stream hands out to chunks: bytes → events → payloads → `Chunk`, one way, for every kind of payload.

Whatever is wrong with a payload becomes a chunk that says so. Nothing is raised, and nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..chunks import Chunk, chunk_of_error
from ..errors import FramingError
from ..framing import DONE, Done, LineDecoder, Malformed, ServerSentEvent, SSEDecoder, payloads
from ..jsonish import deep_fields
from .base import Dialect
from .plain import OPAQUE
from .registry import detected

_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b"\xef\xbb\xbf")
_COMMENT_OR_JSON = (b":", b"{", b"[")
_HEAD = 64
_BLANK = 4096
_HELD = 1 << 20
"""How long, in characters, a body of several lines may be that is one JSON text."""
_END = Chunk(terminal=True)


class Reader:
    """Reads the payloads of one stream in one dialect; without a dialect the first payload that tells decides.

    A payload may be an SDK's object, a mapping, a `Chunk`, JSON text, `"[DONE]"`, the text of server-sent events, or bytes
    as they were read, in pieces of any size.

    Attributes:
        dialect: the dialect, None as long as it is not known.
        tail: what the end of the bytes cut short.
    """

    __slots__ = ("_decoder", "_held", "_is_raw", "_room", "_waiting", "dialect", "tail")

    def __init__(self, dialect: Dialect | None = None) -> None:
        self.dialect = dialect
        self.tail = ""
        self._decoder: SSEDecoder | LineDecoder | None = None
        self._is_raw = False
        self._waiting = b""
        self._held: list[str] | None = None
        self._room = _HELD

    def read(self, payload: Any) -> Iterable[Chunk]:
        """The chunks of one payload: mostly one; none or several for bytes, which know no borders."""
        try:
            if isinstance(payload, bytes | bytearray | memoryview):
                return list(self._read_bytes(bytes(payload)))
            if isinstance(payload, str):
                return list(self._read_text(payload))
            return (self._chunk(payload),)
        except FramingError as error:
            return (chunk_of_error("framing_error", str(error)),)

    def read_whole(self, payload: Any) -> Iterable[Chunk]:
        """The chunks of a payload that is complete in itself: its bytes neither continue others nor wait for more."""
        if not isinstance(payload, bytes | bytearray | memoryview):
            return self.read(payload)
        reader = Reader(self.dialect)
        chunks = [*reader.read(payload), *reader.end()]
        self.dialect = self.dialect or reader.dialect
        return chunks

    def end(self) -> Iterable[Chunk]:
        """The chunks that the end of the bytes completes. Half an event stays in `tail`."""
        chunks = list(self._read_bytes(b"", last=True)) if self._waiting else []
        if self._decoder is not None:
            chunks += self._rest(self._decoder.flush())
        return chunks

    def _rest(self, last: Sequence[ServerSentEvent | str]) -> Iterator[Chunk]:
        """The chunks of the lines that wait, as one JSON text if they are one, and of the last frame, if it is whole."""
        assert self._decoder is not None
        held, self._held = self._held or [], None
        text = "\n".join(map(str, [*held, *last])) if held else ""
        if _is_object(text):
            yield from self._decoded([text])
            return
        yield from self._decoded(held)
        rest = list(self._decoded(last))
        whole = [chunk for chunk in rest if not self._is_malformed(chunk)]
        if not whole or len(whole) < len(rest):
            self.tail = self._decoder.tail
        yield from whole

    @staticmethod
    def _is_malformed(chunk: Chunk) -> bool:
        return chunk.error is not None and chunk.error["type"] == "malformed_payload"

    def _read_bytes(self, data: bytes, *, last: bool = False) -> Iterator[Chunk]:
        self._is_raw = self._is_raw or (self.dialect is not None and self.dialect.framing == "bytes")
        if self._decoder is None and not self._is_raw:
            self._waiting += data
            start = self._waiting.lstrip()
            if not self._is_told(start, last):
                # Sound may begin with bytes that look blank, but keepalives may go on for as long as they like.
                self._waiting = self._waiting if start else self._waiting[:_BLANK]
                return
            data, self._waiting = self._body(start), b""
        if self._decoder is None:
            yield self._chunk(data)
        else:
            yield from self._decoded(self._unheld(self._decoder.feed(data)))

    def _body(self, start: bytes) -> bytes:
        """The body so far: of sound each byte counts, of text nothing blank before its `start`."""
        return self._waiting if self._decoder is None else start

    def _unheld(self, frames: Sequence[ServerSentEvent | str]) -> Sequence[ServerSentEvent | str]:
        """The frames that are ripe: lines wait until one is JSON by itself, for together they may be one JSON text."""
        if self._held is None:
            return frames
        lines = list(map(str, frames))
        self._held += lines
        self._room -= sum(map(len, lines)) + len(lines)
        if self._room > 0 and not any(map(_is_object, lines)):
            return ()
        held, self._held = self._held, None
        return held

    def _is_told(self, start: bytes, last: bool) -> bool:
        """Decide, once and from the start of the body, how it is framed; False as long as that needs more of it."""
        if not start:
            return False
        if self.dialect is None or self.dialect.framing == "sse or bytes":
            is_text = _is_text(start, last)
            if is_text is None:
                return False
            self._is_raw = not is_text
        if not self._is_raw:
            self._decoder = LineDecoder() if start.startswith((b"{", b"[")) else SSEDecoder()
            self._held = [] if start.startswith(b"{") else None
        return True

    def _decoded(self, frames: Iterable[ServerSentEvent | str]) -> Iterator[Chunk]:
        for frame in frames:
            name, data = (None, frame) if isinstance(frame, str) else (frame.event, frame.data)
            for payload in payloads(data):
                yield self._chunk(_as_error(payload) if name == "error" else payload)

    def _read_text(self, text: str) -> Iterator[Chunk]:
        if self.dialect is None and not text.lstrip().startswith(("{", "[DONE]", "data:", "event:")):
            self.dialect = detected(text)
        if self.dialect is not None and self.dialect.framing == "text":
            yield self._chunk(text)
        elif text.lstrip().startswith(("data:", "event:", "id:", "retry:", ":")):
            decoder = SSEDecoder()
            yield from self._decoded(decoder.feed(text.encode("utf-8", "surrogatepass")))
            yield from self._decoded(decoder.flush())
        else:
            yield from map(self._chunk, payloads(text))

    def _chunk(self, payload: Any) -> Chunk:
        """The chunk of one whole payload."""
        if isinstance(payload, Chunk):
            return payload
        if isinstance(payload, Done):
            return _END
        if isinstance(payload, Malformed):
            return chunk_of_error("malformed_payload", payload.reason, body=payload.text[:4096])
        try:
            return self._of_dialect(payload)
        except Exception as error:  # a payload may be anything, and none of it may reach the caller
            return chunk_of_error("malformed_payload", f"{type(error).__name__}: {error}", body=repr(payload)[:4096])

    def _of_dialect(self, payload: Any) -> Chunk:
        if isinstance(payload, str | bytes):
            dialect = self.dialect = self.dialect or detected(payload)
            return dialect.chunk(payload)
        fields = payload if isinstance(payload, Mapping) else deep_fields(payload)
        if fields is None:
            return chunk_of_error("malformed_payload", f"a {type(payload).__name__} is no chunk", body=repr(payload)[:4096])
        if self.dialect is None:
            found = detected(fields)
            if found is OPAQUE:
                return found.chunk(fields)
            self.dialect = found
        return self.dialect.chunk(fields)


def _is_text(start: bytes, last: bool) -> bool | None:
    """Whether a body that begins so is text in frames, and not sound; None where that needs more of it.

    Sound may begin with any byte, so what only looks like a comment or like JSON must go on without control characters.
    """
    if start.startswith(_FIELDS):
        return True
    if not last and any(field.startswith(start) for field in _FIELDS):
        return None
    if not start.startswith(_COMMENT_OR_JSON):
        return False
    if any(byte < 9 or 13 < byte < 32 for byte in start[:_HEAD]):
        return False
    return True if last or len(start) >= _HEAD or b"\n" in start else None


def _is_object(text: str) -> bool:
    """Whether a text is one or several JSON objects."""
    return any(isinstance(payload, Mapping | Done) for payload in payloads(text))


def _as_error(payload: Any) -> Any:
    """What an event named `error` holds, in the form in which all dialects know an error."""
    if isinstance(payload, Malformed):
        return {"error": payload.text}
    if isinstance(payload, Mapping) and (payload.get("error") or payload.get("type") == "error"):
        return payload
    return {"error": payload}


__all__ = ["DONE", "Reader"]
