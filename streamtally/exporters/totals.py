"""Values that OpenTelemetry's instruments get when the SDK collects: sums, and values that wait for a histogram.

To record a value through the SDK costs as much as a third of a span. Here it costs next to nothing while the stream ends, and
the SDK gets the same sums, and the same values for its histograms, on the thread that collects.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, MeterProvider, Observation

from .bindings import LabelSet
from .instruments import Instrument

MAX_PENDING = 4_096
"""Values that wait for the SDK to collect, at most: those of about 500 streams. Further values go to the SDK at once."""

EMPTY_CONTEXT = Context()
"""Used in place of the current context, which belongs to whatever code runs where the record is exported."""


class Sum:
    """The sum of one series."""

    __slots__ = ("_lock", "labels", "value")

    def __init__(self, labels: LabelSet) -> None:
        self.labels = labels
        self.value: float = 0
        self._lock = Lock()

    def add(self, amount: float) -> None:
        """Add an amount."""
        with self._lock:
            self.value += amount

    def set(self, value: float) -> None:
        """Replace the value, of a gauge."""
        self.value = value

    def after_fork(self) -> None:
        """Replace the lock, in a forked child: a thread of the parent may hold it."""
        self._lock = Lock()


class PendingValues:
    """Values for histograms, in the order in which they were added."""

    def __init__(self) -> None:
        self._pending: deque[tuple[Histogram, float, LabelSet, Context]] = deque()

    def add(self, histogram: Histogram, labels: LabelSet, value: float, context: Context = EMPTY_CONTEXT) -> None:
        """Add a value. Its exemplar has the span of the context."""
        if len(self._pending) >= MAX_PENDING:
            histogram.record(value, labels, context)
        else:
            self._pending.append((histogram, value, labels, context))

    def clear(self) -> None:
        """Drop all values, in a forked child: the parent records them."""
        self._pending.clear()

    def record_all(self) -> None:
        """Record the values that were added until now. Several threads may call this; each value is recorded once."""
        for _ in range(len(self._pending)):
            try:
                histogram, value, labels, context = self._pending.popleft()
            except IndexError:  # another thread took it
                return
            histogram.record(value, labels, context)


class Total:
    """The sums of one instrument, which the SDK asks for when it collects. The pending values are recorded at that time."""

    def __init__(self, pending: PendingValues) -> None:
        self._pending = pending
        self._sums: dict[frozenset[tuple[str, str | int]], Sum] = {}

    def series(self, labels: LabelSet) -> Sum:
        """The sum with these labels; the same object each time."""
        return self._sums.setdefault(frozenset(labels.items()), Sum(labels))

    def observe(self, _: CallbackOptions) -> Iterable[Observation]:
        """The callback for the SDK."""
        self._pending.record_all()
        return [Observation(one.value, one.labels) for one in list(self._sums.values())]

    def after_fork(self) -> None:
        """Replace the locks, in a forked child."""
        for one in list(self._sums.values()):
            one.after_fork()


class ProviderState(NamedTuple):
    """All that exists on one meter provider. All exporters of the provider add to the same totals."""

    pending: PendingValues
    totals: dict[str, Total]

    def totals_of(self, meter: Meter, instruments: Iterable[Instrument]) -> Mapping[Instrument, Total]:
        """The totals of these counters and gauges, created if they do not exist."""
        with _LOCK:
            for one in instruments:
                if one.name not in self.totals:
                    self.totals[one.name] = _registered(meter, one, Total(self.pending))
            return {one: self.totals[one.name] for one in instruments}


class _GlobalProvider:
    """Stands for the global provider, which is another object before the application has set it."""


_GLOBAL_PROVIDER = _GlobalProvider()
_STATES: WeakKeyDictionary[object, ProviderState] = WeakKeyDictionary()
"""By provider: of several instruments of one name, an SDK asks only the first one for values."""

_LOCK = Lock()


def state_of(provider: MeterProvider | None) -> ProviderState:
    """The state of a provider; of the global one if None."""
    key = _GLOBAL_PROVIDER if provider is None or provider is metrics.get_meter_provider() else provider
    with _LOCK:
        return _STATES.setdefault(key, ProviderState(PendingValues(), {}))


_CREATE = {
    "counter": "create_observable_counter",
    "gauge": "create_observable_gauge",
    "up_down_counter": "create_observable_up_down_counter",
}


def _registered(meter: Meter, instrument: Instrument, total: Total) -> Total:
    create = getattr(meter, _CREATE[instrument.kind])
    create(instrument.name, [total.observe], instrument.unit, instrument.description)
    return total
