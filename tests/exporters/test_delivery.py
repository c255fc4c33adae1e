"""Exporters' faults stay theirs."""

import logging
from threading import Event

import pytest

from streamtally.exporters import Delivery, resolve
from streamtally.records import StreamRecord
from tests.exporters.samples import record, started


class Recording:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def on_start(self, record: StreamRecord) -> None:
        self.calls.append(("start", record))

    def on_late(self, record: StreamRecord) -> None:
        self.calls.append(("late", record))

    def on_discard(self, record: StreamRecord) -> None:
        self.calls.append(("discard", record))

    def export(self, record: StreamRecord) -> None:
        self.calls.append(("export", record))

    def flush(self, timeout: float | None = None) -> bool:
        self.calls.append(("flush", timeout))
        return True

    def close(self) -> None:
        self.calls.append(("close", None))


class Broken(Recording):
    """Raises whatever it is asked to do."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def __getattribute__(self, name: str) -> object:
        if name in ("on_start", "on_late", "on_discard", "export", "flush", "close"):
            return self._raise
        return super().__getattribute__(name)

    def _raise(self, *_: object) -> None:
        raise self.error


def test_every_exporter_gets_everything() -> None:
    """In order, with the records themselves."""
    exporter, start, end = Recording(), started(), record()
    delivery = Delivery([exporter])
    delivery.start(start)
    delivery.deliver(end)
    delivery.late(end)
    delivery.discard(start)
    assert delivery.flush()
    delivery.close()
    expected = [("start", start), ("export", end), ("late", end), ("discard", start), ("flush", None), ("close", None)]
    assert exporter.calls == expected


def test_a_failing_exporter_is_isolated_counted_and_logged_once_per_kind(caplog: pytest.LogCaptureFixture) -> None:
    """The others still get the record, the caller sees nothing."""
    broken, healthy = Broken(RuntimeError("no disk")), Recording()
    delivery = Delivery([broken, healthy])
    with caplog.at_level(logging.WARNING, logger="streamtally"):
        for _ in range(3):
            delivery.start(started())
            delivery.deliver(record())
        assert not delivery.flush()
        delivery.close()
        broken.error = ValueError("another kind")
        delivery.deliver(record())
    assert delivery.failures == {"Broken": 9}
    assert [name for name, _ in healthy.calls].count("export") == 4
    assert [entry.exc_info[0] for entry in caplog.records if entry.exc_info] == [RuntimeError, ValueError]
    assert all("Broken" in entry.getMessage() for entry in caplog.records)


def test_an_interrupt_is_no_failure() -> None:
    """The user's Ctrl-C goes through."""
    delivery = Delivery([Broken(KeyboardInterrupt())])
    with pytest.raises(KeyboardInterrupt):
        delivery.deliver(record())
    assert delivery.failures == {}


def test_exporters_of_one_kind_are_told_apart() -> None:
    """A function goes by its name, a second one of a kind gets a number."""
    delivery = Delivery([Broken(OSError()), Broken(OSError()), resolve(_refuse)])
    delivery.deliver(record())
    assert delivery.failures == {"Broken#1": 1, "Broken#2": 1, "_refuse": 1}


def test_a_hook_that_an_exporter_does_not_have_is_not_asked_for() -> None:
    """A plain function is called for records that have ended, and for nothing else."""
    seen: list[StreamRecord] = []
    delivery = Delivery([resolve(seen.append)])
    delivery.start(started())
    delivery.deliver(record())
    delivery.late(record())
    assert seen == [record()]
    assert delivery.flush()
    delivery.close()
    assert delivery.failures == {}


def test_flush_returns_in_time_though_an_exporter_does_not() -> None:
    """The time is for all exporters together, and each is told what is left of it."""
    release, quick = Event(), Recording()

    class Slow(Recording):
        def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - it does not keep to it
            return release.wait(60)

    delivery = Delivery([Slow(), quick])
    assert not delivery.flush(timeout=0.01)
    release.set()
    assert delivery.flush(timeout=30)
    timeouts = [timeout for name, timeout in quick.calls if name == "flush"]
    assert all(isinstance(timeout, float) and 0 <= timeout <= 30 for timeout in timeouts)


def test_flush_says_whether_an_exporter_could_not() -> None:
    """One that says False makes all of it False."""

    class Full(Recording):
        def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - it fails at once
            return False

    assert not Delivery([Full(), Recording()]).flush()
    assert not Delivery([Full()]).flush(timeout=30)


def test_nothing_to_deliver_to() -> None:
    """Without exporters all is done at once."""
    delivery = Delivery()
    delivery.deliver(record())
    assert delivery.flush(timeout=0)


def _refuse(_: StreamRecord) -> None:
    raise LookupError
