"""ElevenLabs' speech with timestamps."""

import base64
import json
from typing import Any

import pytest

from streamtally import Outcome, StreamType, replay


def chunk(data: bytes, text: str) -> dict[str, Any]:
    """A piece of sound, and when its characters are spoken."""
    alignment = {
        "characters": [*text],
        "character_start_times_seconds": [0.0] * len(text),
        "character_end_times_seconds": [0.1] * len(text),
    }
    return {"audio_base64": base64.b64encode(data).decode(), "alignment": alignment, "normalized_alignment": None}


CHUNKS = [chunk(b"abc", "hi "), chunk(b"d", "you")]


def test_json_lines() -> None:
    """Sound, its words, and all times."""
    record = replay(b"".join(json.dumps(one).encode() + b"\n" for one in CHUNKS))
    assert (record.dialect, record.stream_type, record.provider) == ("elevenlabs.speech", StreamType.SPEECH, "elevenlabs")
    assert record.audio is not None
    assert (record.audio.data, record.audio.transcript, record.outcome) == (b"abcd", "hi you", Outcome.COMPLETED)
    assert [one["alignment"]["characters"] for one in record.extras["payloads"]] == [["h", "i", " "], ["y", "o", "u"]]


def test_messages_of_a_socket() -> None:
    """Other names, and an end."""
    alignment = {"chars": ["h", "i"], "charStartTimesMs": [0, 1]}
    messages = [
        {"audio": "YWJj", "isFinal": None, "normalizedAlignment": None, "alignment": alignment},
        {"audio": None, "isFinal": True},
    ]
    record = replay(messages)
    assert record.audio is not None
    assert (record.dialect, record.audio.data, record.audio.transcript) == ("elevenlabs.speech", b"abc", "hi")


def test_an_error() -> None:
    """In the midst of the sound."""
    record = replay([CHUNKS[0], {"detail": {"status": "quota_exceeded", "message": "no more"}}])
    assert (record.outcome, record.audio and record.audio.data) == (Outcome.ERROR, b"abc")


@pytest.mark.parametrize("payload", [{"audio_base64": 1, "alignment": {}}, {"audio": "YWJj"}, {"audio_base64": "YWJj"}])
def test_what_is_not_recognised(payload: dict[str, Any]) -> None:
    """One key says nothing."""
    assert replay([payload]).dialect == "opaque"


@pytest.mark.parametrize(
    "odd", [{"audio_base64": 3, "alignment": 3}, {"alignment": {"characters": [1, None]}}, {"alignment": None}]
)
def test_odd_chunks_lose_nothing_else(odd: dict[str, Any]) -> None:
    """What has another form than it should is left out."""
    record = replay([CHUNKS[0], odd, CHUNKS[1]])
    assert (record.audio and record.audio.data, record.error) == (b"abcd", None)
