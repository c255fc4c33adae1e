"""Closes sources and context managers; one that raises does not keep the others from being closed."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from ..sources import source_of
from .protocols import is_async, is_awaitable, is_manager, protocols, response_of


class _ManagerExit:
    """Exits a context manager that was entered here, with the `details` of the exception that ended the `with` block, if any."""

    __slots__ = ("details", "manager", "swallows")

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        self.details: tuple[Any, Any, Any] = (None, None, None)
        self.swallows: bool | None = None

    def take_details(self) -> tuple[Any, Any, Any]:
        """The details, once: a traceback keeps all local variables alive."""
        details, self.details = self.details, (None, None, None)
        return details


class Exit(_ManagerExit):
    """Exits a context manager."""

    __slots__ = ()

    def close(self) -> None:
        """Exit it; `swallows` is what `__exit__` returned."""
        self.swallows = self.manager.__exit__(*self.take_details())


class AsyncExit(_ManagerExit):
    """Exits an async context manager."""

    __slots__ = ()

    async def aclose(self) -> None:
        """Exit it; `swallows` is what `__aexit__` returned."""
        self.swallows = await self.manager.__aexit__(*self.take_details())


class AsyncClose:
    """Closes something by its `aclose` alone, although it has a `close` too."""

    __slots__ = ("aclose",)

    def __init__(self, source: Any) -> None:
        self.aclose = source.aclose


def closers_of(source: Any) -> list[Any]:
    """What is to be closed of an open source: the source, or its response if the source cannot close it."""
    response = response_of(source)
    if response is None or (response is not source and hasattr(source, "close")):
        return [] if is_manager(source) else [source]
    return [AsyncClose(response) if protocols(source) == (False, True) else response]


def closes_later(closer: Any) -> bool:
    """Whether closing something takes an event loop. Looked up on the type, so that no code of the object runs."""
    kind = type(closer)
    return is_async(closer) or issubclass(kind, AsyncExit | AsyncClose) or iscoroutinefunction(getattr(kind, "close", None))


def close_all(closers: list[Any], *, quiet: bool) -> None:
    """Call `close` of each that has one, also after one that raises; raise the first exception unless `quiet`."""
    for place, closer in enumerate(closers, 1):
        try:
            _close(closer, quiet)
        except BaseException:
            close_all(closers[place:], quiet=True)
            raise


def _close(closer: Any, quiet: bool) -> None:
    try:
        close = getattr(closer, "close", None)
        if close is None and (inner := source_of(closer).closes) is not None:
            close = getattr(getattr(closer, inner, None), "close", None)
        if not callable(close):
            return
        discarded = close()
        if is_awaitable(discarded) and hasattr(discarded, "close"):
            discarded.close()
    except Exception:
        if not quiet:
            raise


async def aclose_all(closers: list[Any], *, quiet: bool) -> None:
    """Await `aclose`, or else `close`, of each that has one, also after one that raises; raise the first unless `quiet`."""
    for place, closer in enumerate(closers, 1):
        try:
            await _aclose(closer, quiet)
        except BaseException:
            await aclose_all(closers[place:], quiet=True)
            raise


async def _aclose(closer: Any, quiet: bool) -> None:
    try:
        close = getattr(closer, "aclose", None) or getattr(closer, "close", None)
        if not callable(close):
            return
        pending = close()
        if is_awaitable(pending):
            await pending
    except Exception:
        if not quiet:
            raise
