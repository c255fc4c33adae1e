import asyncio
import logging
import sys
import types
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

import streamtally
from streamtally import CatalogError, Limits, Outcome, StreamRecord, StreamType, Tally, UnknownDialect, UnknownRequest, default
from streamtally.pricing import ModelCatalog
from streamtally.testing import FakeClock, RecordingExporter, scenarios
from tests.streams.sources import chat_chunk, chat_chunks
from tests.waiting import PATIENCE, run_python

BODY = scenarios.chat("one two three").body


@pytest.fixture
def exporter() -> RecordingExporter:
    """An exporter that keeps the records."""
    return RecordingExporter()


@pytest.fixture
def tally(exporter: RecordingExporter) -> Tally:
    """A tally with that exporter and a fake clock."""
    return Tally(exporters=[exporter], clock=FakeClock(tick=0.001))


@pytest.fixture(autouse=True)
def _no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins without a default tally, and leaves none behind."""
    monkeypatch.setattr(default, "_default", None)


# Wrapped streams


def test_a_wrapped_stream_is_priced_and_exported(tally: Tally, exporter: RecordingExporter) -> None:
    """The exported record has the arguments of `wrap`, the content of the stream, and a price."""
    stream = tally.wrap(
        chat_chunks(),
        request_id="r1",
        conversation_id="c1",
        params={"model": "gpt-4.1-mini", "provider": "openai", "temperature": 0.5, "messages": ["secret"]},
        attributes={"team": "search"},
    )
    list(stream)
    (record,) = exporter.records
    assert record is stream.record
    assert (record.request_id, record.conversation_id, record.attributes) == ("r1", "c1", {"team": "search"})
    assert (record.provider, record.requested_model, record.model) == ("openai", "gpt-4.1-mini", "gpt-4.1-mini")
    assert record.params == {"model": "gpt-4.1-mini", "provider": "openai", "temperature": 0.5}
    assert (record.cost.status, record.cost.complete) == ("priced", True)
    assert record.cost.usd is not None
    assert record.cost.usd > 0


def test_on_start_gets_the_arguments_of_wrap(tally: Tally, exporter: RecordingExporter) -> None:
    """`on_start` gets a record with the arguments of `wrap` and no outcome."""
    tally.wrap(iter([1]), request_id="r1", params={"model": "m"}, attributes={"team": "search"})
    (started,) = exporter.started
    assert (started.request_id, started.requested_model, started.attributes) == ("r1", "m", {"team": "search"})
    assert (started.outcome, started.chunk_count, started.usage) == (None, 0, None)


def test_an_unknown_model_is_priced_as_the_requested_one(tally: Tally) -> None:
    """A model without a price is priced as the model that the request named."""
    chunks = [{**chunk, "model": "my-deployment"} for chunk in chat_chunks()]
    with tally.wrap(chunks, params={"model": "gpt-4.1-mini", "provider": "openai"}) as stream:
        list(stream)
    assert stream.record.model == "my-deployment"
    assert stream.record.cost.usd is not None
    with tally.wrap(chunks) as stream:
        list(stream)
    assert stream.record.cost.usd is None


def test_a_wrapped_stream_is_priced_as_it_goes(tally: Tally) -> None:
    """An open stream has a partial price for the usage so far."""
    chunks = [{**chunk, "usage": {"prompt_tokens": 1000, "completion_tokens": 0}} for chunk in chat_chunks()]
    with tally.wrap(chunks, params={"model": "gpt-4.1-mini", "provider": "openai"}) as stream:
        next(iter(stream))
        going = stream.record.cost
        assert (going.usd, going.status) == (Decimal("0.0004"), "partial")
        list(stream)
    assert (stream.record.cost.usd, stream.record.cost.status) == (Decimal("0.0004"), "priced")


def test_rates_for_one_call(tally: Tally) -> None:
    """Rates for one call are given in `params`, as numbers of any type."""
    rates = {"input": Decimal("0.1"), "output": 0}
    with tally.wrap(chat_chunks(), params={"provider": "openai", "rates": rates}) as stream:
        list(stream)
    assert stream.record.cost.match_rule == "call: exact"
    assert {line.rate for line in stream.record.cost.breakdown} <= {"0.1", "0"}


def test_a_file_of_rates_and_discounts(tmp_path: Path) -> None:
    """A TOML or JSON file of overrides and discounts takes precedence over the bundled prices."""
    toml, json = tmp_path / "own.toml", tmp_path / "own.json"
    toml.write_text('[[override]]\nmodel = "gpt-4.1-mini"\nrates = {input = "7", output = "7"}\n')
    json.write_text('{"discount": [{"name": "all of it", "percent": -100}]}')
    costs = []
    for path in (toml, str(json)):
        with Tally(catalog=path).wrap(chat_chunks(), params={"provider": "openai"}) as stream:
            list(stream)
        costs.append(stream.record.cost)
    assert {line.rate for line in costs[0].breakdown} == {"7"}
    assert (costs[1].usd, costs[1].breakdown[-1].name) == (Decimal(0), "all of it")
    (tmp_path / "odd.json").write_text("[]")
    with pytest.raises(CatalogError):
        Tally(catalog=tmp_path / "odd.json")


def test_an_estimate_of_missing_usage(exporter: RecordingExporter) -> None:
    """A tokenizer estimates the usage of a stream that ended without any, and the estimate is marked."""
    tally = Tally(exporters=[exporter], estimate=lambda text: len(text.split()))
    with tally.wrap(chat_chunks(), params={"model": "gpt-4.1-mini", "provider": "openai"}) as stream:
        for _ in zip(range(4), stream, strict=False):
            pass
    (record,) = exporter.records
    assert record.usage is not None
    assert (record.usage.output_tokens, record.usage.source, record.usage.partial) == (3, "estimated", True)
    assert (record.cost.usd, record.cost.status, record.cost.usage_source) == (Decimal("0.0000048"), "partial", "estimated")


def test_a_tokenizer_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """A tokenizer that raises is logged once, and there is no estimate."""

    def broken(_: str) -> int:
        raise RuntimeError("no vocabulary")

    tally = Tally(estimate=broken)
    for _ in range(2):
        with tally.wrap(chat_chunks()[:4]) as stream:
            list(stream)
        assert stream.record.usage is None
        assert stream.record.cost.status == "no_usage"
    assert [line.message for line in caplog.records] == ["pricing failed; further RuntimeError will not be logged"]


def test_replay_at_the_prices_of_a_tally() -> None:
    """`Tally.replay` uses the tally's tally prices."""
    own_prices = ModelCatalog.bundled().override("gpt-4o", {"input": 1, "output": 1})
    recorded = Tally(catalog=own_prices).replay(scenarios.chat(model="gpt-4o").body)
    assert recorded.cost.match_rule == "user: first party: exact"


