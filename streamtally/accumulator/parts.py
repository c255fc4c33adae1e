"""The order of an answer's parts, where an answer is a list of parts: words, calls, code and media in turn.

Words and calls are folded elsewhere, and only what stands between them and beside them is kept here: the log of a choice has
an entry `[kind, size or call, fields]` for each part, and words that follow one another are one part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import PartDelta
from ..json_values import Json
from .document import Document

_RUNS = frozenset({"text", "reasoning", "audio"})
_PLAIN: Mapping[str, tuple[int, Mapping[str, Json] | None]] = {
    "reasoning": (0, {"thought": True}),
    "text": (1, {}),
    "call": (2, None),
}
"""The parts of an answer of which nothing more needs to be said if they come in this order, and what they have beside them."""


def fold_part(document: Document, delta: PartDelta) -> None:
    """Note where a part stands; a piece goes on with the last part, if that is of the same kind and has the same beside it."""
    document.note(delta.choice, "choices")
    if not document.retain:
        return
    at = ("choice", delta.choice, "parts")
    log = document.get(*at) or []
    kind, size, fields = delta.kind, delta.size, dict(delta.fields)
    if kind == "call":
        size = document.get("choice", delta.choice, "last call") or 0
        if next((entry[1] for entry in reversed(log) if entry[0] == "call"), -1) >= size:
            return  # a further piece of a call that has its place
    elif kind in _RUNS and log and log[-1][0] == kind and log[-1][2] == fields:
        log[-1][1] += size
        return
    document.push([[kind, size, fields]], *at)


def parts(document: Document) -> Iterator[dict[str, Json]]:
    """The parts of all answers, those of further choices with their `index`; none of an answer that is plain."""
    for choice in sorted(document.members("choices")):
        log = document.get("choice", choice, "parts") or []
        if not _is_plain(log):
            yield from ({**part, "index": choice} if choice else part for part in _parts(document, choice, log))


def _is_plain(log: list[Any]) -> bool:
    """Whether an answer is reasoning, then words, then calls: its other fields tell all of it."""
    places = [_PLAIN[kind][0] for kind, _, fields in log if kind in _PLAIN and _PLAIN[kind][1] in (None, fields)]
    words = [place for place in places if place < _PLAIN["call"][0]]
    return len(places) == len(log) and places == sorted(places) and len(words) == len(set(words))


def _parts(document: Document, choice: int, log: list[Any]) -> Iterator[dict[str, Json]]:
    read = dict.fromkeys(("text", "reasoning"), 0)
    texts = {channel: document.text("choice", choice, channel) or "" for channel in read}
    for kind, size, fields in log:
        if kind in read:
            start = read[kind]
            read[kind] += size
            yield {"text": texts[kind][start : start + size], **fields}
        else:
            yield dict(fields)
