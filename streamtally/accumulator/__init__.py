"""Chunks to records: order, repetition, gaps, lifetime, and one fold for all stream types."""

from .accumulator import Accumulator, OnEnd, OnRecord
from .failure import failure_fields, is_timeout
from .handle import StreamHandle
from .state import About, Keep
from .wrapped import WrappedStream

__all__ = ["About", "Accumulator", "Keep", "OnEnd", "OnRecord", "StreamHandle", "WrappedStream", "failure_fields", "is_timeout"]
