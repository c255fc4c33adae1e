"""Encoding of payloads, shared by all scenario builders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any, NamedTuple, TypeAlias

CREATED = 1_767_225_600
"""The creation time in all payloads: 2026-01-01T00:00:00Z."""

DONE = b"data: [DONE]\n\n"

Pieces: TypeAlias = str | Sequence[str]
"""A text, which is split into words, or the pieces to stream."""

_ARGUMENTS_PIECE = 8


class Call(NamedTuple):
    """One tool call; `arguments` is split every few characters, or given in pieces."""

    name: str
    arguments: Pieces = "{}"
    id: str | None = None

    @property
    def pieces(self) -> tuple[str, ...]:
        """The arguments in the pieces that are streamed."""
        if not isinstance(self.arguments, str):
            return tuple(self.arguments)
        return tuple(re.findall(f"(?s).{{1,{_ARGUMENTS_PIECE}}}", self.arguments))


def event(payload: Mapping[str, Any], *, name: str | None = None, end: str = "\n") -> bytes:
    """One server-sent event with a JSON payload, as OpenAI's servers encode it."""
    head = f"event: {name}{end}" if name else ""
    return f"{head}data: {json.dumps(payload, ensure_ascii=False, separators=(',', ':'))}{end}{end}".encode()


def split_words(text: Pieces) -> tuple[str, ...]:
    """The pieces of a text: words with the space before them."""
    return tuple(re.findall(r"\s*\S+|\s+$", text)) if isinstance(text, str) else tuple(text)


def answer_pieces(text: Pieces | None, calls: Sequence[Call]) -> tuple[str, ...]:
    """The pieces of an answer; without a text a greeting, or nothing beside tool calls."""
    return split_words(("" if calls else "Hello! How can I help you?") if text is None else text)


def interleaved(calls: Sequence[Call]) -> Iterable[tuple[int, str]]:
    """The pieces of parallel calls' arguments, interleaved: (index of the call, piece)."""
    turns = zip_longest(*([(place, piece) for piece in call.pieces] for place, call in enumerate(calls)))
    return (step for step in chain.from_iterable(turns) if step is not None)
