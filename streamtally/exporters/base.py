"""What an exporter is: the base class with its hooks, and a plain function as an exporter."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, Protocol, runtime_checkable

from ..records import StreamRecord
from .tally_info import TallyInfo

_CONTAINERS = (list, set, deque)


@runtime_checkable
class ExporterLike(Protocol):
    """The methods that an object must have to be an exporter, if its class is not derived from `Exporter`."""

    def export(self, record: StreamRecord) -> None:
        """Take the record of a stream that has ended."""
        ...

    def flush(self, timeout: float | None = None) -> bool:
        """Write out what is pending; return whether all of it was written."""
        ...

    def close(self) -> None:
        """Release what was opened."""
        ...


class Exporter:
    """Base class of exporters. A subclass overrides the hooks that it needs; the others do nothing and are never called.

    Hooks are looked up once, when the exporter is given to a `Tally`. A subclass with a method whose name is almost that of a
    hook, or any other method named `on_…`, is refused with a TypeError. An object of any other class that has the methods
    `export`, `flush` and `close` is an exporter too, and may have the other hooks.

    Attributes:
        blocking: whether a hook may wait or do I/O. If True, the exporter has its own thread with a bounded queue: it gets one
            record after the other, no delay reaches the stream, and `Tally.flush` waits for it. If False, hooks are called
            at once on the caller's thread, and so by several threads at a time. No exception of a hook reaches the stream.
        serves_prometheus: whether a Prometheus server scrapes the metrics of this exporter.

    Example:
        >>> class Spend(Exporter):
        ...     def __init__(self) -> None:
        ...         self.usd = 0
        ...
        ...     def export(self, record: StreamRecord) -> None:
        ...         self.usd += record.cost.usd or 0
        >>> Spend().flush()
        True
    """

    blocking: bool = True
    serves_prometheus: ClassVar[bool] = False

    def export(self, record: StreamRecord) -> None:
        """Take the record of a stream that has ended; its `outcome` is set."""

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - for subclasses
        """Write out what is pending, within `timeout` seconds if given; return whether all of it was written."""
        return True

    def close(self) -> None:
        """Release what the exporter opened. No other hook is called afterwards."""

    def on_start(self, record: StreamRecord) -> None:
        """A stream has started: take what is known by then. Called in the caller's context (`contextvars`)."""

    def on_late(self, record: StreamRecord) -> None:
        """A chunk was received after the end of a stream: take the record that was exported."""

    def on_attach(self, tally: TallyInfo) -> None:
        """The exporter belongs to this tally. Called once, before the first record; an exception reaches the caller."""

    def suppress_others(self) -> AbstractContextManager[object]:
        """A block in which the request is made, and in which other instrumentations must not measure it."""
        return nullcontext()

    def is_suppressed(self) -> bool:
        """Whether instrumentation is suppressed in the current context, so that `instrument` must not wrap the call."""
        return False

    def after_fork(self) -> None:
        """In a forked child: open again what was open, replace locks, and forget what the parent exports."""


class CallableExporter(Exporter):
    """A function that takes a record, as an exporter.

    Methods of Python's own containers, such as the `append` of a list, are called at once. Any other function may block, and
    is called on a thread of its own.

    Raises:
        TypeError: the function is a coroutine function, which nothing would await.

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
