"""What a frame says: frames → payloads, for every framing, in the shapes that the providers' SDKs hand out."""

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
    """What all decoders of `framing` are."""

    tail: str

    def feed(self, data: bytes) -> Sequence[Any]:
        """The frames that `data` completes."""

    def flush(self) -> Sequence[Any]:
        """The frames that the end completes."""


class Frames(NamedTuple):
    """How the bytes of one framing are read: what cuts them, and what a frame says."""

    decoder: Callable[[], Decoder]
    payloads: Callable[[Any], list[Payload]]


def of_event(event: ServerSentEvent) -> list[Payload]:
    """The payloads of a server-sent event; the event's name is their type where they state none, as some servers have it."""
    said = payloads(event.data)
    if event.event is None or event.event == "message":
        return said
    if event.event == "error":
        return [*map(_as_error, said)]
    return [{"type": event.event, **one} if isinstance(one, dict) and "type" not in one else one for one in said]


def of_message(message: EventStreamMessage) -> list[Payload]:
    """The payload of a message of an AWS event stream, as boto3 has it: under the name of the event or of the exception.

    Source: https://smithy.io/2.0/aws/amazon-eventstream.html
    """
    headers = message.headers
    if headers.get(":message-type") == "error":
        return [{"error": {"code": headers.get(":error-code"), "message": headers.get(":error-message")}}]
    name = headers.get(":exception-type") or headers.get(":event-type")
    said = payloads(message.payload.decode("utf-8", "replace")) or [{}]
    return [one if name is None or isinstance(one, Malformed) else {str(name): one} for one in said]


def _as_error(payload: Payload) -> Payload:
    """What an event named `error` holds, in the form in which all dialects know an error."""
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
