"""Passes each record to each exporter, and isolates the caller from the exporters' failures and delays."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from functools import partial
from threading import Event, Lock, Thread
from time import monotonic
from types import MappingProxyType

from ..clock import seconds_left
from ..records import StreamRecord
from .base import ExporterLike
from .hooks import hook_of
from .tally_info import TallyInfo
from .worker import MAX_QUEUED, Job, Worker

logger = logging.getLogger("streamtally")

CLOSE_SECONDS = 5.0
"""How long `close` waits for all exporters together."""

_DONE = Event()
_DONE.set()

RecordCall = Callable[[StreamRecord], object]


class Dispatcher:
    """Calls the hooks of the exporters: on a thread of each exporter behind a bounded queue, or at once.

    An exporter whose attribute `blocking` is False is called on the caller's thread. Any other exporter costs the caller no
    more than to put the record into its queue. If a queue is full, the record is dropped and counted in `dropped`.

    If an exporter raises, the others still get the record and the caller sees nothing. The failure is counted in `failures`,
    and logged the first time that this exporter raises this type of exception. Only an exception that is no `Exception`,
    such as `KeyboardInterrupt` on the caller's thread, is raised.

    Args:
        exporters: the exporters. Their hooks are looked up here, once.
        bound: how many records may wait for each exporter that has a queue.

    Attributes:
        exporters: the exporters.
        takes_starts: whether an exporter overrides `on_start`; if not, `start` does nothing.
        suppresses_others: whether an exporter overrides `suppress_others`.

    Example:
        >>> from streamtally.exporters import resolve
        >>> exported = []
        >>> dispatcher = Dispatcher([resolve(lambda record: exported.append(record))])
        >>> dispatcher.export("a record")
        >>> dispatcher.flush(timeout=30.0), exported, dict(dispatcher.failures), dispatcher.dropped
        (True, ['a record'], {}, 0)
    """

    def __init__(self, exporters: Iterable[ExporterLike] = (), *, bound: int = MAX_QUEUED) -> None:
        self.exporters = tuple(exporters)
        self._failures = _Failures()
        names = _distinct([_name(exporter) for exporter in self.exporters])
        self._queues = tuple(
            _ExporterQueue(name, one, self._failures, bound) for name, one in zip(names, self.exporters, strict=True)
        )
        self._export = self._record_calls("export")
        self._on_start = self._record_calls("on_start")
        self._on_late = self._record_calls("on_late")
        self._suppress_others = self._direct_calls("suppress_others")
        self._is_suppressed = self._direct_calls("is_suppressed")
        self.takes_starts = bool(self._on_start)
        self.suppresses_others = bool(self._suppress_others)

    def attach(self, *, knows_model: Callable[[str], bool], catalog_age: Callable[[], float | None]) -> None:
        """Call `on_attach` of each exporter. The arguments are those of `TallyInfo`; exceptions are raised."""
        info = TallyInfo(
            failures=lambda: self.failures,
            dropped=lambda: self.dropped,
            knows_model=knows_model,
            catalog_age=catalog_age,
            serves_prometheus=any(getattr(exporter, "serves_prometheus", False) for exporter in self.exporters),
        )
        for exporter in self.exporters:
            if (on_attach := hook_of(exporter, "on_attach")) is not None:
                on_attach(info)

    @property
    def failures(self) -> Mapping[str, int]:
        """How often each exporter raised, by its name. Exporters that never raised are absent."""
        return MappingProxyType(self._failures.counts)

    @property
    def dropped(self) -> int:
        """How many records were dropped, because a queue was full or closed, counted once for each exporter."""
        return sum(queue.worker.dropped for queue in self._queues if queue.worker is not None)

    def start(self, record: StreamRecord) -> None:
        """Call `on_start`. To be called in the caller's context: a span that starts here has the caller's span as parent."""
        _call_each(self._on_start, record)

    def export(self, record: StreamRecord) -> None:
        """Call `export`: the stream has ended."""
        _call_each(self._export, record)

    def late(self, record: StreamRecord) -> None:
        """Call `on_late`: a chunk was received after the end of this stream."""
        _call_each(self._on_late, record)

    @contextmanager
    def suppress_others(self) -> Iterator[None]:
        """Enter the `suppress_others()` block of each exporter. Exceptions of theirs do not reach the body."""
        entered: list[tuple[_ExporterQueue, ExitStack]] = []
        for queue, make in self._suppress_others:
            stack = ExitStack()
            queue.run(lambda make=make, stack=stack: stack.enter_context(make()))
            entered.append((queue, stack))
        try:
            yield
        finally:
            for queue, stack in reversed(entered):
                queue.run(stack.close)

    def is_suppressed(self) -> bool:
        """Whether an exporter reports that instrumentation is suppressed in the current context."""
        return any(queue.run(hook) for queue, hook in self._is_suppressed)

    def flush(self, timeout: float | None = None) -> bool:
        """Have every exporter take the records that wait for it, and flush; return whether all of them succeeded.

        With a `timeout` (seconds, for all together) the call returns in time, whatever the exporters do.
        """
        deadline = None if timeout is None else monotonic() + timeout
        pending = [queue.flush(deadline) for queue in self._queues]
        flushed = [wait() for wait in pending]
        return all(flushed)

    def close(self) -> None:
        """Close every exporter after the records that wait for it. Returns after `CLOSE_SECONDS` at most."""
        deadline = monotonic() + CLOSE_SECONDS
        for closed in [queue.close() for queue in self._queues]:
            closed.wait(seconds_left(deadline))

    def after_fork(self) -> None:
        """Begin anew in a forked child: the records that wait are the parent's. Calls the `after_fork` of each exporter."""
        self._failures.after_fork()
        for queue in self._queues:
            queue.after_fork()

    def _record_calls(self, name: str) -> tuple[RecordCall, ...]:
        """A function for each exporter that has this hook, which calls it with a record."""
        return tuple(
            queue.record_call(hook, in_context=name == "on_start")
            for queue in self._queues
            if (hook := hook_of(queue.exporter, name)) is not None
        )

    def _direct_calls(self, name: str) -> tuple[tuple[_ExporterQueue, Callable[[], object]], ...]:
        """Each exporter that has this hook, and the hook, which is called on the caller's thread."""
        return tuple((queue, hook) for queue in self._queues if (hook := hook_of(queue.exporter, name)) is not None)


