"""Waiting for events, and running Python programs in processes of their own."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds until a test fails. A passing test waits for an event, never for this time, so it may be long."""

_PAUSE = 0.05


def eventually(ask: Callable[[], T | None], what: str) -> T:
    """Call `ask` repeatedly until it returns a value other than None, and return that value.

    Raises:
        AssertionError: it returned None for `PATIENCE` seconds.
    """
    until = monotonic() + PATIENCE
    never = Event()
    while (answer := ask()) is None:
        assert monotonic() < until, f"waited in vain for {what}"
        never.wait(_PAUSE)
    return answer


def run_python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run this Python interpreter with these arguments to its end; the output of the result is text."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, **{"capture_output": True, "text": True, "timeout": PATIENCE, "check": False, **options})


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Run a process beside the test, and end it when the block ends."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
