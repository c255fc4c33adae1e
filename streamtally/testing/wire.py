"""How payloads are written: what all builders of scenarios share."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any, NamedTuple, TypeAlias

CREATED = 1_767_225_600
"""When everything was created: 2026-01-01T00:00:00Z."""

DONE = b"data: [DONE]\n\n"

Pieces: TypeAlias = str | Sequence[str]
"""A text that is cut into words, or the pieces that it comes in."""

_ARGUMENTS_PIECE = 8


class Call(NamedTuple):
    """One call of a tool: `arguments` is cut every few characters, or comes in the pieces given."""

    name: str
    arguments: Pieces = "{}"
    id: str | None = None

    @property
    def pieces(self) -> tuple[str, ...]:
        """The arguments as they come."""
        if not isinstance(self.arguments, str):
            return tuple(self.arguments)
        return tuple(re.findall(f"(?s).{{1,{_ARGUMENTS_PIECE}}}", self.arguments))


def event(payload: Mapping[str, Any], *, name: str | None = None, end: str = "\n") -> bytes:
    """One server-sent event with a payload as JSON, as OpenAI's servers write it."""
    head = f"event: {name}{end}" if name else ""
    return f"{head}data: {json.dumps(payload, ensure_ascii=False, separators=(',', ':'))}{end}{end}".encode()


def words(text: Pieces) -> tuple[str, ...]:
    """The pieces that a text comes in: a word each, with the space before it."""
    return tuple(re.findall(r"\s*\S+|\s+$", text)) if isinstance(text, str) else tuple(text)


def answer(text: Pieces | None, calls: Sequence[Call]) -> tuple[str, ...]:
    """The pieces of an answer: where no text is given a greeting, or none beside calls of tools."""
    return words(("" if calls else "Hello! How can I help you?") if text is None else text)


def interleaved(calls: Sequence[Call]) -> Iterable[tuple[int, str]]:
    """The arguments of parallel calls in turns: (place of the call, piece)."""
    turns = zip_longest(*([(place, piece) for piece in call.pieces] for place, call in enumerate(calls)))
    return (step for step in chain.from_iterable(turns) if step is not None)
