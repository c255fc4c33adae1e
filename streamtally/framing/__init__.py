"""Bytes to events: push decoders without a clock, I/O, a lock or a thread.

Each decoder has `feed(data)` and `flush()`, which return lists, and `tail`, what the end of the stream left unfinished.
"""

from .detect import Framing, detect_framing
from .eventstream import EventStreamDecoder, EventStreamMessage
from .jsontexts import JSONTextDecoder
from .payloads import DONE, Done, Malformed, Payload, payloads
from .raw import BytesDecoder, TextDecoder
from .splitter import MAX_FRAME
from .sse import ServerSentEvent, SSEDecoder

__all__ = [
    "DONE",
    "MAX_FRAME",
    "BytesDecoder",
    "Done",
    "EventStreamDecoder",
    "EventStreamMessage",
    "Framing",
    "JSONTextDecoder",
    "Malformed",
    "Payload",
    "SSEDecoder",
    "ServerSentEvent",
    "TextDecoder",
    "detect_framing",
    "payloads",
]
