"""The cartesia SDK: bytes of sound, and events of its streams and sockets.

Source: https://docs.cartesia.ai/api-reference/tts/sse
"""

from __future__ import annotations

from ..dialects import cartesia
from .base import Row, Source

_EVENT = Row(cartesia.DIALECT.name)

SOURCE = Source(
    "cartesia",
    provider="cartesia",
    rows={
        "_TTSSSEEventBase": _EVENT,
        "TTSSSEErrorEvent": _EVENT,
        "VoiceChangerSSEChunk": _EVENT,
        "VoiceChangerSSEDone": _EVENT,
        "VoiceChangerSSEError": _EVENT,
        "cartesia.types.websocket_response.Chunk": _EVENT,
        "cartesia.types.websocket_response.Done": _EVENT,
        "cartesia.types.websocket_response.Error": _EVENT,
        "cartesia.types.websocket_response.Timestamps": _EVENT,
        "cartesia.types.websocket_response.PhonemeTimestamps": _EVENT,
    },
)
