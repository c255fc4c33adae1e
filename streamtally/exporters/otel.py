"""Records as OpenTelemetry spans and metrics, by the conventions for generative AI.

Only the OpenTelemetry API is used: where the application has set up no SDK, nothing is recorded.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
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
from .attributes import identity_attributes, request_attributes, response_attributes, same_identity, span_name
from .bindings import Bindings, Labelled
from .environment import Capture, capture_of, emits_event, semconv_of
from .events import Events
from .labels import MAX_VALUES, Labels
from .measurements import LATE_CHUNK, error_type, failed
from .messages import Redact, as_json, content_attributes
from .names import ACTIVE_STREAMS, CHUNK_FAULTS, EXEMPLIFIED, PROFILES, RETRY_OF, SCOPE, Figure, Instrument, Profile, Semconv
from .owner import Owner, Upkeep
from .suppression import alone, suppressed
from .totals import NOWHERE, Total, ours_on

logger = logging.getLogger("streamtally")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

REMEMBERED = 1_024
"""Streams that failed or were cut short, whose spans a retry may still link to."""

_RETRIED = frozenset({Outcome.ERROR, Outcome.TIMEOUT, Outcome.TRUNCATED, Outcome.LIMIT})

_Add = Callable[..., None]


class _Open(NamedTuple):
    """A stream in flight: what was known at its start, its span, and what counts it as active."""

    record: StreamRecord
    span: Span
    active: _Add


class _Series(NamedTuple):
    """What takes the values of one series; some take the context of the stream's span, for exemplars."""

    add: _Add
    exemplified: bool


