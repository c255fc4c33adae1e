"""Reads recorded streams from a folder of JSON files."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .scenario import EVENT_STREAM, Scenario

_PIECE = 4096
_CONTENT_TYPES = {b"{": "application/x-ndjson", b"[": "application/json"}


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded response: its name, its API (a dialect's name), and the scenario that plays it."""

    name: str
    api: str
    scenario: Scenario


def read_recordings(folder: Path) -> Iterator[Recording]:
    """The recordings in a folder and its subfolders, sorted by file.

    Each file is a JSON object with `name`, `api`, `body`, `body_encoding` (`utf-8` or `base64`), and optionally `reads` (the byte
    lengths of the network reads, in which it is played), `content_type` and `http_status`.
    """
    for path in sorted(folder.glob("**/*.json")):
        content = json.loads(path.read_bytes())
        if isinstance(content, dict) and {"name", "api", "body"} <= content.keys():
            yield Recording(content["name"], content["api"], _scenario(content))


def _scenario(content: dict[str, Any]) -> Scenario:
    text: str = content["body"]
    body = base64.b64decode(text) if content.get("body_encoding") == "base64" else text.encode("utf-8", "surrogatepass")
    reads = content.get("reads")
    return Scenario(
        frames=tuple(_reads(body, reads) if reads else _frames(body)),
        status=content.get("http_status") or 200,
        content_type=content.get("content_type") or _content_type(body),
    )


def _reads(body: bytes, lengths: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for length in lengths:
        yield body[start : start + length]
        start += length
    if start < len(body):
        yield body[start:]


def _frames(body: bytes) -> list[bytes]:
    """The body split into events, or lines if there are no blank lines, or pieces of equal size if it is binary."""
    if b"\0" in body:
        return [body[start : start + _PIECE] for start in range(0, len(body), _PIECE)]
    end = rb"(?<=\n\n)|(?<=\r\n\r\n)" if re.search(rb"\n\r?\n", body) else rb"(?<=\n)"
    return [frame for frame in re.split(end, body) if frame]


def _content_type(body: bytes) -> str:
    if b"\0" in body:
        return "application/octet-stream"
    return _CONTENT_TYPES.get(body.lstrip()[:1], EVENT_STREAM)
