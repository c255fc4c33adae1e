"""From a response to chunks, without I/O: what the sync and the async transport share."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from ..chunks import AudioDelta, Chunk, chunk_of_error
from ..dialects import Dialect, PayloadReader
from ..dialects.openai_common import error_fields
from ..errors import RETRYABLE_STATUS, ProviderError
from ..framing import MAX_FRAME
from ..records import ErrorDetails

Kind: TypeAlias = Literal["frames", "sound", "whole"]

_SHOWN = 4096
_JSON = "application/json"
_EVENTS = (b"data:", b"event:", b":", b"{")


class Body:
    """Turns the bytes of one answer into chunks, and knows where they end: at the terminal one, or with the body.

    Args:
        dialect: what the answer should speak.
        media_type: what its headers say that it is; a server may not stream, or send sound as it is.

    Attributes:
        ready: chunks to hand out.
        ended: whether none follows them.
        complete: whether the stream's own end marker was seen, and no error before it.
        failed: whether an error came inside the stream; what the provider says after it, such as the usage, still counts.
        failure: what broke the transport, to be raised after the chunks.
    """

    def __init__(self, dialect: Dialect, media_type: str = "") -> None:
        self.ready: deque[Chunk] = deque()
        self.ended = False
        self.complete = False
        self.failed = False
        self.failure: Exception | None = None
        self._may_be_sound = "bytes" in dialect.framing
        self._reader = PayloadReader(replace(dialect, framing="events") if self._may_be_sound else dialect)
        self._media_type = media_type.partition(";")[0].strip().lower()
        self._kind: Kind | None = None
        self._described = {"mime_type": self._media_type} if self._media_type.startswith("audio/") else None
        self._held = bytearray()

    @property
    def hungry(self) -> bool:
        """Whether it takes more bytes to say what comes next."""
        return not self.ready and not self.ended

    def feed(self, data: bytes | None) -> None:
        """Take what was read; None at the end of the body."""
        if data is None:
            if self._kind == "sound":
                self._take((Chunk(terminal=True),))
            self._end()
            return
        self._kind = self._kind or self._kind_of(data.lstrip())
        if self._kind == "sound":
            self._take((Chunk((AudioDelta(data, fields=self._described),)),))
            self._described = None
        elif self._kind == "whole":
            self._hold(data)
        elif self._kind == "frames":
            self._take(self._reader.read(data))

    def broke(self, error: Exception) -> None:
        """The transport failed: what came whole still counts, and what was cut short is kept."""
        self._end()
        self.failure = None if self.complete or self.failed else error

    def _kind_of(self, start: bytes) -> Kind | None:
        """What a body is that begins so; None where nothing of JSON has come yet."""
        if self._media_type == _JSON and (not start or start.startswith((b"{", b"["))):
            return "whole" if start else None
        is_text = self._media_type.startswith("text/") or self._media_type.endswith("json")
        if self._may_be_sound and not is_text and (self._media_type or not start.startswith(_EVENTS)):
            return "sound"
        return "frames"

    def _take(self, chunks: Iterable[Chunk]) -> None:
        for chunk in chunks:
            self.ready.append(chunk)
            self.failed = self.failed or chunk.error is not None
            unreadable = chunk.error is not None and chunk.error.get("type") == "framing_error"
            if chunk.terminal or unreadable:
                self.ended = True
                self.complete = not self.failed
                return

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > MAX_FRAME:
            self._held.clear()
            self._take((chunk_of_error("framing_error", f"a JSON body of more than {MAX_FRAME} bytes"),))

    def _end(self) -> None:
        self._take(self._rest())
        if self._reader.tail and not self.ended:
            self.ready.append(Chunk(extras={"tail": self._reader.tail}))
        self.ended = True

    def _rest(self) -> Iterable[Chunk]:
        """What the end completes: the last frame, or a body that is one JSON value, because the server does not stream."""
        if self._held:
            payload = _loaded(self._held)
            if payload is not None:
                return [chunk for one in _listed(payload) for chunk in self._reader.read(one)]
            yielded = list(self._reader.read(bytes(self._held)))
            return [*yielded, *self._reader.end()]
        return self._reader.end()


def refusal(status: int, reason: str, content: bytes, headers: Mapping[str, str]) -> Chunk:
    """A response that is no stream, as the chunk of its error; `extras` has the headers that help who tries again or asks why.

    >>> refusal(429, "Too Many Requests", b'{"error": {"message": "Slow down.", "type": "rate_limit"}}', {}).error["message"]
    'Slow down.'
    """
    payload = next(iter(_listed(_loaded(content))), None)
    text = content.decode("utf-8", "replace").strip()[:_SHOWN]
    said = payload.get("error") or payload if isinstance(payload, Mapping) else payload
    details = error_fields(said)
    details["type"] = details["type"] or "provider_error"
    plain = None if not text or text.startswith("<") else text
    details["message"] = details["message"] or plain or f"HTTP {status} {reason}".strip()
    details["body"] = details["body"] or text or None
    kept = {name: headers[name] for name in ("retry-after", "x-request-id") if name in headers}
    return Chunk(error={**details, "status": status, "retryable": status in RETRYABLE_STATUS}, extras=kept)


def error_of(details: ErrorDetails) -> ProviderError:
    """The exception that says what the details say."""
    return ProviderError(details.message or details.type, status=details.status, type=details.type)


def _loaded(content: bytes | bytearray) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _listed(payload: Any) -> list[Any]:
    """Some servers put their answer into a list."""
    return payload if isinstance(payload, list) else [payload]
