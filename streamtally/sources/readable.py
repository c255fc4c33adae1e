"""What a framework wraps is read only if it can be: else the framework's own fields are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import Chunk
from ..dialects.registry import recognised
from ..json_values import deep_fields
from .registry import origin_of


def is_readable(payload: Any) -> bool:
    """Whether a payload is of a class that is known, or in a dialect for certain."""
    if payload is None or isinstance(payload, str | bytes | list | tuple | type):
        return False
    if not isinstance(payload, Mapping) and origin_of(payload).is_known:
        return True
    return recognised(deep_fields(payload) or {})[1]


def no_content(_: Any) -> Chunk:
    """The chunk of an item that says nothing of an answer, or repeats what others said."""
    return Chunk()
