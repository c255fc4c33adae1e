"""Items of speech SDKs, under the names of theirs; what their fields mean is tested with their dialects."""

from types import SimpleNamespace as Plain
from typing import Any

import pytest

from .shapes import made, read


def test_deepgram() -> None:
    """The class states the dialect, also of messages that are not recognised alone."""
    started = made("deepgram.listen.v1.types.listen_v1speech_started.ListenV1SpeechStarted", type="SpeechStarted", timestamp=0.1)
    spoken = Plain(transcript="a", words=[])
    said = made(
        "deepgram.listen.v1.types.listen_v1results.ListenV1Results",
        type="Results",
        channel=Plain(alternatives=[spoken]),
        channel_index=[0, 1],
        start=0.0,
        duration=1.0,
        is_final=True,
        metadata=Plain(request_id="r-1", model_info=Plain(name="m-1")),
    )
    record = read([started, said])
    assert (record.dialect, record.provider, record.text, record.model) == ("deepgram.live", "deepgram", "a", "m-1")


def test_assemblyai() -> None:
    """The events of its callbacks."""
    module = "assemblyai.streaming.v3.models"
    turn = made(f"{module}.TurnEvent", type="Turn", turn_order=0, end_of_turn=True, transcript="a", words=[])
    end = made(f"{module}.TerminationEvent", type="Termination", audio_duration_seconds=4, session_duration_seconds=5)
    record = read([turn, end])
    assert (record.dialect, record.text, record.usage and record.usage.seconds) == ("assemblyai.live", "a", 4.0)


@pytest.mark.parametrize(
    "fields", [{"audio_base_64": "YWJj", "alignment": None}, {"audio_base_64": "YWJj", "voice_segments": []}]
)
def test_elevenlabs(fields: dict[str, Any]) -> None:
    """Its attribute has another name than the field."""
    name = "elevenlabs.types.response.StreamingAudioChunkWithTimestampsResponse"
    record = read([made(name, **fields)])
    assert (record.dialect, record.provider, record.audio and record.audio.data) == ("elevenlabs.speech", "elevenlabs", b"abc")


def test_cartesia() -> None:
    """Events of a stream, of a socket, and of the voice changer, which have no type."""
    base = "cartesia.types.tts_sse_event._TTSSSEEventBase"
    chunk = made("cartesia.types.tts_sse_event.TTSSSEChunkEvent", base, type="chunk", data="YQ==", done=False, step_time=1.0)
    message = made("cartesia.types.websocket_response.Chunk", type="chunk", data="Yg==", done=False, step_time=1.0)
    changed = made("cartesia.types.voice_changer_sse_event.VoiceChangerSSEChunk", data="Yw==", done=False, sample_rate=8000)
    done = made("cartesia.types.voice_changer_sse_event.VoiceChangerSSEDone", done=True, status_code=200)
    record = read([chunk, message, changed, done])
    assert (record.dialect, record.provider, record.audio and record.audio.data) == ("cartesia.speech", "cartesia", b"abc")