def test_a_dialect_by_name(tally: Tally) -> None:
    """A named dialect holds from the first chunk; an unknown one raises, and opens nothing."""
    chunks: list[Any] = [{"choices": []}]
    with tally.wrap(chunks, dialect="openai.completions") as stream:
        list(stream)
    assert stream.record.dialect == "openai.completions"
    with pytest.raises(UnknownDialect, match=r"klingon.*openai\.chat"):
        tally.wrap([1], dialect="klingon")
    assert len(tally.accumulator) == 0


def test_counts_only(exporter: RecordingExporter) -> None:
    """With `keep="counts"` no text is kept, but usage, finish reason and outcome are."""
    with Tally(exporters=[exporter], keep="counts").wrap(chat_chunks()) as stream:
        list(stream)
    (record,) = exporter.records
    assert record.text == ""
    assert (record.finish_reason, record.outcome, record.chunk_count) == ("stop", Outcome.COMPLETED, 6)
    assert record.usage is not None
    assert "one two" not in record.model_dump_json()


def test_a_bound_of_retention_does_not_cut_the_caller() -> None:
    """Beyond `stream_bytes` the caller gets all chunks, and the record states how much was dropped."""
    chunks = [chat_chunk({"content": "x" * 100}) for _ in range(500)]
    with Tally(limits=Limits(stream_bytes=1_000)).wrap([*chunks, *chat_chunks()[4:]]) as stream:
        assert len(list(stream)) == 502
    record = stream.record
    assert (record.outcome, record.finish_reason, record.chunk_count) == (Outcome.COMPLETED, "stop", 502)
    assert record.usage is not None
    assert record.dropped_bytes > 0
    assert len(record.text) + record.dropped_bytes >= 50_000


