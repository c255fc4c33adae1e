"""The dispatcher isolates streams and exporters from the failures and delays of an exporter."""

import contextvars
import gc
import logging
import os
import signal
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Event

import pytest

from streamtally import Tally
from streamtally.exporters import Dispatcher, Exporter, JsonLinesExporter, TallyInfo, resolve
from streamtally.records import StreamRecord
from tests.exporters.samples import record, started
from tests.waiting import PATIENCE, run_python


class Recording:
    """Records all calls, on the caller's thread."""

    blocking = False

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def on_start(self, record: StreamRecord) -> None:
        self.calls.append(("start", record))

    def on_late(self, record: StreamRecord) -> None:
        self.calls.append(("late", record))

    def export(self, record: StreamRecord) -> None:
        self.calls.append(("export", record))

    def flush(self, timeout: float | None = None) -> bool:
        self.calls.append(("flush", timeout))
        return True

    def close(self) -> None:
        self.calls.append(("close", None))


class Broken(Recording):
    """Raises in every hook."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def __getattribute__(self, name: str) -> object:
        if name in ("on_start", "on_late", "export", "flush", "close"):
            return self._raise
        return super().__getattribute__(name)

    def _raise(self, *_: object) -> None:
        raise self.error


def test_every_hook_is_called() -> None:
    """In order, with the same record objects."""
    exporter, start, end = Recording(), started(), record()
    dispatcher = Dispatcher([exporter])
    dispatcher.start(start)
    dispatcher.export(end)
    dispatcher.late(end)
    assert dispatcher.flush()
    dispatcher.close()
    expected = [("start", start), ("export", end), ("late", end), ("flush", None), ("close", None)]
    assert exporter.calls == expected


def test_a_failing_exporter_is_isolated_counted_and_logged_once_per_kind(caplog: pytest.LogCaptureFixture) -> None:
    """The other exporters get the record, and the caller sees no exception."""
    broken, healthy = Broken(RuntimeError("no disk")), Recording()
    dispatcher = Dispatcher([broken, healthy])
    with caplog.at_level(logging.WARNING, logger="streamtally"):
        for _ in range(3):
            dispatcher.start(started())
            dispatcher.export(record())
        assert not dispatcher.flush()
        dispatcher.close()
        broken.error = ValueError("another kind")
        dispatcher.export(record())
    assert dispatcher.failures == {"Broken": 9}
    assert [name for name, _ in healthy.calls].count("export") == 4
    assert [entry.exc_info[0] for entry in caplog.records if entry.exc_info] == [RuntimeError, ValueError]
    assert all("Broken" in entry.getMessage() for entry in caplog.records)


def test_an_interrupt_is_no_failure() -> None:
    """A KeyboardInterrupt on the caller's thread is raised."""
    dispatcher = Dispatcher([Broken(KeyboardInterrupt())])
    with pytest.raises(KeyboardInterrupt):
        dispatcher.export(record())
    assert dispatcher.failures == {}


def test_exporters_of_one_class_have_distinct_names() -> None:
    """A function has its own name; exporters with the same name are numbered."""
    dispatcher = Dispatcher([Broken(OSError()), Broken(OSError()), resolve(_refuse)])
    dispatcher.export(record())
    dispatcher.close()
    assert dispatcher.failures == {"Broken#1": 2, "Broken#2": 2, "_refuse": 1}


def test_only_hooks_that_are_overridden_are_called() -> None:
    """If no exporter has `on_start`, no record is built for it."""
    called: list[str] = []

    class Late(Exporter):
        blocking = False

        def on_late(self, record: StreamRecord) -> None:  # noqa: ARG002
            called.append("late")

    late, both = Dispatcher([Late()]), Dispatcher([Late(), Recording()])
    assert (late.takes_starts, both.takes_starts) == (False, True)
    assert (late._on_start, late._export, late.suppresses_others) == ((), (), False)
    for call in (late.start, late.export, late.late):
        call(record())
    assert called == ["late"]
    assert late.flush(timeout=PATIENCE)
    assert not late.is_suppressed()


def test_hooks_are_looked_up_once() -> None:
    """An attribute that is set afterwards is no hook."""
    exporter = Recording()
    dispatcher = Dispatcher([exporter])
    setattr(exporter, "on_late", _refuse)  # noqa: B010 - mypy refuses to assign to a method
    dispatcher.late(record())
    assert dispatcher.failures == {}
    assert [name for name, _ in exporter.calls] == ["late"]


