"""Conversion of any value to JSON values, as copies that share nothing with the original."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list or dict of such."""


def mend_surrogates(text: Any) -> Any:
    r"""Join surrogate pairs that arrived in two pieces; replace a lone surrogate, which UTF-8 cannot encode, by U+FFFD.

    A value that is not a string is returned unchanged.

    >>> mend_surrogates("\ud83d\ude00 \ud83d") == "\U0001f600 \ufffd"
    True
    """
    if not isinstance(text, str) or text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


MAX_DEPTH = 100
"""The maximum nesting depth: more than providers send, and less than the limit of any JSON writer."""


def json_value(value: Any, depth: int = 0) -> Json:
    """A deep copy of `value` made of JSON values only.

    Bytes become base64, datetimes their ISO form, enums their value, infinities and NaN their names, model objects
    (`plain_fields`) their fields, and any other object its `str`. Values deeper than `MAX_DEPTH` become "…".
    """
    if value is None or value is True or value is False or type(value) is int:
        return value
    if isinstance(value, str):
        return mend_surrogates(value.value if isinstance(value, Enum) else str(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return (
            {mend_surrogates(str(key)): json_value(item, depth + 1) for key, item in value.items()} if depth < MAX_DEPTH else "…"
        )
    return _other_value(value, depth)


def _other_value(value: Any, depth: int) -> Json:
    if isinstance(value, Enum):
        return json_value(value.value, depth)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if depth >= MAX_DEPTH:
        return "…"
    fields = plain_fields(value)
    if fields is not None:
        return json_value(fields, depth)
    if isinstance(value, Iterable):
        return [json_value(item, depth + 1) for item in value]
    return mend_surrogates(str(value))


def size_of(value: Json) -> int:
    """The approximate number of characters of a JSON value.

    >>> size_of({"token": "hello", "bytes": [1, 2]})
    31
    """
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(len(str(key)) + size_of(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return sum(map(size_of, value))
    return 8


def plain_fields(value: Any) -> Mapping[str, Any] | None:
    """The fields of an object as a mapping, or None if it has none.

    Supports mappings, pydantic models (only the fields that were set), objects with `to_dict`, dataclasses and namespaces.
    """
    if isinstance(value, Mapping):
        return value
    if isinstance(value, type):
        return None
    if hasattr(value, "model_dump"):
        dumped: Mapping[str, Any] = value.model_dump(exclude_unset=True, warnings=False)
        return dumped
    if hasattr(value, "to_dict"):
        return plain_fields(value.to_dict())
    if is_dataclass(value):
        return _dataclass_fields(value)
    fields = getattr(value, "__dict__", None)
    if isinstance(fields, dict) and not callable(value):
        return {key: item for key, item in fields.items() if not key.startswith("_")}
    return None


def _dataclass_fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that were set, and its other attributes: SDKs put there what their classes do not declare."""
    names = dict.fromkeys((*(field.name for field in dataclass_fields(value)), *getattr(value, "__dict__", ())))
    return {name: getattr(value, name) for name in names if not name.startswith("_") and hasattr(value, name)}


def deep_fields(value: Any) -> Mapping[str, Any] | None:
    """`plain_fields` with nested objects converted to mappings and lists; strings and numbers stay as they are."""
    fields = plain_fields(value)
    if fields is None or isinstance(value, Mapping) or hasattr(value, "model_dump"):
        return fields
    return {key: _plain(item, 1) for key, item in fields.items()}


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    if isinstance(value, Enum):
        return value.value
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    fields = plain_fields(value)
    return value if fields is None else {key: _plain(item, depth + 1) for key, item in fields.items()}


def json_object(value: Any) -> dict[str, Json]:
    """A JSON copy of an object with fields.

    Raises:
        ValueError: the object has no fields.
    """
    fields = plain_fields(value)
    if fields is None:
        raise ValueError("expected an object with fields")
    return {mend_surrogates(str(key)): json_value(item) for key, item in fields.items()}


def stated(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The fields whose value is not None."""
    return {name: value for name, value in fields.items() if value is not None}


def merged(first: Mapping[str, Json], second: Mapping[str, Json]) -> dict[str, Json]:
    """The deep merge of two objects; where both have a field the second wins.

    >>> merged({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}})
    {'a': 1, 'b': {'c': 2, 'd': 3}}
    """
    whole = dict(first)
    merge_into(whole, second)
    return whole


def merge_into(known: dict[str, Json], fields: Mapping[str, Json]) -> None:
    """`merged` in place; nested mappings of `known` are replaced, never modified, because they may be shared."""
    for name, value in fields.items():
        mine = known.get(name)
        known[name] = merged(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