# `call` and `acall`, which make the request at once


def test_a_request_that_is_made_now(tally: Tally, exporter: RecordingExporter) -> None:
    """`call` measures from the call, and returns a wrapper of the protocol that the source has."""
    stream = tally.call(lambda: iter(chat_chunks()), server=("api.test", 443), request_id="r1")
    assert not hasattr(type(stream), "__aiter__")
    list(stream)
    (record,) = exporter.records
    assert (record.timing.started_from, record.server_address, record.server_port) == ("request", "api.test", 443)
    assert (exporter.started[0].server_address, record.text) == ("api.test", "one two three")


@pytest.mark.anyio
async def test_a_request_that_is_awaited_now(tally: Tally, exporter: RecordingExporter) -> None:
    """`acall` awaits the request; an exception of the request makes an error record."""

    async def source() -> AsyncIterator[Any]:
        for chunk in chat_chunks():
            yield chunk

    async def request() -> AsyncIterator[Any]:
        return source()

    assert [chunk async for chunk in await tally.acall(request)] == chat_chunks()
    with pytest.raises(ZeroDivisionError):
        await tally.acall(lambda: 1 / 0)
    assert [record.outcome for record in exporter.records] == [Outcome.COMPLETED, Outcome.ERROR]


def test_a_request_whose_answer_is_no_stream(tally: Tally, exporter: RecordingExporter) -> None:
    """`call` returns an answer that is no stream as it is."""
    answer = object()
    assert tally.call(lambda: answer) is answer
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]
    assert len(tally.accumulator) == 0


def test_other_instrumentation_is_suppressed_during_the_request() -> None:
    """`suppress_others` of an exporter is active during the request only; one that raises has no effect."""
    inside: list[bool] = []

    class Alone(RecordingExporter):
        @contextmanager
        def suppress_others(self) -> Iterator[None]:
            inside.append(True)
            yield
            inside.pop()

    class Broken(RecordingExporter):
        def suppress_others(self) -> Any:
            raise OSError

    seen: list[list[bool]] = []

    def request() -> Iterator[str]:
        seen.append(list(inside))
        return iter(["a"])

    with Tally(exporters=[Broken(), Alone()]).wrap(request) as stream:
        seen.append(list(inside))
        list(stream)
    assert seen == [[True], []]


# Keyed streams


def test_a_keyed_stream_is_priced_and_exported(tally: Tally, exporter: RecordingExporter) -> None:
    """Chunks out of order and repeated give one priced record, returned and exported."""
    chunks = chat_chunks()
    for index in (3, 1, 0, 1, 5, 2, 4):
        assert tally.add("r1", chunks[index], index=index) is None
    running = tally.snapshot("r1")
    assert (running.text, running.outcome) == ("one two three", None)
    assert running.cost.usd is not None
    record = tally.finish("r1")
    assert (record.text, record.outcome, record.duplicates) == ("one two three", Outcome.COMPLETED, 1)
    assert record.cost.usd == running.cost.usd
    assert tally.finish("r1") is record
    assert exporter.records == [record]
    assert [record.request_id for record in exporter.started] == ["r1"]
    tally.discard("r1")
    with pytest.raises(UnknownRequest):
        tally.finish("r1")


