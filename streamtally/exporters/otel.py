"""Records as OpenTelemetry spans and metrics, by the conventions for generative AI.

Only the OpenTelemetry API is used: where the application has set up no SDK, nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import Histogram, Meter, MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from ..records import StreamRecord
from .attributes import identity_attributes, request_attributes, response_attributes, same_identity, span_name
from .bindings import Bindings, Labelled
from .labels import MAX_VALUES, Labels
from .measurements import LATE_CHUNK, failed
from .messages import content_attributes
from .names import ACTIVE_STREAMS, CHUNK_FAULTS, INSTRUMENTS, SCHEMA_URL, SCOPE, Instrument
from .totals import totals

_NOWHERE = Context()
"""Not the current context, which is whatever happens to run where the record is exported."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_Add = Callable[[float], None]


class _Open(NamedTuple):
    """A stream in flight: what was known at its start, its span, and what counts it as active."""

    record: StreamRecord
    span: Span
    active: _Add


class OtelExporter:
    """One CLIENT span for each stream, and one value for each figure when the stream ends.

    The span begins in `on_start`, as a child of the caller's current span, and ends with the record; where `on_start` was
    not called it is made afterwards, with the record's own times. It is never made current, so what the caller does
    between two chunks stays the caller's. Cancelled and abandoned streams are no errors: their status stays unset.

    Args:
        tracer_provider: where spans go; the global one by default.
        meter_provider: where metrics go; the global one by default.
        content: whether generated content, stop sequences and error messages go out.
        labels: attributes of the records that become metric labels, such as `("team", "route")`.
        max_values: how many values each label may take before the rest are "other".
        known_models: whether a model is known by name; a known name is always kept.

    Raises:
        ValueError: a label has the name of one of ours, or stands twice.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        content: bool = False,
        labels: Iterable[str] = (),
        max_values: int = MAX_VALUES,
        known_models: Callable[[str], bool] | None = None,
    ) -> None:
        self._content = content
        self._tracer_provider = tracer_provider
        self._meter_provider = meter_provider
        self._tracer = trace.get_tracer(SCOPE, _version(), tracer_provider, SCHEMA_URL)
        meter = metrics.get_meter(SCOPE, _version() or "", meter_provider, SCHEMA_URL)
        self._histograms = {one: _histogram(meter, one) for one in INSTRUMENTS if one.kind == "histogram"}
        self._totals = totals(meter_provider, meter, [one for one in INSTRUMENTS if one.kind != "histogram"])
        self._bindings = Bindings(Labels(labels, max_values, known_models), self._bind)
        self._open: dict[str, _Open] = {}

    def on_start(self, record: StreamRecord) -> None:
        """Begin the span, with the caller's current span as parent, and count the stream as active."""
        opened = _Open(record, self._begin(record), self._bindings.one(ACTIVE_STREAMS, record))
        opened.active(1)
        self._open[record.request_id] = opened

    def on_late(self, record: StreamRecord) -> None:
        """Count a chunk that came after the end."""
        self._bindings.one(CHUNK_FAULTS, record, LATE_CHUNK)(1)

    def on_discard(self, record: StreamRecord) -> None:
        """End the span of a stream that was given up; it says nothing of an outcome."""
        opened = self._open.pop(record.request_id, None)
        if opened is not None:
            opened.active(-1)
            opened.span.end()

    def export(self, record: StreamRecord) -> None:
        """End the span with all that the record says, and record the metrics."""
        opened = self._open.pop(record.request_id, None)
        if opened is None:
            self._end(self._begin(record), record)
        else:
            opened.active(-1)
            self._end(opened.span, record, opened.record)
        for add, value in self._bindings.of(record):
            add(value)

    def flush(self, timeout: float | None = None) -> bool:
        """Have the providers send what they hold back, where they can; the SDK's can, the API alone holds nothing."""
        providers = (
            self._tracer_provider or trace.get_tracer_provider(),
            self._meter_provider or metrics.get_meter_provider(),
        )
        flushed = [_flushed(provider, timeout) for provider in providers]
        return all(flushed)

    def close(self) -> None:
        """Nothing of ours is open: the providers belong to the application."""

    def _begin(self, record: StreamRecord) -> Span:
        return self._tracer.start_span(
            span_name(record),
            kind=SpanKind.CLIENT,
            attributes={**request_attributes(record), **identity_attributes(record)},
            start_time=_nanoseconds(record.timing.started_at),
        )

    def _end(self, span: Span, record: StreamRecord, started: StreamRecord | None = None) -> None:
        if span.is_recording():
            if started is not None and not same_identity(started, record):
                span.update_name(span_name(record))
                span.set_attributes(identity_attributes(record))
            span.set_attributes(response_attributes(record))
            if failed(record):
                message = record.error.message if record.error is not None and self._content else None
                span.set_status(Status(StatusCode.ERROR, message))
            if self._content:
                span.set_attributes(content_attributes(record))
        span.end(_ended(record))

    def _bind(self, instrument: Instrument, labelled: Labelled) -> _Add:
        if instrument in self._totals:
            return self._totals[instrument].series(labelled)
        return partial(self._histograms[instrument].record, attributes=labelled, context=_NOWHERE)


def _histogram(meter: Meter, instrument: Instrument) -> Histogram:
    return meter.create_histogram(
        instrument.name,
        instrument.unit,
        instrument.description,
        explicit_bucket_boundaries_advisory=instrument.buckets,
    )


def _nanoseconds(moment: datetime | None) -> int | None:
    """Nanoseconds since the epoch, in whole numbers: a float would lose the last microsecond."""
    if moment is None:
        return None
    since = moment - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def _ended(record: StreamRecord) -> int | None:
    """The start and the monotonic duration, so that no step of the wall clock makes a span end before it began."""
    started, duration = _nanoseconds(record.timing.started_at), record.timing.duration
    if started is None or duration is None:
        return _nanoseconds(record.timing.ended_at)
    return started + round(duration * 1e9)


def _flushed(provider: object, timeout: float | None) -> bool:
    force_flush = getattr(provider, "force_flush", None)
    if force_flush is None:
        return True
    return bool(force_flush() if timeout is None else force_flush(round(timeout * 1_000)))


def _version() -> str | None:
    try:
        return version(SCOPE)
    except PackageNotFoundError:
        return None
