"""Chunks to records: order, repetition, gaps, lifetime, and one fold for all stream types."""

from .accumulator import Accumulator, OnEnd, OnRecord
from .failure import failure_fields, is_timeout
from .handle import StreamHandle
from .state import Keep, RequestInfo
from .wrapped import WrappedStream

__all__ = [
    "Accumulator",
    "Keep",
    "OnEnd",
    "OnRecord",
    "RequestInfo",
    "StreamHandle",
    "WrappedStream",
    "failure_fields",
    "is_timeout",
]
