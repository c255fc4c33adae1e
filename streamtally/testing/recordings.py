"""Recorded streams, read from a folder of JSON files, as scenarios."""

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
    """One recorded response: its name, the API that it is of, and how to play it."""

    name: str
    api: str
    scenario: Scenario


def read_recordings(folder: Path) -> Iterator[Recording]:
    """The recordings in a folder and the folders in it, sorted by file.

    Each is a JSON object in a file of its own: `name`, `api`, `body`, `body_encoding` (`utf-8` or `base64`), and where known
    `reads` (the byte lengths of the network's reads, in which it is played), `content_type` and `http_status`.
    """
    for path in sorted(folder.glob("**/*.json")):
        facts = json.loads(path.read_bytes())
        if isinstance(facts, dict) and {"name", "api", "body"} <= facts.keys():
            yield Recording(facts["name"], facts["api"], _scenario(facts))


def _scenario(facts: dict[str, Any]) -> Scenario:
    text: str = facts["body"]
    body = base64.b64decode(text) if facts.get("body_encoding") == "base64" else text.encode("utf-8", "surrogatepass")
    reads = facts.get("reads")
    return Scenario(
        frames=tuple(_reads(body, reads) if reads else _frames(body)),
        status=facts.get("http_status") or 200,
        content_type=facts.get("content_type") or _content_type(body),
    )


def _reads(body: bytes, lengths: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for length in lengths:
        yield body[start : start + length]
        start += length
    if start < len(body):
        yield body[start:]


def _frames(body: bytes) -> list[bytes]:
    """Events, or lines where there are no blank lines, or pieces of what is no text."""
    if b"\0" in body:
        return [body[start : start + _PIECE] for start in range(0, len(body), _PIECE)]
    end = rb"(?<=\n\n)|(?<=\r\n\r\n)" if re.search(rb"\n\r?\n", body) else rb"(?<=\n)"
    return [frame for frame in re.split(end, body) if frame]


def _content_type(body: bytes) -> str:
    if b"\0" in body:
        return "application/octet-stream"
    return _CONTENT_TYPES.get(body.lstrip()[:1], EVENT_STREAM)
