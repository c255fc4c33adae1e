"""Exporters, threads, forks and the end of the process do not affect a stream."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from streamtally import Outcome, StreamRecord, Tally
from streamtally.testing import FakeClock, FakeProvider
from tests.acceptance.calls import ANSWER, CHAT, TEXT
from tests.acceptance.telemetry import Telemetry, parent_id, span_id
from tests.streams.sources import chat_chunks
from tests.waiting import PATIENCE, run_python

ROOT = Path(__file__).parents[2]


class Hanging:
    """An exporter that blocks in every hook until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.entered = threading.Event()
        self.records: list[StreamRecord] = []

    def export(self, record: StreamRecord) -> None:
        self.entered.set()
        self.released.wait()
        self.records.append(record)

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - it blocks, whatever the time-out
        self.released.wait()
        return True

    def close(self) -> None:
        self.released.wait()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """An exporter that blocks until the end of the test."""
    made = Hanging()
    yield made
    made.released.set()


def _in_a_thread(work: Any) -> bool:
    """Whether some work ends, determined without blocking the test."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return not thread.is_alive()


def test_a_hanging_exporter_costs_the_stream_nothing(hanging: Hanging) -> None:
    """A hundred streams end while the exporter blocks in the first; their times are unchanged."""
    clock = FakeClock(tick=0.001)
    tally = Tally(exporters=[hanging], clock=clock)
    durations: list[float | None] = []

    def work() -> None:
        for _ in range(100):
            with tally.wrap(chat_chunks()) as stream:
                assert list(stream) == chat_chunks()
            assert stream.record.outcome is Outcome.COMPLETED
            durations.append(stream.record.timing.duration)

    assert _in_a_thread(work)
    with Tally(clock=FakeClock(tick=0.001)).wrap(chat_chunks()) as alone:
        list(alone)
    assert set(map(_rounded, durations)) == {_rounded(alone.record.timing.duration)}
    assert hanging.entered.wait(PATIENCE)
    assert hanging.records == []
    hanging.released.set()
    assert tally.flush(PATIENCE) is True
    assert len(hanging.records) == 100


def _rounded(seconds: float | None) -> float:
    assert seconds is not None
    return round(seconds, 6)


def test_a_hanging_exporter_does_not_keep_the_others_waiting(hanging: Hanging) -> None:
    """The other exporters get their records, and a flush with a timeout returns False in time."""
    prompt: list[StreamRecord] = []
    tally = Tally(exporters=[hanging, prompt.append])
    assert _in_a_thread(lambda: list(tally.wrap(chat_chunks())))
    assert len(prompt) == 1
    answers: list[bool] = []
    assert _in_a_thread(lambda: answers.append(tally.flush(0.01)))
    assert answers == [False]


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
def test_a_hanging_exporter_does_not_grow_without_bound(hanging: Hanging) -> None:
    """Records beyond its queue are dropped and counted; the streams are unaffected."""
    tally = Tally(exporters=[hanging])

    def work() -> None:
        for _ in range(5_000):
            list(tally.wrap(["a"]))

    assert _in_a_thread(work)
    assert tally.delivery is not None
    assert 0 < tally.delivery.dropped < 5_000
    hanging.released.set()
    tally.flush(PATIENCE)
    assert len(hanging.records) + tally.delivery.dropped == 5_000


def test_an_exporter_that_is_down_is_isolated(telemetry: Telemetry, caplog: pytest.LogCaptureFixture) -> None:
    """An exporter that always raises does not affect the stream or other exporters; failures are counted and logged once."""

    def down(_: StreamRecord) -> None:
        raise ConnectionRefusedError("no backend there")

    tally = Tally(exporters=[down, telemetry.otel, telemetry.prometheus])
    for _ in range(5):
        with tally.wrap(chat_chunks()) as stream:
            assert list(stream) == chat_chunks()
        assert stream.record.outcome is Outcome.COMPLETED
    tally.flush(PATIENCE)
    assert len(telemetry.finished) == telemetry.scraped("streamtally_streams_total") == 5
    assert tally.delivery is not None
    assert list(tally.delivery.failures.values()) == [5]
    assert len(caplog.records) == 1
    tally.close()


def _program(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_python("-X", "dev", "-c", text, *arguments, cwd=ROOT)


FORKS = """
import os, sys
import streamtally
from prometheus_client import REGISTRY

