"""Building requests, without sending them."""

import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

from streamtally.client import requests
from streamtally.client.requests import make_call, upload
from streamtally.testing.media import png, silence


def test_json() -> None:
    """The body is compact UTF-8; surrogate pairs are joined and lone surrogates replaced."""
    made = make_call(requests.CHAT, {"model": "m", "messages": ["ä\ud83d\ude00\ud83d"], "stream": False})
    assert made.content == '{"stream_options":{"include_usage":true},"model":"m","messages":["ä😀\ufffd"],"stream":true}'.encode()
    assert made.params == {**json.loads(made.content), "messages": ["ä\ud83d\ude00\ud83d"]}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_json_does_not_have(value: float) -> None:
    """Numbers that JSON cannot express raise before anything is sent."""
    with pytest.raises(ValueError, match="JSON"):
        make_call(requests.CHAT, {"temperature": value})


def test_objects_without_a_json_form() -> None:
    """Objects without a JSON form raise."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        make_call(requests.CHAT, {"model": object()})


def test_a_none_is_sent_where_it_is_the_callers() -> None:
    """None removes only defaults; other parameters that are None are sent as null."""
    assert make_call(requests.RESPONSES, {"temperature": None, "stream_options": None}).params == {
        "temperature": None,
        "stream_options": None,
        "stream": True,
    }


def test_forms() -> None:
    """Lists and mappings are encoded in field names, None is left out, numbers and flags are written as JSON."""
    params: dict[str, Any] = {
        "file": b"ID3",
        "prompt": "ä {x}",
        "temperature": 0.5,
        "flag": True,
        "none": None,
        "list": ["a", 1, {"b": None}],
        "{map}": {"x": {"y": [False]}, "z": "1"},
    }
    made = make_call(requests.TRANSCRIPTION, params)
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
    """Bytes get a name by their file signature."""
    assert upload(data) == upload(io.BytesIO(data)) == upload(("", data)) == (name, data)


def test_names_of_files(tmp_path: Path) -> None:
    """A file keeps its own name, without the folder."""
    path = tmp_path / "a b.mp3"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        assert upload(path) == upload(str(path)) == upload(file) == ("a b.mp3", b"x")
    assert upload(("dir/c.wav", b"x")) == ("c.wav", b"x")


@pytest.mark.parametrize("file", [3, None, io.StringIO("text"), ("a.mp3", "text"), {"a": b"b"}])
def test_invalid_files(file: Any) -> None:
    """A value that is not a file raises with a clear message."""
    with pytest.raises(TypeError, match="a file must be a path, bytes, an open binary file"):
        upload(file)


def test_a_missing_file(tmp_path: Path) -> None:
    """A missing file raises when the request is built."""
    with pytest.raises(FileNotFoundError):
        make_call(requests.TRANSCRIPTION, {"file": tmp_path / "none.mp3"})
