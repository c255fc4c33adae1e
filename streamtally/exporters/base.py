"""What an exporter is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from ..records import StreamRecord


@runtime_checkable
class Exporter(Protocol):
    """Takes the record of each stream that has ended.

    An exporter may have more methods; it is asked for them once, and each takes a record of a stream:

    - `on_start`: a stream has started. Called in the caller's own context, with what is known by then.
    - `on_late`: a chunk came after the end of a stream that was exported. The record is the exported one.
    - `on_discard`: a stream that had started was given up; there will be no `export` for it.

    All methods may be called by several threads at once. What an exporter raises never reaches the stream.

    Example:
        >>> class Spend:
        ...     def __init__(self) -> None:
        ...         self.usd = 0
        ...
        ...     def export(self, record: StreamRecord) -> None:
        ...         self.usd += record.cost.usd or 0
        ...
        ...     def flush(self, timeout: float | None = None) -> bool:
        ...         return True
        ...
        ...     def close(self) -> None: ...
        >>> isinstance(Spend(), Exporter)
        True
    """

    def export(self, record: StreamRecord) -> None:
        """Take one record; its `outcome` is set."""
        ...

    def flush(self, timeout: float | None = None) -> bool:
        """Write out what is held back, within `timeout` seconds where given; return whether all of it went out."""
        ...

    def close(self) -> None:
        """Let go of what the exporter itself opened. Nothing is exported afterwards."""
        ...


class CallableExporter:
    """A plain function, or anything else that can be called with a record, as an exporter.

    Raises:
        TypeError: the function is a coroutine function, which nobody would await.

    Example:
        >>> CallableExporter(print).flush()
        True
    """

    def __init__(self, function: Callable[[StreamRecord], object]) -> None:
        if inspect.iscoroutinefunction(function):
            raise TypeError("an exporter is called, not awaited: hand the record to a queue that your coroutine reads")
        self.function = function

    def export(self, record: StreamRecord) -> None:
        """Call the function."""
        self.function(record)

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - nothing is held back
        """Nothing is held back."""
        return True

    def close(self) -> None:
        """Nothing was opened."""
