"""Reading payloads that may hold anything: each function takes a value and gives one of the right type, or nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from .json_values import Json, json_value


def text_of(value: Any) -> str:
    """A text, or "" for anything else."""
    return value if isinstance(value, str) else ""


def name_of(value: Any) -> str | None:
    """A text that is not empty (an integer, as some servers number their calls, as its digits), or None."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def count_of(value: Any) -> int | None:
    """A count: an integer from 0 on (also one written as a float), or None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return int(value)


def number_of(value: Any) -> float | None:
    """A finite number from 0 on, also one written as a text, or None."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 and not isinstance(value, bool) else None


def mapping_of(value: Any) -> Mapping[str, Any]:
    """A mapping, or an empty one."""
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def mappings_of(value: Any) -> Iterator[Mapping[str, Any]]:
    """The mappings of a list; of anything else none."""
    return (item for item in value if isinstance(item, Mapping)) if is_list(value) else iter(())


def is_list(value: Any) -> bool:
    """Whether a value is a list in the JSON sense."""
    return isinstance(value, list | tuple)


def json_text(value: Any) -> str:
    """A text as it is; an object (arguments that some servers send whole) as compact JSON text; None as ""."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(json_value(value), ensure_ascii=False)


def unnamed(fields: Mapping[str, Any], named: frozenset[str]) -> dict[str, Json]:
    """A copy of the fields that have no name of their own, less those that say nothing."""
    return {name: json_value(value) for name, value in fields.items() if name not in named and value is not None}


def parsed_json(text: str) -> Json:
    """What a JSON text holds, or None where it is none (or holds null)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
