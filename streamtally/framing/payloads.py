"""What one event's data says: JSON values, the end marker, or text that is neither."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple, TypeAlias


class Done:
    """The type of `DONE`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "DONE"

    def __reduce__(self) -> str:
        return "DONE"


DONE: Final = Done()
"""The marker `[DONE]`, with which the OpenAI family ends a stream."""


class Malformed(NamedTuple):
    """Text that is no JSON, and why."""

    text: str
    reason: str


Payload: TypeAlias = Any
"""A JSON value, `DONE`, or `Malformed`."""


def payloads(data: str) -> list[Payload]:
    """The payloads in the data of one event, in order; none where the data is blank.

    It is one JSON text as a rule. Recorders and some servers leave out the blank lines between events, and so several lines
    make one event though each is a payload of its own: where the whole does not parse and at least one line is a JSON object or
    `[DONE]`, and not indented like a part of something larger, each line is taken alone. What is no JSON, or has depth or
    numbers beyond Python's bounds, becomes `Malformed`. Nothing is raised.

    >>> payloads('{"a": 1}')
    [{'a': 1}]
    >>> payloads("[DONE]")
    [DONE]
    """
    payload = _payload(data)
    if not isinstance(payload, Malformed):
        return [payload]
    lines = [line for line in data.split("\n") if line.strip()]
    alone = [_payload(line) for line in lines]
    if any(isinstance(one, dict | Done) and not line[0].isspace() for one, line in zip(alone, lines, strict=True)):
        return alone
    return [payload] if lines else []


def _payload(text: str) -> Payload:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return DONE if text.strip() == "[DONE]" else Malformed(text, str(error))
