"""Makes chunks of whatever a stream yields: bytes → frames → payloads → `Chunk`, one way for every kind of payload.

A payload that cannot be read becomes a chunk with an error. Nothing is raised, and nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ..chunks import Chunk, chunk_of_error
from ..errors import FramingError
from ..framing import Done, Framing, Malformed, Payload, SSEDecoder, detect_framing, payloads
from ..json_values import deep_fields
from .base import Dialect
from .frames import FRAMES, Decoder, of_event
from .plain import OPAQUE
from .registry import detected, dialect_named, load_dialects

_BLANK = 4096
_END = Chunk(terminal=True)


class Origin(NamedTuple):
    """The provider and the name of the dialect, as far as the class of a payload determines them."""

    provider: str | None = None
    dialect: str | None = None


_UNKNOWN = Origin()


def _unknown_origin(payload: Any) -> Origin:  # noqa: ARG001 - the signature of `origin_of`
    return _UNKNOWN


class PayloadReader:
    """Reads the payloads of one stream in one dialect; without one the first payload that a dialect recognises decides.

    A payload may be an SDK's object, a mapping, a `Chunk`, JSON text, `"[DONE]"`, the text of server-sent events, or bytes
    in pieces of any size.

    Attributes:
        dialect: the dialect; None as long as it is not known.
        tail: the incomplete last frame of a body that was cut short.
        origin: the origin of the first payload; None before that.

    Args:
        dialect: the dialect of all payloads, if it is known.
        origin_of: determines the origin of a payload; called until the dialect is known.
    """

    __slots__ = ("_broken", "_decoder", "_origin_of", "_payloads_of", "_waiting", "dialect", "origin", "tail")

    def __init__(self, dialect: Dialect | None = None, *, origin_of: Callable[[Any], Origin] = _unknown_origin) -> None:
        if dialect is None:
            load_dialects()
        self.dialect = dialect
        self.tail = ""
        self.origin: Origin | None = None
        self._origin_of = origin_of
        self._decoder: Decoder | None = None
        self._payloads_of: Callable[[Any], list[Payload]] = payloads
        self._waiting = b""
        self._broken = False

    def read(self, payload: Any) -> Iterable[Chunk]:
        """The chunks of one payload: one, except for bytes and text, which may have part of a payload or several."""
        if isinstance(payload, bytes | bytearray | memoryview):
            return self._read_bytes(bytes(payload))
        if isinstance(payload, str):
            return self._read_text(payload)
        return (self._chunk(payload),)

    def read_whole(self, payload: Any) -> Iterable[Chunk]:
        """The chunks of a payload that is complete: its bytes do not continue earlier ones, and are not continued."""
        if not isinstance(payload, bytes | bytearray | memoryview):
            return self.read(payload)
        reader = PayloadReader(self.dialect)
        chunks = [*reader.read(payload), *reader.end()]
        self.dialect = self.dialect or reader.dialect
        return chunks

    def end(self) -> Iterable[Chunk]:
        """The chunks that are complete at the end of the bytes. An incomplete frame stays in `tail`."""
        chunks = self._read_bytes(None)
        try:
            return [*chunks, *self._rest()]
        except FramingError as error:
            return [*chunks, *self._framing_error(error)]

    def _read_bytes(self, data: bytes | None) -> list[Chunk]:
        """The chunks that these bytes complete; None at the end of the bytes."""
        if self._decoder is None:
            data = self._start_of_body(data)
        try:
            return [] if self._decoder is None or not data else self._decoded(self._decoder.feed(data))
        except FramingError as error:
            return self._framing_error(error)

    def _framing_error(self, error: FramingError) -> list[Chunk]:
        """The chunk of a framing error, once: nothing can be read after it."""
        known, self._broken = self._broken, True
        return [] if known else [chunk_of_error("framing_error", str(error))]

    def _start_of_body(self, data: bytes | None) -> bytes:
        """Detects the framing: returns the beginning of the body once it is detected, empty before that."""
        self._waiting += data or b""
        framing = self._framing(last=data is None)
        if framing is None:
            # Audio may begin with bytes that are blanks, but a stream may send blanks to keep alive without limit.
            self._waiting = self._waiting if self._waiting.strip() else self._waiting[:_BLANK]
            return b""
        frames = FRAMES[framing]
        self._decoder, self._payloads_of = frames.decoder(), frames.payloads
        body, self._waiting = self._waiting, b""
        return body if framing in ("text", "bytes") else body.lstrip()

    def _framing(self, *, last: bool) -> Framing | None:
        wanted = None if self.dialect is None else self.dialect.framing
        if wanted == "text" or wanted == "bytes":
            return wanted
        found = detect_framing(self._waiting, last=last, frames_only=wanted == "events")
        # If only events or audio are possible, text is a body of events without any: an unparsed rest.
        return "sse" if found == "text" and wanted else found

    def _rest(self) -> list[Chunk]:
        """The chunks of the last frame, if it is complete."""
        if self._decoder is None:
            return []
        rest = self._decoded(self._decoder.flush())
        whole = [chunk for chunk in rest if chunk.error is None or chunk.error["type"] != "malformed_payload"]
        if not whole or len(whole) < len(rest):
            self.tail = self._decoder.tail
        return whole

    def _decoded(self, frames: Iterable[Any]) -> list[Chunk]:
        return [self._chunk(payload) for frame in frames for payload in self._payloads_of(frame)]

    def _read_text(self, text: str) -> list[Chunk]:
        start = text.lstrip()
        if self.dialect is None and not start.startswith(("{", "[DONE]", "data:", "event:")):
            self.dialect = detected(text)
        if self.dialect is not None and self.dialect.framing == "text":
            return [self._chunk(text)]
        if not start.startswith(("data:", "event:", "id:", "retry:", ":")):
            return [*map(self._chunk, payloads(text))]
        decoder = SSEDecoder()
        events = [*decoder.feed(text.encode("utf-8", "surrogatepass")), *decoder.flush()]
        return [self._chunk(payload) for event in events for payload in of_event(event)]

    def _chunk(self, payload: Any) -> Chunk:
        """The chunk of one complete payload."""
        if isinstance(payload, Chunk):
            return payload
        if isinstance(payload, Done):
            return _END
        if isinstance(payload, Malformed):
            return chunk_of_error("malformed_payload", payload.reason, body=payload.text[:4096])
        try:
            return self._of_dialect(payload)
        except Exception as error:  # a payload may be any object, and no fault may reach the caller
            return chunk_of_error("malformed_payload", f"{type(error).__name__}: {error}", body=repr(payload)[:4096])

    def _of_dialect(self, payload: Any) -> Chunk:
        if isinstance(payload, str | bytes):
            dialect = self.dialect = self.dialect or detected(payload)
            return dialect.chunk(payload)
        fields = payload if isinstance(payload, Mapping) else deep_fields(payload)
        if fields is None:
            return chunk_of_error("malformed_payload", f"a {type(payload).__name__} is no chunk", body=repr(payload)[:4096])
        if self.dialect is None or self.origin is None:
            self._recognise(payload, fields)
        return (self.dialect or OPAQUE).chunk(fields)

    def _recognise(self, payload: Any, fields: Mapping[str, Any]) -> None:
        """Set the origin, and the dialect if this payload determines it."""
        origin = self._origin_of(payload)
        self.origin = self.origin or origin
        if self.dialect is None:
            found = detected(fields) if origin.dialect is None else dialect_named(origin.dialect)
            self.dialect = None if found is OPAQUE else found
