"""The vocabulary of results: what a stream was, in frozen models with a lossless JSON round trip.

`None` always means that the provider did not state a value; it never stands for zero.
Times are seconds, wall-clock moments are aware UTC datetimes, money is an exact `Decimal` of US dollars.
"""

from __future__ import annotations

from ..json_values import Json
from .content import Audio, Choice, FinishReason, Image, ToolCall, Transcript
from .cost import Breakdown, Cost, CostLine, CostStatus
from .record import ErrorDetails, Outcome, Part, StreamRecord, StreamType
from .timing import WAIT_BOUNDS, InterChunk, Timing
from .usage import Usage

__all__ = [
    "WAIT_BOUNDS",
    "Audio",
    "Breakdown",
    "Choice",
    "Cost",
    "CostLine",
    "CostStatus",
    "ErrorDetails",
    "FinishReason",
    "Image",
    "InterChunk",
    "Json",
    "Outcome",
    "Part",
    "StreamRecord",
    "StreamType",
    "Timing",
    "ToolCall",
    "Transcript",
    "Usage",
]
