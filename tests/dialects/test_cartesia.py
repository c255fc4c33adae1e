"""Cartesia's speech, as server-sent events and as messages of its WebSocket."""

import json
from typing import Any

import pytest

from streamtally import Outcome, StreamType, replay


def event(kind: str, **fields: Any) -> dict[str, Any]:
    """An event."""
    return {"type": kind, "done": kind == "done", "status_code": 200, "context_id": "c-1", **fields}


TIMES = {"words": ["hi", "you"], "start": [0.0, 0.2], "end": [0.2, 0.4]}
EVENTS = [
    event("timestamps", word_timestamps=TIMES),
    event("chunk", data="YWJj", step_time=1.5),
    event("phoneme_timestamps", phoneme_timestamps={"phonemes": ["h"]}),
    event("chunk", data="ZA==", step_time=1.0, flush_id=1),
    event("flush_done", flush_id=1, flush_done=True, done=True),
    event("done"),
]


def test_events() -> None:
    """Sound and times; the last event is the end."""
    body = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in EVENTS)
    record = replay(body)
    assert (record.dialect, record.stream_type, record.provider) == ("cartesia.speech", StreamType.SPEECH, "cartesia")
    assert (record.audio and record.audio.data, record.outcome, record.response_id) == (b"abcd", Outcome.COMPLETED, "c-1")
    assert record.extras["word_timestamps"] == TIMES
    assert replay(EVENTS[:5]).outcome is Outcome.TRUNCATED


@pytest.mark.parametrize(
    "error",
    [
        event("error", done=True, title="Bad voice", message="no such voice", status_code=404, error_code="voice_not_found"),
        event("error", done=True, error="no such voice", status_code=404),
        {"done": True, "title": "Bad voice", "message": "no such voice", "status_code": 404, "request_id": "q"},
    ],
)
def test_errors(error: dict[str, Any]) -> None:
    """Of streams, of older releases, and of the voice changer."""
    record = replay([EVENTS[1], error])
    assert record.error is not None
    assert (record.outcome, record.error.message, record.error.status) == (Outcome.ERROR, "no such voice", 404)


@pytest.mark.parametrize(
    "payload", [{"type": "chunk", "data": "YWJj"}, {"type": "timestamps"}, {"type": "chunk", "step_time": 1}]
)
def test_what_is_not_recognised(payload: dict[str, Any]) -> None:
    """A type alone says nothing."""
    assert replay([payload]).dialect == "opaque"


@pytest.mark.parametrize(
    "odd", [event("chunk", data=3, step_time=1), event("timestamps", word_timestamps=None), event("chunk", context_id=3)]
)
def test_odd_events_lose_nothing_else(odd: dict[str, Any]) -> None:
    """What has another form than it should is left out."""
    record = replay([EVENTS[1], odd, EVENTS[3], EVENTS[5]])
    assert (record.audio and record.audio.data, record.error) == (b"abcd", None)
