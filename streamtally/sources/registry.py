"""Finds the row of an SDK: the module of this package that is named after the SDK's top-level package. No SDK is imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any

from ..dialects import Origin
from .base import Source

UNKNOWN = Source("")
"""The row of an object that no SDK with a row of its own made."""


def source_of(thing: Any) -> Source:
    """The row of the SDK that defines a thing's class, or a class from which that is derived; `UNKNOWN` if there is none."""
    rows = (_row(str(kind.__module__).partition(".")[0]) for kind in type(thing).__mro__)
    return next(filter(None, rows), UNKNOWN)


def origin_of(payload: Any) -> Origin:
    """The provider and the dialect that the class of a payload states."""
    source = source_of(payload)
    provider = source.stated_provider(payload) or source.provider
    return Origin(provider, source.dialects.get(type(payload).__name__))


def all_sources() -> Iterator[Source]:
    """All rows, sorted by package; each module is imported for that."""
    names = sorted(module.name for module in iter_modules(sys.modules[__package__].__path__))
    return filter(None, map(_row, names))


@lru_cache(maxsize=1024)
def _row(package: str) -> Source | None:
    """The row in the module of this name, imported when it is first asked for; None where there is no such module."""
    name = f"{__package__}.{package}"
    if not package.isidentifier() or package.startswith("_") or find_spec(name) is None:
        return None
    row = getattr(import_module(name), "SOURCE", None)
    return row if isinstance(row, Source) else None
