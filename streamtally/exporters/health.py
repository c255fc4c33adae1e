"""The metrics of the package itself: failing exporters, dropped records, label overflow, age of the price catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from threading import Lock

from .bindings import Bind, Series
from .instruments import CATALOG_AGE, DROPPED_RECORDS, EXPORTER_FAILURES, LABEL_OVERFLOW, Instrument
from .tally_info import TallyInfo

_Key = tuple[Instrument, str | None]
"""A metric of the package, and the value of its label if it has one."""


class HealthMetrics:
    """Exports how much the counts of a tally have grown since the last update.

    Args:
        overflow: the overflow counts of the exporter's labels.
        bind: makes the series.

    Attributes:
        tally: the tally whose counts are exported; None before it is attached.
    """

    def __init__(self, overflow: Mapping[str, int], bind: Bind) -> None:
        self.tally: TallyInfo | None = None
        self._overflow = overflow
        self._bind = bind
        self._series: dict[_Key, Series] = {}
        self._exported: Counter[_Key] = Counter()
        self._lock = Lock()

    def update(self) -> None:
        """Export what has changed. Cheap if no count has grown."""
        tally = self.tally
        if self._overflow or (tally is not None and (tally.failures() or tally.dropped())):
            for key, growth in self._growth():
                self._series_of(key).record(growth)
        age = None if tally is None else tally.catalog_age()
        if age is not None:
            self._series_of((CATALOG_AGE, None)).record(age)

    def after_fork(self) -> None:
        """Replace the lock, in a forked child: a thread of the parent may hold it."""
        self._lock = Lock()

    def _growth(self) -> list[tuple[_Key, int]]:
        growth_of = []
        with self._lock:
            for key, total in self._totals():
                if (growth := total - self._exported[key]) > 0:
                    self._exported[key] = total
                    growth_of.append((key, growth))
        return growth_of

    def _totals(self) -> Iterator[tuple[_Key, int]]:
        for label, count in tuple(self._overflow.items()):
            yield (LABEL_OVERFLOW, label), count
        if self.tally is not None:
            for exporter, count in tuple(self.tally.failures().items()):
                yield (EXPORTER_FAILURES, exporter), count
            yield (DROPPED_RECORDS, None), self.tally.dropped()

    def _series_of(self, key: _Key) -> Series:
        series = self._series.get(key)
        if series is None:
            instrument, value = key
            labels = {} if value is None else dict.fromkeys(instrument.labels, value)
            series = self._series[key] = self._bind(instrument, labels)
        return series
