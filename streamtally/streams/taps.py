"""Taps: iterators that count, put below a source that has several ways of being read.

A stream helper of an SDK (`messages.stream()`, `chat.completions.stream()`, `responses.stream()`) returns events, texts or the
final message, all made of one raw stream; a raw response returns bytes, lines or a parsed stream, all made of the bytes of its
body. A tap replaces the raw stream's iterator, or the methods that return the bytes, and the helper works as before. If neither
is found, the source is not changed, and what the caller iterates is counted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from ..sources import source_of
from .protocols import is_async, is_running, response_of

_logger = logging.getLogger("streamtally")


class Tap(NamedTuple):
    """How to count what a source reads.

    Args:
        count: returns an iterator that yields the items of another one and counts them.
        acount: returns such an async iterator.
        stop: called when the response is closed before its last byte was read.
    """

    count: Callable[[Any], Any]
    acount: Callable[[Any], Any]
    stop: Callable[[], None]


Tapped = Literal["", "helper", "response"]
"""The kind of source to which a tap is attached; empty if it is not attached."""


_NO_GENERATOR: Any = object()


def attach(source: Any, tap: Tap) -> Tapped:
    """Put a tap below a source that is a stream helper or a response; returns which of them it is."""
    try:
        if _at_helper(source, tap):
            return "helper"
        return "response" if _at_response(source, tap) else ""
    except Exception as error:  # another release of the SDK, or any other object: it stays as it is
        _logger.debug("what a %s reads cannot be counted there: %r", type(source).__qualname__, error)
        return ""


def _at_helper(source: Any, tap: Tap) -> bool:
    """An SDK's stream helper that has not been read yet: what it reads from its first step on is replaced by the tap's."""
    helper = source_of(source).helper
    if helper is None or not hasattr(type(source), helper.method):
        return False
    path, _, name = helper.reads.rpartition(".")
    raw = attrgetter(path)(source)
    iterator = getattr(raw, name)
    if has_begun(attrgetter(helper.events)(source)) or has_begun(iterator):
        return False
    setattr(raw, name, (tap.acount if is_async(iterator) else tap.count)(iterator))
    return True


def has_begun(iterator: Any) -> bool:
    """Whether a generator has run: until its first step, its current line is the line of its definition.

    False for what is no generator.
    """
    frame = getattr(iterator, "gi_frame", _NO_GENERATOR)
    frame = getattr(iterator, "ag_frame", _NO_GENERATOR) if frame is _NO_GENERATOR else frame
    return frame is None or (frame is not _NO_GENERATOR and frame.f_lineno != frame.f_code.co_firstlineno)


def _at_response(source: Any, tap: Tap) -> bool:
    """An HTTP response of httpx's form: all its methods, and the SDK's parser, read `iter_bytes` or `aiter_bytes`.

    A parser may close the response before its last byte, at an end that the protocol states.
    """
    response = response_of(source)
    if response is None:
        return False
    read: list[Any] = []
    for name, count in (("iter_bytes", tap.count), ("aiter_bytes", tap.acount)):
        setattr(response, name, _counted_once(response, name, count, read))
    close, aclose = response.close, response.aclose

    def stop() -> None:
        if not any(map(is_running, read)):
            tap.stop()

    def closing() -> None:
        close()
        stop()

    async def aclosing() -> None:
        await aclose()
        stop()

    response.close, response.aclose = closing, aclosing
    return True


def _counted_once(response: Any, name: str, count: Callable[[Any], Any], read: list[Any]) -> Callable[..., Any]:
    """A method of a response whose first result is counted and appended to `read`."""
    method = getattr(response, name)

    def iterate(*args: Any, **options: Any) -> Any:
        if read:  # a second pass reads what the response kept of the first
            return method(*args, **options)
        read.append(count(method(*args, **options)))
        return read[0]

    return iterate