def test_other_instrumentation_is_suppressed_within_the_block() -> None:
    """Neither a failing hook nor one that swallows exceptions changes what the body raises."""
    events: list[str] = []

    class Suppressing(Recording):
        @contextmanager
        def suppress_others(self) -> Iterator[None]:
            events.append("enter")
            with suppress(ZeroDivisionError):
                yield
            events.append("exit")
            raise OSError

        def is_suppressed(self) -> bool:
            return "enter" in events

    class Failing(Recording):
        def suppress_others(self) -> AbstractContextManager[object]:
            raise OSError

        def is_suppressed(self) -> bool:
            raise OSError

    dispatcher = Dispatcher([Failing(), Suppressing()])
    assert dispatcher.suppresses_others
    assert not dispatcher.is_suppressed()
    with pytest.raises(ZeroDivisionError), dispatcher.suppress_others():
        1 / (0 if dispatcher.is_suppressed() else 1)
    assert events == ["enter", "exit"]
    assert {name.rsplit(".")[-1]: count for name, count in dispatcher.failures.items()} == {"Failing": 3, "Suppressing": 1}


def test_exporters_are_attached_to_their_tally() -> None:
    """Each that has the hook gets the same information, which is up to date whenever it is read."""
    attached: list[TallyInfo] = []

    class Attached(Recording):
        def on_attach(self, tally: TallyInfo) -> None:
            attached.append(tally)

    class Scraped(Recording):
        serves_prometheus = True

    dispatcher = Dispatcher([Attached(), Scraped(), Attached(), Broken(OSError())])
    dispatcher.attach(knows_model={"gpt-4o"}.__contains__, catalog_age=lambda: 7.0)
    first, second = attached
    assert first == second
    assert (first.knows_model("gpt-4o"), first.catalog_age(), first.serves_prometheus) == (True, 7.0, True)
    assert (first.dropped(), dict(first.failures())) == (0, {})
    dispatcher.export(record())
    assert dict(first.failures()) == {"Broken": 1}
    Dispatcher([Attached()]).attach(knows_model=bool, catalog_age=lambda: None)
    assert not attached[-1].serves_prometheus


def test_a_plain_function_gets_records_that_have_ended() -> None:
    """A function as exporter is called with records that have ended, and with no others."""
    seen: list[StreamRecord] = []
    dispatcher = Dispatcher([resolve(seen.append)])
    dispatcher.start(started())
    dispatcher.export(record())
    dispatcher.late(record())
    assert seen == [record()]
    assert dispatcher.flush()
    dispatcher.close()
    assert dispatcher.failures == {}


@pytest.mark.parametrize("blocks", [True, False])
def test_flush_returns_in_time_though_an_exporter_does_not(blocks: bool) -> None:
    """The timeout is for all exporters together, and each gets the remaining time."""
    release, quick = Event(), Recording()

    class Slow(Recording):
        blocking = blocks

        def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - it does not keep to it
            return release.wait(PATIENCE)

    dispatcher = Dispatcher([Slow(), quick])
    assert not dispatcher.flush(timeout=0.01)
    release.set()
    assert dispatcher.flush(timeout=PATIENCE)
    timeouts = [timeout for name, timeout in quick.calls if name == "flush"]
    assert all(isinstance(timeout, float) and 0 <= timeout <= PATIENCE for timeout in timeouts)


def test_flush_returns_whether_all_exporters_succeeded() -> None:
    """If one exporter returns False, the result is False."""

    class Full(Recording):
        def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - it fails at once
            return False

    assert not Dispatcher([Full(), Recording()]).flush()
    assert not Dispatcher([Full()]).flush(timeout=PATIENCE)


def test_without_exporters() -> None:
    """Every call returns at once."""
    dispatcher = Dispatcher()
    dispatcher.export(record())
    assert dispatcher.flush(timeout=0)


# On a worker's thread


class Queued(Recording):
    """Records all calls, on a worker's thread."""

    blocking = True


