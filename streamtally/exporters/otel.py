"""Records as OpenTelemetry spans and metrics, by the conventions for generative AI.

Only the OpenTelemetry API is used: where the application has set up no SDK, nothing is recorded.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from opentelemetry import metrics, trace
from opentelemetry._logs import LoggerProvider
from opentelemetry.metrics import Histogram, Meter, MeterProvider
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TracerProvider

from ..records import InterChunk, Outcome, StreamRecord
from . import names, tracing
from .attributes import SpanAttributes
from .base import Exporter
from .bindings import LabelSet, Series
from .environment import Capture, capture_of, emits_event, semconv_of
from .events import Events
from .instruments import Instrument
from .labels import MAX_VALUES, Labels
from .measurements import error_type, failed
from .messages import Redact, as_json, content_attributes
from .profiles import PROFILES, Profile, Semconv
from .stream_metrics import StreamMetrics
from .suppression import is_suppressed, suppress_others
from .tally_info import TallyInfo
from .totals import EMPTY_CONTEXT, Sum, state_of

logger = logging.getLogger("streamtally")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MAX_LINKED = 1_024
"""Streams whose spans the span of a retry can still link to, at most."""

RETRIED: Mapping[Outcome, bool] = {
    Outcome.COMPLETED: False,
    Outcome.TRUNCATED: True,
    Outcome.CANCELLED: False,
    Outcome.ABANDONED: False,
    Outcome.TIMEOUT: True,
    Outcome.LIMIT: True,
    Outcome.ERROR: True,
}
"""Whether a stream with this outcome may be tried again, so that its span must be remembered for a link."""


class _OpenSpan(NamedTuple):
    """The span of a stream in flight, and the attributes that it started with."""

    span: Span
    attributes: SpanAttributes


class OtelExporter(Exporter):
    """One CLIENT span for each stream, and its metrics when it ends.

    The span starts in `on_start`, as a child of the caller's current span, and ends with the record; if `on_start` was not
    called, it is created at the end, with the record's own times. It is never made current, so spans that the caller starts
    between two chunks are not its children. Cancelled and abandoned streams are no errors: their status stays unset. If the
    attribute `streamtally.retry_of` of a stream is the ID of an earlier request (or a list of IDs), its span links to theirs.

    The histogram of the time per output chunk gets one value for each stream, the mean: the API takes no counts, and a call
    for each chunk costs more than the chunk. `PrometheusExporter` records each chunk.

    Args:
        tracer_provider: receives the spans; the global one by default.
        meter_provider: receives the metrics; the global one by default.
        logger_provider: receives the events; the global one by default.
        semconv: the version of the conventions: "1.41", "latest" or "both"; by default "1.41", or "latest" if the
            environment variable `OTEL_SEMCONV_STABILITY_OPT_IN` lists `gen_ai_latest_experimental`.
        content: whether content, stop sequences and error messages are exported: True (on spans), False, or one of
            "NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY" and "SPAN_AND_EVENT". By default the value of the environment variable
            `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, else False. What the user wrote is included only if the
            tally keeps "content+input".
        redact: takes each part of a message (a dict with `type`), and returns the part to export, or None. If it raises, no
            content is exported.
        labels: attributes of the records that become metric labels, such as `("team", "route")`.
        max_values: how many values each label may have before further ones become "other".
        known_models: whether a model's name is known; a known name is always kept. By default, whether the tally's catalog
            has it.

    Raises:
        ValueError: a label is a duplicate or has the name of a shared label; `semconv` or `content` is unknown.
    """

    blocking = False  # spans start in the caller's context; the SDK sends them on its own thread

    def __init__(  # noqa: PLR0913 - all are keywords with a default, but the three providers
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
        *,
        semconv: Semconv | None = None,
        content: bool | Capture | None = None,
        redact: Redact | None = None,
        labels: Iterable[str] = (),
        max_values: int = MAX_VALUES,
        known_models: Callable[[str], bool] | None = None,
    ) -> None:
        self._profile: Profile = PROFILES[semconv_of(semconv)]
        self._capture = capture_of(content)
        self._emits_details = emits_event(self._capture)
        self._redact = redact
        self._tracer_provider = tracer_provider
        self._meter_provider = meter_provider
        scope = (names.SCOPE, _version(), self._profile.schema_url)
        self._tracer = trace.get_tracer(names.SCOPE, scope[1], tracer_provider, scope[2])
        self._events = Events(scope, logger_provider, requested=self._emits_details)
        self._create_instruments(metrics.get_meter(names.SCOPE, scope[1] or "", meter_provider, scope[2]))
        self._metrics = StreamMetrics(self._profile, Labels(labels, max_values, known_models), self._bind)
        self._open: dict[str, _OpenSpan] = {}
        self._linkable: dict[str, SpanContext] = {}

    def _create_instruments(self, meter: Meter) -> None:
        state = state_of(self._meter_provider)
        self._pending = state.pending
        self._histograms = {one: _histogram(meter, one) for one in self._profile if one.kind == "histogram"}
        self._totals = state.totals_of(meter, [one for one in self._profile if one.kind != "histogram"])

    def on_attach(self, tally: TallyInfo) -> None:
        """Use the tally's catalog to look up known models, and export its health.

        If OpenTelemetry's Prometheus reader is loaded and another exporter of the tally serves Prometheus, this exporter
        records no metrics: both would serve the same names, and every stream would be counted twice.
        """
        self._metrics.attach(tally)
        self._metrics.enabled = not (tally.serves_prometheus and "opentelemetry.exporter.prometheus" in sys.modules)
        if not self._metrics.enabled:
            logger.warning("OpenTelemetry's Prometheus reader is loaded: metrics are exported by PrometheusExporter only")

    def on_start(self, record: StreamRecord) -> None:
        """Start the span, as a child of the caller's current span, and count the stream as active."""
        attributes = SpanAttributes(record, self._profile)
        self._metrics.start(record, attributes.identity)
        span = self._start_span(attributes)
        self._open[record.request_id] = _OpenSpan(span, attributes)
        tracing.span_started(record.request_id, span.get_span_context())

    def on_late(self, record: StreamRecord) -> None:
        """Count a chunk that was received after the end."""
        self._metrics.late(record)

    def export(self, record: StreamRecord) -> None:
        """Record the metrics, and end the span with all attributes of the record."""
        attributes = SpanAttributes(record, self._profile)
        opened = self._open.pop(record.request_id, None)
        if opened is None:
            opened = _OpenSpan(self._start_span(attributes), attributes)
        else:
            tracing.span_ended(record.request_id)
        self._metrics.end(record, attributes.identity, trace.set_span_in_context(opened.span, EMPTY_CONTEXT))
        self._end_span(opened, attributes)

    def flush(self, timeout: float | None = None) -> bool:
        """Have the providers send what is pending, if they can: the SDK's can, those of the API alone hold nothing."""
        self._metrics.update_health()
        providers = (
            self._tracer_provider or trace.get_tracer_provider(),
            self._meter_provider or metrics.get_meter_provider(),
        )
        flushed = [_flushed(provider, timeout) for provider in providers]
        return all(flushed)

    def close(self) -> None:
        """Do nothing: the providers belong to the application."""

    def after_fork(self) -> None:
        """In a forked child, forget the streams in flight and the pending values: they are the parent's."""
        self._pending.clear()
        for total in self._totals.values():
            total.after_fork()
        for active in self._metrics.after_fork():
            active.record(-1)
        for request_id in self._open:
            tracing.span_ended(request_id)
        self._open = {}

    def suppress_others(self) -> AbstractContextManager[None]:
        """A block in which other instrumentations do not measure the request."""
        return suppress_others()

    def is_suppressed(self) -> bool:
        """Whether the current context suppresses instrumentation."""
        return is_suppressed()

    def _start_span(self, attributes: SpanAttributes) -> Span:
        record = attributes.record
        return self._tracer.start_span(
            attributes.span_name,
            kind=SpanKind.CLIENT,
            attributes={**attributes.of_request, **attributes.of_identity},
            links=self._links(record) if names.RETRY_OF in record.attributes else None,
            start_time=_nanoseconds(record.timing.started_at),
        )

    def _links(self, record: StreamRecord) -> list[Link]:
        earlier = record.attributes[names.RETRY_OF]
        ids = earlier if isinstance(earlier, list) else [earlier]
        return [Link(self._linkable[one]) for one in ids if isinstance(one, str) and one in self._linkable]

    def _end_span(self, opened: _OpenSpan, attributes: SpanAttributes) -> None:
        span, record = opened.span, attributes.record
        if record.outcome is not None and RETRIED[record.outcome]:
            self._remember(record.request_id, span.get_span_context())
        try:
            if span.is_recording() or self._emits_details:
                self._describe(opened, attributes)
        finally:
            span.end(_end_time(record, opened.attributes.record))

    def _describe(self, opened: _OpenSpan, attributes: SpanAttributes) -> None:
        span, record = opened.span, attributes.record
        if attributes.of_identity == opened.attributes.of_identity:
            span.set_attributes(attributes.of_response)
        else:
            span.update_name(attributes.span_name)
            span.set_attributes({**attributes.of_identity, **attributes.of_response})
        if failed(record):
            self._describe_failure(span, attributes)
        if self._capture != "NO_CONTENT" or self._emits_details:
            self._describe_content(span, attributes)

    def _describe_failure(self, span: Span, attributes: SpanAttributes) -> None:
        record = attributes.record
        message = record.error.message if record.error is not None and self._capture != "NO_CONTENT" else None
        span.set_status(Status(StatusCode.ERROR, message))
        event: dict[str, Any] = {names.EXCEPTION_TYPE: error_type(record), **attributes.of_identity}
        if message is not None:
            event[names.EXCEPTION_MESSAGE] = message
        self._events.emit(names.EXCEPTION_EVENT, span, event, _end_time(record), warning=True)

    def _describe_content(self, span: Span, attributes: SpanAttributes) -> None:
        record = attributes.record
        content: dict[str, Any] = {}
        if self._capture != "NO_CONTENT":
            content = content_attributes(record, self._redact, finish_reason=self._profile.message_finish_reason)
        if self._capture in ("SPAN_ONLY", "SPAN_AND_EVENT"):
            span.set_attributes(as_json(content))
        if self._emits_details:
            event: dict[str, Any] = {**attributes.of_request, **attributes.of_identity, **attributes.of_response}
            if self._capture in ("EVENT_ONLY", "SPAN_AND_EVENT"):
                event.update(content)
            self._events.emit(names.DETAILS_EVENT, span, event, _end_time(record))

    def _remember(self, request_id: str, context: SpanContext) -> None:
        self._linkable[request_id] = context
        if len(self._linkable) > MAX_LINKED:
            self._linkable.pop(next(iter(self._linkable), ""), None)

    def _bind(self, instrument: Instrument, labels: LabelSet) -> Series:
        if instrument in self._totals:
            series: Sum = self._totals[instrument].series(labels)
            return Series(series.set if instrument.kind == "gauge" else series.add)
        add = partial(self._pending.add, self._histograms[instrument], labels)
        return Series(partial(_add_mean, add) if instrument.distribution else add, instrument.exemplars)


def _add_mean(add: Callable[[float], None], waits: InterChunk) -> None:
    """Add a distribution to a histogram as its mean."""
    add(waits.mean)


def _histogram(meter: Meter, instrument: Instrument) -> Histogram:
    return meter.create_histogram(
        instrument.name,
        instrument.unit,
        instrument.description,
        explicit_bucket_boundaries_advisory=instrument.buckets,
    )


def _nanoseconds(moment: datetime | None) -> int | None:
    """Nanoseconds since the epoch, computed in integers: a float would lose the last microsecond."""
    if moment is None:
        return None
    since = moment - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def _end_time(record: StreamRecord, started: StreamRecord | None = None) -> int | None:
    """The end of a span in nanoseconds: its start plus the monotonic duration, so a step of the wall clock cannot put it first.

    The start is the later one of the record and of the record that the span started with: a request may be made after the
    stream was wrapped, and the wall clock may have been set back meanwhile.
    """
    starts = [one.timing.started_at for one in (record, started) if one is not None and one.timing.started_at is not None]
    start, duration = _nanoseconds(max(starts, default=None)), record.timing.duration
    if start is None or duration is None:
        return _nanoseconds(record.timing.ended_at)
    return start + round(duration * 1e9)


def _flushed(provider: object, timeout: float | None) -> bool:
    force_flush = getattr(provider, "force_flush", None)
    if force_flush is None:
        return True
    return bool(force_flush() if timeout is None else force_flush(round(timeout * 1_000)))


def _version() -> str | None:
    try:
        return version(names.SCOPE)
    except PackageNotFoundError:
        return None
