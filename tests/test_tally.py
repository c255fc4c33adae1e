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
from tests.waiting import run_python

BODY = scenarios.chat("one two three").body


@pytest.fixture
def exporter() -> RecordingExporter:
    """What gets the records."""
    return RecordingExporter()


@pytest.fixture
def own(exporter: RecordingExporter) -> Tally:
    """A tally that exports there."""
    return Tally(exporters=[exporter], clock=FakeClock(tick=0.001))


@pytest.fixture(autouse=True)
def _no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins without a default tally, and leaves none behind."""
    monkeypatch.setattr(default, "_default", None)


# Wrapped streams


def test_a_wrapped_stream_is_priced_and_exported(own: Tally, exporter: RecordingExporter) -> None:
    """What the caller gives and what the stream says stand in one record, which has a price."""
    stream = own.wrap(
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


def test_on_start_knows_what_the_caller_gave(own: Tally, exporter: RecordingExporter) -> None:
    """An exporter hears of a stream as it is wrapped, with its parameters and no outcome."""
    own.wrap(iter([1]), request_id="r1", params={"model": "m"}, attributes={"team": "search"})
    (started,) = exporter.started
    assert (started.request_id, started.requested_model, started.attributes) == ("r1", "m", {"team": "search"})
    assert (started.outcome, started.chunk_count, started.usage) == (None, 0, None)


def test_a_model_that_was_asked_for_prices_one_that_nobody_knows(own: Tally) -> None:
    """A server's own name for a model has no price; the name that was asked for may have."""
    chunks = [{**chunk, "model": "my-deployment"} for chunk in chat_chunks()]
    with own.wrap(chunks, params={"model": "gpt-4.1-mini", "provider": "openai"}) as stream:
        list(stream)
    assert stream.record.model == "my-deployment"
    assert stream.record.cost.usd is not None
    with own.wrap(chunks) as stream:
        list(stream)
    assert stream.record.cost.usd is None


def test_a_wrapped_stream_is_priced_as_it_goes(own: Tally) -> None:
    """What came so far costs at least so much, until it has ended."""
    chunks = [{**chunk, "usage": {"prompt_tokens": 1000, "completion_tokens": 0}} for chunk in chat_chunks()]
    with own.wrap(chunks, params={"model": "gpt-4.1-mini", "provider": "openai"}) as stream:
        next(iter(stream))
        going = stream.record.cost
        assert (going.usd, going.status) == (Decimal("0.0004"), "partial")
        list(stream)
    assert (stream.record.cost.usd, stream.record.cost.status) == (Decimal("0.0004"), "priced")


def test_rates_for_one_call(own: Tally) -> None:
    """They are said with the request's parameters, as numbers of any kind."""
    rates = {"input": Decimal("0.1"), "output": 0}
    with own.wrap(chat_chunks(), params={"provider": "openai", "rates": rates}) as stream:
        list(stream)
    assert stream.record.cost.match_rule == "call: exact"
    assert {line.rate for line in stream.record.cost.breakdown} <= {"0.1", "0"}


def test_a_file_of_rates_and_discounts(tmp_path: Path) -> None:
    """TOML, or JSON with nothing else in it, is laid over the bundled prices."""
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


def test_an_estimate_of_what_nobody_counted(exporter: RecordingExporter) -> None:
    """Only with a tokenizer, and marked; the stream was left before its usage came."""
    tally = Tally(exporters=[exporter], estimate=lambda text: len(text.split()))
    with tally.wrap(chat_chunks(), params={"model": "gpt-4.1-mini", "provider": "openai"}) as stream:
        for _ in zip(range(4), stream, strict=False):
            pass
    (record,) = exporter.records
    assert record.usage is not None
    assert (record.usage.output_tokens, record.usage.source, record.usage.partial) == (3, "estimated", True)
    assert (record.cost.usd, record.cost.status, record.cost.usage_source) == (Decimal("0.0000048"), "partial", "estimated")


def test_a_tokenizer_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged once, and the record has what it would have without one."""

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
    """A tally's own prices price its recordings too."""
    own_prices = ModelCatalog.bundled().override("gpt-4o", {"input": 1, "output": 1})
    recorded = Tally(catalog=own_prices).replay(scenarios.chat(model="gpt-4o").body)
    assert recorded.cost.match_rule == "user: first party: exact"


def test_a_dialect_by_name(own: Tally) -> None:
    """Named, it holds from the first chunk on; unknown, it raises before anything is opened."""
    chunks: list[Any] = [{"choices": []}]
    with own.wrap(chunks, dialect="openai.completions") as stream:
        list(stream)
    assert stream.record.dialect == "openai.completions"
    with pytest.raises(UnknownDialect, match=r"klingon.*openai\.chat"):
        own.wrap([1], dialect="klingon")
    assert len(own.accumulator) == 0


