"""What is sent: one row for each kind of stream, and the body that its parameters make. Pure, but that files are read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, TypeAlias

from ..dialects import Dialect, dialect_named
from ..json_values import mend_surrogates

File: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | tuple[str, bytes | IO[bytes]]
"""A path, the bytes, an open binary file, or a name and either of the last two."""

Upload: TypeAlias = tuple[str, bytes]
"""A file as it is sent: its name, by which servers tell its format, and its content."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to ask for a stream.

    Args:
        path: under the base URL.
        dialect: what the answer speaks.
        defaults: parameters that are sent unless the caller names them; one that the caller sets to None is not sent.
        always: parameters that are sent whatever the caller says.
        files: parameters that are files; an endpoint that has any takes a multipart form.
    """

    path: str
    dialect: Dialect
    defaults: Mapping[str, Any] = field(default_factory=dict)
    always: Mapping[str, Any] = field(default_factory=lambda: {"stream": True})
    files: tuple[str, ...] = ()


_WITH_USAGE = {"stream_options": {"include_usage": True}}

CHAT = Endpoint("/chat/completions", dialect_named("openai.chat"), _WITH_USAGE)
COMPLETION = Endpoint("/completions", dialect_named("openai.completions"), _WITH_USAGE)
RESPONSES = Endpoint("/responses", dialect_named("openai.responses"))
# Speech knows no `stream`: it always is one, of sound, or of events where `stream_format` says so. Here the body says which
# it is, and so where it ends: events at their last one, sound at its last byte.
SPEECH = Endpoint("/audio/speech", replace(dialect_named("openai.speech"), states_finish=True), always={})
TRANSCRIPTION = Endpoint("/audio/transcriptions", dialect_named("openai.transcription"), files=("file",))
IMAGE = Endpoint("/images/generations", dialect_named("openai.images"))
IMAGE_EDIT = Endpoint("/images/edits", dialect_named("openai.images"), files=("image", "mask"))


@dataclass(frozen=True, slots=True)
class Call:
    """One request, ready to be sent: JSON in `content`, or a form of `fields` and `files`."""

    endpoint: Endpoint
    params: Mapping[str, Any]
    content: bytes = b""
    fields: Mapping[str, str | list[str]] = field(default_factory=dict)
    files: tuple[tuple[str, Upload], ...] = ()


def call(endpoint: Endpoint, params: Mapping[str, Any]) -> Call:
    """The request that these parameters make; `Call.params` are those that are no files.

    Raises:
        TypeError: a parameter has no JSON form, or is no file where one is needed.
        ValueError: a parameter is a number that JSON does not have.
        OSError: a file cannot be read.
    """
    unset = {name for name in endpoint.defaults if params.get(name, ...) is None}
    asked = {name: value for name, value in {**endpoint.defaults, **params, **endpoint.always}.items() if name not in unset}
    if not endpoint.files:
        return Call(endpoint, asked, content=_json(asked))
    files = {name: asked.pop(name) for name in endpoint.files if asked.get(name) is not None}
    fields: dict[str, str | list[str]] = {}
    for name, text in _form_fields(asked):
        known = fields.get(name)
        fields[name] = [*known, text] if isinstance(known, list) else [text] if name.endswith("[]") else text
    return Call(endpoint, asked, fields=fields, files=tuple(_uploads(files)))


def _json(value: Any) -> bytes:
    text: str = mend_surrogates(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    return text.encode()


def _form_fields(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Parameters as a form has them: `name[]` for each item of a list, `name[key]` for each of a mapping, None left out."""
    for name, value in params.items():
        if isinstance(value, Mapping):
            yield from _form_fields({f"{name}[{key}]": item for key, item in value.items()})
        elif isinstance(value, list | tuple):
            yield from ((f"{name}[]", _form_text(item)) for item in value)
        elif value is not None:
            yield name, _form_text(value)


def _form_text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value).decode()


def _uploads(files: Mapping[str, Any]) -> Iterator[tuple[str, Upload]]:
    for name, given in files.items():
        if isinstance(given, list):
            yield from ((f"{name}[]", upload(one)) for one in given)
        else:
            yield name, upload(given)


def upload(file: File) -> Upload:
    """The name and content of a file; bytes without a name get one from what they begin with.

    Raises:
        TypeError: it is no file, or one that is open as text.
        OSError: it cannot be read.
    """
    if isinstance(file, str | os.PathLike):
        path = Path(file)
        return path.name, path.read_bytes()
    name, content = file if isinstance(file, tuple) else (getattr(file, "name", None), file)
    data = content.read() if hasattr(content, "read") else content
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"a file is a path, bytes, an open binary file or (name, bytes), not {type(content).__name__}")
    data = bytes(data)
    return (os.path.basename(name) if isinstance(name, str) and name else _name_of(data)), data


_BEGINNINGS: Iterable[tuple[int, bytes, str]] = (
    (0, b"ID3", "mp3"),
    (0, b"\xff\xfb", "mp3"),
    (0, b"\xff\xf3", "mp3"),
    (8, b"WAVE", "wav"),
    (8, b"WEBP", "webp"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"\x1a\x45\xdf\xa3", "webm"),
    (4, b"ftyp", "m4a"),
    (0, b"\x89PNG", "png"),
    (0, b"\xff\xd8\xff", "jpg"),
)


def _name_of(data: bytes) -> str:
    """A name that tells the format: servers go by it."""
    return next((f"file.{kind}" for start, mark, kind in _BEGINNINGS if data.startswith(mark, start)), "file")
