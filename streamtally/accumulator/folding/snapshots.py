"""Texts that come as snapshots: each holds all that came so far, and not only what is new.

A delta may state that it is a snapshot, or a piece (`TextDelta.whole`). Where it states neither, the first three texts decide:

| state (`ChoiceState.text_growth`) | the next text | becomes |
| --- | --- | --- |
| None: nothing came | any | a piece; the state is [its length] |
| [lengths]: each text continues the one before it | continues the last one | a piece; the third is a snapshot, the state True |
| | else | a piece; the state is False |
| False: pieces | any | a piece, for good |
| True: snapshots | begins with all of the text | what it has beyond that is a piece |
| | is part of the beginning of the text | nothing |
| | else | a piece |

A text continues another if it begins with it and is longer.
A text of one repeated character is no evidence: models write rules and indentation in growing pieces.
"""

from __future__ import annotations

from .answer import Answer, ChoiceState
from .growing import Text

_ENOUGH = 3


def fold_text(answer: Answer, choice: ChoiceState, channel: str, words: str, *, whole: bool | None) -> None:
    """Fold a text of a channel that is not empty: a piece, or a snapshot."""
    text: Text | None = getattr(choice, channel)
    if text is None:
        text = Text(answer.retention)
        setattr(choice, channel, text)
    if whole:
        _set(choice, channel, True)
        _put_snapshot(text, words)
    elif whole is False or channel == "refusal" or not answer.retention.keep:
        _set(choice, channel, False)
        text.append(words)
    else:
        _guess(choice, channel, text, words)


def is_in_pieces(choice: ChoiceState, channel: str) -> bool:
    """Whether it is decided that a text comes in pieces, so that each can be appended as it is."""
    return channel == "refusal" or getattr(choice, f"{channel}_growth") is False


def _set(choice: ChoiceState, channel: str, growth: bool | list[int]) -> None:
    if channel != "refusal":
        setattr(choice, f"{channel}_growth", growth)


def _put_snapshot(text: Text, words: str) -> None:
    """Put a snapshot in the place of the text; where content is not kept, count what is new."""
    if text.lost or not text.retention.keep:
        text.append(words[text.size + text.lost :])
    else:
        text.replace(words)


def _guess(choice: ChoiceState, channel: str, text: Text, words: str) -> None:
    growth: bool | list[int] | None = getattr(choice, f"{channel}_growth")
    if growth is True:
        known = text.value()
        if words.startswith(known):
            text.append(words[len(known) :])
        elif not known.startswith(words):
            text.append(words)
        return
    if growth is None:
        _set(choice, channel, [len(words)])
    elif growth is not False:
        growth = _grown(growth, text, words)
        _set(choice, channel, growth)
        if growth is True:
            text.replace(words)
            return
    text.append(words)


def _grown(lengths: list[int], text: Text, words: str) -> bool | list[int]:
    """The state after one more text."""
    last = lengths[-1]
    if len(words) <= last or not words.startswith(text.tail(text.size - last)):
        return False
    if len(lengths) + 1 < _ENOUGH:
        return [*lengths, len(words)]
    return len(set(words)) > 1