def test_a_keyed_stream_that_fails(tally: Tally, exporter: RecordingExporter) -> None:
    """`fail` makes the outcome an error or a time-out."""
    tally.add("r1", chat_chunks()[1])
    assert tally.fail("r1", "broken").outcome is Outcome.ERROR
    tally.add("r2", chat_chunks()[1])
    assert tally.fail("r2", TimeoutError()).outcome is Outcome.TIMEOUT
    assert [record.request_id for record in exporter.records] == ["r1", "r2"]


def test_late_chunks_reach_the_exporters() -> None:
    """An exporter with `on_late` is called for each late chunk."""
    late_records: list[StreamRecord] = []

    class Late(RecordingExporter):
        def on_late(self, record: StreamRecord) -> None:
            late_records.append(record)

    exporter = Late()
    tally = Tally(exporters=[exporter])
    tally.add("r1", chat_chunks()[1])
    record = tally.finish("r1", "cancelled")
    assert tally.add("r1", chat_chunks()[2]) is None
    assert [record.request_id for record in late_records] == ["r1"]
    assert exporter.records == [record]
    assert record.outcome is Outcome.CANCELLED


# The life of a tally


def test_closing_ends_keyed_streams_and_closes_exporters(exporter: RecordingExporter) -> None:
    """`close` exports open keyed streams, then flushes and closes the exporters."""
    with Tally(exporters=[exporter]) as tally:
        tally.add("r1", chat_chunks()[1])
        assert exporter.flushes == 0
    assert [record.outcome for record in exporter.records] == [Outcome.ABANDONED]
    assert exporter.closed
    assert exporter.flushes == 1


@pytest.mark.anyio
async def test_closing_asynchronously(exporter: RecordingExporter) -> None:
    """`async with` exports open keyed streams, and flushes exporters in a thread, not on the loop."""
    turned: list[bool] = []

    class Waiting(RecordingExporter):
        def flush(self, timeout: float | None = None) -> bool:
            asyncio.run_coroutine_threadsafe(self.turn(), loop).result(10.0)
            return super().flush(timeout)

        async def turn(self) -> None:
            turned.append(True)

    loop, waiting = asyncio.get_running_loop(), Waiting()
    async with Tally(exporters=[waiting, exporter]) as tally:
        assert await tally.aflush() is True
        tally.add("r1", chat_chunks()[1])
    assert [record.outcome for record in waiting.records] == [Outcome.ABANDONED]
    assert turned == [True, True]
    assert exporter.closed


def test_flush_asks_every_exporter(tally: Tally, exporter: RecordingExporter) -> None:
    """`flush` returns True if all exporters do, or if there are none."""
    assert tally.flush() is True
    assert tally.flush(timeout=PATIENCE) is True
    assert exporter.flushes == 2
    assert Tally().flush() is True


def test_without_exporters_records_are_made_all_the_same() -> None:
    """Without exporters there is a priced record."""
    tally = Tally()
    with tally.wrap(chat_chunks()) as stream:
        list(stream)
    assert tally.delivery is None
    assert stream.record.cost.usd is not None
    tally.close()


def test_callables_are_exporters() -> None:
    """A function may be given as an exporter."""
    records: list[StreamRecord] = []
    with Tally(exporters=[records.append]).wrap(["x"]) as stream:
        list(stream)
    assert records == [stream.record]


def test_a_stream_that_outlives_its_tally(tally: Tally, caplog: pytest.LogCaptureFixture) -> None:
    """A wrapped stream stays readable after its tally was closed, and gets a record."""
    stream = tally.wrap(chat_chunks())
    next(stream)
    tally.close()
    assert len(list(stream)) == 5
    assert stream.record.outcome is Outcome.COMPLETED
    assert len(tally.accumulator) == 0
    assert [record.levelno for record in caplog.records if record.levelno > logging.INFO] == []


# The default tally


