"""Real provider streams that others recorded; they lie outside the project, where STREAMTALLY_CORPUS points."""

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
    """One response body, what is known of it, and the result to reach.

    `reads` are the byte lengths of the network reads, where the recorder kept them.
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
        """Whether the reference says itself that the SDK fails on this stream, or differs from what was sent."""
        return bool(self.reference and (self.reference.get("naive_diff") or self.reference.get("sdk_error")))

    def payloads(self) -> list[Any]:
        """What the body holds, taken apart by other hands than ours where there are any: for keyed ingest, one by one.

        Empty for a body that cannot be taken apart so, as one that was cut may be.
        """
        return list(_PAYLOADS[self.format](self.body))

    def pieces(self) -> Iterator[bytes]:
        """The body as the network delivered it; whole where nobody kept the reads."""
        start = 0
        for length in self.reads or ():
            yield self.body[start : start + length]
            start += length
        if start < len(self.body):
            yield self.body[start:]


def folder() -> Path | None:
    """Where the recordings are, or None."""
    value = os.environ.get(VARIABLE)
    return Path(value) if value and Path(value).is_dir() else None


def why_absent() -> str:
    """What a skipped test says."""
    value = os.environ.get(VARIABLE)
    return f"NO RECORDED STREAMS: {VARIABLE} {f'is {value!r}, which is no folder' if value else 'is not set'}"


@functools.cache
def read_all(path: Path) -> tuple[Recording, ...]:
    """Every recording in a folder, sorted by API and name."""
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
    """The JSON texts of a body: lines, or the members of one array."""
    text, decoder = body.decode("utf-8", "replace").strip(), json.JSONDecoder()
    at = 1 if text.startswith("[") else 0
    while at < len(text):
        if text[at] in "\r\n\t ,]":
            at += 1
        else:
            payload, at = decoder.raw_decode(text, at)
            yield payload


def _of_event_stream(body: bytes) -> Iterator[Any]:
    """As boto3 hands out the messages of an AWS event stream, whose own parser reads them."""
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
