"""The deepgram-sdk: messages of live transcription; its speech is bytes.

Source: https://github.com/deepgram/deepgram-python-sdk
"""

from __future__ import annotations

from ..dialects import deepgram
from .base import Row, Source

_MESSAGE = Row(deepgram.DIALECT.name)
_NAMES = (
    "ListenV1Results",
    "ListenV1Metadata",
    "ListenV1UtteranceEnd",
    "ListenV1SpeechStarted",
    "ListenV1Error",
    "ListenV2Connected",
    "ListenV2TurnInfo",
    "ListenV2Warning",
    "ListenV2FatalError",
)

SOURCE = Source("deepgram", provider="deepgram", rows=dict.fromkeys(_NAMES, _MESSAGE))
