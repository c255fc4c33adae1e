"""What the process does for its tallies: it flushes them at its end, and lets them begin anew in a forked child."""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from time import monotonic
from typing import Protocol


class Flushed(Protocol):
    """What the process needs of a tally."""

    def flush(self, timeout: float | None = None) -> bool:
        """Have all that waits written out, in so many seconds."""

    def after_fork(self) -> None:
        """Begin anew in a forked child."""


_tallies: weakref.WeakSet[Flushed] = weakref.WeakSet()
"""All that are open in this process."""

AT_EXIT = 5.0
"""Seconds for which the end of the process, or of a tally, waits for the exporters."""


def enter(tally: Flushed) -> None:
    """Have a tally flushed at exit, and before whatever else is registered until now, such as the end of an SDK."""
    _tallies.add(tally)
    atexit.unregister(_at_exit)
    atexit.register(_at_exit)


def leave(tally: Flushed) -> None:
    """A tally was closed: nothing of it waits any more."""
    _tallies.discard(tally)


def _at_exit() -> None:
    """Export what was abandoned since the last call of the process, and what still waits."""
    deadline = monotonic() + AT_EXIT
    for tally in tuple(_tallies):
        tally.flush(max(deadline - monotonic(), 0.0))
    if f"{__package__}.exporters.worker" in sys.modules:  # else nothing was ever exported
        from .exporters.worker import join_ending

        join_ending(max(deadline - monotonic(), 0.0))


def _after_fork() -> None:
    """In a forked child: what is open and what waits is the parent's."""
    for tally in tuple(_tallies):
        tally.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
