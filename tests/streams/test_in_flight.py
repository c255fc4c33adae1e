"""The gauge of active streams is exact after every exit, also where records are made on a worker thread."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from streamtally import DuplicateRequest, Outcome, StreamRecord, Tally
from streamtally.exporters import PrometheusExporter
from streamtally.testing import FakeClock, RecordingExporter
from tests.streams.exits import EXITS, Bench, possible_exits, run_loop_until
from tests.streams.sources import Kind, Source, World, chat_chunks
from tests.waiting import PATIENCE

KINDS = {"list", "generator", "openai"}
"""Only a few kinds of source, because tests/streams/test_exits.py runs the exits with all of them."""


class InFlight(Bench):
    """A bench with the gauge of active streams; reading its exporter waits for the worker thread."""

    def __init__(self, source: Source, *, deferred: bool) -> None:
        self._exporter = RecordingExporter()
        self.registry = CollectorRegistry()
        exporters = [self._exporter, PrometheusExporter(self.registry)]
        self.tally = Tally(exporters=exporters, clock=FakeClock(tick=0.001), deferred=deferred)
        super().__init__(source, self.tally)

    @property
    def exporter(self) -> RecordingExporter:
        """The exporter, once the worker has exported all records so far."""
        if self.tally._worker is not None:
            assert self.tally._worker.submit_last(bool).wait(PATIENCE)
        return self._exporter

    @exporter.setter
    def exporter(self, _: RecordingExporter) -> None:
        """Ignore the exporter of the base class."""

    @property
    def active(self) -> float:
        """The value of the gauge of active streams."""
        samples = [sample for metric in self.registry.collect() if "active_streams" in metric.name for sample in metric.samples]
        return sum(sample.value for sample in samples)

    def read(self, stream: Any, count: int | None = None) -> None:
        assert stream.record.outcome is not None or self.active == 1
        super().read(stream, count)

    async def aread(self, stream: Any, count: int | None = None) -> None:
        assert stream.record.outcome is not None or self.active == 1
        await super().aread(stream, count)


def _named(mode: str) -> list[object]:
    return [pytest.param(name, kind, id=f"{name}-{kind.name}") for name, kind in possible_exits(mode) if kind.name in KINDS]


@pytest.mark.parametrize("deferred", [False, True], ids=["at once", "deferred"])
@pytest.mark.parametrize(("name", "kind"), _named("sync"))
def test_sync_exits(name: str, kind: Kind, world: World, deferred: bool) -> None:
    """After any exit of a sync stream there is one record, and the gauge is 0."""
    way = EXITS[name]
    assert way.sync is not None
    bench = InFlight(kind.make(way.script, world), deferred=deferred)
    stream = way.sync(bench)
    bench.tally.flush()
    assert bench.active == 0
    bench.check(way.outcome, stream)


@pytest.mark.anyio
@pytest.mark.parametrize("deferred", [False, True], ids=["at once", "deferred"])
@pytest.mark.parametrize(("name", "kind"), _named("async"))
async def test_async_exits(name: str, kind: Kind, aworld: World, deferred: bool) -> None:
    """After any exit of an async stream there is one record, and the gauge is 0."""
    way = EXITS[name]
    assert way.asynchronous is not None
    made = kind.make(way.script, aworld)
    bench = InFlight(await made if inspect.isawaitable(made) else made, deferred=deferred)
    stream = await way.asynchronous(bench)
    for _ in range(3):  # the loop must first close the wrapper's generator, which still reads the source
        await asyncio.sleep(0)
    bench.tally.flush()
    assert bench.active == 0
    bench.check(way.outcome, stream)
    await run_loop_until(lambda: bench.source.settled)


# Records that are made on the worker thread


class BlockedExporter(RecordingExporter):
    """An exporter that blocks until the test releases it."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.released = threading.Event(), threading.Event()

    def export(self, record: StreamRecord) -> None:
        self.entered.set()
        assert self.released.wait(PATIENCE)
        super().export(record)


def test_reading_a_record_that_is_not_made_yet() -> None:
    """Reading `record` makes a deferred record at once, complete and priced, and it is exported once."""
    exporter = RecordingExporter()
    tally = Tally(exporters=[exporter], deferred=True)
    hold = threading.Event()
    worker = tally._worker
    assert worker is not None
    tally.accumulator.wrapped.defer = lambda job: worker.submit(lambda: (hold.wait(PATIENCE), job()))
    streams = [tally.wrap(chat_chunks(), request_id=f"r{number}", params={"provider": "openai"}) for number in range(3)]
    for stream in streams:
        list(stream)
    assert exporter.records == []
    record = streams[1].record
    assert (record.text, record.outcome, record.cost.status) == ("one two three", Outcome.COMPLETED, "priced")
    assert exporter.records == [record]
    assert tally.snapshot("r2").outcome is Outcome.COMPLETED
    hold.set()
    assert tally.flush(timeout=PATIENCE)
    assert [record.request_id for record in exporter.records] == ["r1", "r2", "r0"]
    assert streams[1].record is record
    assert len(tally.accumulator) == 0


def test_an_exporter_that_asks_for_the_record_it_gets() -> None:
    """An exporter may read the stream's `record` during `export` without a deadlock."""
    seen: list[Any] = []

    class Asking(RecordingExporter):
        def export(self, record: StreamRecord) -> None:
            seen.append((record.request_id, stream.record.request_id))

    tally = Tally(exporters=[Asking()], deferred=True)
    stream = tally.wrap(["a"], request_id="r1")
    list(stream)
    assert tally.flush(timeout=PATIENCE)
    assert seen == [("r1", "r1")]
    assert stream.record.outcome is Outcome.COMPLETED


def test_an_id_is_free_as_soon_as_its_stream_has_ended() -> None:
    """The ID of an ended stream may be used again before its record is made; that of an open one may not."""
    exporter = RecordingExporter()
    tally = Tally(exporters=[exporter], deferred=True)
    for _ in range(20):
        list(tally.wrap(["a"], request_id="r1"))
    held = tally.wrap(["a"], request_id="r1")
    with pytest.raises(DuplicateRequest):
        tally.wrap(["a"], request_id="r1")
    held.close()
    assert tally.flush(timeout=PATIENCE)
    assert len(exporter.records) == 21


def test_more_than_the_queue_holds() -> None:
    """Where the worker's queue is full or closed, records are made by the reading thread, and none is lost."""
    exporter = BlockedExporter()
    tally = Tally(exporters=[exporter], deferred=True)
    assert tally._worker is not None
    tally._worker._bound = 2
    list(tally.wrap(["a"]))
    assert exporter.entered.wait(PATIENCE)
    for _ in range(2):
        list(tally.wrap(["a"]))
    exporter.released.set()
    for _ in range(5):
        list(tally.wrap(["a"]))
    tally.close()
    list(tally.wrap(["a"]))
    assert len(exporter.records) == 9


def test_flush_returns_in_time_though_records_wait() -> None:
    """`flush` returns False when its time-out passes before all records are exported."""
    exporter = BlockedExporter()
    tally = Tally(exporters=[exporter], deferred=True)
    list(tally.wrap(["a"]))
    assert exporter.entered.wait(PATIENCE)
    assert not tally.flush(timeout=0.01)
    exporter.released.set()
    assert tally.flush(timeout=PATIENCE)