def test_configure_replaces_and_closes(exporter: RecordingExporter) -> None:
    """`configure` sets and returns the default tally, and closes the previous one, exporting its open streams."""
    first = streamtally.configure(exporters=[exporter])
    first.add("r1", chat_chunks()[1])
    stream = streamtally.wrap(chat_chunks(), request_id="r2")
    second_exporter = RecordingExporter()
    second = streamtally.configure(exporters=[second_exporter])
    assert first is not second
    assert exporter.closed
    assert [record.request_id for record in exporter.records] == ["r1"]
    list(stream)
    list(streamtally.wrap(chat_chunks(), request_id="r3"))
    assert [record.request_id for record in second_exporter.records] == ["r3"]
    assert default.default_tally() is second


def test_what_cannot_be_configured_changes_nothing(exporter: RecordingExporter) -> None:
    """An invalid option raises, and leaves the default tally as it was."""
    first = streamtally.configure(exporters=[exporter])
    with pytest.raises(ValueError, match=r"unknown exporter 'smoke'.*otel"):
        streamtally.configure(exporters=["smoke"])
    assert default.default_tally() is first
    assert not exporter.closed


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> type[RecordingExporter]:
    """An exporter class under the name "jsonl"."""

    class Plugin(RecordingExporter):
        made: list[Any]

        def __init__(self, argument: str = "") -> None:
            super().__init__()
            self.argument = argument
            Plugin.made.append(self)

    Plugin.made = []
    module = types.ModuleType("streamtally.exporters.jsonl")
    module.JsonLinesExporter = Plugin  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "streamtally.exporters.jsonl", module)
    return Plugin


@pytest.mark.parametrize("configured", [True, False])
def test_the_environment_names_exporters(monkeypatch: pytest.MonkeyPatch, plugin: Any, configured: bool) -> None:
    """`STREAMTALLY_EXPORTERS` sets the exporters of the default tally, configured or not, once."""
    monkeypatch.setenv("STREAMTALLY_EXPORTERS", " jsonl , jsonl:calls.jsonl ")
    if configured:
        streamtally.configure(keep="counts")
    for _ in range(2):
        streamtally.collect(["x"])
    assert [(plugin_exporter.argument, len(plugin_exporter.records)) for plugin_exporter in plugin.made] == [
        ("", 2),
        ("calls.jsonl", 2),
    ]


def test_arguments_take_precedence_over_the_environment(monkeypatch: pytest.MonkeyPatch, plugin: Any) -> None:
    """Exporters given to `configure` take precedence over the environment, which `Tally` ignores."""
    monkeypatch.setenv("STREAMTALLY_EXPORTERS", "jsonl")
    assert streamtally.configure(exporters=[]).delivery is None
    assert Tally().delivery is None
    assert plugin.made == []


