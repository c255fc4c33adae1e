"""Records as Prometheus metrics, for a registry that the application has scraped."""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from ..records import WAIT_BOUNDS, InterChunk, StreamRecord
from .base import Exporter
from .bindings import LabelSet, Series
from .environment import semconv_of
from .instruments import ACTIVE_STREAMS, Instrument, prometheus_label
from .labels import MAX_VALUES, Labels
from .measurements import Identity
from .profiles import PROFILES, Semconv
from .stream_metrics import StreamMetrics
from .tally_info import TallyInfo
from .tracing import Exemplar, exemplar_of

Metric = Counter | Gauge | Histogram


class PrometheusExporter(Exporter):
    """Counters, histograms and gauges, with the names that OpenTelemetry's translation to Prometheus gives.

    Two exporters on one registry share its metrics. The application serves `registry`. Buckets of latencies have exemplars
    with the trace, which Prometheus reads from the OpenMetrics format. If `PROMETHEUS_MULTIPROC_DIR` is set, the workers of
    one service are added up, as prometheus_client's documentation describes.

    OpenTelemetry's own Prometheus reader serves the same names. If it is loaded before the tally is made, this exporter has
    precedence: an `OtelExporter` of the same tally then exports no metrics, because every stream would be counted twice.

    Args:
        registry: registers the metrics; prometheus_client's global one by default.
        labels: attributes of the records that become labels, such as `("team", "route")`.
        semconv: the version of the conventions: "1.41", "latest" or "both"; by default "1.41", or "latest" if the
            environment variable `OTEL_SEMCONV_STABILITY_OPT_IN` lists `gen_ai_latest_experimental`.
        exemplars: whether buckets have exemplars.
        max_values: how many values each label may have before further ones become "other".
        known_models: whether a model's name is known; a known name is always kept. By default, whether the tally's catalog
            has it.

    Raises:
        ValueError: the registry has a metric of the same name that another library registered, or that has other labels; a
            label is a duplicate, has the name of a shared label, or is not a valid label; `semconv` is unknown.

    Example:
        >>> from prometheus_client import CollectorRegistry
        >>> from streamtally.records import StreamType
        >>> exporter = PrometheusExporter(CollectorRegistry())
        >>> exporter.export(
        ...     StreamRecord(request_id="r1", stream_type=StreamType.CHAT, dialect="openai.chat", outcome="completed")
        ... )
        >>> metrics = list(exporter.registry.collect())
        >>> next(sample.value for metric in metrics for sample in metric.samples if sample.name == "streamtally_streams_total")
        1.0
    """

    blocking = False  # adding takes no time
    serves_prometheus = True

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        labels: Iterable[str] = (),
        *,
        semconv: Semconv | None = None,
        exemplars: bool = True,
        max_values: int = MAX_VALUES,
        known_models: Callable[[str], bool] | None = None,
    ) -> None:
        self.registry = REGISTRY if registry is None else registry
        self._instruments = PROFILES[semconv_of(semconv)].instruments
        self._labels = Labels(labels, max_values, known_models)
        self._exemplars = exemplars
        self._collectors = {one: _metric(self.registry, one, _label_names(one, self._labels)) for one in self._instruments}
        self._metrics = StreamMetrics(self._instruments, self._labels, self._bind)
        self._open_exemplars: dict[str, Exemplar | None] = {}

    def on_attach(self, tally: TallyInfo) -> None:
        """Use the tally's catalog to look up known models, and export its health."""
        self._metrics.attach(tally)

    def on_start(self, record: StreamRecord) -> None:
        """Count the stream as active."""
        self._metrics.start(record, Identity.of(record))
        self._open_exemplars[record.request_id] = self._exemplar(record)

    def on_late(self, record: StreamRecord) -> None:
        """Count a chunk that was received after the end."""
        self._metrics.late(record)

    def export(self, record: StreamRecord) -> None:
        """Record all values of the record."""
        exemplar = self._open_exemplars.pop(record.request_id, None) or self._exemplar(record)
        self._metrics.end(record, Identity.of(record), exemplar)

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - a scrape takes what is there
        """Update the metrics of the package. Nothing is pending: Prometheus scrapes the registry."""
        self._metrics.update_health()
        return True

    def close(self) -> None:
        """Do nothing: the metrics stay, so that the last scrape finds them."""

    def after_fork(self) -> None:
        """In a forked child, forget the streams in flight: they are the parent's."""
        self._open_exemplars = {}
        self._collectors[ACTIVE_STREAMS].clear()
        self._metrics.after_fork()

    def _exemplar(self, record: StreamRecord) -> Exemplar | None:
        return exemplar_of(record.request_id) if self._exemplars else None

    def _bind(self, instrument: Instrument, labels: LabelSet) -> Series:
        names = (*(self._labels.names if instrument.of_streams else ()), *instrument.labels)
        collector = self._collectors[instrument]
        child = collector.labels(*(labels.get(name, "") for name in names)) if names else collector
        if isinstance(child, _Distribution):
            return Series(child.observe_all)
        if isinstance(child, Histogram):
            return Series(child.observe, instrument.exemplars)
        if isinstance(child, Gauge) and instrument.kind == "gauge":
            return Series(child.set)
        return Series(child.inc)


