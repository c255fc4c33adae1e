"""The metrics of an exporter: what is recorded when a stream starts, ends, or has a late chunk, in any backend."""

from __future__ import annotations

from collections.abc import Iterable

from ..records import StreamRecord
from .bindings import Bind, Bindings, Series
from .health import HealthMetrics
from .instruments import ACTIVE_STREAMS, CHUNK_FAULTS, Instrument
from .labels import Labels
from .measurements import LATE_CHUNK, Identity
from .tally_info import TallyInfo


class StreamMetrics:
    """Records metrics in the series of one backend.

    Args:
        instruments: the metrics.
        labels: the shared labels and their caps.
        bind: makes a series of the backend.

    Attributes:
        enabled: whether anything is recorded.
    """

    def __init__(self, instruments: Iterable[Instrument], labels: Labels, bind: Bind) -> None:
        self.enabled = True
        self._instruments = tuple(instruments)
        self._labels = labels
        self._bind = bind
        self._bindings = Bindings(self._instruments, labels, bind)
        self._health = HealthMetrics(labels.overflow, bind)
        self._active: dict[str, Series] = {}

    def attach(self, tally: TallyInfo) -> None:
        """Export the health of this tally, and use its price catalog to look up known models."""
        self._health.tally = tally
        self._labels.known_models = self._labels.known_models or tally.knows_model

    def start(self, record: StreamRecord, identity: Identity) -> None:
        """Count a stream as active."""
        if self.enabled:
            series = self._active[record.request_id] = self._bindings.one(ACTIVE_STREAMS, record, identity)
            series.record(1)

    def end(self, record: StreamRecord, identity: Identity, exemplar: object = None) -> None:
        """Record all values of a stream that has ended."""
        active = self._active.pop(record.request_id, None)
        if active is not None:
            active.record(-1)
        if not self.enabled:
            return
        for series, value in self._bindings.of(record, identity):
            if exemplar is not None and series.exemplars:
                series.record(value, exemplar)
            else:
                series.record(value)
        self.update_health()

    def late(self, record: StreamRecord) -> None:
        """Count a chunk that was received after the end of this stream."""
        if self.enabled:
            self._bindings.one(CHUNK_FAULTS, record, Identity.of(record), LATE_CHUNK).record(1)

    def update_health(self) -> None:
        """Record the metrics of the package itself."""
        if self.enabled:
            self._health.update()

    def after_fork(self) -> tuple[Series, ...]:
        """Begin anew in a forked child. Returns the series that count streams of the parent as active."""
        active, self._active = tuple(self._active.values()), {}
        self._labels.after_fork()
        self._health.after_fork()
        self._bindings = Bindings(self._instruments, self._labels, self._bind)
        return active