def test_counts_only(exporter: RecordingExporter) -> None:
    """With `keep="counts"` no text is retained; what it cost and how it ended is."""
    with Tally(exporters=[exporter], keep="counts").wrap(chat_chunks()) as stream:
        list(stream)
    (record,) = exporter.records
    assert record.text == ""
    assert (record.finish_reason, record.outcome, record.chunk_count) == ("stop", Outcome.COMPLETED, 6)
    assert record.usage is not None
    assert "one two" not in record.model_dump_json()


def test_a_bound_of_retention_does_not_cut_the_caller() -> None:
    """Beyond it chunks flow on, usage, finish and timing are kept, and the record says how much was dropped."""
    chunks = [chat_chunk({"content": "x" * 100}) for _ in range(500)]
    with Tally(limits=Limits(stream_bytes=1_000)).wrap([*chunks, *chat_chunks()[4:]]) as stream:
        assert len(list(stream)) == 502
    record = stream.record
    assert (record.outcome, record.finish_reason, record.chunk_count) == (Outcome.COMPLETED, "stop", 502)
    assert record.usage is not None
    assert record.dropped_bytes > 0
    assert len(record.text) + record.dropped_bytes >= 50_000


# Requests that are made at once


def test_a_request_that_is_made_now(own: Tally, exporter: RecordingExporter) -> None:
    """The clock runs from the call, and the wrapper is of the kind that the source is."""
    stream = own.call(lambda: iter(chat_chunks()), server=("api.test", 443), request_id="r1")
    assert not hasattr(type(stream), "__aiter__")
    list(stream)
    (record,) = exporter.records
    assert (record.timing.started_from, record.server_address, record.server_port) == ("request", "api.test", 443)
    assert (exporter.started[0].server_address, record.text) == ("api.test", "one two three")


@pytest.mark.anyio
async def test_a_request_that_is_awaited_now(own: Tally, exporter: RecordingExporter) -> None:
    """The same."""

    async def source() -> AsyncIterator[Any]:
        for chunk in chat_chunks():
            yield chunk

    async def request() -> AsyncIterator[Any]:
        return source()

    assert [chunk async for chunk in await own.acall(request)] == chat_chunks()
    with pytest.raises(ZeroDivisionError):
        await own.acall(lambda: 1 / 0)
    assert [record.outcome for record in exporter.records] == [Outcome.COMPLETED, Outcome.ERROR]


def test_a_request_whose_answer_is_no_stream(own: Tally, exporter: RecordingExporter) -> None:
    """It is handed on as it is."""
    answer = object()
    assert own.call(lambda: answer) is answer
    assert [record.outcome for record in exporter.records] == [Outcome.CANCELLED]
    assert len(own.accumulator) == 0


def test_others_are_asked_to_stand_back_while_a_request_is_made() -> None:
    """By the exporters that can; one whose asking fails harms nobody."""
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


def test_a_keyed_stream_is_priced_and_exported(own: Tally, exporter: RecordingExporter) -> None:
    """Out of order and repeated: one record, with its price, to the caller and to the exporter."""
    chunks = chat_chunks()
    for index in (3, 1, 0, 1, 5, 2, 4):
        assert own.add("r1", chunks[index], index=index) is None
    running = own.snapshot("r1")
    assert (running.text, running.outcome) == ("one two three", None)
    assert running.cost.usd is not None
    record = own.finish("r1")
    assert (record.text, record.outcome, record.duplicates) == ("one two three", Outcome.COMPLETED, 1)
    assert record.cost.usd == running.cost.usd
    assert own.finish("r1") is record
    assert exporter.records == [record]
    assert [one.request_id for one in exporter.started] == ["r1"]
    own.discard("r1")
    with pytest.raises(UnknownRequest):
        own.finish("r1")


def test_a_keyed_stream_that_fails(own: Tally, exporter: RecordingExporter) -> None:
    """`fail` ends it with an error, or with a time-out."""
    own.add("r1", chat_chunks()[1])
    assert own.fail("r1", "broken").outcome is Outcome.ERROR
    own.add("r2", chat_chunks()[1])
    assert own.fail("r2", TimeoutError()).outcome is Outcome.TIMEOUT
    assert [record.request_id for record in exporter.records] == ["r1", "r2"]