tally = streamtally.configure(exporters=["jsonl:" + sys.argv[1], "prometheus", "otel"])
chunk = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]}
list(tally.wrap([chunk], request_id="before"))
held = tally.wrap([chunk], request_id="held")
next(held)
child = os.fork()
name = "parent" if child else "child"
for number in range(100):
    list(tally.wrap([chunk], request_id=f"{name}-{number}"))
if not child:
    del held
    assert tally.flush(120.0)
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
list(held)
assert tally.flush(120.0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Each process exports the streams that it ended, once and in whole lines; the parent those that were open at the fork."""
    path = tmp_path / "records.jsonl"
    done = _program(FORKS, str(path))
    assert done.returncode == 0, done.stderr
    ids = [json.loads(line)["request_id"] for line in path.read_text().splitlines()]
    expected = ["before", "held", *(f"{name}-{number}" for name in ("parent", "child") for number in range(100))]
    assert sorted(ids) == sorted(expected)


FORKS_IN_A_JOB = """
import os, threading
import streamtally

class Locking:
    def __init__(self):
        self.lock, self.entered, self.go_on = threading.Lock(), threading.Event(), threading.Event()

    def export(self, record):
        with self.lock:  # of a library, that knows nothing of forks
            self.entered.set()
            self.go_on.wait()

    def flush(self, timeout=None):
        return True

    def close(self):
        pass

exporter = Locking()
tally = streamtally.Tally(exporters=[exporter])
list(tally.wrap(["a"]))
exporter.entered.wait()
os.register_at_fork(before=exporter.go_on.set)  # called before those that were registered earlier
child = os.fork()
list(tally.wrap(["b"]))
flushed = tally.flush(120.0)
if not child:
    os._exit(not flushed)
_, status = os.waitpid(child, 0)
assert (status, flushed) == (0, True), status
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_waits_until_no_exporter_is_at_work() -> None:
    """Otherwise a lock that an exporter's library holds would stay locked in the child."""
    done = _program(FORKS_IN_A_JOB)
    assert done.returncode == 0, done.stderr


SHUTDOWN = """
import asyncio, sys
import openai
import streamtally
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
metrics.set_meter_provider(MeterProvider())
tally = streamtally.configure(exporters=["otel", "prometheus"])
asked = {"model": "m", "messages": [], "stream": True}
http = __import__("httpx2")
client = openai.OpenAI(base_url=sys.argv[1], api_key="test", http_client=http.Client(verify=False))

read = tally.wrap(lambda: client.chat.completions.create(**asked))
next(read)
unread = tally.wrap(lambda: client.chat.completions.create(**asked))
ring = [tally.wrap(iter([1, 2]))]
ring.append(ring)

async def source():
    yield 1
    yield 2

async def leave():
    global left
    left = tally.wrap(source())
    await anext(left)

asyncio.run(leave())
client.close()
"""


def test_the_end_of_the_interpreter_is_silent(provider: FakeProvider) -> None:
    """Streams that are open when the process ends print nothing and raise nothing."""
    provider.enqueue(ANSWER)
    done = _program(SHUTDOWN, provider.base_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _run_in_thread(work: Any) -> Any:
    """The result of some work in a new thread."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


@pytest.mark.parametrize("end", ["exhausted", "closed", "dropped"])
def test_a_stream_is_handed_from_thread_to_thread(
    telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider, end: str
) -> None:
    """Created in one thread, read in two others, ended in a fourth: one span, whose parent is the span of the first thread."""
    provider.enqueue(ANSWER)

    def make() -> Any:
        with telemetry.tracer.start_as_current_span("caller"):
            return [telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT))]

    holder = _run_in_thread(make)
    for _ in range(2):
        _run_in_thread(lambda: (next(holder[0]), None)[1])
    if end == "exhausted":
        _run_in_thread(lambda: [None for _ in holder[0]])
        assert telemetry.recorder.records[0].text == TEXT
    elif end == "closed":
        _run_in_thread(lambda: holder[0].close())
    else:
        _run_in_thread(holder.clear)
    assert parent_id(telemetry.span()) == span_id(telemetry.callers["caller"])
    outcome = {"exhausted": "completed", "closed": "cancelled", "dropped": "abandoned"}[end]
    assert telemetry.attributes()["streamtally.outcome"] == outcome
