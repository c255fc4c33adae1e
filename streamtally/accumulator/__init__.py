"""Chunks to records: order, repetition, gaps, lifetime, and one fold for all stream types."""

from .accumulator import Accumulator
from .failure import failure_fields, is_timeout
from .handle import StreamHandle
from .request_info import Keep, RequestInfo
from .wrapped import WrappedStream
from .wrapped_streams import OnEnd, OnRecord, WrappedStreams

__all__ = [
    "Accumulator",
    "Keep",
    "OnEnd",
    "OnRecord",
    "RequestInfo",
    "StreamHandle",
    "WrappedStream",
    "WrappedStreams",
    "failure_fields",
    "is_timeout",
]
