import asyncio
import base64
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from streamtally import StreamRecord, Tally
from streamtally.demo import corpus as playing
from streamtally.demo.requests import ASK, answer_fields, client_of
from streamtally.demo.view import PlainView
from streamtally.testing import FakeProvider, scenarios
from tests.recordings import Recording

EACH = 6
"""How many recordings of each API are played; the command plays all."""


def write(folder: Path, name: str, api: str, body: bytes) -> None:
    """A recording of ours."""
    facts = {"name": name, "api": api, "body": base64.b64encode(body).decode(), "body_encoding": "base64"}
    (folder / f"{name}.json").write_text(json.dumps(facts))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording of each API, and one that the client does not speak."""
    bodies: Mapping[str, bytes] = {
        "openai.chat": scenarios.chat().body,
        "openai.completions": scenarios.completions().body,
        "openai.responses": scenarios.responses().body,
        "openai.speech": scenarios.speech().body,
        "openai.transcription": scenarios.transcription().body,
        "openai.images": scenarios.images().body,
        "gemini": b"{}",
    }
    for api, body in bodies.items():
        write(tmp_path, f"one-{api}", api, body)
    return tmp_path


def test_recordings_say_the_same_by_both_ways(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each API has a line, with its counts; nothing differs."""
    assert playing.play(folder, PlainView()) == []
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines == [f"  API: {api} | recordings: 1 | equal: 1 | different: – | state: done" for api in ASK]


def test_a_difference_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay with another record is reported as a difference."""
    monkeypatch.setattr(playing, "replay", lambda *_, **__: StreamRecord.model_validate(_OTHER))
    differences = playing.play(folder, PlainView())
    assert "the records of openai.chat one-openai.chat differ" in differences
    assert len(differences) == 6


def test_a_folder_without_recordings_is_no_success(tmp_path: Path) -> None:
    """Nothing played, nothing shown."""
    assert "there are no recordings" in playing.play(tmp_path, PlainView())[0]


def test_real_recordings_say_the_same_by_both_ways(recordings: tuple[Recording, ...], tmp_path: Path) -> None:
    """Through HTTP and the client a recorded body makes the record that a replay of it makes."""
    chosen: dict[str, list[Recording]] = defaultdict(list)
    for recording in recordings:
        if recording.api in ASK and len(chosen[recording.api]) < EACH:
            chosen[recording.api].append(recording)
    for recording in (one for ones in chosen.values() for one in ones):
        write(tmp_path, recording.name, recording.api, recording.body)
    assert set(chosen) == set(ASK)
    assert playing.play(tmp_path, PlainView()) == []


def test_what_only_the_request_or_the_headers_tell_is_left_out() -> None:
    """The characters and the media type of speech, which a replay of its bytes lacks, are not compared."""
    with FakeProvider({"tts-1": scenarios.speech()}) as provider:
        record = asyncio.run(_spoken(provider))
    assert record.audio is not None
    assert record.audio.mime_type == "audio/mpeg"
    assert record.usage is not None
    assert record.usage.characters == 5
    fields = answer_fields(record)
    assert fields["usage"] == {}
    assert "mime_type" not in fields["audio"]


async def _spoken(provider: FakeProvider) -> StreamRecord:
    async with client_of(provider, Tally()) as client, ASK["openai.speech"](client, "tts-1") as stream:
        async for _ in stream:
            pass
    record: StreamRecord = stream.record
    return record


_OTHER = {"request_id": "r1", "stream_type": "chat.completion", "dialect": "openai.chat", "response_id": "another"}
