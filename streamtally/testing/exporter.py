"""An exporter that keeps what it is given."""

from __future__ import annotations

from ..exporters import Exporter
from ..records import StreamRecord


class RecordingExporter(Exporter):
    """Keeps every record that reaches it, in order and at once, for a test to look at.

    Attributes:
        started: the records of streams as they were opened.
        records: the records of streams that ended.
        flushes: how often `flush` was called.
        closed: whether `close` was called.
    """

    blocking = False

    def __init__(self) -> None:
        self.started: list[StreamRecord] = []
        self.records: list[StreamRecord] = []
        self.flushes = 0
        self.closed = False

    def on_start(self, record: StreamRecord) -> None:
        """Keep the record of a stream that was opened."""
        self.started.append(record)

    def export(self, record: StreamRecord) -> None:
        """Keep the record of a stream that ended."""
        self.records.append(record)

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - nothing is ever pending here
        """Nothing is pending, so this succeeds at once."""
        self.flushes += 1
        return True

    def close(self) -> None:
        """Note that it was closed; what it kept stays."""
        self.closed = True
