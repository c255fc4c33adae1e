"""Reads a response body to chunks, without I/O; shared by the sync and the async transport."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..chunks import AudioDelta, Chunk
from ..dialects import Dialect, PayloadReader
from ..dialects.openai_common import error_fields
from ..errors import RETRYABLE_STATUS, ProviderError
from ..records import ErrorDetails

_MAX_ERROR_TEXT = 4096
_TEXT_STARTS = (b"data:", b"event:", b":", b"{")


class Body:
    """Reads the bytes of one response to chunks, up to the terminal chunk or the end of the body.

    Args:
        dialect: the dialect of the response.
        media_type: its content type, which distinguishes events from raw audio.

    Attributes:
        ready: the chunks to return next.
        ended: whether no further chunks follow them.
        complete: whether the stream's end marker was read, without an error before it.
        failed: whether there was an error inside the stream; chunks after it, such as usage, still count.
        failure: the exception that broke the transport, to be raised after the chunks.
    """

    def __init__(self, dialect: Dialect, media_type: str = "") -> None:
        self.ready: deque[Chunk] = deque()
        self.ended = False
        self.complete = False
        self.failed = False
        self.failure: Exception | None = None
        self._may_be_audio = "bytes" in dialect.framing
        self._reader = PayloadReader(replace(dialect, framing="events") if self._may_be_audio else dialect)
        self._media_type = media_type.partition(";")[0].strip().lower()
        self._is_audio: bool | None = None
        self._audio_fields = {"mime_type": self._media_type} if self._media_type.startswith("audio/") else None

    @property
    def needs_data(self) -> bool:
        """Whether more bytes are needed for the next chunk."""
        return not self.ready and not self.ended

    def feed(self, data: bytes | None) -> None:
        """Read the bytes of one network read, or None at the end of the body."""
        if data is None:
            if self._is_audio:
                self._add((Chunk(terminal=True),))
            self._end()
            return
        if self._is_audio is None:
            self._is_audio = self._detect_audio(data.lstrip())
        if self._is_audio:
            self._add((Chunk((AudioDelta(data, fields=self._audio_fields),)),))
            self._audio_fields = None
        else:
            self._add(self._reader.read(data))

    def fail(self, error: Exception) -> None:
        """End the body after a transport failure: complete chunks still count, and the incomplete rest is kept."""
        self._end()
        self.failure = None if self.complete or self.failed else error

    def _detect_audio(self, start: bytes) -> bool:
        """Whether a body is raw audio, by its media type, or without one by its first bytes."""
        is_text = self._media_type.startswith("text/") or self._media_type.endswith("json")
        return self._may_be_audio and not is_text and (bool(self._media_type) or not start.startswith(_TEXT_STARTS))

    def _add(self, chunks: Iterable[Chunk]) -> None:
        for chunk in chunks:
            self.ready.append(chunk)
            self.failed = self.failed or chunk.error is not None
            is_unreadable = chunk.error is not None and chunk.error.get("type") == "framing_error"
            if chunk.terminal or is_unreadable:
                self.ended = True
                self.complete = not self.failed
                return

    def _end(self) -> None:
        self._add(self._reader.end())
        if self._reader.tail and not self.ended:
            self.ready.append(Chunk(extras={"tail": self._reader.tail}))
        self.ended = True


def refusal(status: int, reason: str, content: bytes, headers: Mapping[str, str]) -> Chunk:
    """The error chunk of a response without a stream; its `extras` have the headers for retries and support requests.

    >>> refusal(429, "Too Many Requests", b'{"error": {"message": "Slow down.", "type": "rate_limit"}}', {}).error["message"]
    'Slow down.'
    """
    payload = _first(_parsed(content))
    text = content.decode("utf-8", "replace").strip()[:_MAX_ERROR_TEXT]
    details = error_fields(payload.get("error") or payload if isinstance(payload, Mapping) else payload)
    details["type"] = details["type"] or "provider_error"
    plain = None if not text or text.startswith("<") else text
    details["message"] = details["message"] or plain or f"HTTP {status} {reason}".strip()
    details["body"] = details["body"] or text or None
    kept = {name: headers[name] for name in ("retry-after", "x-request-id") if name in headers}
    return Chunk(error={**details, "status": status, "retryable": status in RETRYABLE_STATUS}, extras=kept)


def error_of(details: ErrorDetails) -> ProviderError:
    """The exception for these error details."""
    return ProviderError(details.message or details.type, status=details.status, type=details.type)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _first(payload: Any) -> Any:
    """The payload, or the first item of a list, in which some servers wrap their error."""
    return next(iter(payload), None) if isinstance(payload, list) else payload
