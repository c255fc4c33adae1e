"""How much work some code does, counted: the same on every machine, however slow or busy."""

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
"""Methods of texts, lists and dicts that may look through all of what they belong to."""


class Work(NamedTuple):
    """What was counted.

    Attributes:
        calls: functions of Python and of C that were called.
        looked_through: characters, bytes and items that those calls were given or belong to, so that work within one call,
            such as parsing a growing text again and again, is seen too.
    """

    calls: int
    looked_through: int


def work_of(work: Callable[[], object]) -> Work:
    """Count what `work` does."""
    calls = looked_through = 0

    def note(frame: FrameType, what: str, argument: Any) -> None:
        nonlocal calls, looked_through
        if what in ("call", "c_call"):
            calls += 1
            looked_through += _given(frame) if what == "call" else _owned(argument)

    _profiled(work, note)
    return Work(calls, looked_through)


def calls_of(work: Callable[[], object]) -> int:
    """How many functions, of Python and of C, `work` calls."""
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


def _given(frame: FrameType) -> int:
    """The size of the texts among the arguments. What goes on after a pause was counted when it began."""
    code: CodeType = frame.f_code
    if code.co_flags & _PAUSING:
        return 0
    values = frame.f_locals
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return sum(len(values[name]) for name in names if isinstance(values.get(name), _TEXT))


def _owned(function: BuiltinFunctionType) -> int:
    """The size of the text, list or dict that a method of C looks through."""
    owner = function.__self__
    return len(owner) if function.__name__ in _SCANS and isinstance(owner, (*_TEXT, list, dict)) else 0
