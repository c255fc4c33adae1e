"""Readers of untrusted JSON: each function returns a value of its type, or a default if the value has another type."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from .json_values import Json, json_value


def text_of(value: Any) -> str:
    """The value if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def name_of(value: Any) -> str | None:
    """The value if it is a non-empty string, the digits of an integer (some servers number their calls), else None."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def count_of(value: Any) -> int | None:
    """The value as an integer if it is a finite number of at least 0, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return int(value)


def said(*counts: int | None) -> int | None:
    """Of several statements of one count the first that says something: a 0, or None, says nothing beside a number.

    >>> said(0, None, 4), said(None, 0), said(None)
    (4, 0, None)
    """
    known = [count for count in counts if count is not None]
    return next(filter(None, known), 0 if known else None)


def count_at(fields: Mapping[str, Any], *names: str) -> int | None:
    """The count that stands under one of several names, by the rule of `said`."""
    return said(*(count_of(fields.get(name)) for name in names))


def sum_at(fields: Mapping[str, Any], *names: str) -> int | None:
    """The sum of the counts under several names; None if there is none."""
    counts = [count for name in names if (count := count_of(fields.get(name))) is not None]
    return sum(counts) if counts else None


def completed(fields: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, and those of `others` where they say nothing.

    >>> completed({"input": 0, "output": 3}, {"input": 7, "output": 1})
    {'input': 7, 'output': 3}
    """
    return {**others, **{name: value for name, value in fields.items() if value or name not in others}}


def number_of(value: Any) -> float | None:
    """The value as a float if it is a finite number of at least 0, or a string with one, else None."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 and not isinstance(value, bool) else None


def mapping_of(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty mapping."""
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def mappings_of(value: Any) -> Iterator[Mapping[str, Any]]:
    """The mappings in a list; none if the value is not a list."""
    return (item for item in value if isinstance(item, Mapping)) if is_list(value) else iter(())


def is_list(value: Any) -> bool:
    """Whether a value is a JSON list."""
    return isinstance(value, list | tuple)


def json_text(value: Any) -> str:
    """A string unchanged, None as "", any other value (arguments that some servers send as an object) as compact JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(json_value(value), ensure_ascii=False)


def data_url(url: str) -> tuple[str, str] | None:
    """The media type and the base64 of a data URL; None for any other one.

    >>> data_url("data:image/png;base64,aGV5")
    ('image/png', 'aGV5')
    """
    head, comma, data = url.partition(",")
    is_data = comma and head.startswith("data:") and head.endswith(";base64")
    return (head[5:-7], data) if is_data else None


def unnamed(fields: Mapping[str, Any], named: frozenset[str]) -> dict[str, Json]:
    """A JSON copy of the fields that are not in `named` and not None."""
    return {name: json_value(value) for name, value in fields.items() if name not in named and value is not None}


def parsed_json(text: str) -> Json:
    """The value of a JSON text, or None if it is invalid or null."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
