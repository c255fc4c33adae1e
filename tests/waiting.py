"""Waiting for what must happen, and running Python programs in a process of their own."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds until a test gives up. A test that passes waits for an event, never for this, so a slow machine does no harm."""

_PAUSE = 0.05


def eventually(ask: Callable[[], T | None], what: str) -> T:
    """Ask again and again until there is an answer.

    Raises:
        AssertionError: there was none in `PATIENCE`.
    """
    until = monotonic() + PATIENCE
    never = Event()
    while (answer := ask()) is None:
        assert monotonic() < until, f"waited in vain for {what}"
        never.wait(_PAUSE)
    return answer


def run_python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run this Python with these arguments, to its end; the result has the output as text."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, **{"capture_output": True, "text": True, "timeout": PATIENCE, "check": False, **options})


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process that runs beside the test, and is ended with it, however the test ends."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
