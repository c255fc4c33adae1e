"""What is sent, without sending it."""

import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

from streamtally.client import requests
from streamtally.client.requests import call, upload
from streamtally.testing.media import png, silence


def test_json() -> None:
    """Compact UTF-8, in which half a character is replaced and a pair of halves joined."""
    made = call(requests.CHAT, {"model": "m", "messages": ["ä\ud83d\ude00\ud83d"], "stream": False})
    assert made.content == '{"stream_options":{"include_usage":true},"model":"m","messages":["ä😀\ufffd"],"stream":true}'.encode()
    assert made.params == {**json.loads(made.content), "messages": ["ä\ud83d\ude00\ud83d"]}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_json_does_not_have(value: float) -> None:
    """They are refused before anything is sent."""
    with pytest.raises(ValueError, match="JSON"):
        call(requests.CHAT, {"temperature": value})


def test_what_has_no_json_form() -> None:
    """The same for objects."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        call(requests.CHAT, {"model": object()})


def test_a_none_is_sent_where_it_is_the_callers() -> None:
    """Only a default of ours is taken away by None."""
    assert call(requests.RESPONSES, {"temperature": None, "stream_options": None}).params == {
        "temperature": None,
        "stream_options": None,
        "stream": True,
    }


def test_forms() -> None:
    """Lists and mappings go into names, None is left out, numbers and flags are written as JSON has them."""
    params: dict[str, Any] = {
        "file": b"ID3",
        "prompt": "ä {x}",
        "temperature": 0.5,
        "flag": True,
        "none": None,
        "list": ["a", 1, {"b": None}],
        "{map}": {"x": {"y": [False]}, "z": "1"},
    }
    made = call(requests.TRANSCRIPTION, params)
    assert made.fields == {
        "prompt": "ä {x}",
        "temperature": "0.5",
        "flag": "true",
        "list[]": ["a", "1", '{"b":null}'],
        "{map}[x][y][]": ["false"],
        "{map}[z]": "1",
        "stream": "true",
    }
    assert made.files == (("file", ("file.mp3", b"ID3")),)
    assert made.params == {name: value for name, value in params.items() if name != "file"} | {"stream": True}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (silence(), "file.mp3"),
        (b"ID3", "file.mp3"),
        (b"RIFF\0\0\0\0WAVEfmt ", "file.wav"),
        (b"RIFF\0\0\0\0WEBP", "file.webp"),
        (b"fLaC", "file.flac"),
        (b"OggS", "file.ogg"),
        (b"\x1a\x45\xdf\xa3", "file.webm"),
        (b"\0\0\0\x20ftypM4A ", "file.m4a"),
        (png(), "file.png"),
        (b"\xff\xd8\xff", "file.jpg"),
        (b"?", "file"),
        (b"", "file"),
    ],
)
def test_names_of_files_without_one(data: bytes, name: str) -> None:
    """Servers tell the format by the name."""
    assert upload(data) == upload(io.BytesIO(data)) == upload(("", data)) == (name, data)


def test_names_of_files(tmp_path: Path) -> None:
    """Their own, without the folder."""
    path = tmp_path / "a b.mp3"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        assert upload(path) == upload(str(path)) == upload(file) == ("a b.mp3", b"x")
    assert upload(("dir/c.wav", b"x")) == ("c.wav", b"x")


@pytest.mark.parametrize("file", [3, None, io.StringIO("text"), ("a.mp3", "text"), {"a": b"b"}])
def test_what_is_no_file(file: Any) -> None:
    """It is refused, in words."""
    with pytest.raises(TypeError, match="a file is a path, bytes, an open binary file"):
        upload(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The error is the file's own, when the stream is asked for."""
    with pytest.raises(FileNotFoundError):
        call(requests.TRANSCRIPTION, {"file": tmp_path / "none.mp3"})
