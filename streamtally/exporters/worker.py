"""A thread that does jobs which may block, and the bounded queue in front of it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Lock, RLock, Thread, current_thread
from time import monotonic

from ..clock import seconds_left

MAX_QUEUED = 2_048
"""Jobs that wait at most, as in OpenTelemetry's batch span processor (OTEL_BSP_MAX_QUEUE_SIZE)."""

FORK_SECONDS = 0.5
"""How long a fork waits for the running jobs."""

Job = Callable[[], object]

_ending: set[Thread] = set()
"""Threads whose worker was closed or collected, and that have jobs left to do."""


class _Queue:
    """The jobs that wait, and the thread that does them. It has no reference to the worker, so the worker can be collected."""

    __slots__ = ("__weakref__", "busy", "jobs", "thread")

    def __init__(self) -> None:
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.thread: Thread | None = None
        self.busy = RLock()  # held while a job runs; reentrant, since a job may fork
        _queues.add(self)

    def run(self) -> None:
        """Do the jobs as they come, until the end marker."""
        while (job := self.jobs.get()) is not None:
            with self.busy, suppress(BaseException):  # a `sys.exit` in a job must not end the thread
                job()
            del job  # it holds a record, and the next job may be long in coming
        _ending.discard(current_thread())

    def run_here(self) -> None:
        """Do the jobs that wait on the current thread."""
        try:
            while (job := self.jobs.get_nowait()) is not None:
                job()
        except Empty:
            pass

    def end(self) -> None:
        """Have the thread end after the jobs that wait. Takes no lock, because a finaliser calls it."""
        if self.thread is not None:
            _ending.add(self.thread)
        self.jobs.put(None)


_queues: weakref.WeakSet[_Queue] = weakref.WeakSet()
_held: list[_Queue] = []


def _before_fork() -> None:
    """Wait until no job runs: a lock that a job holds, here or in a library, would stay locked in the child."""
    deadline = monotonic() + FORK_SECONDS
    _held.extend(queue for queue in tuple(_queues) if queue.busy.acquire(timeout=seconds_left(deadline)))


def _after_fork() -> None:
    """Let the jobs run again, in the parent and in the child."""
    while _held:
        _held.pop().busy.release()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


class Worker:
    """Does jobs one after the other, on a daemon thread that starts with the first job.

    A caller never waits: if the queue is full, the job is dropped and counted. When the worker is closed or collected, its
    thread ends after the jobs that wait. A forked child has neither the thread nor these jobs, which are the parent's;
    `after_fork` begins anew.

    Args:
        bound: how many jobs may wait.

    Attributes:
        dropped: how many jobs were dropped, because the queue was full or the worker closed.

    Example:
        >>> results = []
        >>> worker = Worker()
        >>> worker.submit(lambda: results.append(1)), worker.submit_last(lambda: results.append(2)).wait(30.0), results
        (True, True, [1, 2])
    """

    def __init__(self, bound: int = MAX_QUEUED) -> None:
        self.dropped = 0
        self._bound = bound
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._queue = _Queue()
        self._lock = Lock()
        self._end = weakref.finalize(self, self._queue.end)
        self._end.atexit = False

    def submit(self, job: Job) -> bool:
        """Have a job done on the thread; return False, and count it as dropped, if the queue is full or the worker closed."""
        if self._closed or self._queue.jobs.qsize() >= self._bound:
            with self._lock:
                self.dropped += 1
            return False
        self._put(job)
        return True

    def submit_last(self, job: Job) -> Event:
        """Have a job done after all that wait, even if the queue is full. Once the worker is closed, do it at once.

        Returns:
            An event that is set when the job is done.
        """
        done = Event()

        def run() -> None:
            try:
                job()
            finally:
                done.set()

        if self._closed:
            run()
        else:
            self._put(run)
        return done

    def close(self) -> None:
        """Accept no more jobs; those that wait will be done. Returns at once."""
        self._closed = True
        self._end()

    def after_fork(self) -> None:
        """Begin anew, in a forked child."""
        self._end.detach()
        self._begin()

    def _put(self, job: Job) -> None:
        self._queue.jobs.put(job)
        if self._queue.thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._queue.thread is not None:
                return
            thread = Thread(target=self._queue.run, name="streamtally-worker", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is ending, and starts no more threads
                self._queue.run_here()
            else:
                self._queue.thread = thread


def join_ending(timeout: float) -> None:
    """Wait, at most `timeout` seconds, for the threads of workers that were closed or collected."""
    deadline = monotonic() + timeout
    for thread in tuple(_ending):
        thread.join(seconds_left(deadline))
