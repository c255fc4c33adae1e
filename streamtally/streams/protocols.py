"""Which protocols a source has, and in which state it is. A source may be any object: facts about one SDK are in `sources`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

from ..sources import address_of, source_of

_logger = logging.getLogger("streamtally")


def is_sync(source: Any) -> bool:
    """Whether a source can be iterated."""
    return hasattr(type(source), "__iter__")


def is_awaitable(source: Any) -> bool:
    """Whether something can be awaited. Looked up on the type, so that no code of the object runs."""
    return hasattr(type(source), "__await__")


def is_async(source: Any) -> bool:
    """Whether a source can be iterated asynchronously, or will be once it is awaited."""
    return hasattr(type(source), "__aiter__") or is_awaitable(source)


def response_of(source: Any) -> Any:
    """The HTTP response of httpx's form that something is, or has as `http_response`, as raw responses of SDKs do; else None.

    None for what can be iterated: that is a stream itself.
    """
    if is_sync(source) or is_async(source):
        return None
    response = getattr(source, "http_response", source)
    return response if hasattr(type(response), "iter_bytes") else None


def is_manager(source: Any) -> bool:
    """Whether something is a context manager that returns a stream when it is entered, as what an SDK's `stream()` returns."""
    kind = type(source)
    enters = hasattr(kind, "__enter__") or hasattr(kind, "__aenter__")
    return enters and not (is_sync(source) or is_async(source)) and response_of(source) is None


def protocols(source: Any) -> tuple[bool, bool]:
    """Whether a source can be read or entered synchronously, and whether asynchronously."""
    if is_manager(source):
        return hasattr(type(source), "__enter__"), hasattr(type(source), "__aenter__")
    response = response_of(source)
    read = source if response is None else getattr(response, "stream", ())
    return is_sync(read), is_async(read)


def stream_in(answer: Mapping[Any, Any]) -> Any:
    """The stream among the values of a mapping, as in the answers of boto3; None if there is none."""
    parts = (part for part in answer.values() if not isinstance(part, str | bytes | bytearray | list | tuple | Mapping))
    return next((part for part in parts if is_sync(part) or is_async(part)), None)


def readable(source: Any) -> Any:
    """What is iterated to read a source: the source, or the bytes of a response."""
    response = response_of(source)
    return source if response is None else response.iter_bytes()


def areadable(source: Any) -> Any:
    """What is iterated asynchronously to read a source: the source, or the bytes of a response."""
    response = response_of(source)
    return source if response is None else response.aiter_bytes()


def server_of(source: Any) -> tuple[str | None, int | None]:
    """Host and port that a source was read from, if it has an HTTP response of httpx's form as an attribute."""
    for name in ("response", "http_response", "request", *source_of(source).response):
        try:
            response = getattr(source, name, None)
            if response is not None:
                return address_of(response.url)
        except Exception as error:  # any object may have this name
            _logger.debug("%s.%s is no HTTP response of httpx's form: %r", type(source).__qualname__, name, error)
    return None, None


def provider_of(source: Any) -> str | None:
    """The provider that a source names, or that of its SDK."""
    row = source_of(source)
    return row.stated_provider(source) or row.provider


def is_running(closer: Any) -> bool:
    """Whether an iterator is a generator that is running now, in another thread or task."""
    return getattr(closer, "gi_running", None) is True or getattr(closer, "ag_running", None) is True


def is_over(generator: Any) -> bool:
    """Whether a generator has ended, or was closed."""
    return getattr(generator, "gi_frame", None) is None


def is_cancellation(error: BaseException) -> bool:
    """Whether an exception is a cancellation and no failure: of a task, by Ctrl-C, or by the end of the process."""
    return not isinstance(error, Exception) or type(error).__name__ == "CancelledError"


def running_loop() -> Any:
    """The asyncio loop that runs in this thread, or None."""
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio.get_running_loop() if asyncio is not None else None
    except RuntimeError:
        return None
