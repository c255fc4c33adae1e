"""Decoder of server-sent events by the WHATWG standard (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

from typing import NamedTuple

from .splitter import MAX_FRAME, Splitter

_CR = 13
_MAX_RETRY_DIGITS = 18
_new = tuple.__new__  # half the cost of the NamedTuple constructor


class ServerSentEvent(NamedTuple):
    """One event of the stream.

    `event` is its name, or None. `data` is the joined data lines. `id` is the last event ID that the stream has stated so far.
    `retry` is the reconnection time in milliseconds if this event sets it. `complete` is False for an event that the end of the
    stream cut.
    """

    event: str | None
    data: str
    id: str | None = None
    retry: int | None = None
    complete: bool = True


class SSEDecoder:
    """Decodes the bytes of an SSE stream to events; `feed` bytes, then `flush`.

    Lines end with LF, CRLF or CR. Invalid UTF-8 becomes U+FFFD. Fields that the standard does not define are ignored; a JSON
    object without the name of a field is data. The result does not depend on how the bytes are split, and the work is linear in
    them.

    Args:
        max_frame: the maximum length of an event in bytes.

    Attributes:
        comments: the number of comment lines.
        tail: the text of the incomplete event at the end of the stream, with LF as line end; empty if there is none.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.comments = 0
        self.tail = ""
        self._frames = Splitter(b"\n\n", max_frame)
        self._after_cr = False
        self._at_start = True
        self._last_id: str | None = None

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """The events that `data` completes.

        Raises:
            FramingError: an event is longer than `max_frame`; `frame` has its start. Events before it are returned first.
        """
        if self._after_cr or _CR in data:
            data = self._with_line_feeds(data)
        block = self._frames.push(data)
        if block is None:
            return []
        text = self._text(block)
        # Fast path for the usual read of a live stream: one event with one line of data.
        if "\n" not in text and text.startswith("data: "):
            return [_new(ServerSentEvent, (None, text[6:], self._last_id, None, True))]
        return self._events(text)

    def flush(self) -> list[ServerSentEvent]:
        """End the stream; returns the event that no blank line ended, marked as not `complete`, if any.

        The standard drops such an event. Here the caller decides, because many recordings and some servers only omit the last
        blank line. Raises as `feed` does.
        """
        frame = self._text(self._frames.rest()).lstrip("\n")  # blank lines before the event depend on the split
        if any(line and not line.startswith(":") for line in frame.split("\n")):
            self.tail = frame
        event = self._event(frame)
        return [] if event is None else [event._replace(complete=False)]

    def _with_line_feeds(self, data: bytes) -> bytes:
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        self._after_cr = self._after_cr or data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _text(self, frames: bytes) -> str:
        # Complete lines can be decoded separately: no UTF-8 sequence, valid or not, spans a line end.
        text = frames.decode("utf-8", "replace")
        if self._at_start:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        return text

    def _events(self, frames: str) -> list[ServerSentEvent]:
        events = []
        for frame in frames.split("\n\n"):
            if frame.startswith("data: ") and "\n" not in frame:
                events.append(_new(ServerSentEvent, (None, frame[6:], self._last_id, None, True)))
            elif event := self._event(frame):
                events.append(event)
        return events

    def _event(self, frame: str) -> ServerSentEvent | None:
        data: list[str] = []
        name = retry = None
        for line in frame.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                name = value or None
            elif field == "id" and "\0" not in value:
                self._last_id = value
            elif field == "retry" and value.isascii() and value.isdigit() and len(value) <= _MAX_RETRY_DIGITS:
                retry = int(value)
            elif line and not field:
                self.comments += 1
        if not data and _is_object(frame):
            data.append(frame)
        return ServerSentEvent(name, "\n".join(data), self._last_id, retry) if data else None


def _is_object(frame: str) -> bool:
    """Whether a frame is a JSON object by itself, as some servers put an error between events (and Google's SDK reads it)."""
    text = frame.strip()
    return text.startswith("{") and text.endswith("}")