def test_late_chunks_reach_the_exporters() -> None:
    """An exporter that asks for late chunks hears of each."""
    late: list[StreamRecord] = []

    class Late(RecordingExporter):
        def on_late(self, record: StreamRecord) -> None:
            late.append(record)

    one = Late()
    own = Tally(exporters=[one])
    own.add("r1", chat_chunks()[1])
    record = own.finish("r1", "cancelled")
    assert own.add("r1", chat_chunks()[2]) is None
    assert [told.request_id for told in late] == ["r1"]
    assert one.records == [record]
    assert record.outcome is Outcome.CANCELLED


# The life of a tally


def test_closing_ends_keyed_streams_and_closes_exporters(exporter: RecordingExporter) -> None:
    """What is open and keyed is exported before the exporters close."""
    with Tally(exporters=[exporter]) as own:
        own.add("r1", chat_chunks()[1])
        assert exporter.flushes == 0
    assert [record.outcome for record in exporter.records] == [Outcome.ABANDONED]
    assert exporter.closed
    assert exporter.flushes == 1


@pytest.mark.anyio
async def test_closing_asynchronously(exporter: RecordingExporter) -> None:
    """The same in `async with`; exporters are waited for in a thread, not on the loop."""
    turned: list[bool] = []

    class Waiting(RecordingExporter):
        def flush(self, timeout: float | None = None) -> bool:
            asyncio.run_coroutine_threadsafe(self.turn(), loop).result(10.0)
            return super().flush(timeout)

        async def turn(self) -> None:
            turned.append(True)

    loop, waiting = asyncio.get_running_loop(), Waiting()
    async with Tally(exporters=[waiting, exporter]) as own:
        assert await own.aflush() is True
        own.add("r1", chat_chunks()[1])
    assert [record.outcome for record in waiting.records] == [Outcome.ABANDONED]
    assert turned == [True, True]
    assert exporter.closed


def test_flush_asks_every_exporter(own: Tally, exporter: RecordingExporter) -> None:
    """True where all say so, and where there are none."""
    assert own.flush() is True
    assert own.flush(timeout=1.0) is True
    assert exporter.flushes == 2
    assert Tally().flush() is True


def test_without_exporters_records_are_made_all_the_same() -> None:
    """Nothing is exported, and the record is priced."""
    own = Tally()
    with own.wrap(chat_chunks()) as stream:
        list(stream)
    assert own.delivery is None
    assert stream.record.cost.usd is not None
    own.close()


def test_callables_are_exporters() -> None:
    """A plain function takes the records."""
    records: list[StreamRecord] = []
    with Tally(exporters=[records.append]).wrap(["x"]) as stream:
        list(stream)
    assert records == [stream.record]


def test_a_stream_that_outlives_its_tally(own: Tally, caplog: pytest.LogCaptureFixture) -> None:
    """It goes on, and has its record."""
    stream = own.wrap(chat_chunks())
    next(stream)
    own.close()
    assert len(list(stream)) == 5
    assert stream.record.outcome is Outcome.COMPLETED
    assert len(own.accumulator) == 0
    assert [record.levelno for record in caplog.records if record.levelno > logging.INFO] == []


# The default tally


def test_configure_replaces_and_closes(exporter: RecordingExporter) -> None:
    """It makes, sets and returns the default; the one before is closed, and what it had open is exported."""
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
    """An option that is wrong leaves the default as it was."""
    first = streamtally.configure(exporters=[exporter])
    with pytest.raises(ValueError, match=r"unknown exporter 'smoke'.*otel"):
        streamtally.configure(exporters=["smoke"])
    assert default.default_tally() is first
    assert not exporter.closed


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> type[RecordingExporter]:
    """An exporter that is a name: "jsonl" leads to it."""

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
    """`STREAMTALLY_EXPORTERS` holds for the default tally, configured or not, once."""
    monkeypatch.setenv("STREAMTALLY_EXPORTERS", " jsonl , jsonl:calls.jsonl ")
    if configured:
        streamtally.configure(keep="counts")
    for _ in range(2):
        streamtally.collect(["x"])
    assert [(one.argument, len(one.records)) for one in plugin.made] == [("", 2), ("calls.jsonl", 2)]


def test_arguments_stand_above_the_environment(monkeypatch: pytest.MonkeyPatch, plugin: Any) -> None:
    """Who names exporters gets those, and who names none gets none; a tally of one's own never looks there."""
    monkeypatch.setenv("STREAMTALLY_EXPORTERS", "jsonl")
    assert streamtally.configure(exporters=[]).delivery is None
    assert Tally().delivery is None
    assert plugin.made == []


