"""`Origin`: what the class of a payload, or the caller, states of how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..chunks import Chunk
from ..json_values import deep_fields


class ObjectFields(dict[str, Any]):
    """The fields of an object whose class belongs to no SDK that is known: their names mean nothing."""


class Extracted(NamedTuple):
    """A chunk that was read from an object field by field, and how many of the fields raised."""

    chunk: Chunk
    faults: int = 0


class Origin(NamedTuple):
    """What is known of a payload before its fields are looked at.

    Attributes:
        provider: the provider.
        dialect: the name of the dialect. This is no guess.
        unwrap: gives the payload inside, which is read in its place; None where this item has none.
        extract: reads the item itself; None: a dialect does.
        cumulative: whether texts and calls are all that came so far, see `Extract`.
        amend: the fields of an item, with what it states outside of them; not asked for items that only continue a text.
        is_known: whether the class belongs to an SDK or framework that is known: then the names of its fields mean something.
    """

    provider: str | None = None
    dialect: str | None = None
    unwrap: Callable[[Any], Any] | None = None
    extract: Callable[[Any], Extracted] | None = None
    cumulative: bool | None = None
    is_known: bool = False
    amend: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] | None = None

    @property
    def reads_fields(self) -> bool:
        """Whether items are read as they are, by a dialect and nothing else."""
        return self.unwrap is None and self.extract is None and self.cumulative is None

    def fields_of(self, item: Any) -> Mapping[str, Any] | None:
        """The fields of an item, as a dialect reads them; None if it has none."""
        fields = deep_fields(item)
        return fields if fields is None or self.amend is None else self.amend(item, fields)


UNKNOWN_ORIGIN = Origin()
