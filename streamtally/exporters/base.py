"""What an exporter is."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from ..records import StreamRecord

_CONTAINERS = (list, set, deque)


@runtime_checkable
class Exporter(Protocol):
    """Takes the record of each stream that has ended.

    An exporter may have more methods; it is asked for them once. Three take a record of a stream:

    - `on_start`: a stream has started, and this is what is known by then. Called in the caller's context.
    - `on_late`: a chunk came after the end of a stream that was exported. The record is the exported one.
    - `on_discard`: a stream that had started was given up; there will be no `export` for it.

    One takes an `Owner`, once, before the first record:

    - `belongs_to`: what it may ask the tally: failures and drops of the exporters, known models, the age of the prices.

    And three take nothing:

    - `alone()`, a context manager: inside it the request is made, and what else would measure it is to stand back.
    - `suppressed()`: whether somebody asked that this call be left alone; then `instrument` does.
    - `after_fork()`: this is a forked child; what was opened is to be opened again, locks are to be new.

    An exporter that writes, sends or waits gets its records on a thread of its own, one after the other, and what it
    raises or how long it takes never reaches the stream; `Tally.flush` waits for it. One that never waits says
    `blocking = False`: it is called at once, on the caller's own thread, and so by several at a time.

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

    The `append` of a list, and what else is a method of Python's own containers, is called at once; any other function may
    block, and is called on a thread of its own.

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
        self.blocking = type(getattr(function, "__self__", None)) not in _CONTAINERS

    def export(self, record: StreamRecord) -> None:
        """Call the function."""
        self.function(record)

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - nothing is held back
        """Nothing is held back."""
        return True

    def close(self) -> None:
        """Nothing was opened."""
