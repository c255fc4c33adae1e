"""Bytes to events: push decoders without a clock, I/O, a lock or a thread.

Each decoder has `feed(data)` and `flush()`, which return lists, and `tail`, what the end of the stream left unfinished.
"""

from .ndjson import LineDecoder
from .payloads import DONE, Done, Malformed, Payload, payloads
from .splitter import MAX_FRAME
from .sse import ServerSentEvent, SSEDecoder

__all__ = [
    "DONE",
    "MAX_FRAME",
    "Done",
    "LineDecoder",
    "Malformed",
    "Payload",
    "SSEDecoder",
    "ServerSentEvent",
    "payloads",
]
