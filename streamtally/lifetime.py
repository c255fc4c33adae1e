"""What happens to all tallies of a process: they are flushed at its exit, and start empty in a forked child."""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from time import monotonic
from typing import Protocol


class Flushed(Protocol):
    """What is needed of a tally here."""

    def flush(self, timeout: float | None = None) -> bool:
        """Write out all that is queued, within so many seconds."""

    def after_fork(self) -> None:
        """Start empty in a forked child."""


_tallies: weakref.WeakSet[Flushed] = weakref.WeakSet()
"""The open tallies of this process."""

AT_EXIT = 5.0
"""Seconds for which the end of the process, or of a tally, waits for the exporters."""


def register(tally: Flushed) -> None:
    """Flush a tally at exit, before the exit functions that are registered so far, such as those of an SDK."""
    _tallies.add(tally)
    atexit.unregister(_at_exit)
    atexit.register(_at_exit)


def unregister(tally: Flushed) -> None:
    """A tally was closed: it is not flushed any more."""
    _tallies.discard(tally)


def _at_exit() -> None:
    """Export what was abandoned since the last call, and what is still queued."""
    deadline = monotonic() + AT_EXIT
    for tally in tuple(_tallies):
        tally.flush(max(deadline - monotonic(), 0.0))
    if f"{__package__}.exporters.worker" in sys.modules:  # else nothing was ever exported
        from .exporters.worker import join_ending

        join_ending(max(deadline - monotonic(), 0.0))


def _after_fork() -> None:
    """Start empty in a forked child: what is open and what is queued is the parent's."""
    for tally in tuple(_tallies):
        tally.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
