"""Records as Prometheus metrics, for a registry that the application has scraped."""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from ..records import WAIT_BOUNDS, InterChunk, StreamRecord
from .bindings import Bindings, Labelled
from .environment import semconv_of
from .labels import MAX_VALUES, Labels
from .measurements import LATE_CHUNK
from .names import ACTIVE_STREAMS, CHUNK_FAULTS, EXEMPLIFIED, PROFILES, Figure, Instrument, Semconv, prometheus_label
from .owner import Owner, Upkeep
from .tracing import Exemplar, exemplar

Metric = Counter | Gauge | Histogram


class _Open(NamedTuple):
    """A stream in flight: what counts it as active, and where its trace is."""

    active: Callable[[float], None]
    exemplar: Exemplar | None


class _Series(NamedTuple):
    """What takes the values of one series; some take an exemplar too."""

    add: Callable[..., None]
    exemplified: bool


class PrometheusExporter:
    """Counters, histograms and gauges, each under the name that OpenTelemetry's translation gives.

    Two exporters on one registry share its metrics. `registry` is the one in use, to be served by the application. Buckets
    of latencies have exemplars with the trace, which Prometheus asks for in the OpenMetrics format. With
    `PROMETHEUS_MULTIPROC_DIR` set, all workers of one service are summed up, as prometheus_client's documentation describes.

    OpenTelemetry's own Prometheus reader serves the same names. Where it is loaded before the tally is made, this exporter
    wins: an `OtelExporter` of the same tally then makes spans only, for otherwise every stream would count twice.

    Args:
        registry: where the metrics are registered; prometheus_client's global one by default.
        labels: attributes of the records that become labels, such as `("team", "route")`.
        semconv: the version of the conventions: "1.41", "latest" or "both"; by default "1.41", or "latest" where the
            environment variable `OTEL_SEMCONV_STABILITY_OPT_IN` lists `gen_ai_latest_experimental`.
        exemplars: whether buckets have exemplars.
        max_values: how many values each label may take before the rest are "other".
        known_models: whether a model is known by name; a known name is always kept. By default the tally's catalog knows.

    Raises:
        ValueError: the registry has a metric of one of our names that is not ours, or that has other labels; a label has
            the name of one of ours, stands twice, or cannot be a label; there is no such version.

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

    blocking = False  # adding up takes no time

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
        self._metrics = {one: _metric(self.registry, one, _label_names(one, self._labels)) for one in self._instruments}
        self._own: dict[Figure, Any] = {one.figure: metric for one, metric in self._metrics.items() if not one.of_streams}
        self._upkeep = Upkeep(self._labels.overflow)
        self._bindings = Bindings(self._instruments, self._labels, self._bind)
        self._open: dict[str, _Open] = {}

    def belongs_to(self, owner: Owner) -> None:
        """Ask the owner's catalog which models are known, and tell how it and the exporters fare."""
        self._upkeep.owner = owner
        self._labels.known_models = self._labels.known_models or owner.knows_model

    def on_start(self, record: StreamRecord) -> None:
        """Count the stream as active."""
        opened = _Open(self._bindings.one(ACTIVE_STREAMS, record).add, self._exemplar(record))
        opened.active(1)
        self._open[record.request_id] = opened

    def on_late(self, record: StreamRecord) -> None:
        """Count a chunk that came after the end."""
        self._bindings.one(CHUNK_FAULTS, record, LATE_CHUNK).add(1)

    def on_discard(self, record: StreamRecord) -> None:
        """Count the stream as active no more."""
        opened = self._open.pop(record.request_id, None)
        if opened is not None:
            opened.active(-1)

    def export(self, record: StreamRecord) -> None:
        """Add what the record says."""
        opened = self._open.get(record.request_id)
        self.on_discard(record)
        found = self._exemplar(record) if opened is None or opened.exemplar is None else opened.exemplar
        for series, value in self._bindings.of(record):
            if series.exemplified and found is not None:
                series.add(value, found)
            else:
                series.add(value)
        self._keep_up()

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - a scrape takes what is there
        """Nothing is held back: Prometheus comes and takes it."""
        self._keep_up()
        return True

    def close(self) -> None:
        """The metrics stay, so that the last scrape finds them."""

    def after_fork(self) -> None:
        """In a forked child: the streams in flight are the parent's."""
        self._labels.after_fork()
        self._upkeep.after_fork()
        self._open = {}
        self._metrics[ACTIVE_STREAMS].clear()
        self._bindings = Bindings(self._instruments, self._labels, self._bind)

    def _exemplar(self, record: StreamRecord) -> Exemplar | None:
        return exemplar(record.request_id) if self._exemplars else None

    def _keep_up(self) -> None:
        for figure, label, growth in self._upkeep.grown():
            counter = self._own[figure]
            (counter if label is None else counter.labels(label)).inc(growth)
        owner = self._upkeep.owner
        age = None if owner is None else owner.catalog_age()
        if age is not None:
            self._own["catalog_age"].set(age)

    def _bind(self, instrument: Instrument, labelled: Labelled) -> _Series:
        names = (*self._labels.names, *instrument.labels)
        child = self._metrics[instrument].labels(*(labelled.get(name, "") for name in names))
        if isinstance(child, _Waits):
            return _Series(child.observe_all, False)
        if isinstance(child, Histogram):
            return _Series(child.observe, instrument.figure in EXEMPLIFIED)
        return _Series(child.inc, False)


class _Waits(Histogram):
    """A histogram that takes all waits of one stream at once, as they were counted while it ran.

    prometheus_client has no public way to observe one value many times; what is used of it here the tests pin, for its
    oldest and its newest release.
    """

    def observe_all(self, waits: InterChunk) -> None:
        """Add one stream's waits, each in its bucket; of a record that does not have them, their mean."""
        if not waits.buckets:
            self.observe(waits.mean)
            return
        self._sum.inc(waits.mean * sum(waits.buckets))
        for bound, count in zip((*WAIT_BOUNDS, math.inf), waits.buckets, strict=True):
            if count:
                self._buckets[bisect_left(self._upper_bounds, bound)].inc(count)


class _Ours(NamedTuple):
    metric: Metric
    labels: tuple[str, ...]


_OURS: WeakKeyDictionary[CollectorRegistry, dict[str, _Ours]] = WeakKeyDictionary()
"""What we registered, by registry: prometheus_client tells that a name is taken, and not by whom."""

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
        ours = _OURS.setdefault(registry, {})
        try:
            metric = _new_metric(registry, instrument, labels)
        except ValueError:
            if name not in ours:
                raise
            if ours[name].labels != labels:
                raise ValueError(f"{name} is registered with other labels: {', '.join(ours[name].labels)}") from None
            return ours[name].metric
        ours[name] = _Ours(metric, labels)
        return metric


def _new_metric(registry: CollectorRegistry, instrument: Instrument, labels: tuple[str, ...]) -> Metric:
    name, description = instrument.prometheus_name, instrument.description
    if instrument.kind == "counter":
        return Counter(name, description, labels, registry=registry)
    if instrument.kind == "up_down_counter":
        return Gauge(name, description, labels, registry=registry, multiprocess_mode="livesum")
    if instrument.kind == "gauge":
        gauge = Gauge(name, description, labels, registry=registry, multiprocess_mode="livemax")
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # there the oldest of all workers counts, and nothing is below 0
            gauge.set(math.nan)  # not 0, as long as nothing is known
        return gauge
    kind = _Waits if instrument.figure == "time_per_output_chunk" else Histogram
    return kind(name, description, labels, registry=registry, buckets=instrument.buckets)