def test_without_environment_nothing_is_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not set, or empty."""
    assert default.default_tally().delivery is None
    monkeypatch.setenv("STREAMTALLY_EXPORTERS", "")
    assert streamtally.configure().delivery is None


def test_exporters_by_name(tmp_path: Path) -> None:
    """A name, with what it is to be given."""
    path = tmp_path / "calls.jsonl"
    with Tally(exporters=[f"jsonl:{path}"]) as own, own.wrap(chat_chunks(), request_id="r1") as stream:
        list(stream)
    assert StreamRecord.model_validate_json(path.read_text()).request_id == "r1"


# StreamSession to the end, and reading recordings


def test_collect(exporter: RecordingExporter) -> None:
    """It drains a source and returns the record; the arguments are those of `wrap`."""
    streamtally.configure(exporters=[exporter])
    record = streamtally.collect(chat_chunks(), request_id="r1")
    assert (record.text, record.request_id) == ("one two three", "r1")
    assert streamtally.collect(lambda: iter(chat_chunks())).timing.started_from == "request"
    assert len(exporter.records) == 2


@pytest.mark.anyio
async def test_acollect() -> None:
    """The same of an async source."""

    async def source() -> AsyncIterator[Any]:
        for chunk in chat_chunks():
            yield chunk

    assert (await streamtally.acollect(source())).text == "one two three"
    assert (await streamtally.acollect(source)).timing.started_from == "request"


def test_collect_of_what_fails(exporter: RecordingExporter) -> None:
    """The source's exception reaches the caller, and the record the exporters."""
    streamtally.configure(exporters=[exporter])

    def source() -> Iterator[Any]:
        yield chat_chunks()[1]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        streamtally.collect(source())
    assert [(record.text, record.outcome) for record in exporter.records] == [("one", Outcome.ERROR)]


def pieces(size: int) -> list[bytes]:
    """The body in pieces."""
    return [BODY[start : start + size] for start in range(0, len(BODY), size)]


@pytest.mark.parametrize(
    "body", [BODY, BODY.decode(), pieces(1), pieces(100), chat_chunks()], ids=["bytes", "str", "one by one", "pieces", "payloads"]
)
def test_replay(exporter: RecordingExporter, body: Any) -> None:
    """A recording gives the record of the stream, priced; it is not exported, and has no times."""
    streamtally.configure(exporters=[exporter])
    record = streamtally.replay(body, params={"provider": "openai"})
    assert (record.text, record.outcome, record.finish_reason) == ("one two three", Outcome.COMPLETED, "stop")
    assert record.cost.usd is not None
    assert record.cost.usd > Decimal(0)
    assert record.timing == StreamRecord(request_id="r", stream_type=StreamType.CHAT, dialect="d").timing
    assert exporter.started == exporter.records == []
    assert len(default.default_tally().accumulator) == 0


def test_replay_of_half_a_recording() -> None:
    """What is missing at the end shows."""
    record = streamtally.replay(BODY[: BODY.index(b" three")])
    assert (record.text, record.outcome) == ("one two", Outcome.TRUNCATED)
    assert record.extras["tail"]
    assert streamtally.replay(b"").outcome is not Outcome.ERROR


def test_to_response() -> None:
    """The SDK's own type takes the answer in its non-streaming shape; what has no such shape says so."""
    answer = ChatCompletion.model_validate(streamtally.to_response(streamtally.replay(BODY)))
    assert answer.choices[0].message.content == "one two three"
    assert answer.usage is not None
    with pytest.raises(ValueError, match="text has no response object"):
        streamtally.to_response(streamtally.collect(["x"]))


def test_what_is_abandoned_last_is_exported_at_exit() -> None:
    """A stream that nobody read to its end, in a process that ends without another call, is on record."""
    program = """
import streamtally
streamtally.configure(exporters=[lambda record: print(record.outcome, record.text, end="")])
stream = streamtally.wrap(piece for piece in ["a", "b"])
next(stream)
del stream
"""
    done = run_python("-c", program, check=True)
    assert (done.stdout, done.stderr) == ("abandoned a", "")


def test_options_that_there_are_not() -> None:
    """A misspelt option is told, not swallowed."""
    options: dict[str, Any] = {"modle": "gpt-4o"}
    with pytest.raises(TypeError, match="modle"):
        Tally().wrap([], **options)
    with pytest.raises(ValueError, match="nothing"):
        Tally(keep="nothing")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="since 1970"):
        Tally().wrap([], started_at=1_760_000_000.0)


def test_context_of_a_keyed_stream() -> None:
    """A stream that a chunk opens has the attributes and the conversation of the block around that call."""
    tally = Tally()
    with streamtally.context(team="search", conversation_id="c1"):
        tally.add("r", "hello", index=0)
    with streamtally.context(team="other"):
        tally.add("r", " world", index=1)
    record = tally.finish("r")
    assert (record.attributes, record.conversation_id) == ({"team": "search"}, "c1")
