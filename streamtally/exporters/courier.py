"""A thread of its own for work that may block, and the bounded queue in front of it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Lock, RLock, Thread, current_thread
from time import monotonic

QUEUED = 2_048
"""Jobs that wait at most, as in OpenTelemetry's batch span processor (OTEL_BSP_MAX_QUEUE_SIZE)."""

FORKING = 0.5
"""Seconds for which a fork waits for the jobs that are being done."""

Job = Callable[[], object]

_leaving: set[Thread] = set()
"""Threads whose courier has gone, and which have something left to do."""


class _Line:
    """What waits, and who works it off. It does not refer to the courier, which can so be collected."""

    __slots__ = ("__weakref__", "busy", "jobs", "thread")

    def __init__(self) -> None:
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.thread: Thread | None = None
        self.busy = RLock()  # of whoever does a job; a job may fork itself
        _lines.add(self)

    def work(self) -> None:
        """Do the jobs as they come, until there is None."""
        while (job := self.jobs.get()) is not None:
            with self.busy, suppress(BaseException):  # `sys.exit` in a job of others ends nothing here
                job()
            del job  # it holds a record, and the next may be long in coming
        _leaving.discard(current_thread())

    def work_off(self) -> None:
        """Do here what waits."""
        try:
            while (job := self.jobs.get_nowait()) is not None:
                job()
        except Empty:
            pass

    def end(self) -> None:
        """Have the thread end after what waits. Takes no lock: a finaliser calls it."""
        if self.thread is not None:
            _leaving.add(self.thread)
        self.jobs.put(None)


_lines: weakref.WeakSet[_Line] = weakref.WeakSet()
_held: list[_Line] = []


def _before_fork() -> None:
    """Wait until no job is being done: what it has locked, here or in the libraries it calls, stays locked in the child."""
    deadline = monotonic() + FORKING
    _held.extend(line for line in tuple(_lines) if line.busy.acquire(timeout=max(deadline - monotonic(), 0.0)))


def _after_fork() -> None:
    """Go on; in parent and child alike."""
    while _held:
        _held.pop().busy.release()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


class Courier:
    """Does jobs one after the other, on a daemon thread that is started with the first.

    Whoever posts a job never waits for one: when the queue is full, the job is dropped and counted. The thread ends when
    the courier is closed or collected, once the queue is empty. A forked child has neither the thread nor what waits: both
    are the parent's, and `after_fork` begins anew.

    Args:
        bound: how many jobs may wait.

    Attributes:
        dropped: how many jobs there was no room for.

    Example:
        >>> seen = []
        >>> courier = Courier()
        >>> courier.post(lambda: seen.append(1)), courier.ask(lambda: seen.append(2)).wait(30.0), seen
        (True, True, [1, 2])
    """

    def __init__(self, bound: int = QUEUED) -> None:
        self.dropped = 0
        self._bound = bound
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._line = _Line()
        self._lock = Lock()
        self._end = weakref.finalize(self, self._line.end)
        self._end.atexit = False

    def post(self, job: Job) -> bool:
        """Have a job done soon; False where there is no room for it, or nobody left to do it."""
        if self._closed or self._line.jobs.qsize() >= self._bound:
            with self._lock:
                self.dropped += 1
            return False
        self._put(job)
        return True

    def ask(self, job: Job) -> Event:
        """Have a job done after all that waits, full or not; the event is set once it is. Once closed, here and now."""
        done = Event()

        def answered() -> None:
            try:
                job()
            finally:
                done.set()

        if self._closed:
            answered()
        else:
            self._put(answered)
        return done

    def close(self) -> None:
        """Take nothing more; what waits will be done. Returns at once."""
        self._closed = True
        self._end()

    def after_fork(self) -> None:
        """Begin anew, in a forked child."""
        self._end.detach()
        self._begin()

    def _put(self, job: Job) -> None:
        self._line.jobs.put(job)
        if self._line.thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._line.thread is not None:
                return
            thread = Thread(target=self._line.work, name="streamtally-delivery", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is ending, and starts no more threads
                self._line.work_off()
            else:
                self._line.thread = thread


def wait_for_the_last(timeout: float) -> None:
    """Wait, at most so many seconds, until the threads whose courier has gone have done what they had left to do."""
    deadline = monotonic() + timeout
    for thread in tuple(_leaving):
        thread.join(max(deadline - monotonic(), 0.0))
