"""Parses the data of one event to payloads: JSON values, the end marker, or text that is neither."""

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
"""The marker `[DONE]`, which ends a stream in OpenAI's formats."""


class Malformed(NamedTuple):
    """Text that is not JSON, with the reason."""

    text: str
    reason: str


Payload: TypeAlias = Any
"""A JSON value, `DONE`, or `Malformed`."""


def payloads(data: str) -> list[Payload]:
    """The payloads in the data of one event, in order; none if the data is blank. Never raises.

    The data is usually one JSON text. Some recorders and servers omit the blank lines between events, so that several payloads
    form one event: if the whole does not parse, and at least one line is a JSON object or `[DONE]` without indentation, each line
    is a payload. Text that is not JSON, or exceeds Python's limits of depth or numbers, becomes `Malformed`.

    >>> payloads('{"a": 1}')
    [{'a': 1}]
    >>> payloads("[DONE]")
    [DONE]
    """
    payload = _payload(data)
    if not isinstance(payload, Malformed):
        return [payload]
    lines = [line for line in data.split("\n") if line.strip()]
    separate = [_payload(line) for line in lines]
    if any(isinstance(one, dict | Done) and not line[0].isspace() for one, line in zip(separate, lines, strict=True)):
        return separate
    return [payload] if lines else []


def _payload(text: str) -> Payload:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return DONE if text.strip() == "[DONE]" else Malformed(text, str(error))
