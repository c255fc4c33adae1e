"""Wrap any stream of LLM chunks, and get one truthful record of it: what came, how fast, how many tokens, for how much.

with streamtally.wrap(lambda: client.chat.completions.create(..., stream=True)) as stream:
    for chunk in stream:
        ...
stream.record
"""

from .accumulator import Accumulator
from .chunks import Chunk
from .context import context
from .dialects import Dialect, register_dialect
from .errors import (
    CatalogError,
    DuplicateRequest,
    FramingError,
    MergeError,
    MissingExtra,
    ProviderError,
    StreamError,
    StreamtallyError,
    StreamTruncated,
    UnknownDialect,
    UnknownRequest,
)
from .limits import Limits
from .records import (
    Audio,
    Choice,
    Cost,
    ErrorDetails,
    Image,
    Outcome,
    StreamRecord,
    StreamType,
    Timing,
    ToolCall,
    Transcript,
    Usage,
)
from .tally import Tally, acollect, collect, configure, replay, to_response, wrap

__all__ = [
    "Accumulator",
    "Audio",
    "CatalogError",
    "Choice",
    "Chunk",
    "Cost",
    "Dialect",
    "DuplicateRequest",
    "ErrorDetails",
    "FramingError",
    "Image",
    "Limits",
    "MergeError",
    "MissingExtra",
    "Outcome",
    "ProviderError",
    "StreamError",
    "StreamRecord",
    "StreamTruncated",
    "StreamType",
    "StreamtallyError",
    "Tally",
    "Timing",
    "ToolCall",
    "Transcript",
    "UnknownDialect",
    "UnknownRequest",
    "Usage",
    "acollect",
    "collect",
    "configure",
    "context",
    "register_dialect",
    "replay",
    "to_response",
    "wrap",
]
