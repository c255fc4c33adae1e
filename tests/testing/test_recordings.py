import base64
import json
from pathlib import Path
from typing import Any

import pytest

from streamtally.testing.recordings import Recording, read_recordings
from tests.recordings import Recording as Read


def read(folder: Path, **facts: Any) -> Recording:
    """The recording of a file with these fields."""
    (folder / "one.json").write_text(json.dumps({"name": "one", "api": "openai.chat", **facts}))
    (only,) = read_recordings(folder)
    return only


@pytest.mark.parametrize(
    ("body", "frames", "content_type"),
    [
        (b"data: 1\n\n: x\n\ndata: 2", [b"data: 1\n\n", b": x\n\n", b"data: 2"], "text/event-stream; charset=utf-8"),
        (b"data: 1\r\n\r\ndata: 2\r\n\r\n", [b"data: 1\r\n\r\n", b"data: 2\r\n\r\n"], "text/event-stream; charset=utf-8"),
        (b"data: 1\ndata: 2\n", [b"data: 1\n", b"data: 2\n"], "text/event-stream; charset=utf-8"),
        (b'{"a": 1}\n{"b": 2}\n', [b'{"a": 1}\n', b'{"b": 2}\n'], "application/x-ndjson"),
        (b'[{"a": 1}\n,\n{"b": 2}]', [b'[{"a": 1}\n', b",\n", b'{"b": 2}]'], "application/json"),
        (bytes(5000), [bytes(4096), bytes(904)], "application/octet-stream"),
        (b"", [], "text/event-stream; charset=utf-8"),
    ],
)
def test_frames_without_recorded_reads(tmp_path: Path, body: bytes, frames: list[bytes], content_type: str) -> None:
    """A body is played by event, by line or in pieces, with the content type that it looks like."""
    scenario = read(tmp_path, body=base64.b64encode(body).decode(), body_encoding="base64").scenario
    assert list(scenario.frames) == frames
    assert (scenario.content_type, scenario.status) == (content_type, 200)


def test_reads(tmp_path: Path) -> None:
    """A body is played in its recorded reads, and the rest in one."""
    one = read(tmp_path, body="data: é\n\n", reads=[7, 1], content_type="text/event-stream", http_status=201)
    assert one.scenario.frames == (b"data: \xc3", b"\xa9", b"\n\n")
    assert (one.scenario.content_type, one.scenario.status) == ("text/event-stream", 201)
    assert (one.name, one.api) == ("one", "openai.chat")


def test_other_files_are_left_out(tmp_path: Path) -> None:
    """Only files with a recording count, in any folder."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "index.json").write_text("[]")
    (tmp_path / "facts.json").write_text('{"name": "x"}')
    read(tmp_path, body="")
    assert list(read_recordings(tmp_path / "deep")) == []


def test_real_recordings(corpus: Path, recordings: tuple[Read, ...]) -> None:
    """Every recorded stream is played byte for byte."""
    bodies = {one.name: one.scenario.body for one in read_recordings(corpus)}
    assert bodies == {one.name: one.body for one in recordings}
