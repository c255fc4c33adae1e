"""deepgram-sdk: live transcription over a WebSocket, in both versions, and speech as bytes."""

from __future__ import annotations

import json
from typing import Any

from ..case import Case, Far, Reply, Row, Truth

_AUDIO = (b"ID3\x04" + bytes(60), bytes(64))


def _client(far: Far) -> Any:
    from deepgram import DeepgramClient
    from deepgram.environment import DeepgramClientEnvironment

    socket = far.url.replace("http", "ws", 1)
    here = DeepgramClientEnvironment(base=far.url, production=socket, agent=socket, agent_rest=far.url)
    return DeepgramClient(api_key="none", environment=here)


def _live(far: Far) -> None:
    with _client(far).listen.v1.connect(model="nova-3", interim_results="true") as socket:
        socket.send_media(b"\x00\x00")
        far.read(socket, params={"model": "nova-3"})


def _turns(far: Far) -> None:
    with _client(far).listen.v2.connect(model="flux-general-en") as socket:
        socket.send_media(b"\x00\x00")
        far.read(socket)


def _speech(far: Far) -> None:
    far.read(lambda: _client(far).speak.v1.audio.generate(text="Bring a coat."))


def _result(text: str, start: float, *, final: bool = True) -> dict[str, Any]:
    spoken = {
        "transcript": text,
        "confidence": 0.9,
        "words": [{"word": text, "start": start, "end": start + 1, "confidence": 0.9}],
    }
    model = {"name": "general-nova-3", "version": "2026-01-01.0", "arch": "nova-3"}
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": start,
        "duration": 1.0,
        "is_final": final,
        "speech_final": final,
        "channel": {"alternatives": [spoken]},
        "metadata": {"request_id": "r-1", "model_uuid": "u-1", "model_info": model},
    }


def _turn(sequence: int, index: int, event: str, text: str) -> dict[str, Any]:
    at = {"sequence_id": sequence, "turn_index": index, "audio_window_start": index * 2.0, "audio_window_end": index * 2.0 + 1}
    said = {"transcript": text, "words": [], "end_of_turn_confidence": 0.5}
    return {"type": "TurnInfo", "request_id": "r-1", "event": event, **at, **said}


def _socket(*messages: dict[str, Any]) -> Reply:
    return Reply(socket=[json.dumps(message) for message in messages])


_END = {
    "type": "Metadata",
    "transaction_key": "deprecated",
    "request_id": "r-1",
    "sha256": "0",
    "created": "2026-01-01T00:00:00Z",
    "duration": 3.5,
    "channels": 1,
}
_LIVE = _socket(
    _result("bring", 0.0, final=False), _result("Bring a", 0.0), _result("coat.", 1.0, final=False), _result("coat.", 1.0), _END
)
_TURNS = _socket(
    {"type": "Connected", "request_id": "r-1", "sequence_id": 0},
    _turn(1, 0, "StartOfTurn", "Bring"),
    _turn(2, 0, "Update", "Bring a"),
    _turn(3, 0, "EndOfTurn", "Bring a coat."),
    _turn(4, 1, "StartOfTurn", "It"),
    _turn(5, 1, "EagerEndOfTurn", "It rains"),
    _turn(6, 1, "TurnResumed", "It rains"),
    _turn(7, 1, "EndOfTurn", "It rains."),
)

ROW = Row(
    "deepgram-sdk",
    "7.17.0",
    (
        Case(
            "live, version 1",
            _live,
            {"/v1/listen": _LIVE},
            Truth("deepgram", "Bring a coat.", finish_reason=None, usage={"seconds": 3.5}, model="general-nova-3"),
        ),
        Case("live, version 2", _turns, {"/v2/listen": _TURNS}, Truth("deepgram", "Bring a coat. It rains.", finish_reason=None)),
        Case(
            "speech",
            _speech,
            {"/v1/speak": Reply(_AUDIO, "audio/mpeg")},
            Truth("deepgram", finish_reason=None, audio=sum(map(len, _AUDIO))),
        ),
    ),
)
