"""The order of an answer's parts, where an answer is a list of parts: words, calls, code and media in turn.

Words and calls are folded elsewhere, and only what stands between them and beside them is kept here: the log of a choice has
an entry `[kind, size or call, fields]` for each part, and words that follow one another are one part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...chunks import PartDelta
from ...json_values import Json
from .answer import Answer, ChoiceState
from .choices import choice_at

_RUNS = frozenset({"text", "reasoning", "audio"})
_PLAIN: Mapping[str, tuple[int, Mapping[str, Json] | None]] = {
    "reasoning": (0, {"thought": True}),
    "text": (1, {}),
    "call": (2, None),
}
"""The parts of an answer of which nothing more needs to be stated if they come in this order, and the fields beside them."""


def fold_part(answer: Answer, delta: PartDelta) -> None:
    """Log a part in its order; a piece continues the last part if that is of the same kind and has the same fields."""
    choice = choice_at(answer, delta.choice)
    if not answer.retention.keep:
        return
    log = choice.parts or []
    kind, size, fields = delta.kind, delta.size, dict(delta.fields)
    if kind == "call":
        size = (choice.tools and choice.tools.last) or 0
        if next((entry[1] for entry in reversed(log) if entry[0] == "call"), -1) >= size:
            return  # a further piece of a call that has its place
    elif kind in _RUNS and log and log[-1][0] == kind and log[-1][2] == fields:
        log[-1][1] += size
        return
    choice.parts = answer.retention.extend(choice.parts, [[kind, size, fields]])


def parts(answer: Answer) -> Iterator[dict[str, Json]]:
    """The parts of all answers, those of further choices with their `index`; none of an answer that is plain."""
    for index, choice in sorted(answer.choices.items(), key=lambda item: item[0]):
        log = choice.parts or []
        if not _is_plain(log):
            yield from ({**part, "index": index} if index else part for part in _parts(choice, log))


def _is_plain(log: list[Any]) -> bool:
    """Whether an answer is reasoning, then words, then calls: its other fields state all of it."""
    places = [_PLAIN[kind][0] for kind, _, fields in log if kind in _PLAIN and _PLAIN[kind][1] in (None, fields)]
    words = [place for place in places if place < _PLAIN["call"][0]]
    return len(places) == len(log) and places == sorted(places) and len(words) == len(set(words))


def _parts(choice: ChoiceState, log: list[Any]) -> Iterator[dict[str, Json]]:
    read = dict.fromkeys(("text", "reasoning"), 0)
    known = {"text": choice.text, "reasoning": choice.reasoning}
    texts = {channel: "" if text is None else text.value() for channel, text in known.items()}
    for kind, size, fields in log:
        if kind in read:
            start = read[kind]
            read[kind] += size
            yield {"text": texts[kind][start : start + size], **fields}
        else:
            yield dict(fields)
