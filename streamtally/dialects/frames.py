"""Frames → payloads, for every framing, in the shapes that the providers' SDKs return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ..framing import (
    BytesDecoder,
    EventStreamDecoder,
    EventStreamMessage,
    Framing,
    JSONTextDecoder,
    Malformed,
    Payload,
    ServerSentEvent,
    SSEDecoder,
    TextDecoder,
    payloads,
)


class Decoder(Protocol):
    """The interface of all decoders of `framing`."""

    tail: str

    def feed(self, data: bytes) -> Sequence[Any]:
        """The frames that `data` completes."""

    def flush(self) -> Sequence[Any]:
        """The frames that are complete at the end of the body."""


class Frames(NamedTuple):
    """How the bytes of one framing are read: the decoder that makes frames, and the payloads of a frame."""

    decoder: Callable[[], Decoder]
    payloads: Callable[[Any], list[Payload]]


def of_event(event: ServerSentEvent) -> list[Payload]:
    """The payloads of a server-sent event; the event's name is the `type` of payloads without one, as some servers send them."""
    found = payloads(event.data)
    if event.event is None or event.event == "message":
        return found
    if event.event == "error":
        return [*map(_as_error, found)]
    return [{"type": event.event, **one} if isinstance(one, dict) and "type" not in one else one for one in found]


def of_message(message: EventStreamMessage) -> list[Payload]:
    """The payload of a message of an AWS event stream, in the form of boto3: under the name of the event or exception.

    Source: https://smithy.io/2.0/aws/amazon-eventstream.html
    """
    headers = message.headers
    if headers.get(":message-type") == "error":
        return [{"error": {"code": headers.get(":error-code"), "message": headers.get(":error-message")}}]
    name = headers.get(":exception-type") or headers.get(":event-type")
    found = payloads(message.payload.decode("utf-8", "replace")) or [{}]
    return [one if name is None or isinstance(one, Malformed) else {str(name): one} for one in found]


def _as_error(payload: Payload) -> Payload:
    """The payload of an event named `error`, in the form that all dialects read as an error: under the key `error`."""
    if isinstance(payload, Malformed):
        return {"error": payload.text}
    if isinstance(payload, Mapping) and (payload.get("error") or payload.get("type") == "error"):
        return payload
    return {"error": payload}


def _itself(frame: Any) -> list[Payload]:
    return [frame]


FRAMES: Mapping[Framing, Frames] = {
    "event stream": Frames(EventStreamDecoder, of_message),
    "sse": Frames(SSEDecoder, of_event),
    "json": Frames(JSONTextDecoder, payloads),
    "text": Frames(TextDecoder, _itself),
    "bytes": Frames(BytesDecoder, _itself),
}
