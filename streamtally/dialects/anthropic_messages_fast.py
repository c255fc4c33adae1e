"""The fast path of `anthropic.messages`: the SDK's event objects that append text, thinking or input to a block that has begun.

Fields are read from `__dict__`, where pydantic stores them. Any other payload is declined, and takes the general path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .base import FastPath, TextSinks

_FIELDS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_REPEATS = frozenset({"text", "thinking", "signature", "citation", "input_json"})
"""Events that the SDK adds: they repeat others, and contain the whole answer so far, so that reading them would be slow."""


def fast_path(writers: TextSinks) -> FastPath:
    """The fast path of one stream, which writes to its fold."""
    write: Callable[[str], object] | None = None
    index = kind = None
    field = ""

    def take(event: Any) -> bool:
        nonlocal write, index, kind, field
        fields = event.__dict__
        if fields["type"] != "content_block_delta":
            write = None
            return fields["type"] in _REPEATS
        piece = fields["delta"]
        delta = piece.__dict__
        if write is None or fields["index"] != index or delta["type"] != kind:
            write, index, kind = None, fields["index"], delta["type"]
            field = _FIELDS[kind]
            write = writers.item_writer(index, field)
            if write is None:
                return False
        words = delta[field]
        if event.__pydantic_extra__ or len(piece.__pydantic_fields_set__) > 2 or type(words) is not str or not words:
            write = None
            return False
        write(words)
        return True

    return take
