"""cartesia: speech as bytes, and as events with timestamps."""

from __future__ import annotations

import base64
from typing import Any

from ..bodies import sse
from ..case import Case, Far, Reply, Row, Truth

_AUDIO = (b"RIFF" + bytes(60), bytes(64))
_FORMAT = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 44100}
_ASKED: dict[str, Any] = {"model_id": "sonic-3", "transcript": "Bring a coat.", "voice": {"mode": "id", "id": "v-1"}}


def _client(far: Far) -> Any:
    from cartesia import Cartesia

    return Cartesia(api_key="none", base_url=far.url)


def _bytes(far: Far) -> None:
    with _client(far).tts.with_streaming_response.generate(**_ASKED, output_format=_FORMAT) as response:
        far.read(response.iter_bytes())


def _events(far: Far) -> None:
    far.read(lambda: _client(far).tts.generate_sse(**_ASKED, output_format=_FORMAT, add_timestamps=True))


def _event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "done": kind == "done", "status_code": 200 if kind == "done" else 206, "context_id": "c-1", **fields}


_WORDS = {"words": ["Bring", "a", "coat."], "start": [0.0, 0.2, 0.3], "end": [0.2, 0.3, 0.6]}
_MESSAGES = [
    _event("timestamps", word_timestamps=_WORDS),
    *(_event("chunk", data=base64.b64encode(data).decode(), step_time=1.5) for data in _AUDIO),
    _event("done"),
]
_SPOKEN = Truth("cartesia", finish_reason=None, audio=sum(map(len, _AUDIO)))
_FAILS = {"type": "error", "done": True, "title": "Bad voice", "message": "no such voice", "request_id": "q", "status_code": 404}

ROW = Row(
    "cartesia",
    "4.2.0",
    (
        Case("bytes", _bytes, {"/tts/bytes": Reply(_AUDIO, "audio/wav")}, _SPOKEN),
        Case(
            "generate_sse", _events, {"/tts/sse": sse(_MESSAGES, done=False, names=[one["type"] for one in _MESSAGES])}, _SPOKEN
        ),
        Case(
            "error in the stream",
            _events,
            {"/tts/sse": sse([_MESSAGES[1], _FAILS], done=False, names=["chunk", "error"])},
            Truth("cartesia", finish_reason=None, audio=len(_AUDIO[0]), outcome="error", error="no such voice"),
        ),
    ),
)
