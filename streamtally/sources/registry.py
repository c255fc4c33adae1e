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
"""The row of objects whose SDK has no row."""


def source_of(thing: Any) -> Source:
    """The row of the SDK that defines an object's class, or a base class of it; `UNKNOWN` if there is none."""
    for kind in type(thing).__mro__:
        row = _row(str(kind.__module__).partition(".")[0])
        if row is not None:
            return row
    return UNKNOWN


def origin_of(payload: Any) -> Origin:
    """The provider and the dialect, as far as the class of a payload determines them."""
    source = source_of(payload)
    provider = source.stated_provider(payload) or source.provider
    return Origin(provider, source.dialects.get(type(payload).__name__))


def all_sources() -> Iterator[Source]:
    """All rows, sorted by package. Imports all modules of this package."""
    names = sorted(module.name for module in iter_modules(sys.modules[__package__].__path__))
    return filter(None, map(_row, names))


@lru_cache(maxsize=1024)
def _row(package: str) -> Source | None:
    """The row in the module of this name, which is imported on first use; None if there is no such module."""
    name = f"{__package__}.{package}"
    if not package.isidentifier() or package.startswith("_") or find_spec(name) is None:
        return None
    row = getattr(import_module(name), "SOURCE", None)
    return row if isinstance(row, Source) else None
