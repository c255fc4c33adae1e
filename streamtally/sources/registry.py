"""Finds the row of an SDK: the module of this package that is named after the SDK's top-level package. No SDK is imported.

Which row holds for an item of a stream is decided by its class: the first in its order of inheritance that was registered by name
(`register_source`), or that has a row in its SDK's module. Without one only the provider of the SDK is known.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import AsyncGeneratorType, GeneratorType
from typing import Any, get_args

from ..dialects import UNKNOWN_ORIGIN, Extracted, Origin, dialect_named
from .base import Row, Source
from .extract import Extract
from .extracted import origin_by

UNKNOWN = Source("")
"""The row of objects whose SDK has no row."""

_registered: dict[str, Origin] = {}
"""What `register_source` added, by the dotted name of the class."""


def register_source(name: str, extract: Extract, *, provider: str | None = None, dialect: str | None = None) -> None:
    """State how the items of a class are read, in all streams.

    Args:
        name: the dotted name of the class, such as "acme.client.Event". Subclasses are read in the same way.
        extract: where the parts of a chunk lie in an item.
        provider: the provider of these items.
        dialect: the name of the wire format of what `extract.unwrap` gives.

    Raises:
        UnknownDialect: no dialect of this name is registered.
        ValueError: the name has no module.

    Example:
        >>> register_source("acme.client.Event", Extract(text="payload.words", finish="payload.why"), provider="acme")
    """
    if "." not in name:
        raise ValueError(f"the name of a class with its module, such as acme.client.Event, not {name!r}")
    if dialect is not None:
        dialect_named(dialect)
    _registered[name] = origin_by(extract, provider=provider, dialect=dialect)
    _origin_of_class.cache_clear()


def source_of(thing: Any) -> Source:
    """The row of the SDK that defines an object's class, or a base class of it, or the code of a generator; else `UNKNOWN`."""
    return next(_sources_of(type(thing)), None) or _row(_package_of_code(thing)) or UNKNOWN


def _package_of_code(thing: Any) -> str:
    """The top-level package of the code that a generator runs; empty for anything else, and for one that has ended."""
    if not isinstance(thing, GeneratorType | AsyncGeneratorType):
        return ""
    frame = thing.gi_frame if isinstance(thing, GeneratorType) else thing.ag_frame
    return "" if frame is None else _top(frame.f_globals.get("__name__"))


def mappings_in(stream: Any) -> Origin | None:
    """How the mappings are read that a stream of an SDK yields; None if they are read as they are."""
    source = source_of(stream)
    return None if source.mappings is None else _of_row(source.mappings, source.provider)


def origin_of(payload: Any) -> Origin:
    """What the class of a payload states of how it is read, and of its provider."""
    found = _origin_of_class(type(payload))  # type: ignore[arg-type]  # mypy takes a class for unhashable
    stated = source_of(payload).stated_provider(payload) if found.is_known else None
    return found if stated is None else found._replace(provider=stated)


def dialect_of_stream(stream: Any) -> str | None:
    """The name of the dialect that the type of an SDK's stream object states: that of the class of its items."""
    source = source_of(stream)
    item = None if source.items is None else _first_class(getattr(stream, source.items, None))
    name = "" if item is None else f"{item.__module__}.{item.__qualname__}"
    return next((dialect for start, dialect in source.streams.items() if name.startswith(start)), None)


def dialect_of_error(error: BaseException) -> str | None:
    """The name of the dialect that the payload of an SDK's exception is in."""
    return source_of(error).errors(error)


def _first_class(kind: Any) -> type | None:
    """A class, or the first class of a union."""
    while not isinstance(kind, type):
        members = get_args(kind)
        if not members:
            return None
        kind = members[0]
    return kind


@lru_cache(maxsize=1024)
def _origin_of_class(kind: type[Any]) -> Origin:
    for base in kind.__mro__:
        if (found := _registered.get(f"{base.__module__}.{base.__qualname__}")) is not None:
            return found
        source = _row(_package(base))
        row = None if source is None else source.rows.get(f"{base.__module__}.{base.__name__}") or source.rows.get(base.__name__)
        if source is not None and row is not None:
            provider = row.provider or next(_sources_of(kind), source).provider
            return _of_row(row, provider)
    known = next(_sources_of(kind), None)
    return UNKNOWN_ORIGIN if known is None or known.is_framework else Origin(known.provider, is_known=True)


def _of_row(row: Row, provider: str | None) -> Origin:
    origin = origin_by(row.extract or Extract(), provider=provider, dialect=row.dialect)._replace(amend=row.amend)
    chunk = row.chunk
    return origin if chunk is None else origin._replace(extract=lambda item: Extracted(chunk(item)))


def _sources_of(kind: type) -> Iterator[Source]:
    """The rows of the SDKs that define a class and its base classes."""
    return (source for base in kind.__mro__ if (source := _row(_package(base))) is not None)


def _package(kind: type) -> str:
    return _top(kind.__module__)


def _top(module: Any) -> str:
    return str(module).partition(".")[0]


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
