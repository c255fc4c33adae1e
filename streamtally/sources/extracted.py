"""Reads an item field by field: what an `Extract` states, as a function that makes a `Chunk`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..chunks import Chunk, Delta, FinishDelta, TextDelta, ToolCallDelta, UsageDelta
from ..dialects import Extracted, Origin
from ..json_readers import count_of, is_list, json_text, mapping_of, name_of
from ..json_values import deep_fields, json_value, plain_fields
from .extract import Extract, value_at


def origin_by(extract: Extract, *, provider: str | None = None, dialect: str | None = None) -> Origin:
    """What a reader of payloads needs to know of an extract."""
    unwrap, fields = extract.unwrap, extract
    return Origin(
        provider,
        dialect,
        None if unwrap is None else lambda item: value_at(item, unwrap),
        (lambda item: extracted(item, fields)) if extract.is_whole else None,
        extract.cumulative,
        is_known=True,
    )


def extracted(item: Any, extract: Extract) -> Extracted:
    """The chunk of an item, and how many of its fields raised."""
    reading = _Reading(item)
    deltas = [
        *reading.of(extract.text, lambda words: _texts(words, extract)),
        *reading.of(extract.reasoning, lambda words: _reasoning(words, extract)),
        *reading.of(extract.tool_calls, lambda calls: _calls(calls, final=extract.cumulative is True)),
        *reading.of(extract.finish, _finish),
    ]
    (usage,) = reading.of(extract.usage, lambda value: [_usage(value)]) or [None]
    (model,) = reading.of(extract.model, lambda value: [name_of(value)]) or [None]
    (error,) = reading.of(extract.error, lambda value: [_error(value)]) or [None]
    if usage and extract.usage_adds:
        deltas.append(UsageDelta(usage, "+"))
        usage = None
    return Extracted(Chunk(tuple(deltas), {"model": model} if model else {}, usage=usage or None, error=error), reading.faults)


class _Reading:
    """Reads the fields of one item, and counts those that raise."""

    def __init__(self, item: Any) -> None:
        self.item = item
        self.faults = 0

    def of(self, path: Any, read: Callable[[Any], Any]) -> list[Any]:
        """What `read` makes of the value at a path; nothing where there is none, or where either raises."""
        if path is None:
            return []
        try:
            value = value_at(self.item, path)
            return [] if value is None else list(read(value))
        except Exception:  # a user's function, or an item of another shape
            self.faults += 1
            return []


def _texts(value: Any, extract: Extract) -> Iterator[Delta]:
    yield TextDelta(_words(value), whole=extract.cumulative)


def _reasoning(value: Any, extract: Extract) -> Iterator[Delta]:
    yield TextDelta(_words(value), "reasoning", whole=extract.cumulative)


def _words(value: Any) -> str:
    """A text, or the texts of a list of parts."""
    if is_list(value):
        return "".join(map(_words, value))
    if isinstance(value, str):
        return value
    text = value_at(value, "text")
    if not isinstance(text, str):
        raise TypeError(f"no text: a {type(value).__name__}")
    return text


def _calls(value: Any, *, final: bool) -> Iterator[Delta]:
    for call in value if is_list(value) else [value]:
        fields = _fields_of(call)
        function = _fields_of(fields.get("function"))
        named = function if function else fields
        arguments = next((named[name] for name in ("arguments", "args", "input") if named.get(name) is not None), None)
        yield ToolCallDelta(
            json_text(arguments),
            count_of(fields.get("index")),
            name_of(fields.get("id")),
            name_of(named.get("name")),
            final=final,
        )


def _fields_of(value: Any) -> Mapping[str, Any]:
    return {} if value is None else deep_fields(value) or {}


def _finish(value: Any) -> Iterator[Delta]:
    word = name_of(json_value(value))
    if word:
        yield FinishDelta(word)


def _usage(value: Any) -> dict[str, Any]:
    """A report as JSON, without the fields that say nothing."""
    return {name: json_value(count) for name, count in (plain_fields(value) or {}).items() if count is not None}


def _error(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"message": value}
    if isinstance(value, BaseException):
        return {"type": type(value).__name__, "message": str(value)}
    fields = mapping_of(deep_fields(value))
    named = {name: fields.get(name) for name in ("type", "message", "code", "status")}
    return {**named, "body": json_value(fields) or None}
