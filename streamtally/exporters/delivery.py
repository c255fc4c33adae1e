"""The way out: hands each record to each exporter, and keeps the exporters' faults and their slowness to itself."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextvars import copy_context
from functools import partial
from threading import Event, Lock, Thread
from time import monotonic
from types import MappingProxyType

from ..records import StreamRecord
from .base import Exporter
from .courier import QUEUED, Courier, Job

logger = logging.getLogger("streamtally")

CLOSING = 5.0
"""Seconds that an exporter may take to close."""

_DONE = Event()
_DONE.set()

Call = Callable[[StreamRecord], object]


class Delivery:
    """Gives the records to the exporters: each on a thread of its own behind a bounded queue, or at once where it says so.

    An exporter whose attribute `blocking` is False is called on the caller's own thread; each other one costs the caller
    no more than putting the record into its queue, whatever it does. Where a queue is full, records are dropped and
    counted in `dropped`.

    An exporter that raises is isolated: the others still get the record, the caller sees nothing, the failure is counted
    in `failures` and logged the first time that this exporter raises this type of exception. `KeyboardInterrupt` and
    the like are no failures and pass, if it was the caller's thread that was interrupted.

    Args:
        exporters: where the records go.
        bound: how many records may wait for each exporter that can block.

    Example:
        >>> from streamtally.exporters import resolve
        >>> seen = []
        >>> delivery = Delivery([resolve(lambda record: seen.append(record))])
        >>> delivery.deliver("a record")
        >>> delivery.flush(timeout=30.0), seen, dict(delivery.failures), delivery.dropped
        (True, ['a record'], {}, 0)
    """

    def __init__(self, exporters: Iterable[Exporter] = (), *, bound: int = QUEUED) -> None:
        self.exporters = tuple(exporters)
        self._faults = _Faults()
        names = _distinct([_name(exporter) for exporter in self.exporters])
        self._outlets = tuple(_Outlet(name, one, self._faults, bound) for name, one in zip(names, self.exporters, strict=True))
        self._on_start = self._calls("on_start")
        self._on_late = self._calls("on_late")
        self._on_discard = self._calls("on_discard")
        self._export = self._calls("export")

    @property
    def failures(self) -> Mapping[str, int]:
        """How often each exporter raised, by its name; those that never did are not in it."""
        return MappingProxyType(self._faults.counted)

    @property
    def dropped(self) -> int:
        """How many records no queue had room for, or came after `close`; each counts once for each exporter that missed it."""
        return sum(outlet.courier.dropped for outlet in self._outlets if outlet.courier is not None)

    def start(self, record: StreamRecord) -> None:
        """A stream has started. To be called in the caller's context: a span that begins here has the caller's as parent."""
        _each(self._on_start, record)

    def deliver(self, record: StreamRecord) -> None:
        """A stream has ended."""
        _each(self._export, record)

    def late(self, record: StreamRecord) -> None:
        """A chunk came after the end of this stream."""
        _each(self._on_late, record)

    def discard(self, record: StreamRecord) -> None:
        """A stream that had started was given up; it will not be delivered."""
        _each(self._on_discard, record)

    def flush(self, timeout: float | None = None) -> bool:
        """Have every exporter take what waits for it, and write out what it holds back; True where all of it went out.

        With a `timeout` (seconds, for all together) the call returns in time, whatever the exporters do.
        """
        deadline = None if timeout is None else monotonic() + timeout
        begun = [outlet.flush(deadline) for outlet in self._outlets]
        flushed = [succeeded() for succeeded in begun]
        return all(flushed)

    def close(self) -> None:
        """Close every exporter, once it has taken what waits for it; none is waited for longer than `CLOSING` seconds."""
        deadline = monotonic() + CLOSING
        for closed in [outlet.close() for outlet in self._outlets]:
            closed.wait(_left(deadline))

    def after_fork(self) -> None:
        """Begin anew in a forked child: what waits is the parent's, and each exporter that opened something opens it again."""
        self._faults.after_fork()
        for outlet in self._outlets:
            outlet.after_fork()

    def _calls(self, method: str) -> tuple[Call, ...]:
        return tuple(outlet.call_of(method) for outlet in self._outlets if hasattr(outlet.exporter, method))


def _each(calls: tuple[Call, ...], record: StreamRecord) -> None:
    for call in calls:
        call(record)


class _Faults:
    """What the exporters raised: counted, and logged once per kind."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self._logged: set[tuple[str, type[BaseException]]] = set()
        self._lock = Lock()

    def note(self, name: str, error: BaseException) -> None:
        kind = (name, type(error))
        with self._lock:
            self.counted[name] += 1
            first = kind not in self._logged
            self._logged.add(kind)
        if first:
            logger.warning("exporter %s failed; more failures of this kind will only be counted", name, exc_info=error)

    def after_fork(self) -> None:
        self._lock = Lock()


class _Outlet:
    """One exporter, and the courier before it, where it can block."""

    def __init__(self, name: str, exporter: Exporter, faults: _Faults, bound: int) -> None:
        self.exporter = exporter
        self.courier = Courier(bound) if getattr(exporter, "blocking", True) else None
        self._name = name
        self._faults = faults

    def call_of(self, method: str) -> Call:
        """What takes a record to one of the exporter's methods."""
        call = partial(self._run, getattr(self.exporter, method))
        if self.courier is None:
            return call
        post = self.courier.post
        if method == "on_start":  # whose context is the caller's, so that a span that begins there has the caller's as parent
            return lambda record: post(partial(copy_context().run, call, record))
        return lambda record: post(partial(call, record))

    def flush(self, deadline: float | None) -> Callable[[], bool]:
        """Begin to flush; what is returned waits, until the deadline, and says whether that succeeded."""
        answers: list[object] = []

        def job() -> None:
            answers.append(self._run(self.exporter.flush, _left(deadline)))

        if self.courier is not None:
            done = self.courier.ask(job)
        elif deadline is None:
            done = _DONE
            job()
        else:  # what an exporter calls may not keep to the time that it is given
            done = _aside(job)

        def succeeded() -> bool:
            if not answers:
                done.wait(_left(deadline))
            return answers == [True]

        return succeeded

    def close(self) -> Event:
        """Have the exporter close; the event is set once it has."""
        close = partial(self._run, self.exporter.close)
        if self.courier is None:
            close()
            return _DONE
        closed = self.courier.ask(close)
        self.courier.close()
        return closed

    def after_fork(self) -> None:
        """Begin anew."""
        if self.courier is not None:
            self.courier.after_fork()
        if hasattr(self.exporter, "after_fork"):
            self._run(self.exporter.after_fork)

    def _run(self, method: Callable[..., object], *arguments: object) -> object:
        try:
            return method(*arguments)
        except Exception as error:
            self._faults.note(self._name, error)
            return None


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - monotonic(), 0.0)


def _aside(job: Job) -> Event:
    """Do a job on a thread of its own; the event is set once it is done."""
    done = Event()

    def work() -> None:
        job()
        done.set()

    try:
        Thread(target=work, daemon=True).start()
    except RuntimeError:  # the interpreter is ending, and starts no more threads
        work()
    return done


def _name(exporter: Exporter) -> str:
    named = getattr(exporter, "function", exporter)
    return getattr(named, "__qualname__", type(named).__qualname__)


def _distinct(names: list[str]) -> list[str]:
    """The names, those that stand more than once with a number."""
    return [name if names.count(name) == 1 else f"{name}#{names[: place + 1].count(name)}" for place, name in enumerate(names)]
