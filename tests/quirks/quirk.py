"""`Quirk`: a small stream in a provider's wire format, and the values that its record must have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from streamtally import Choice, StreamRecord
from tests.dialects.wire import Payload

Row: TypeAlias = tuple[str, Sequence[Payload], Mapping[str, Any]]


@dataclass(frozen=True)
class Quirk:
    """One quirk, as data.

    `sentence` states it, and differs from those of the other quirks of its dialect. `expected` has the values of the record,
    by name or dotted path; the outcome is "completed" unless it is stated. `same_as` names the dialect that is detected, where
    the payloads do not determine it; "opaque" if none is.
    """

    sentence: str
    dialect: str
    payloads: Sequence[Payload]
    expected: Mapping[str, Any]
    same_as: str | None = None

    @property
    def name(self) -> str:
        """The ID of the test."""
        return f"{self.dialect}: {self.sentence}"


def differences(record: StreamRecord, expected: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """By path, the values of the record that differ from those expected: (found, expected)."""
    expected = {"outcome": "completed", **expected}
    found = {path: value_at(record, path) for path in expected}
    return {path: (found[path], value) for path, value in expected.items() if found[path] != value}


def value_at(record: StreamRecord, path: str) -> Any:
    """The value of a record at a path: a field of it, or one of the short names for values of its first choice."""
    value: Any = record
    for name in path.split("."):
        value = _step(value, name)
    return value.value if isinstance(value, Enum) else value


def _step(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, Sequence):
        return value[int(name)] if int(name) < len(value) else None
    if isinstance(value, StreamRecord) and name == "input":
        return {key: entry for key, entry in value.extras.items() if key.startswith("input.")}
    if isinstance(value, StreamRecord) and name in _SHORT:
        return _SHORT[name](value.choices[0] if value.choices else Choice(finish_reason=None))
    return getattr(value, name, None)


def _calls(choice: Choice) -> list[tuple[str | None, str | None, Any]]:
    """(id, name, arguments) of each call; the arguments are parsed if the call is complete, else text."""
    return [(call.id, call.name, call.arguments_json if call.complete else call.arguments) for call in choice.tool_calls]


_SHORT: Mapping[str, Any] = {
    "annotations_present": lambda choice: bool(choice.annotations),
    "calls": _calls,
    "functions": lambda choice: [(call.name, call.arguments_json) for call in choice.tool_calls],
    "finish": lambda choice: (choice.finish_reason, choice.finish_reason_raw),
    "annotations": lambda choice: list(choice.annotations),
    "details": lambda choice: list(choice.reasoning_details),
    "unfinished": lambda choice: [call.name for call in choice.tool_calls if not call.complete],
    "logprobs": lambda choice: choice.logprobs,
}


def by_dialect(dialect: str, rows: Iterable[Row], *, same_as: str | None = None) -> list[Quirk]:
    """Quirks of one dialect, from rows of (sentence, payloads, expected values)."""
    return [Quirk(sentence, dialect, payloads, expected, same_as) for sentence, payloads, expected in rows]