class OtelExporter:
    """One CLIENT span for each stream, and one value for each figure when the stream ends.

    The span begins in `on_start`, as a child of the caller's current span, and ends with the record; where `on_start` was
    not called it is made afterwards, with the record's own times. It is never made current, so what the caller does
    between two chunks stays the caller's. Cancelled and abandoned streams are no errors: their status stays unset. A stream
    whose attribute `streamtally.retry_of` is the ID of an earlier request (or a list of such) has links to its spans.

    The histogram of the time per output chunk gets one value for each stream, the mean: the API takes no counts, and a call
    for each chunk costs more than the chunk. `PrometheusExporter` tells each chunk.

    Args:
        tracer_provider: where spans go; the global one by default.
        meter_provider: where metrics go; the global one by default.
        logger_provider: where events go; the global one by default.
        semconv: the version of the conventions: "1.41", "latest" or "both"; by default "1.41", or "latest" where the
            environment variable `OTEL_SEMCONV_STABILITY_OPT_IN` lists `gen_ai_latest_experimental`.
        content: whether content, stop sequences and error messages go out: True (on spans), False, or one of "NO_CONTENT",
            "SPAN_ONLY", "EVENT_ONLY" and "SPAN_AND_EVENT". By default the environment variable
            `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` says so, else nothing goes out. What the user wrote is
            there only where the tally keeps "content+input".
        redact: takes each part of a message (a dict with `type`), and returns what may go out of it, or None. Where it
            raises, no content goes out.
        labels: attributes of the records that become metric labels, such as `("team", "route")`.
        max_values: how many values each label may take before the rest are "other".
        known_models: whether a model is known by name; a known name is always kept. By default the tally's catalog knows.

    Raises:
        ValueError: a label has the name of one of ours, or stands twice; there is no such version, or no such `content`.
    """

    blocking = False  # spans begin in the caller's context; sending them is the SDK's affair

    def __init__(  # noqa: PLR0913 - all by name but the providers, and all have a default
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
        self._redact = redact
        self._tracer_provider = tracer_provider
        self._meter_provider = meter_provider
        scope = (SCOPE, _version(), self._profile.schema_url)
        self._tracer = trace.get_tracer(SCOPE, scope[1], tracer_provider, scope[2])
        self._details = emits_event(self._capture)
        self._events = Events(scope, logger_provider, asked=self._details)
        meter = metrics.get_meter(SCOPE, scope[1] or "", meter_provider, scope[2])
        ours = ours_on(meter_provider)
        self._notes = ours.notes
        self._histograms = {one: _histogram(meter, one) for one in self._profile if one.kind == "histogram"}
        self._totals = ours.of(meter, [one for one in self._profile if one.kind != "histogram"])
        self._own: dict[Figure, Total] = {one.figure: total for one, total in self._totals.items() if not one.of_streams}
        self._labels = Labels(labels, max_values, known_models)
        self._upkeep = Upkeep(self._labels.overflow)
        self._bindings = Bindings(self._profile, self._labels, self._bind)
        self._measures = True
        self._open: dict[str, _Open] = {}
        self._unfinished: dict[str, SpanContext] = {}

    def belongs_to(self, owner: Owner) -> None:
        """Ask the owner's catalog which models are known, and tell how it and the exporters fare.

        Where OpenTelemetry's Prometheus reader is loaded and the owner has a `PrometheusExporter`, the metrics are left to
        that: both would serve the same names, and every stream would count twice.
        """
        self._upkeep.owner = owner
        self._labels.known_models = self._labels.known_models or owner.knows_model
        self._measures = not (owner.serves_prometheus and "opentelemetry.exporter.prometheus" in sys.modules)
        if not self._measures:
            logger.warning("OpenTelemetry's Prometheus reader is loaded: metrics go out through PrometheusExporter only")

    def on_start(self, record: StreamRecord) -> None:
        """Begin the span, with the caller's current span as parent, and count the stream as active."""
        active = self._bindings.one(ACTIVE_STREAMS, record).add if self._measures else _ignored
        opened = _Open(record, self._begin(record), active)
        opened.active(1)
        self._open[record.request_id] = opened
        tracing.exported_as(record.request_id, opened.span.get_span_context())

    def on_late(self, record: StreamRecord) -> None:
        """Count a chunk that came after the end."""
        if self._measures:
            self._bindings.one(CHUNK_FAULTS, record, LATE_CHUNK).add(1)

    def on_discard(self, record: StreamRecord) -> None:
        """End the span of a stream that was given up; it says nothing of an outcome."""
        opened = self._close(record)
        if opened is not None:
            opened.span.end()

    def export(self, record: StreamRecord) -> None:
        """End the span with all that the record says, and record the metrics."""
        opened = self._close(record)
        span = self._begin(record) if opened is None else opened.span
        if self._measures:
            self._measure(record, span)
        self._end(span, record, None if opened is None else opened.record)

    def flush(self, timeout: float | None = None) -> bool:
        """Have the providers send what they hold back, where they can; the SDK's can, the API alone holds nothing."""
        if self._measures:
            self._keep_up()
        providers = (
            self._tracer_provider or trace.get_tracer_provider(),
            self._meter_provider or metrics.get_meter_provider(),
        )
        flushed = [_flushed(provider, timeout) for provider in providers]
        return all(flushed)

    def close(self) -> None:
        """Nothing of ours is open: the providers belong to the application."""

    def after_fork(self) -> None:
        """In a forked child: the streams in flight are the parent's, and so are the values that wait."""
        self._labels.after_fork()
        self._upkeep.after_fork()
        self._notes.clear()
        for total in self._totals.values():
            total.after_fork()
        for request_id, opened in self._open.items():
            opened.active(-1)
            tracing.ended(request_id)
        self._open = {}

    def alone(self) -> AbstractContextManager[None]:
        """A block in which other instrumentations leave the request to us."""
        return alone()

    def suppressed(self) -> bool:
        """Whether somebody asked that a call be left alone."""
        return suppressed()

    def _close(self, record: StreamRecord) -> _Open | None:
        opened = self._open.pop(record.request_id, None)
        if opened is not None:
            opened.active(-1)
            tracing.ended(record.request_id)
        return opened

    def _begin(self, record: StreamRecord) -> Span:
        return self._tracer.start_span(
            span_name(record),
            kind=SpanKind.CLIENT,
            attributes={**request_attributes(record, self._profile), **identity_attributes(record)},
            links=self._links(record) if RETRY_OF in record.attributes else None,
            start_time=_nanoseconds(record.timing.started_at),
        )

    def _links(self, record: StreamRecord) -> list[Link]:
        earlier = record.attributes[RETRY_OF]
        ids = earlier if isinstance(earlier, list) else [earlier]
        return [Link(self._unfinished[one]) for one in ids if isinstance(one, str) and one in self._unfinished]

    def _end(self, span: Span, record: StreamRecord, started: StreamRecord | None) -> None:
        if record.outcome in _RETRIED:
            self._remember(record.request_id, span.get_span_context())
        try:
            if span.is_recording() or self._details:
                self._tell(span, record, started)
        finally:
            span.end(_ended(record, started))

    def _tell(self, span: Span, record: StreamRecord, started: StreamRecord | None) -> None:
        said = response_attributes(record, self._profile)
        if started is not None and not same_identity(started, record):
            span.update_name(span_name(record))
            said = {**identity_attributes(record), **said}
        span.set_attributes(said)
        if failed(record):
            self._tell_failure(span, record)
        if self._capture != "NO_CONTENT" or self._details:
            self._tell_content(span, record)

    def _tell_failure(self, span: Span, record: StreamRecord) -> None:
        message = record.error.message if record.error is not None and self._capture != "NO_CONTENT" else None
        span.set_status(Status(StatusCode.ERROR, message))
        told: dict[str, Any] = {names.EXCEPTION_TYPE: error_type(record), **identity_attributes(record)}
        if message is not None:
            told[names.EXCEPTION_MESSAGE] = message
        self._events.emit(names.EXCEPTION_EVENT, span, told, _ended(record, None), warning=True)

    def _tell_content(self, span: Span, record: StreamRecord) -> None:
        content: dict[str, Any] = {}
        if self._capture != "NO_CONTENT":
            content = content_attributes(record, self._redact, finish_reason=self._profile.message_finish_reason)
        if self._capture in ("SPAN_ONLY", "SPAN_AND_EVENT"):
            span.set_attributes(as_json(content))
        if self._details:
            plain = {
                **request_attributes(record, self._profile),
                **identity_attributes(record),
                **response_attributes(record, self._profile),
            }
            in_event = content if self._capture in ("EVENT_ONLY", "SPAN_AND_EVENT") else {}
            self._events.emit(names.DETAILS_EVENT, span, {**plain, **in_event}, _ended(record, None))

    def _remember(self, request_id: str, context: SpanContext) -> None:
        self._unfinished[request_id] = context
        if len(self._unfinished) > REMEMBERED:
            self._unfinished.pop(next(iter(self._unfinished), ""), None)

    def _measure(self, record: StreamRecord, span: Span) -> None:
        context = trace.set_span_in_context(span, NOWHERE)
        for series, value in self._bindings.of(record):
            if series.exemplified:
                series.add(value, context)
            else:
                series.add(value.mean if isinstance(value, InterChunk) else value)
        self._keep_up()

    def _keep_up(self) -> None:
        for figure, label, growth in self._upkeep.grown():
            name = {"exporter_failures": names.EXPORTER, "label_overflow": names.LABEL}.get(figure)
            self._own[figure].series({} if name is None or label is None else {name: label})(growth)
        age = None if self._upkeep.owner is None else self._upkeep.owner.catalog_age()
        if age is not None:
            self._own["catalog_age"].series({}).value = age

    def _bind(self, instrument: Instrument, labelled: Labelled) -> _Series:
        if instrument in self._totals:
            return _Series(self._totals[instrument].series(labelled), False)
        return _Series(partial(self._notes.add, self._histograms[instrument], labelled), instrument.figure in EXEMPLIFIED)


def _ignored(_: float) -> None:
    """Takes the values that another exporter tells."""


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


def _ended(record: StreamRecord, opened: StreamRecord | None) -> int | None:
    """The start and the monotonic duration, so that no step of the wall clock makes a span end before it began.

    The later start: of a request that is made after it was wrapped the record tells it, and where the wall clock was set
    back meanwhile, what was said when the span began.
    """
    starts = [one.timing.started_at for one in (record, opened) if one is not None and one.timing.started_at is not None]
    started, duration = _nanoseconds(max(starts, default=None)), record.timing.duration
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
