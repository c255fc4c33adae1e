"""What a source is, and how it is closed: told by duck typing, for a source may be anything."""

from __future__ import annotations

import sys
from typing import Any


def is_sync(source: Any) -> bool:
    """Whether a source can be iterated."""
    return hasattr(type(source), "__iter__")


def is_awaitable(source: Any) -> bool:
    """Whether something is to be awaited (asked of the type, so that no code of the object's own runs)."""
    return hasattr(type(source), "__await__")


def is_async(source: Any) -> bool:
    """Whether a source can be iterated asynchronously, or will be once it is awaited."""
    return hasattr(type(source), "__aiter__") or is_awaitable(source)


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


def server_of(source: Any) -> tuple[str | None, int | None]:
    """Host and port that a source was read from, where it shows its HTTP response (httpx's and requests' forms)."""
    try:
        url = source.response.url
        host, port = url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
    except Exception:  # any object may stand here, and most have no response
        return None, None
    return (host, port) if isinstance(host, str) and isinstance(port, int) else (None, None)


def running_loop() -> Any:
    """The asyncio loop that runs here, if one does."""
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio.get_running_loop() if asyncio is not None else None
    except RuntimeError:
        return None