class Hanging(Queued):
    """Blocks in `export` until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.taking, self.release = Event(), Event()

    def export(self, record: StreamRecord) -> None:
        self.taking.set()
        assert self.release.wait(PATIENCE)
        super().export(record)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """An exporter that blocks until the end of the test."""
    exporter = Hanging()
    yield exporter
    exporter.release.set()


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "streamtally-worker"}


def test_an_exporter_has_its_own_thread_by_default() -> None:
    """An exporter is called in order on a thread of its own, or on the caller's if `blocking` is False."""
    threads: list[threading.Thread] = []
    inline = Recording()

    class Unknown:
        def export(self, record: StreamRecord) -> None:  # noqa: ARG002
            threads.append(threading.current_thread())

        def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002
            threads.append(threading.current_thread())
            return True

        def close(self) -> None:
            threads.append(threading.current_thread())

    dispatcher = Dispatcher([Unknown(), inline])
    before = _threads()
    dispatcher.export(record())
    assert [name for name, _ in inline.calls] == ["export"]
    assert dispatcher.flush()
    dispatcher.close()
    (thread,) = set(threads)
    assert len(threads) == 3
    assert thread is not threading.current_thread()
    thread.join(PATIENCE)
    assert _threads() <= before


def test_a_thread_is_started_with_the_first_record() -> None:
    """Not when the exporter is registered; each exporter that can block has one."""
    before = _threads()
    dispatcher = Dispatcher([Queued(), Queued(), Recording()])
    assert _threads() <= before
    dispatcher.export(record())
    assert len(_threads() - before) == 2
    dispatcher.close()


def test_a_hanging_exporter_costs_the_others_nothing(hanging: Hanging) -> None:
    """Neither the caller nor another exporter waits for it."""
    other = Queued()
    dispatcher = Dispatcher([hanging, other])
    for _ in range(3):
        dispatcher.export(record())
    assert hanging.taking.wait(PATIENCE)
    assert not dispatcher.flush(timeout=0.01)
    hanging.release.set()
    assert dispatcher.flush(timeout=PATIENCE)
    assert [name for name, _ in other.calls] == ["export"] * 3 + ["flush"] * 2
    assert [name for name, _ in hanging.calls] == ["export"] * 3 + ["flush"] * 2
    assert dispatcher.dropped == 0


def test_a_full_queue_drops_and_counts(hanging: Hanging) -> None:
    """A record beyond the bound is dropped for that exporter only; a flush is never dropped."""
    other = Recording()
    dispatcher = Dispatcher([hanging, other], bound=5)
    dispatcher.export(record())
    assert hanging.taking.wait(PATIENCE)
    for _ in range(8):
        dispatcher.export(record())
    assert dispatcher.dropped == 3
    assert len(other.calls) == 9
    hanging.release.set()
    assert dispatcher.flush(timeout=PATIENCE)
    assert len([name for name, _ in hanging.calls if name == "export"]) == 6


def test_a_stream_ends_while_its_exporter_hangs(hanging: Hanging) -> None:
    """The record is complete and priced, and the caller did not wait."""
    tally = Tally(exporters=[hanging])
    for _ in range(3):
        with tally.wrap(["a", "b"]) as stream:
            assert list(stream) == ["a", "b"]
        assert stream.record.text == "ab"
    assert hanging.calls == [("start", hanging.calls[0][1])]
    hanging.release.set()
    tally.close()


def test_after_close_records_are_dropped() -> None:
    """Later records are dropped and counted; a flush succeeds."""
    exporter = Queued()
    dispatcher = Dispatcher([exporter])
    dispatcher.export(record())
    dispatcher.close()
    dispatcher.export(record())
    assert dispatcher.dropped == 1
    assert dispatcher.flush()
    assert [name for name, _ in exporter.calls] == ["export", "close", "flush"]


def test_an_exit_on_the_worker_has_no_effect() -> None:
    """`sys.exit` in an exporter reaches neither the caller nor the next record."""
    exporter = Broken(SystemExit())
    exporter.blocking = True
    seen: list[StreamRecord] = []
    dispatcher = Dispatcher([exporter, resolve(lambda record: seen.append(record))])
    dispatcher.export(record())
    dispatcher.export(record())
    assert not dispatcher.flush(timeout=PATIENCE)
    assert len(seen) == 2


