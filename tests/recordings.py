"""Recorded streams of real providers, which are outside the repository, in the folder that STREAMTALLY_CORPUS names."""

import base64
import functools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.eventstream import EventStreamBuffer

from streamtally.framing import DONE, SSEDecoder, payloads

VARIABLE = "STREAMTALLY_CORPUS"


@dataclass(frozen=True, slots=True, repr=False)
class Recording:
    """One recorded response body, its description, and its reference result.

    `reads` are the byte lengths of the network reads, or None if they were not recorded.
    """

    api: str
    name: str
    body: bytes
    format: str
    provenance: str
    features: frozenset[str]
    reads: tuple[int, ...] | None
    reference: Mapping[str, Any] | None
    facts: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<{self.api} {self.name}: {len(self.body)} bytes>"

    @property
    def disputed(self) -> bool:
        """Whether the reference states that the SDK fails on this stream, or differs from what was sent."""
        return bool(self.reference and (self.reference.get("naive_diff") or self.reference.get("sdk_error")))

    def payloads(self) -> list[Any]:
        """Return the payloads of the body, parsed by a third-party parser where there is one.

        Empty for a body that cannot be parsed, as one that was cut may be.
        """
        return list(_PAYLOADS[self.format](self.body))

    def pieces(self) -> Iterator[bytes]:
        """Yield the body in the recorded network reads, or whole if they were not recorded."""
        start = 0
        for length in self.reads or ():
            yield self.body[start : start + length]
            start += length
        if start < len(self.body):
            yield self.body[start:]


def folder() -> Path | None:
    """Return the folder of recordings, or None if there is none."""
    value = os.environ.get(VARIABLE)
    return Path(value) if value and Path(value).is_dir() else None


def skip_reason() -> str:
    """Return why tests of recordings are skipped."""
    value = os.environ.get(VARIABLE)
    return f"NO RECORDED STREAMS: {VARIABLE} {f'is {value!r}, which is no folder' if value else 'is not set'}"


@functools.cache
def read_all(path: Path) -> tuple[Recording, ...]:
    """Return every recording in a folder, sorted by API and name."""
    return tuple(map(_read, sorted(path.glob("*/*.json"))))


def _read(path: Path) -> Recording:
    facts = json.loads(path.read_text(encoding="utf-8"))
    body = facts.pop("body")
    return Recording(
        api=facts["api"],
        name=facts["name"],
        body=base64.b64decode(body) if facts["body_encoding"] == "base64" else body.encode("utf-8", "surrogatepass"),
        format=facts["format"],
        provenance=facts["provenance"],
        features=frozenset(facts["features"]),
        reads=tuple(facts["reads"]) if facts["reads"] else None,
        reference=facts.get("reference"),
        facts=facts,
    )


def _of_sse(body: bytes) -> Iterator[Any]:
    decoder = SSEDecoder()
    for event in [*decoder.feed(body), *decoder.flush()]:
        if event.event == "error":
            yield f"event: error\ndata: {event.data}\n\n"
        else:
            yield from ("[DONE]" if payload is DONE else payload for payload in payloads(event.data))


def _of_json(body: bytes) -> Iterator[Any]:
    """Yield the JSON values of a body: its lines, or the members of one array."""
    text, decoder = body.decode("utf-8", "replace").strip(), json.JSONDecoder()
    at = 1 if text.startswith("[") else 0
    while at < len(text):
        if text[at] in "\r\n\t ,]":
            at += 1
        else:
            payload, at = decoder.raw_decode(text, at)
            yield payload


def _of_event_stream(body: bytes) -> Iterator[Any]:
    """Yield the messages of an AWS event stream as boto3 does, parsed by botocore's parser."""
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    for message in buffer:
        name = message.headers.get(":event-type") or message.headers[":exception-type"]
        value = json.loads(message.payload)
        if name == "chunk":
            value = {**value, "bytes": base64.b64decode(value["bytes"])}
        yield {name: value}


def _of_bytes(body: bytes) -> Iterator[Any]:
    return (body[start : start + 1_000] for start in range(0, len(body), 1_000))


_PAYLOADS: Mapping[str, Callable[[bytes], Iterator[Any]]] = {
    "aws-eventstream": _of_event_stream,
    "event-lines": _of_json,
    "json-array": _of_json,
    "ndjson": _of_json,
    "parsed-events": _of_sse,
    "raw-bytes": _of_bytes,
    "sse": _of_sse,
    "sse-lines": _of_sse,
}
