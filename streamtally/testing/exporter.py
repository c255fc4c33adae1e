"""An exporter that keeps all records."""

from __future__ import annotations

from ..exporters import Exporter
from ..records import StreamRecord


class RecordingExporter(Exporter):
    """Keeps every record in order, synchronously, for assertions in tests.

    Attributes:
        started: the records of opened streams.
        records: the records of ended streams.
        flushes: the number of calls of `flush`.
        closed: whether `close` was called.
    """

    blocking = False

    def __init__(self) -> None:
        self.started: list[StreamRecord] = []
        self.records: list[StreamRecord] = []
        self.flushes = 0
        self.closed = False

    def on_start(self, record: StreamRecord) -> None:
        """Keep the record of an opened stream."""
        self.started.append(record)

    def export(self, record: StreamRecord) -> None:
        """Keep the record of an ended stream."""
        self.records.append(record)

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - nothing is ever pending here
        """Count the call; returns True, because nothing is ever pending."""
        self.flushes += 1
        return True

    def close(self) -> None:
        """Set `closed`; the records stay."""
        self.closed = True
