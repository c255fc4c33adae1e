"""The way out: hands each record to each exporter, and keeps the exporters' faults to itself."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from threading import Lock, Thread
from time import monotonic
from types import MappingProxyType

from ..records import StreamRecord
from .base import Exporter

logger = logging.getLogger("streamtally")

Hook = Callable[[StreamRecord], object]


class Delivery:
    """Gives the records to the exporters, on the caller's own thread.

    An exporter that raises is isolated: the others still get the record, the caller sees nothing, the failure is counted
    in `failures` and logged the first time that this exporter raises this type of exception. `KeyboardInterrupt` and
    the like are no failures and pass.

    Example:
        >>> from streamtally.exporters import resolve
        >>> delivery = Delivery([resolve(len)])
        >>> delivery.deliver("a record")
        >>> dict(delivery.failures)
        {}
    """

    def __init__(self, exporters: Iterable[Exporter] = ()) -> None:
        self.exporters = tuple(exporters)
        names = _distinct([_name(exporter) for exporter in self.exporters])
        self._named = tuple(zip(names, self.exporters, strict=True))
        self._on_start = self._hooks("on_start")
        self._on_late = self._hooks("on_late")
        self._on_discard = self._hooks("on_discard")
        self._export = self._hooks("export")
        self._failures: Counter[str] = Counter()
        self._logged: set[tuple[str, type[Exception]]] = set()
        self._lock = Lock()

    @property
    def failures(self) -> Mapping[str, int]:
        """How often each exporter raised, by its name; those that never did are not in it."""
        return MappingProxyType(self._failures)

    def start(self, record: StreamRecord) -> None:
        """A stream has started. To be called in the caller's context: a span that begins here has the caller's as parent."""
        self._call(self._on_start, record)

    def deliver(self, record: StreamRecord) -> None:
        """A stream has ended."""
        self._call(self._export, record)

    def late(self, record: StreamRecord) -> None:
        """A chunk came after the end of this stream."""
        self._call(self._on_late, record)

    def discard(self, record: StreamRecord) -> None:
        """A stream that had started was given up; it will not be delivered."""
        self._call(self._on_discard, record)

    def flush(self, timeout: float | None = None) -> bool:
        """Have every exporter write out what it holds back; True where all of them said that they did.

        With a `timeout` (seconds, for all together) the call returns in time, whatever the exporters do.
        """
        if timeout is None:
            flushed = [self._flushed(name, exporter, None) for name, exporter in self._named]
        else:
            deadline = monotonic() + timeout
            flushed = [self._flushed_by(deadline, name, exporter) for name, exporter in self._named]
        return all(flushed)

    def close(self) -> None:
        """Close every exporter."""
        for name, exporter in self._named:
            try:
                exporter.close()
            except Exception as error:
                self._failed(name, error)

    def _hooks(self, method: str) -> tuple[tuple[str, Hook], ...]:
        return tuple((name, getattr(exporter, method)) for name, exporter in self._named if hasattr(exporter, method))

    def _call(self, hooks: tuple[tuple[str, Hook], ...], record: StreamRecord) -> None:
        for name, hook in hooks:
            try:
                hook(record)
            except Exception as error:
                self._failed(name, error)

    def _flushed(self, name: str, exporter: Exporter, timeout: float | None) -> bool:
        try:
            return exporter.flush(timeout)
        except Exception as error:
            self._failed(name, error)
            return False

    def _flushed_by(self, deadline: float, name: str, exporter: Exporter) -> bool:
        # On a thread of its own, for what an exporter calls may not keep to the time it is given.
        answers: list[bool] = []
        remaining = max(deadline - monotonic(), 0.0)
        worker = Thread(target=lambda: answers.append(self._flushed(name, exporter, remaining)), daemon=True)
        worker.start()
        worker.join(remaining)
        return answers == [True]

    def _failed(self, name: str, error: Exception) -> None:
        kind = (name, type(error))
        with self._lock:
            self._failures[name] += 1
            first = kind not in self._logged
            self._logged.add(kind)
        if first:
            logger.warning("exporter %s failed; more failures of this kind will only be counted", name, exc_info=error)


def _name(exporter: Exporter) -> str:
    named = getattr(exporter, "function", exporter)
    return getattr(named, "__qualname__", type(named).__qualname__)


def _distinct(names: list[str]) -> list[str]:
    """The names, those that stand more than once with a number."""
    return [name if names.count(name) == 1 else f"{name}#{names[: place + 1].count(name)}" for place, name in enumerate(names)]
