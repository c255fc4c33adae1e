"""Real provider streams that others recorded; they lie outside the project, where STREAMTALLY_CORPUS points."""

import base64
import functools
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