class _Distribution(Histogram):
    """A histogram that takes all waits of one stream at once, as they were counted while it ran.

    prometheus_client has no public method that observes a value many times. The private attributes used here are tested with
    its oldest and its newest release.
    """

    def observe_all(self, waits: InterChunk) -> None:
        """Add the waits of one stream, each to its bucket, or their mean if the record has no buckets."""
        if not waits.buckets:
            self.observe(waits.mean)
            return
        self._sum.inc(waits.mean * sum(waits.buckets))
        for bound, count in zip((*WAIT_BOUNDS, math.inf), waits.buckets, strict=True):
            if count:
                self._buckets[bisect_left(self._upper_bounds, bound)].inc(count)


class _Registered(NamedTuple):
    metric: Metric
    labels: tuple[str, ...]


_REGISTERED: WeakKeyDictionary[CollectorRegistry, dict[str, _Registered]] = WeakKeyDictionary()
"""The metrics registered here, by registry and name: prometheus_client reports that a name is taken, but not by whom."""

_LOCK = Lock()


def _label_names(instrument: Instrument, shared: Labels) -> tuple[str, ...]:
    base: Sequence[str] = shared.names if instrument.of_streams else ()
    names = tuple(map(prometheus_label, (*base, *instrument.labels)))
    if len(set(names)) < len(names):
        raise ValueError(f"two labels of {instrument.prometheus_name} have the same name: {', '.join(names)}")
    return names


def _metric(registry: CollectorRegistry, instrument: Instrument, labels: tuple[str, ...]) -> Metric:
    name = instrument.prometheus_name
    with _LOCK:
        registered = _REGISTERED.setdefault(registry, {})
        try:
            metric = _new_metric(registry, instrument, labels)
        except ValueError:
            if name not in registered:
                raise
            if registered[name].labels != labels:
                raise ValueError(f"{name} is registered with other labels: {', '.join(registered[name].labels)}") from None
            return registered[name].metric
        registered[name] = _Registered(metric, labels)
        return metric


def _new_metric(registry: CollectorRegistry, instrument: Instrument, labels: tuple[str, ...]) -> Metric:
    name, description = instrument.prometheus_name, instrument.description
    if instrument.kind == "counter":
        return Counter(name, description, labels, registry=registry)
    if instrument.kind == "up_down_counter":
        return Gauge(name, description, labels, registry=registry, multiprocess_mode="livesum")
    if instrument.kind == "gauge":
        gauge = Gauge(name, description, labels, registry=registry, multiprocess_mode="livemax")
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # with several workers the highest value wins, and NaN breaks that
            gauge.set(math.nan)  # not 0: the age is unknown until the catalog is loaded
        return gauge
    kind = _Distribution if instrument.distribution else Histogram
    return kind(name, description, labels, registry=registry, buckets=instrument.buckets)
