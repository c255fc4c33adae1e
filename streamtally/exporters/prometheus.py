"""Records as Prometheus metrics, for a registry that the application has scraped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from ..records import StreamRecord
from .bindings import Bindings, Labelled
from .labels import MAX_VALUES, Labels
from .measurements import LATE_CHUNK
from .names import ACTIVE_STREAMS, CHUNK_FAULTS, INSTRUMENTS, Instrument, prometheus_label

Metric = Counter | Gauge | Histogram


class PrometheusExporter:
    """Counters, histograms and the gauge of active streams, each under the name that OpenTelemetry's translation gives.

    Two exporters on one registry share its metrics. `registry` is the one in use, to be served by the application.

    Args:
        registry: where the metrics are registered; prometheus_client's global one by default.
        labels: attributes of the records that become labels, such as `("team", "route")`.
        max_values: how many values each label may take before the rest are "other".
        known_models: whether a model is known by name; a known name is always kept.

    Raises:
        ValueError: the registry has a metric of one of our names that is not ours, or that has other labels; a label has
            the name of one of ours, stands twice, or cannot be a label.

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

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        labels: Iterable[str] = (),
        *,
        max_values: int = MAX_VALUES,
        known_models: Callable[[str], bool] | None = None,
    ) -> None:
        self.registry = REGISTRY if registry is None else registry
        shared = Labels(labels, max_values, known_models)
        self._shared_names = shared.names
        self._metrics = {
            instrument: _metric(self.registry, instrument, _label_names(instrument, shared)) for instrument in INSTRUMENTS
        }
        self._bindings = Bindings(shared, self._bind)
        self._active: dict[str, Callable[[float], None]] = {}

    def on_start(self, record: StreamRecord) -> None:
        """Count the stream as active."""
        active = self._bindings.one(ACTIVE_STREAMS, record)
        active(1)
        self._active[record.request_id] = active

    def on_late(self, record: StreamRecord) -> None:
        """Count a chunk that came after the end."""
        self._bindings.one(CHUNK_FAULTS, record, LATE_CHUNK)(1)

    def on_discard(self, record: StreamRecord) -> None:
        """Count the stream as active no more."""
        active = self._active.pop(record.request_id, None)
        if active is not None:
            active(-1)

    def export(self, record: StreamRecord) -> None:
        """Add what the record says."""
        self.on_discard(record)
        for add, value in self._bindings.of(record):
            add(value)

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - a scrape takes what is there
        """Nothing is held back: Prometheus comes and takes it."""
        return True

    def close(self) -> None:
        """The metrics stay, so that the last scrape finds them."""

    def _bind(self, instrument: Instrument, labelled: Labelled) -> Callable[[float], None]:
        names = (*self._shared_names, *instrument.labels)
        child = self._metrics[instrument].labels(*(labelled.get(name, "") for name in names))
        return child.observe if isinstance(child, Histogram) else child.inc


class _Ours(NamedTuple):
    metric: Metric
    labels: tuple[str, ...]


_OURS: WeakKeyDictionary[CollectorRegistry, dict[str, _Ours]] = WeakKeyDictionary()
"""What we registered, by registry: prometheus_client tells that a name is taken, and not by whom."""

_LOCK = Lock()


def _label_names(instrument: Instrument, shared: Labels) -> tuple[str, ...]:
    names = tuple(map(prometheus_label, (*shared.names, *instrument.labels)))
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
    return Histogram(name, description, labels, registry=registry, buckets=instrument.buckets)
