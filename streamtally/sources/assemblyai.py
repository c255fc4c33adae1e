"""The assemblyai SDK: events of live transcription, which it gives to callbacks.

Source: https://www.assemblyai.com/docs/api-reference/streaming-api/streaming-api
"""

from __future__ import annotations

from ..dialects import assemblyai
from .base import Row, Source

_EVENT = Row(assemblyai.DIALECT.name)
_NAMES = (
    "BeginEvent",
    "TurnEvent",
    "TerminationEvent",
    "SpeechStartedEvent",
    "SpeakerRevisionEvent",
    "WarningEvent",
    "HeartbeatEvent",
    "SilenceEvent",
    "ErrorEvent",
)

SOURCE = Source("assemblyai", provider="assemblyai", rows=dict.fromkeys(_NAMES, _EVENT))