def _call_each(calls: tuple[RecordCall, ...], record: StreamRecord) -> None:
    for call in calls:
        call(record)


class _Failures:
    """The exceptions of the exporters: counted, and logged once per exporter and type."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._logged: set[tuple[str, type[BaseException]]] = set()
        self._lock = Lock()

    def add(self, name: str, error: BaseException) -> None:
        kind = (name, type(error))
        with self._lock:
            self.counts[name] += 1
            first = kind not in self._logged
            self._logged.add(kind)
        if first:
            logger.warning("exporter %s failed; more failures of this kind will only be counted", name, exc_info=error)

    def after_fork(self) -> None:
        self._lock = Lock()


class _ExporterQueue:
    """One exporter, and its worker if it may block."""

    def __init__(self, name: str, exporter: ExporterLike, failures: _Failures, bound: int) -> None:
        self.exporter = exporter
        self.worker = Worker(bound) if getattr(exporter, "blocking", True) else None
        self._name = name
        self._failures = failures

    def run(self, call: Callable[..., object], *arguments: object) -> object:
        """The result of a call of the exporter; None, and a counted failure, if it raises."""
        try:
            return call(*arguments)
        except Exception as error:
            self._failures.add(self._name, error)
            return None

    def record_call(self, hook: RecordCall, *, in_context: bool) -> RecordCall:
        """A function that calls a hook with a record: at once, or on the worker, there optionally in the caller's context."""
        call = partial(self.run, hook)
        if self.worker is None:
            return call
        submit = self.worker.submit
        if in_context:
            return lambda record: submit(partial(copy_context().run, call, record))
        return lambda record: submit(partial(call, record))

    def flush(self, deadline: float | None) -> Callable[[], bool]:
        """Begin to flush. Returns a function that waits until the deadline, and returns whether the flush succeeded."""
        results: list[object] = []

        def job() -> None:
            results.append(self.run(self.exporter.flush, seconds_left(deadline)))

        if self.worker is not None:
            done = self.worker.submit_last(job)
        elif deadline is None:
            done = _DONE
            job()
        else:  # on another thread, since the exporter may exceed the time
            done = _run_on_thread(job)

        def wait() -> bool:
            if not results:
                done.wait(seconds_left(deadline))
            return results == [True]

        return wait

    def close(self) -> Event:
        """Have the exporter close; return an event that is set when it has."""
        close = partial(self.run, self.exporter.close)
        if self.worker is None:
            close()
            return _DONE
        closed = self.worker.submit_last(close)
        self.worker.close()
        return closed

    def after_fork(self) -> None:
        if self.worker is not None:
            self.worker.after_fork()
        if (hook := hook_of(self.exporter, "after_fork")) is not None:
            self.run(hook)


def _run_on_thread(job: Job) -> Event:
    """Do a job on a new thread; return an event that is set when it is done."""
    done = Event()

    def run() -> None:
        job()
        done.set()

    try:
        Thread(target=run, daemon=True).start()
    except RuntimeError:  # the interpreter is ending, and starts no more threads
        run()
    return done


def _name(exporter: ExporterLike) -> str:
    named = getattr(exporter, "function", exporter)
    return getattr(named, "__qualname__", type(named).__qualname__)


def _distinct(names: list[str]) -> list[str]:
    """The names; a number is appended to those that occur more than once."""
    return [name if names.count(name) == 1 else f"{name}#{names[: place + 1].count(name)}" for place, name in enumerate(names)]
