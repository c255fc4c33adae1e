"""What a source is, and how it is closed: told by duck typing, for a source may be anything."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from inspect import iscoroutinefunction
from typing import Any

from ..sources import address_of, source_of

_logger = logging.getLogger("streamtally")


def is_sync(source: Any) -> bool:
    """Whether a source can be iterated."""
    return hasattr(type(source), "__iter__")


def is_awaitable(source: Any) -> bool:
    """Whether something is to be awaited (asked of the type, so that no code of the object's own runs)."""
    return hasattr(type(source), "__await__")


def is_async(source: Any) -> bool:
    """Whether a source can be iterated asynchronously, or will be once it is awaited."""
    return hasattr(type(source), "__aiter__") or is_awaitable(source)


def response_of(source: Any) -> Any:
    """The HTTP response that something is, or holds without being a stream itself; None where there is none.

    Of httpx's form: an SDK's raw response keeps it as `http_response`.
    """
    if is_sync(source) or is_async(source):
        return None
    response = getattr(source, "http_response", source)
    return response if hasattr(type(response), "iter_bytes") else None


def is_manager(source: Any) -> bool:
    """Whether something is to be entered before there is a stream, as an SDK's `stream()` is."""
    kind = type(source)
    enters = hasattr(kind, "__enter__") or hasattr(kind, "__aenter__")
    return enters and not (is_sync(source) or is_async(source)) and response_of(source) is None


def protocols(source: Any) -> tuple[bool, bool]:
    """Whether a source is read, or entered, synchronously; and whether asynchronously."""
    if is_manager(source):
        return hasattr(type(source), "__enter__"), hasattr(type(source), "__aenter__")
    response = response_of(source)
    read = source if response is None else getattr(response, "stream", ())
    return is_sync(read), is_async(read)


def stream_in(answer: Mapping[Any, Any]) -> Any:
    """The stream that an SDK's whole answer holds beside its metadata, as boto3's do; None where there is none."""
    parts = (part for part in answer.values() if not isinstance(part, str | bytes | bytearray | list | tuple | Mapping))
    return next((part for part in parts if is_sync(part) or is_async(part)), None)


def readable(source: Any) -> Any:
    """What iterating a source reads: a raw response is no iterable, and stands for its bytes."""
    response = response_of(source)
    return source if response is None else response.iter_bytes()


def areadable(source: Any) -> Any:
    """The same of an async source."""
    response = response_of(source)
    return source if response is None else response.aiter_bytes()


class _Leaving:
    """Leaves a context manager that we entered: with the `details` of the exception, if `with` was left by one."""

    __slots__ = ("details", "manager", "swallows")

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        self.details: tuple[Any, Any, Any] = (None, None, None)
        self.swallows: bool | None = None

    def take_details(self) -> tuple[Any, Any, Any]:
        """The details, which are not kept: a traceback holds all that was in sight."""
        details, self.details = self.details, (None, None, None)
        return details


class Exit(_Leaving):
    """What leaves a context manager."""

    __slots__ = ()

    def close(self) -> None:
        """Leave it."""
        self.swallows = self.manager.__exit__(*self.take_details())


class AsyncExit(_Leaving):
    """What leaves an async context manager."""

    __slots__ = ()

    async def aclose(self) -> None:
        """Leave it."""
        self.swallows = await self.manager.__aexit__(*self.take_details())


class AsyncClose:
    """What closes something that a loop must close, whatever other ways it shows."""

    __slots__ = ("aclose",)

    def __init__(self, source: Any) -> None:
        self.aclose = source.aclose


def closers_of(source: Any) -> list[Any]:
    """What there is to close of an open source: itself; or the response that it holds, if it cannot close that."""
    response = response_of(source)
    if response is None or (response is not source and hasattr(source, "close")):
        return [] if is_manager(source) else [source]
    return [AsyncClose(response) if protocols(source) == (False, True) else response]


def closes_later(closer: Any) -> bool:
    """Whether only a loop can close something (asked of the type, as above)."""
    kind = type(closer)
    return is_async(closer) or issubclass(kind, AsyncExit | AsyncClose) or iscoroutinefunction(getattr(kind, "close", None))


def is_cancellation(error: BaseException) -> bool:
    """Whether an exception means that somebody wants to stop: a cancelled task, Ctrl-C, the end of the process."""
    return not isinstance(error, Exception) or type(error).__name__ == "CancelledError"


def close_all(closers: list[Any], *, quiet: bool) -> None:
    """Call `close` of each that has one, also after one that raises; with `quiet`, that is nobody's business any more."""
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
    """Await `aclose`, or else `close`, of each that has one, in the same way."""
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


def is_running(closer: Any) -> bool:
    """Whether an iterator is a generator that another thread or task is reading right now."""
    return getattr(closer, "gi_running", None) is True or getattr(closer, "ag_running", None) is True


def is_over(generator: Any) -> bool:
    """Whether a generator has ended, or was closed."""
    return getattr(generator, "gi_frame", None) is None


def server_of(source: Any) -> tuple[str | None, int | None]:
    """Host and port that a source was read from, where it has its HTTP response, of httpx's form, as an attribute."""
    for name in ("response", "http_response", *source_of(source).response):
        try:
            response = getattr(source, name, None)
            if response is not None:
                return address_of(response.url)
        except Exception as error:  # any object may have this name
            _logger.debug("%s.%s is no HTTP response of httpx's form: %r", type(source).__qualname__, name, error)
    return None, None


def provider_of(source: Any) -> str | None:
    """The provider that a source names."""
    return source_of(source).stated_provider(source)


def running_loop() -> Any:
    """The asyncio loop that runs here, if one does."""
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio.get_running_loop() if asyncio is not None else None
    except RuntimeError:
        return None
