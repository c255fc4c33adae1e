"""Push decoders from bytes to events, without clock, I/O, locks or threads.

Each decoder has `feed(data)` and `flush()`, which return lists, and `tail`, the incomplete rest at the end of the stream.
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
