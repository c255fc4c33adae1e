"""`Tally`, the one place where the stages meet: accumulate, price, export.

    source ─► wrapper ─► accumulator ─► record ─► priced record ─► exporters

Data flows one way: an error in pricing or exporting is counted and logged, and does not affect the stream.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, get_args, overload

from . import lifetime
from .accumulator import Accumulator, Keep, RequestInfo, StreamHandle, WrappedStream
from .clock import SYSTEM_CLOCK, Clock, Moment, seconds_left, stamp_of
from .context import is_nested, nested
from .dialects import Dialect, dialect_named
from .limits import DEFAULT_LIMITS, Limits
from .records import Outcome, StreamRecord
from .sources import Extract, origin_by
from .streams import AsyncTalliedStream, DualTalliedStream, StreamSession, TalliedStream, opener_of, wrapper_of
from .streams.options import RawResponse, Server, StreamHolder, WrapOptions

if TYPE_CHECKING:
    from .exporters import Dispatcher
    from .exporters.worker import Worker
    from .pricing import ModelCatalog
    from .pricing.pricer import Pricer

_logger = logging.getLogger("streamtally")

T = TypeVar("T")


class Tally:
    """Owns an accumulator, a price catalog and the exporters, and takes each record from one to the next.

    Args:
        catalog: prices, or the path of a catalog file, or of a file of your own rates and discounts (TOML, or JSON), which are
            which override the bundled prices. The bundled ones if not given, loaded when the first stream ends.
        exporters: where records go: names ("otel", "prometheus", "jsonl", "console"), exporters, or plain callables.
        clock: where stamps come from.
        limits: bounds of retention.
        keep: "counts" retains no text, audio or image; "content+input" also what the user wrote in the request.
        deferred: make, price and export the records of wrapped streams on a thread of the tally, and not on the thread that
            ends the stream. A wrapper's `record` is the final one all the same: the first access makes it.
        estimate: a tokenizer, from a text to its number of tokens, for output that the provider did not count. What it counts is
            marked as estimated in usage and cost; without it nothing is estimated.

    Raises:
        CatalogError: `catalog` names a file that is no catalog.
        ValueError: an unknown name of an exporter, or an unknown `keep`.

    Example:
        >>> records = []
        >>> with Tally(exporters=[records.append]) as tally:
        ...     with tally.wrap(["hel", "lo"]) as stream:
        ...         words = list(stream)
        >>> records[0].text, records[0].outcome.value
        ('hello', 'completed')
    """

    def __init__(  # noqa: PLR0913 - options, each by its name
        self,
        *,
        catalog: ModelCatalog | str | Path | None = None,
        exporters: Iterable[Any] = (),
        clock: Clock | None = None,
        limits: Limits | None = None,
        keep: Keep = "content",
        deferred: bool = False,
        estimate: Callable[[str], int] | None = None,
    ) -> None:
        self.clock = clock or SYSTEM_CLOCK
        self.limits = limits or DEFAULT_LIMITS
        self.keep: Keep = keep
        if keep not in get_args(Keep):
            raise ValueError(f"keep must be one of {get_args(Keep)}, not {keep!r}")
        self._given_catalog = _catalog_of(catalog)
        self._estimate = estimate
        self._faults: set[type[Exception]] = set()
        self.delivery = _dispatcher((exporters,) if isinstance(exporters, str) else tuple(exporters))
        self._worker = _new_worker() if deferred else None
        self.accumulator = Accumulator(
            clock=self.clock,
            limits=self.limits,
            keep=keep,
            on_start=self.delivery.start if self.delivery and self.delivery.takes_starts else None,
            on_end=self._on_end,
            on_late=self.delivery.late if self.delivery else None,
            defer=self._worker.submit if self._worker is not None else None,
        )
        if self.delivery is not None:
            self.delivery.attach(knows_model=self._knows_model, catalog_age=self._catalog_age)
        lifetime.register(self)

    @cached_property
    def catalog(self) -> ModelCatalog:
        """The price catalog."""
        if self._given_catalog is not None:
            return self._given_catalog
        from .pricing import ModelCatalog

        return ModelCatalog.bundled()

    def _knows_model(self, model: str) -> bool:
        return self.catalog.has_model(model)

    def _catalog_age(self) -> float | None:
        """How many seconds old the catalog's source data is; None before it is loaded, which is no telemetry's to do."""
        if "catalog" not in self.__dict__:
            return None
        made = stamp_of(datetime.fromisoformat(self.catalog.generated_at).replace(tzinfo=UTC), self.clock)
        return (self.clock.monotonic_ns() - made) / 1e9

    @cached_property
    def _pricer(self) -> Pricer:
        from .pricing.pricer import Pricer

        return Pricer(self.catalog, None if self._estimate is None else self._tokens_in)

    def _tokens_in(self, text: str) -> int:
        """The number of tokens by the user's tokenizer; 0 where it raises, so that the rest is still priced."""
        assert self._estimate is not None
        try:
            return max(int(self._estimate(text)), 0)
        except Exception as error:
            self._log_once(error)
            return 0

    @overload
    def wrap(self, source: AsyncIterable[T], **options: Unpack[WrapOptions]) -> AsyncTalliedStream[T]: ...
    @overload
    def wrap(self, source: Awaitable[AsyncIterable[T]], **options: Unpack[WrapOptions]) -> AsyncTalliedStream[T]: ...
    @overload
    def wrap(self, source: Iterable[T], **options: Unpack[WrapOptions]) -> TalliedStream[T]: ...
    @overload
    def wrap(self, source: AbstractAsyncContextManager[Any], **options: Unpack[WrapOptions]) -> AsyncTalliedStream[Any]: ...
    @overload
    def wrap(self, source: AbstractContextManager[Any] | StreamHolder, **options: Unpack[WrapOptions]) -> TalliedStream[Any]: ...
    @overload
    def wrap(self, source: Callable[[], Any] | RawResponse, **options: Unpack[WrapOptions]) -> DualTalliedStream[Any]: ...
    def wrap(self, source: Any, **options: Unpack[WrapOptions]) -> Any:
        """Wrap a stream of chunks: the chunks pass through untouched, and `record` is the record of the stream.

        Args:
            source: a sync or async iterable of chunks, an awaitable of one, or a callable without arguments that makes the
                request and returns either. With a callable the clock starts before the request, and its exception makes
                an "error" record (and reaches the caller). Also an SDK's helper, or the context manager that returns one
                (`with wrap(client.messages.stream(…)) as stream`), a raw response, or a response mapping that holds a stream.
            dialect: the wire format; detected from the chunks if not given.
            request_id: the ID of the stream; a new one if not given.
            conversation_id: the conversation that the request belongs to.
            started_at: when the request was made, for a stream that is open already; without it latencies are lower bounds.
            params: the request's parameters (model, …); `provider`, `region` and `rates` among them decide its price.
            attributes: JSON values to put on the record, besides those of `context`.
            extract: how to read items that no dialect reads, or what to read in place of what the dialect does.
            keep_raw: keep a copy of every chunk in `record.raw`.

        Returns:
            A wrapper that is sync, async or both, as the source is. A wrapped stream is returned as it is.

        Raises:
            TypeError: `source` is no stream.
            UnknownDialect: no dialect of this name is registered.
            DuplicateRequest: a stream of this ID is open.
        """
        if isinstance(source, TalliedStream | AsyncTalliedStream):
            return source
        if unknown := options.keys() - WrapOptions.__annotations__.keys():
            raise TypeError(f"wrap() has no option {', '.join(sorted(unknown))}")
        return wrapper_of(source)(self._new_session(source, opener_of(source), options))

    def call(self, request: Callable[[], Any], *, server: Server = (None, None), **options: Unpack[WrapOptions]) -> Any:
        """Make a request now, and wrap the stream that it returns; anything else is returned as it is, its record "cancelled".

        The clock runs from here, and what the request raises makes an "error" record and reaches the caller. Takes the
        arguments of `wrap`, and host and port of the `server` where they are known beforehand.
        """
        session = self._new_session(None, request, options, server)
        return _around(session, session.open())

    async def acall(self, request: Callable[[], Any], *, server: Server = (None, None), **options: Unpack[WrapOptions]) -> Any:
        """`call` of a request that is to be awaited."""
        session = self._new_session(None, request, options, server)
        return _around(session, await session.aopen())

    def _new_session(
        self, source: Any, opener: Callable[[], Any] | None, options: WrapOptions, server: Server = (None, None)
    ) -> StreamSession:
        stream = self._wrapped_stream(options, deferred=opener is not None)
        stream.request.server_address, stream.request.server_port = server
        self.accumulator.wrapped.register(stream)
        session = StreamSession(stream, self.accumulator.wrapped, source if opener is None else None, opener)
        if self.delivery is not None and self.delivery.suppresses_others:
            session.suppress_others = self._suppress_others
        session.priced = self.priced
        return session

    @contextmanager
    def _suppress_others(self) -> Iterator[None]:
        """The block in which a request is made: nothing else measures it there."""
        assert self.delivery is not None
        with nested(), self.delivery.suppress_others():
            yield

    @property
    def suppressed(self) -> bool:
        """Whether calls made in the current context must not be measured: within one of our requests, or by an exporter."""
        return is_nested() or (self.delivery is not None and self.delivery.is_suppressed())

    def _wrapped_stream(self, options: WrapOptions, *, deferred: bool) -> WrappedStream:
        started_at, dialect, extract = options.get("started_at"), options.get("dialect"), options.get("extract")
        request = RequestInfo.in_context(
            options.get("request_id") or uuid.uuid4().hex,
            params=options.get("params"),
            attributes=options.get("attributes"),
            conversation_id=options.get("conversation_id"),
            keep_input=self.keep == "content+input",
        )
        return WrappedStream(
            request,
            started=self.clock.monotonic_ns() if started_at is None else stamp_of(started_at, self.clock),
            started_from="given" if started_at is not None else "request" if deferred else "wrap",
            dialect=None if dialect is None else dialect_named(dialect),
            clock=self.clock,
            limits=self.limits,
            keep=self.keep,
            keep_raw=options.get("keep_raw", False),
            extract=None if extract is None else origin_by(extract),
        )

    def replay(
        self,
        body: bytes | bytearray | memoryview | str | Iterable[Any],
        *,
        dialect: str | Dialect | None = None,
        params: Mapping[str, Any] | None = None,
        extract: Extract | None = None,
    ) -> StreamRecord:
        """`streamtally.replay`, at the prices of this tally."""
        payloads: Iterable[Any] = (bytes(body),) if isinstance(body, bytes | bytearray | memoryview) else body
        if isinstance(body, str):
            payloads = (body.encode("utf-8", "surrogatepass"),)
        stream = WrappedStream(
            RequestInfo(uuid.uuid4().hex, params=params or {}),
            started=0,
            started_from="wrap",
            dialect=None if dialect is None else dialect_named(dialect),
            clock=SYSTEM_CLOCK,
            limits=DEFAULT_LIMITS,
            extract=None if extract is None else origin_by(extract),
        )
        return self.priced(stream.replay(payloads))

    def open(self, request_id: str, **options: Any) -> StreamHandle:
        """`Accumulator.open`."""
        return self.accumulator.open(request_id, **options)

    def add(self, request_id: str, payload: Any, *, index: int | None = None, at: Moment | None = None) -> StreamRecord | None:
        """`Accumulator.add`: the priced record, once, when this chunk completes the stream."""
        return self.accumulator.add(request_id, payload, index=index, at=at)

    def fail(self, request_id: str, error: BaseException | str) -> StreamRecord:
        """`Accumulator.fail`."""
        return self.accumulator.fail(request_id, error)

    def finish(self, request_id: str, outcome: Outcome | str | None = None) -> StreamRecord:
        """`Accumulator.finish`."""
        return self.accumulator.finish(request_id, outcome)

    def snapshot(self, request_id: str) -> StreamRecord:
        """`Accumulator.snapshot`, with what the usage so far costs."""
        return self.priced(self.accumulator.snapshot(request_id))

    def discard(self, request_id: str) -> None:
        """`Accumulator.discard`."""
        self.accumulator.discard(request_id)

    def priced(self, record: StreamRecord) -> StreamRecord:
        """The record with its cost, and with the provider of its host. A fault while pricing is logged."""
        try:
            return self._pricer.priced(record)
        except Exception as error:  # no fault of ours may reach the stream
            self._log_once(error)
            return record

    def _on_end(self, record: StreamRecord) -> StreamRecord:
        record = self.priced(record)
        if self.delivery is not None:
            self.delivery.export(record)
        return record

    def _log_once(self, error: Exception) -> None:
        if type(error) not in self._faults:
            self._faults.add(type(error))
            _logger.warning("pricing failed; further %s will not be logged", type(error).__name__, exc_info=error)

    def flush(self, timeout: float | None = None) -> bool:
        """End what the garbage collector left, and have the exporters write out what they hold; True if all was written.

        With a `timeout` (seconds) the call returns in time, whatever the exporters do.
        """
        deadline = None if timeout is None else monotonic() + timeout
        self.accumulator.wrapped.run_left()
        if self._worker is not None and not self._worker.submit_last(bool).wait(seconds_left(deadline)):
            return False
        return self.delivery.flush(seconds_left(deadline)) if self.delivery else True

    def close(self) -> None:
        """End the keyed streams that are open, flush, and close the exporters."""
        self.accumulator.close()
        self.flush(lifetime.AT_EXIT)
        if self._worker is not None:
            self._worker.close()
        if self.delivery:
            self.delivery.close()
        lifetime.unregister(self)

    def after_fork(self) -> None:
        """Start empty in a forked child: what is open and what is queued is the parent's. Called automatically."""
        self.accumulator.after_fork()
        if self._worker is not None:
            self._worker.after_fork()
        if self.delivery is not None:
            self.delivery.after_fork()

    async def aflush(self, timeout: float | None = None) -> bool:  # the exporters' own time
        """`flush`, without blocking the event loop."""
        import asyncio

        self.accumulator.wrapped.run_left()
        return await asyncio.to_thread(self.flush, timeout)

    async def aclose(self) -> None:
        """`close`, without blocking the event loop."""
        import asyncio

        self.accumulator.wrapped.run_left()
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


def _new_worker() -> Worker:
    from .exporters.worker import Worker

    return Worker()


def _around(session: StreamSession, source: Any) -> Any:
    """The wrapper of a source that is open."""
    try:
        kind = wrapper_of(source)
    except TypeError:
        session.stop()
        return source
    return kind(session)


def _catalog_of(catalog: ModelCatalog | str | Path | None) -> ModelCatalog | None:
    if type(catalog) is not str and not issubclass(type(catalog), Path):  # a catalog may be any object, and is not looked into
        return catalog  # type: ignore[return-value]
    from .pricing import ModelCatalog

    return ModelCatalog.at(catalog)  # type: ignore[arg-type]


def _dispatcher(exporters: tuple[Any, ...]) -> Dispatcher | None:
    """The dispatcher of these exporters; None, and nothing imported, if there are none."""
    if not exporters:
        return None
    from .exporters import Dispatcher, resolve

    return Dispatcher([resolve(exporter) for exporter in exporters])
