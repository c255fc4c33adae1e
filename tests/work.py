"""The amount of work that code does, as a count that is the same on every machine, however slow or busy."""

import inspect
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FrameType
from typing import Any, NamedTuple

_PAUSING = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_TEXT = (str, bytes, bytearray, memoryview)
_SCANS = frozenset(
    {
        *("copy", "count", "decode", "encode", "find", "index", "insert", "lower", "lstrip", "partition", "remove", "replace"),
        *("reverse", "rfind", "rindex", "rpartition", "rsplit", "rstrip", "sort", "split", "splitlines", "strip", "translate"),
        "upper",
    }
)
"""Methods of texts, lists and dicts that may scan the whole object."""


class Work(NamedTuple):
    """Counts of work.

    Attributes:
        calls: calls of Python and C functions.
        scanned: characters, bytes and items in the arguments and objects of those calls, so that work inside one call,
            such as parsing a growing text repeatedly, is counted too.
    """

    calls: int
    scanned: int


def work_of(work: Callable[[], object]) -> Work:
    """Count the calls that `work` makes, and the text they scan."""
    calls = scanned = 0

    def note(frame: FrameType, what: str, argument: Any) -> None:
        nonlocal calls, scanned
        if what in ("call", "c_call"):
            calls += 1
            scanned += _size_of_arguments(frame) if what == "call" else _size_of_owner(argument)

    _profiled(work, note)
    return Work(calls, scanned)


def calls_of(work: Callable[[], object]) -> int:
    """Count the calls of Python and C functions that `work` makes."""
    count = 0

    def note(_frame: FrameType, what: str, _argument: Any) -> None:
        nonlocal count
        if what in ("call", "c_call"):
            count += 1

    _profiled(work, note)
    return count


def _profiled(work: Callable[[], object], note: Callable[[FrameType, str, Any], None]) -> None:
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)


def _size_of_arguments(frame: FrameType) -> int:
    """Return the size of the texts among the arguments; resuming a generator counts as 0, because its start was counted."""
    code: CodeType = frame.f_code
    if code.co_flags & _PAUSING:
        return 0
    values = frame.f_locals
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return sum(len(values[name]) for name in names if isinstance(values.get(name), _TEXT))


def _size_of_owner(function: BuiltinFunctionType) -> int:
    """Return the size of the text, list or dict that a C method scans."""
    owner = function.__self__
    return len(owner) if function.__name__ in _SCANS and isinstance(owner, (*_TEXT, list, dict)) else 0
