"""assemblyai: live transcription, whose events it gives to callbacks; they are added to a keyed stream."""

from __future__ import annotations

import json
from threading import Event
from typing import Any

from ..case import Case, Far, Reply, Row, Truth


def _live(far: Far) -> None:
    from assemblyai.streaming.v3 import StreamingClient, StreamingClientOptions, StreamingEvents, StreamingParameters

    ended = Event()
    far.tally.open("live")

    def add(_: Any, event: Any) -> None:
        if (record := far.tally.add("live", event)) is not None:
            far.take(record)
            ended.set()

    client = StreamingClient(StreamingClientOptions(api_key="none", api_host=far.url.replace("http", "ws", 1)))
    for kind in (StreamingEvents.Begin, StreamingEvents.Turn, StreamingEvents.Termination):
        client.on(kind, add)
    client.connect(StreamingParameters(sample_rate=16000, format_turns=True))
    client.stream(b"\x00\x00" * 800)
    ended.wait(30)
    client.disconnect()


def _turn(order: int, text: str, *, ended: bool = False, formatted: bool = False) -> dict[str, Any]:
    words = [{"text": word, "start": 0, "end": 1, "confidence": 0.9, "word_is_final": ended} for word in text.split()]
    state = {"turn_order": order, "end_of_turn": ended, "turn_is_formatted": formatted, "end_of_turn_confidence": 0.5}
    return {"type": "Turn", "transcript": text, "words": words, **state}


_MESSAGES = [
    {"type": "Begin", "id": "s-1", "expires_at": "2026-01-01T00:00:00Z"},
    _turn(0, "bring"),
    _turn(0, "bring a coat", ended=True),
    _turn(0, "Bring a coat.", ended=True, formatted=True),
    _turn(1, "it rains", ended=True),
    _turn(1, "It rains.", ended=True, formatted=True),
    {"type": "Termination", "audio_duration_seconds": 4, "session_duration_seconds": 6},
]

ROW = Row(
    "assemblyai",
    "1.8.2",
    (
        Case(
            "live",
            _live,
            {"/v3/ws": Reply(socket=[json.dumps(message) for message in _MESSAGES])},
            Truth("assemblyai", "Bring a coat. It rains.", finish_reason=None, usage={"seconds": 4.0}),
        ),
    ),
)
