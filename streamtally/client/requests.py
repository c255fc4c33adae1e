"""Builds requests: the endpoint of each stream type, and the body for given parameters. Pure, except for reading files."""

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
"""A path, bytes, an open binary file, or a tuple of a name and one of the last two."""

Upload: TypeAlias = tuple[str, bytes]
"""The name and content of an uploaded file; servers detect the format by the name."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of the API.

    Args:
        path: the path under the base URL.
        dialect: the dialect of the response.
        defaults: parameters that are sent unless the caller sets them; a value of None removes one.
        always: parameters that are always sent, whatever the caller sets.
        files: the parameters that are files; an endpoint with files takes a multipart form.
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
# Speech has no parameter `stream`: it is always streamed, as raw audio or, by `stream_format`, as events. The body determines
# which it is, and therefore its end: the last event, or the last byte of the audio.
SPEECH = Endpoint("/audio/speech", replace(dialect_named("openai.speech"), states_finish=True), always={})
TRANSCRIPTION = Endpoint("/audio/transcriptions", dialect_named("openai.transcription"), files=("file",))
IMAGE = Endpoint("/images/generations", dialect_named("openai.images"))
IMAGE_EDIT = Endpoint("/images/edits", dialect_named("openai.images"), files=("image", "mask"))


@dataclass(frozen=True, slots=True)
class Call:
    """One request to send: JSON in `content`, or a form of `fields` and `files`; `params` are those that are no files."""

    endpoint: Endpoint
    params: Mapping[str, Any]
    content: bytes = b""
    fields: Mapping[str, str | list[str]] = field(default_factory=dict)
    files: tuple[tuple[str, Upload], ...] = ()


def make_call(endpoint: Endpoint, params: Mapping[str, Any]) -> Call:
    """The request for an endpoint with these parameters.

    Raises:
        TypeError: a parameter has no JSON form, or a file parameter is not a file.
        ValueError: a parameter is a number that JSON cannot express.
        OSError: a file cannot be read.
    """
    unset = {name for name in endpoint.defaults if params.get(name, ...) is None}
    body_params = {name: value for name, value in {**endpoint.defaults, **params, **endpoint.always}.items() if name not in unset}
    if not endpoint.files:
        return Call(endpoint, body_params, content=_json(body_params))
    files = {name: body_params.pop(name) for name in endpoint.files if body_params.get(name) is not None}
    fields: dict[str, str | list[str]] = {}
    for name, text in _form_fields(body_params):
        known = fields.get(name)
        fields[name] = [*known, text] if isinstance(known, list) else [text] if name.endswith("[]") else text
    return Call(endpoint, body_params, fields=fields, files=tuple(_uploads(files)))


def _json(value: Any) -> bytes:
    text: str = mend_surrogates(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    return text.encode()


def _form_fields(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Parameters as form fields: `name[]` for each item of a list, `name[key]` for each item of a mapping; None is left out."""
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
    """The name and content of a file; bytes without a name get one by their file signature.

    Raises:
        TypeError: the value is not a file, or a file that is open in text mode.
        OSError: the file cannot be read.
    """
    if isinstance(file, str | os.PathLike):
        path = Path(file)
        return path.name, path.read_bytes()
    name, content = file if isinstance(file, tuple) else (getattr(file, "name", None), file)
    data = content.read() if hasattr(content, "read") else content
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"a file must be a path, bytes, an open binary file or (name, bytes), not {type(content).__name__}")
    data = bytes(data)
    return (os.path.basename(name) if isinstance(name, str) and name else _default_name(data)), data


_SIGNATURES: Iterable[tuple[int, bytes, str]] = (
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


def _default_name(data: bytes) -> str:
    """A file name whose extension matches the format of the data."""
    return next((f"file.{kind}" for start, mark, kind in _SIGNATURES if data.startswith(mark, start)), "file")
