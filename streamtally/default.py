"""The default tally, and the functions that use it: `wrap`, `collect`, `replay`; and `to_response`."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, TypeVar, Unpack, overload

from .dialects import Dialect, dialect_named, of_the_answer
from .records import StreamRecord
from .sources import Extract
from .streams import AsyncTalliedStream, DualTalliedStream, TalliedStream
from .streams.options import RawResponse, StreamHolder, WrapOptions
from .tally import Tally

T = TypeVar("T")

_default: Tally | None = None
_default_lock = threading.Lock()


def configure(**options: Any) -> Tally:
    """Make a `Tally` with these options, which `wrap`, `collect` and `replay` use from here on; closes the one before.

    Without `exporters`, the environment variable `STREAMTALLY_EXPORTERS` (names, separated by commas) names them.
    """
    global _default
    if "exporters" not in options:
        options["exporters"] = _exporters_of_environment()
    tally = Tally(**options)
    with _default_lock:
        before, _default = _default, tally
    if before is not None:
        before.close()
    return tally


def default_tally() -> Tally:
    """The `Tally` that `configure` made, else one with the exporters of the environment (by default none)."""
    global _default
    if _default is None:
        with _default_lock:
            if _default is None:
                _default = Tally(exporters=_exporters_of_environment())
    return _default


def _after_fork() -> None:
    """A new lock for a forked child: the thread that held the old one does not exist there."""
    global _default_lock
    _default_lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


def _exporters_of_environment() -> tuple[Any, ...]:
    if not os.environ.get("STREAMTALLY_EXPORTERS"):
        return ()
    from .exporters import from_environment

    return tuple(from_environment())


@overload
def wrap(source: AsyncIterable[T], **options: Unpack[WrapOptions]) -> AsyncTalliedStream[T]: ...
@overload
def wrap(source: Awaitable[AsyncIterable[T]], **options: Unpack[WrapOptions]) -> AsyncTalliedStream[T]: ...
@overload
def wrap(source: Iterable[T], **options: Unpack[WrapOptions]) -> TalliedStream[T]: ...
@overload
def wrap(source: AbstractAsyncContextManager[Any], **options: Unpack[WrapOptions]) -> AsyncTalliedStream[Any]: ...
@overload
def wrap(source: AbstractContextManager[Any] | StreamHolder, **options: Unpack[WrapOptions]) -> TalliedStream[Any]: ...
@overload
def wrap(source: Callable[[], Any] | RawResponse, **options: Unpack[WrapOptions]) -> DualTalliedStream[Any]: ...
def wrap(source: Any, **options: Unpack[WrapOptions]) -> Any:
    """`Tally.wrap` of the default tally: wrap a stream of chunks; `stream.record` is its record."""
    return default_tally().wrap(source, **options)


def collect(source: Iterable[Any] | Callable[[], Any], **options: Unpack[WrapOptions]) -> StreamRecord:
    """Read a sync stream to its end and return its record; takes the arguments of `wrap`.

    >>> collect(["one ", "two"]).text
    'one two'
    """
    stream: TalliedStream[Any] = default_tally().wrap(source, **options)
    with stream:
        for _ in stream:
            pass
    return stream.record


async def acollect(
    source: AsyncIterable[Any] | Awaitable[Any] | Callable[[], Any], **options: Unpack[WrapOptions]
) -> StreamRecord:
    """Read an async stream to its end and return its record; takes the arguments of `wrap`."""
    stream: AsyncTalliedStream[Any] = default_tally().wrap(source, **options)
    async with stream:
        async for _ in stream:
            pass
    return stream.record


def replay(
    body: bytes | bytearray | memoryview | str | Iterable[Any],
    *,
    dialect: str | Dialect | None = None,
    params: Mapping[str, Any] | None = None,
    extract: Extract | None = None,
) -> StreamRecord:
    r"""The priced record of a recording: one raw response body, or an iterable of payloads. Nothing is exported.

    A recording has no times, so `timing` is empty; `chunk_count` counts the events.

    Args:
        body: server-sent events, JSON texts (in lines, in an array, one after another), an AWS event stream, sound or plain
            text, as bytes or text; or payloads (mappings, SDK objects).
        dialect: the wire format; detected from the payloads if not given.
        params: the request's parameters.
        extract: how to read payloads that no dialect reads, or what to read in place of what the dialect does.

    Raises:
        UnknownDialect: no dialect of this name is registered.

    Example:
        >>> replay(b'data: {"choices": [{"index": 0, "delta": {"content": "hi"}}]}\n\n').outcome.value
        'truncated'
    """
    return default_tally().replay(body, dialect=dialect, params=params, extract=extract)


def to_response(record: StreamRecord) -> dict[str, Any]:
    """The record in the provider's non-streaming shape, as the official SDK's response type has it.

    It shares nothing with the record, and has nothing of the stream in it: no events, no rest of a body that was cut short.

    Raises:
        ValueError: the record's dialect has no such shape (text, sound).
    """
    dialect = dialect_named(record.dialect)
    if dialect.response is None:
        raise ValueError(f"{record.dialect} has no response object")
    return copy.deepcopy(dialect.response(record.model_copy(update={"extras": of_the_answer(record.extras)})))
