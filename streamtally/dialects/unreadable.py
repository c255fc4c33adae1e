"""Chunks of payloads that cannot be read: an error in the record, with the beginning of the payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import Chunk, chunk_of_error
from ..framing import Malformed

_KIND = "malformed_payload"
_SHOWN = 4096
"""Characters of the payload that the error has."""


def unreadable(reason: str | Exception, payload: Any) -> Chunk:
    """The chunk of a payload that is none, or whose reading raised."""
    why = reason if isinstance(reason, str) else f"{type(reason).__name__}: {reason}"
    return chunk_of_error(_KIND, why, body=repr(payload)[:_SHOWN])


def undecodable(payload: Malformed) -> Chunk:
    """The chunk of a payload that is no JSON."""
    return chunk_of_error(_KIND, payload.reason, body=payload.text[:_SHOWN])


def is_unreadable(chunk: Chunk) -> bool:
    """Whether a chunk was made by one of these."""
    return chunk.error is not None and chunk.error["type"] == _KIND


def is_whole(unit: Any) -> bool:
    """Whether what came last in a body is a payload, and not the beginning of one."""
    return not is_unreadable(unit) if isinstance(unit, Chunk) else isinstance(unit, Mapping | str | bytes)