def test_on_start_is_called_in_the_callers_context() -> None:
    """Also on a worker's thread: a span that starts there has the caller's span as its parent."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nothing")
    found: list[str] = []

    class Curious(Queued):
        def on_start(self, record: StreamRecord) -> None:  # noqa: ARG002
            found.append(variable.get())

    dispatcher = Dispatcher([Curious()])
    token = variable.set("the caller's")
    dispatcher.start(started())
    variable.reset(token)
    assert dispatcher.flush()
    assert found == ["the caller's"]


def test_a_dispatcher_that_is_collected_ends_its_threads() -> None:
    """After the records that wait; the threads hold no reference to it or to a record."""
    exporter, before = Queued(), _threads()
    dispatcher = Dispatcher([exporter])
    one = record()
    dispatcher.export(one)
    assert dispatcher.flush(timeout=PATIENCE)
    after = _threads()
    gone = weakref.ref(dispatcher)
    exporter.calls.clear()
    gone_record = weakref.ref(one)
    del dispatcher, one
    gc.collect()
    assert gone() is None
    assert gone_record() is None
    (thread,) = after - before
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_the_methods_of_containers_are_called_at_once() -> None:
    """`records.append` and the like cannot block; any other function can."""
    kept: list[StreamRecord] = []
    exporters = [resolve(kept.append), resolve(deque[StreamRecord]().append), resolve(print), resolve(lambda _: None)]
    assert [getattr(one, "blocking", None) for one in exporters] == [False, False, True, True]


# At the end of the process, and in a forked one


def run(program: str, *arguments: str) -> str:
    """The output of a new interpreter, which must succeed without errors."""
    done = run_python("-c", program, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


AT_EXIT = """
import atexit, sys, threading, streamtally
ending = threading.Event()
def slow(record):
    ending.wait()
    print(record.text)
def main(make):
    tally = make(exporters=[slow, "jsonl:" + sys.argv[1]])
    atexit.register(ending.set)  # registered last, so called first
    for word in ("one", "two", "three"):
        list(tally.wrap([word]))
    return tally
"""


@pytest.mark.parametrize(
    "call",
    ["main(streamtally.configure)", "kept = main(streamtally.Tally)", "main(streamtally.Tally)"],
    ids=["default", "kept", "gone"],
)
def test_what_waits_is_written_at_exit(call: str, tmp_path: Path) -> None:
    """By the default tally, by another one, and by one that was collected."""
    path = tmp_path / "records.jsonl"
    assert run(AT_EXIT + call, str(path)).split() == ["one", "two", "three"]
    assert len(path.read_text().splitlines()) == 3


def test_a_process_ends_though_an_exporter_hangs() -> None:
    """The process waits for a limited time only."""
    program = """
import threading, streamtally
from streamtally import lifetime
lifetime.AT_EXIT = 0.05
streamtally.configure(exporters=[lambda record: threading.Event().wait()])
list(streamtally.wrap(["x"]))
print("done")
"""
    assert run(program) == "done\n"


FORK = """
import os, sys, threading, streamtally
from streamtally.exporters import JsonLinesExporter

class Slow:
    release = threading.Event()
    def export(self, record):
        self.release.wait()
        os.write(1, f"{record.text}{who} ".encode())
    def flush(self, timeout=None):
        return True
    def close(self):
        pass

who = "P"
tally = streamtally.configure(exporters=[Slow(), "jsonl:" + sys.argv[1]])
for word in ("a", "b"):
    list(tally.wrap([word]))
tally.add("keyed", "k")
held, gone = tally.wrap(iter("hi")), tally.wrap(iter("go"))
next(held), next(gone)
del gone
child = os.fork()
if child == 0:
    who = "C"
Slow.release.set()
list(held)
list(tally.wrap(["c"]))
del held
tally.close()
if child == 0:
    assert tally.delivery.dropped == 0
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX systems fork")
def test_a_forked_child_exports_what_is_its_own(tmp_path: Path) -> None:
    """The parent exports the records that waited and the streams that were open; the child opens its own threads and files."""
    path = tmp_path / "records.jsonl"
    words = run("import warnings; warnings.simplefilter('ignore')\n" + FORK, str(path)).split()
    assert sorted(words) == ["aP", "bP", "cC", "cP", "gP", "hiP", "kP"]
    texts = [StreamRecord.model_validate_json(line).request_id for line in path.read_text().splitlines()]
    assert len(texts) == len(set(texts)) == 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX systems fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # of threads that other tests left
def test_a_file_whose_lock_was_held_when_the_process_forked(tmp_path: Path) -> None:
    """The child does not wait for a lock that a thread of the parent holds."""
    path = tmp_path / "records.jsonl"
    exporter = JsonLinesExporter(path)
    tally = Tally(exporters=[exporter])
    with exporter._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(round(PATIENCE))
            list(tally.wrap(["x"]))
            os._exit(0 if tally.flush(timeout=PATIENCE) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(path.read_text().splitlines()) == 1
    tally.close()


def _refuse(_: StreamRecord) -> None:
    raise LookupError