def test_without_environment_nothing_is_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `STREAMTALLY_EXPORTERS`, or if it is empty, the default tally has no exporters."""
    assert default.default_tally().delivery is None
    monkeypatch.setenv("STREAMTALLY_EXPORTERS", "")
    assert streamtally.configure().delivery is None


def test_exporters_by_name(tmp_path: Path) -> None:
    """An exporter may be given as a name and an argument."""
    path = tmp_path / "calls.jsonl"
    with Tally(exporters=[f"jsonl:{path}"]) as tally, tally.wrap(chat_chunks(), request_id="r1") as stream:
        list(stream)
    assert StreamRecord.model_validate_json(path.read_text()).request_id == "r1"


# `collect`, `replay` and `to_response`


def test_collect(exporter: RecordingExporter) -> None:
    """`collect` reads a source to its end and returns the record; it has the options of `wrap`."""
    streamtally.configure(exporters=[exporter])
    record = streamtally.collect(chat_chunks(), request_id="r1")
    assert (record.text, record.request_id) == ("one two three", "r1")
    assert streamtally.collect(lambda: iter(chat_chunks())).timing.started_from == "request"
    assert len(exporter.records) == 2


@pytest.mark.anyio
async def test_acollect() -> None:
    """`acollect` reads an async source to its end and returns the record."""

    async def source() -> AsyncIterator[Any]:
        for chunk in chat_chunks():
            yield chunk

    assert (await streamtally.acollect(source())).text == "one two three"
    assert (await streamtally.acollect(source)).timing.started_from == "request"


def test_collect_of_what_fails(exporter: RecordingExporter) -> None:
    """An exception of the source reaches the caller, and the record is exported."""
    streamtally.configure(exporters=[exporter])

    def source() -> Iterator[Any]:
        yield chat_chunks()[1]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        streamtally.collect(source())
    assert [(record.text, record.outcome) for record in exporter.records] == [("one", Outcome.ERROR)]


def pieces(size: int) -> list[bytes]:
    """Return the body in pieces of this size."""
    return [BODY[start : start + size] for start in range(0, len(BODY), size)]


@pytest.mark.parametrize(
    "body", [BODY, BODY.decode(), pieces(1), pieces(100), chat_chunks()], ids=["bytes", "str", "one by one", "pieces", "payloads"]
)
def test_replay(exporter: RecordingExporter, body: Any) -> None:
    """`replay` returns the priced record of a recording, without times, and exports nothing."""
    streamtally.configure(exporters=[exporter])
    record = streamtally.replay(body, params={"provider": "openai"})
    assert (record.text, record.outcome, record.finish_reason) == ("one two three", Outcome.COMPLETED, "stop")
    assert record.cost.usd is not None
    assert record.cost.usd > Decimal(0)
    assert record.timing == StreamRecord(request_id="r", stream_type=StreamType.CHAT, dialect="d").timing
    assert exporter.started == exporter.records == []
    assert len(default.default_tally().accumulator) == 0


def test_replay_of_half_a_recording() -> None:
    """A cut recording is truncated, and its incomplete last line is in the extras."""
    record = streamtally.replay(BODY[: BODY.index(b" three")])
    assert (record.text, record.outcome) == ("one two", Outcome.TRUNCATED)
    assert record.extras["tail"]
    assert streamtally.replay(b"").outcome is not Outcome.ERROR


def test_to_response() -> None:
    """The SDK's type accepts the response object; a dialect without one raises `ValueError`."""
    answer = ChatCompletion.model_validate(streamtally.to_response(streamtally.replay(BODY)))
    assert answer.choices[0].message.content == "one two three"
    assert answer.usage is not None
    with pytest.raises(ValueError, match="text has no response object"):
        streamtally.to_response(streamtally.collect(["x"]))


def test_what_is_abandoned_last_is_exported_at_exit() -> None:
    """A stream that is abandoned just before the process ends is exported."""
    program = """
import streamtally
streamtally.configure(exporters=[lambda record: print(record.outcome, record.text, end="")])
stream = streamtally.wrap(piece for piece in ["a", "b"])
next(stream)
del stream
"""
    done = run_python("-c", program, check=True)
    assert (done.stdout, done.stderr) == ("abandoned a", "")


def test_invalid_options() -> None:
    """An unknown option or an invalid value raises."""
    options: dict[str, Any] = {"modle": "gpt-4o"}
    with pytest.raises(TypeError, match="modle"):
        Tally().wrap([], **options)
    with pytest.raises(ValueError, match="nothing"):
        Tally(keep="nothing")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="since 1970"):
        Tally().wrap([], started_at=1_760_000_000.0)


def test_context_of_a_keyed_stream() -> None:
    """A stream that its first chunk opens has the attributes and conversation of the block around that call."""
    tally = Tally()
    with streamtally.context(team="search", conversation_id="c1"):
        tally.add("r", "hello", index=0)
    with streamtally.context(team="other"):
        tally.add("r", " world", index=1)
    record = tally.finish("r")
    assert (record.attributes, record.conversation_id) == ({"team": "search"}, "c1")
