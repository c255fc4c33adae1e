"""What a quirk is: a small stream in a provider's wire format, and what the record must say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from streamtally import Choice, StreamRecord
from tests.dialects.wire import Payload

Row: TypeAlias = tuple[str, str, Sequence[Payload], Mapping[str, Any]]


@dataclass(frozen=True)
class Quirk:
    """One quirk, as data.

    `id` is its number in the list of known bugs where it has one, else a word. `says` has, by name or dotted path, what the
    record must say; where it says nothing of the outcome, the stream is completed. `same_as` names the dialect for which the
    payloads are taken where two look alike: "opaque" where they do not tell.
    """

    id: str
    sentence: str
    dialect: str
    payloads: Sequence[Payload]
    expected: Mapping[str, Any]
    same_as: str | None = None

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.dialect}-{self.id}: {self.sentence}"


def differences(record: StreamRecord, expected: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """By path: what the record says, and what it should say."""
    expected = {"outcome": "completed", **expected}
    found = {path: value_at(record, path) for path in expected}
    return {path: (found[path], value) for path, value in expected.items() if found[path] != value}


def value_at(record: StreamRecord, path: str) -> Any:
    """What a record says under a path: its own names, those of its first choice, and `calls`, `citations`, `thoughts`."""
    value: Any = record
    for name in path.split("."):
        value = _step(value, name)
    return value.value if isinstance(value, Enum) else value


def _step(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, Sequence):
        return value[int(name)] if int(name) < len(value) else None
    if isinstance(value, StreamRecord) and name in _SHORT:
        return _SHORT[name](value.choices[0] if value.choices else Choice(finish_reason=None))
    return getattr(value, name, None)


def _calls(choice: Choice) -> list[tuple[str | None, str | None, Any]]:
    """(id, name, arguments: parsed if the call is whole, else the text)."""
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
    """Quirks of one dialect, written as rows of (id, sentence, payloads, what the record says)."""
    return [Quirk(number, sentence, dialect, payloads, expected, same_as) for number, sentence, payloads, expected in rows]
