"""Objects in the shapes of those of SDKs, whose classes are small ones of ours under the names of theirs."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

from streamtally import StreamRecord, Tally


@cache
def _class(name: str, bases: tuple[str, ...]) -> type:
    module, _, own = name.rpartition(".")
    above = tuple(_class(base, ()) for base in bases) or (SimpleNamespace,)
    return type(own, above, {"__module__": module})


def made(name: str, /, *bases: str, **fields: Any) -> Any:
    """An object of a class with this dotted name, and base classes of these."""
    return _class(name, bases)(**fields)


def read(items: Any, **options: Any) -> StreamRecord:
    """The record of a stream."""
    with Tally().wrap(items, **options) as stream:
        list(stream)
    record: StreamRecord = stream.record
    return record


def counts(record: StreamRecord) -> dict[str, Any]:
    """The counts that a record has."""
    whole = {} if record.usage is None else record.usage.model_dump(exclude={"raw", "source", "partial"})
    return {name: count for name, count in whole.items() if count is not None}
