"""What OpenTelemetry's instruments are given when the SDK collects: sums added up here, and values noted here.

A value through the SDK costs as much as a third of a span; here it costs next to nothing, on the stream's path. The SDK
gets the same sums, and the same values for its histograms, on the thread that collects.
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

from .bindings import Labelled
from .names import Instrument

NOTED = 4_096
"""Values that wait for the SDK to collect, at most: about 500 streams. Those that come then go to the SDK at once."""

NOWHERE = Context()
"""Not the current context, which is whatever happens to run where the record is exported."""


class Sum:
    """One series."""

    __slots__ = ("_lock", "labelled", "value")

    def __init__(self, labelled: Labelled) -> None:
        self.labelled = labelled
        self.value: float = 0
        self._lock = Lock()

    def __call__(self, amount: float) -> None:
        """Add an amount."""
        with self._lock:
            self.value += amount

    def after_fork(self) -> None:
        """In a forked child the lock may be held by a thread that is not here."""
        self._lock = Lock()


class Notes:
    """Values for histograms, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Histogram, float, Labelled, Context]] = deque()

    def add(self, histogram: Histogram, labelled: Labelled, value: float, context: Context = NOWHERE) -> None:
        """Note a value. The context is that of its exemplar."""
        if len(self._waiting) >= NOTED:
            histogram.record(value, labelled, context)
        else:
            self._waiting.append((histogram, value, labelled, context))

    def clear(self) -> None:
        """Forget what waits, in a forked child: it is the parent's to tell."""
        self._waiting.clear()

    def hand_over(self) -> None:
        """Give the SDK what was noted until now. Several threads may, each value goes once."""
        waiting = self._waiting
        for _ in range(len(waiting)):
            try:
                histogram, value, labelled, context = waiting.popleft()
            except IndexError:  # another thread took it
                return
            histogram.record(value, labelled, context)


class Total:
    """The series of one instrument, for which the SDK asks when it collects; it gets the noted values then, too."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._sums: dict[frozenset[tuple[str, str | int]], Sum] = {}

    def series(self, labelled: Labelled) -> Sum:
        """The sum of these labels; the same one each time."""
        return self._sums.setdefault(frozenset(labelled.items()), Sum(labelled))

    def observe(self, _: CallbackOptions) -> Iterable[Observation]:
        """What the SDK asks for."""
        self._notes.hand_over()
        return [Observation(one.value, one.labelled) for one in list(self._sums.values())]

    def after_fork(self) -> None:
        """Begin anew in a forked child."""
        for one in list(self._sums.values()):
            one.after_fork()


class Ours(NamedTuple):
    """What there is of ours on one provider: all exporters on it add to the same totals."""

    notes: Notes
    totals: dict[str, Total]

    def of(self, meter: Meter, instruments: Iterable[Instrument]) -> Mapping[Instrument, Total]:
        """The totals of these counters and gauges, made there if they are not yet."""
        with _LOCK:
            for one in instruments:
                if one.name not in self.totals:
                    self.totals[one.name] = _made(meter, one, Total(self.notes))
            return {one: self.totals[one.name] for one in instruments}


class _Global:
    """Stands for the global provider, which is another object before the application has set it."""


_GLOBAL = _Global()
_OURS: WeakKeyDictionary[object, Ours] = WeakKeyDictionary()
"""By provider, which asks only the first instrument of a name."""

_LOCK = Lock()


def ours_on(provider: MeterProvider | None) -> Ours:
    """What there is of ours on a provider."""
    key = _GLOBAL if provider is None or provider is metrics.get_meter_provider() else provider
    with _LOCK:
        return _OURS.setdefault(key, Ours(Notes(), {}))


_CREATE = {
    "counter": "create_observable_counter",
    "gauge": "create_observable_gauge",
    "up_down_counter": "create_observable_up_down_counter",
}


def _made(meter: Meter, instrument: Instrument, total: Total) -> Total:
    create = getattr(meter, _CREATE[instrument.kind])
    create(instrument.name, [total.observe], instrument.unit, instrument.description)
    return total
