"""The SDKs' streaming calls are wrapped once; other calls are not changed."""

import gc
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, AsyncStream, OpenAI, Stream
from openai.resources.chat.completions import AsyncCompletions, Completions

import streamtally
from streamtally import Outcome, StreamRecord, Tally
from streamtally.integrations import patches
from streamtally.testing import FakeProvider, RecordingExporter, Scenario, scenarios
from tests.waiting import run_python

ASKED: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Hi"}]}
STREAMED: dict[str, Any] = {**ASKED, "stream": True}


def the(exporter: RecordingExporter) -> StreamRecord:
    """The only exported record, which is of the only stream that was started."""
    (record,) = exporter.records
    assert [one.request_id for one in exporter.started] == [record.request_id]
    return record


def _read(chunks: Iterator[Any]) -> None:
    for _ in chunks:
        pass


def _create(client: OpenAI) -> None:
    stream = client.chat.completions.create(**STREAMED)
    assert isinstance(stream, Stream)
    assert stream.response.status_code == 200
    _read(stream)


def _helper(client: OpenAI) -> None:
    with client.chat.completions.stream(**ASKED) as stream:
        _read(iter(stream))
        assert stream.get_final_completion().choices[0].message.content == "one two"


def _raw(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(**STREAMED)
    assert "event-stream" in raw.headers["content-type"]
    stream = raw.parse()
    assert stream is raw.parse()
    del raw
    _read(stream)


def _streaming_response(client: OpenAI) -> None:
    with client.chat.completions.with_streaming_response.create(**STREAMED) as raw:
        _read(raw.iter_lines())


SYNC: dict[str, Callable[[OpenAI], None]] = {
    "create": _create,
    "helper": _helper,
    "raw response": _raw,
    "streaming response": _streaming_response,
}


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("way", SYNC)
def test_every_way_to_stream(provider: FakeProvider, client: OpenAI, exporter: RecordingExporter, way: str) -> None:
    """One record, whose timing starts with the call, with the server's address."""
    provider.enqueue(scenarios.chat("one two"))
    SYNC[way](client)
    record = the(exporter)
    assert (record.outcome, record.text, record.dialect) == (Outcome.COMPLETED, "one two", "openai.chat")
    assert (record.timing.started_from, record.requested_model) == ("request", "gpt-4.1-mini")
    assert record.server_port == client.base_url.port
    assert record.usage is not None


async def _acreate(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(**STREAMED)
    assert isinstance(stream, AsyncStream)
    await _aread(stream)


async def _ahelper(client: AsyncOpenAI) -> None:
    async with client.chat.completions.stream(**ASKED) as stream:
        await _aread(aiter(stream))
        assert (await stream.get_final_completion()).choices[0].message.content == "one two"


async def _araw(client: AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(**STREAMED)
    assert "event-stream" in raw.headers["content-type"]
    await _aread(raw.parse())


async def _astreaming_response(client: AsyncOpenAI) -> None:
    async with client.chat.completions.with_streaming_response.create(**STREAMED) as raw:
        await _aread(raw.iter_lines())


async def _aread(chunks: AsyncIterator[Any]) -> None:
    async for _ in chunks:
        pass


ASYNC = {"create": _acreate, "helper": _ahelper, "raw response": _araw, "streaming response": _astreaming_response}


@pytest.mark.anyio
@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("way", ASYNC)
async def test_every_way_to_stream_asynchronously(
    provider: FakeProvider, aclient: AsyncOpenAI, exporter: RecordingExporter, way: str
) -> None:
    """One record for each way, also asynchronously."""
    provider.enqueue(scenarios.chat("one two"))
    async with aclient:
        await ASYNC[way](aclient)
    record = the(exporter)
    assert (record.outcome, record.text, record.timing.started_from) == (Outcome.COMPLETED, "one two", "request")


CALLS: dict[str, tuple[Scenario, Callable[[OpenAI], Any]]] = {
    "openai.completions": (
        scenarios.completions("one two"),
        lambda client: client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Hi", stream=True),
    ),
    "openai.transcription": (
        scenarios.transcription("one two"),
        lambda client: client.audio.transcriptions.create(model="gpt-4o-transcribe", file=b"RIFF", stream=True),
    ),
    "openai.images": (
        scenarios.images(b"one"),
        lambda client: client.images.generate(model="gpt-image-1", prompt="Hi", stream=True),
    ),
}


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("dialect", CALLS)
def test_every_kind_of_stream(provider: FakeProvider, client: OpenAI, exporter: RecordingExporter, dialect: str) -> None:
    """The type of stream is known at the call, so that a span has it from its start."""
    scenario, call = CALLS[dialect]
    provider.enqueue(scenario)
    _read(call(client))
    assert exporter.started[0].dialect == dialect
    assert the(exporter).outcome is Outcome.COMPLETED


@pytest.mark.usefixtures("instrumented")
def test_speech_that_is_read_as_it_arrives(provider: FakeProvider, client: OpenAI, exporter: RecordingExporter) -> None:
    """Speech that is read as it arrives is recorded without an argument that asks for streaming, with its price."""
    provider.enqueue(scenarios.speech(b"\xff\xfb" * 500))
    call = client.audio.speech.with_streaming_response.create
    with call(model="tts-1", voice="alloy", input="twelve chars") as response:
        data = b"".join(response.iter_bytes())
    record = the(exporter)
    assert record.usage is not None
    assert record.usage.characters == 12
    assert record.audio is None or record.audio.size <= len(data)


@pytest.mark.usefixtures("instrumented")
def test_parameters_and_context(provider: FakeProvider, client: OpenAI, exporter: RecordingExporter) -> None:
    """The record has the call's arguments except content, secrets and "not given", and the context."""
    provider.enqueue(scenarios.chat("one"))
    with streamtally.context(conversation_id="c1", team="search"):
        headers = {"authorization": "secret"}
        arguments: dict[str, Any] = {"temperature": 0.5, "top_p": openai.omit, "seed": openai.not_given, "timeout": 30.0}
        _read(client.chat.completions.create(**STREAMED, **arguments, extra_headers=headers, extra_query={"key": "secret"}))
    record = the(exporter)
    assert record.params == {"model": "gpt-4.1-mini", "temperature": 0.5}
    assert (record.conversation_id, record.attributes) == ("c1", {"team": "search"})


@pytest.mark.usefixtures("instrumented")
def test_a_refused_call_is_an_error(provider: FakeProvider, client: OpenAI, exporter: RecordingExporter) -> None:
    """The SDK's exception reaches the caller, and the record has the server's address."""
    provider.enqueue(scenarios.refused(429))
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(**STREAMED)
    record = the(exporter)
    assert (record.outcome, record.server_address, record.server_port) == (Outcome.ERROR, "127.0.0.1", client.base_url.port)


@pytest.mark.usefixtures("instrumented")
def test_abandoned_and_cancelled(provider: FakeProvider, client: OpenAI, tally: Tally, exporter: RecordingExporter) -> None:
    """A patched call is abandoned if its stream is dropped, and cancelled if `with` is left early."""
    provider.enqueue(scenarios.chat("one two"), scenarios.chat("one two"))
    for _ in client.chat.completions.create(**STREAMED):
        break
    gc.collect()
    tally.flush()
    with client.chat.completions.create(**STREAMED) as stream:
        next(iter(stream))
    assert [record.outcome for record in exporter.records] == [Outcome.ABANDONED, Outcome.CANCELLED]


@pytest.mark.usefixtures("instrumented")
def test_calls_that_do_not_stream_are_not_wrapped(provider: FakeProvider, client: OpenAI, exporter: RecordingExporter) -> None:
    """Without `stream`, and with `stream=False`."""
    whole = json.dumps({"id": "c", "object": "chat.completion", "choices": [], "created": 1, "model": "m"}).encode()
    provider.enqueue(*[Scenario(frames=(whole,), content_type="application/json")] * 2)
    assert client.chat.completions.create(**ASKED).id == "c"
    assert client.chat.completions.create(**ASKED, stream=False).id == "c"
    assert exporter.started == []


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("make", ["callable", "stream"])
def test_wrapped_inside_instrumented(
    provider: FakeProvider, client: OpenAI, tally: Tally, exporter: RecordingExporter, make: str
) -> None:
    """Wrapping a call that is wrapped already makes one record."""
    provider.enqueue(scenarios.chat("one"))

    def call() -> Any:
        return client.chat.completions.create(**STREAMED)

    with tally.wrap(call if make == "callable" else call()) as stream:
        _read(stream)
    assert the(exporter) is stream.record


@pytest.mark.anyio
@pytest.mark.usefixtures("instrumented")
async def test_wrapped_inside_instrumented_asynchronously(
    provider: FakeProvider, aclient: AsyncOpenAI, tally: Tally, exporter: RecordingExporter
) -> None:
    """Also for a call that is still to be awaited, and for a helper."""
    provider.enqueue(scenarios.chat("one"), scenarios.chat("one"))
    async with aclient:
        async with tally.wrap(aclient.chat.completions.create(**STREAMED)) as stream:
            await _aread(stream)
        assert the(exporter) is stream.record
        async with tally.wrap(lambda: aclient.chat.completions.stream(**ASKED)) as stream:
            await _aread(stream)
    assert len(exporter.records) == 2


def test_suppressed_calls_are_not_wrapped(provider: FakeProvider, client: OpenAI) -> None:
    """The context keys that suppress OpenTelemetry instrumentations suppress ours."""
    from opentelemetry import context

    from streamtally.exporters import OtelExporter

    tally = Tally(exporters=[OtelExporter()])
    streamtally.instrument(tally=tally)
    try:
        for key in ("suppress_instrumentation", "suppress_language_model_instrumentation"):
            provider.enqueue(scenarios.chat("one"))
            token = context.attach(context.set_value(key, True))
            try:
                assert type(client.chat.completions.create(**STREAMED)) is Stream
            finally:
                context.detach(token)
        provider.enqueue(scenarios.chat("one"))
        with client.chat.completions.create(**STREAMED) as stream:
            assert type(stream) is not Stream
    finally:
        streamtally.uninstrument()


def test_other_instrumentations_are_suppressed() -> None:
    """Only while a wrapped request is made, the key of other instrumentations is set; that of HTTP instrumentations is not."""
    from opentelemetry import context

    from streamtally.exporters import OtelExporter

    def key() -> object:
        return context.get_value("suppress_language_model_instrumentation")

    seen: list[object] = []

    def source() -> Iterator[str]:
        seen.append(key())
        seen.append(context.get_value("suppress_instrumentation"))
        return iter(["a", "b"])

    with Tally(exporters=[OtelExporter()]).wrap(source) as stream:
        seen.extend(key() for _ in stream)
    with Tally(exporters=[]).wrap(source) as stream:
        list(stream)
    assert seen == [True, None, None, None, None, None]


# On and off


def test_on_and_off_and_on(provider: FakeProvider, client: OpenAI, tally: Tally, exporter: RecordingExporter) -> None:
    """Instrumenting twice wraps once; undoing restores the same methods; a bound method that was kept is not wrapped any more."""
    before = vars(Completions)["create"], vars(AsyncCompletions)["create"]
    streamtally.instrument(tally=Tally())
    streamtally.instrument(tally=tally)
    assert inspect.iscoroutinefunction(AsyncCompletions.create)
    assert vars(Completions)["create"].__wrapped__ is before[0]
    kept = client.chat.completions.create
    provider.enqueue(*[scenarios.chat("one")] * 3)
    _read(kept(**STREAMED))
    assert len(exporter.records) == 1
    streamtally.uninstrument()
    assert (vars(Completions)["create"], vars(AsyncCompletions)["create"]) == before
    _read(kept(**STREAMED))
    streamtally.uninstrument()
    assert len(exporter.records) == 1
    streamtally.instrument(openai=False, tally=tally)
    assert vars(Completions)["create"] is before[0]
    _read(client.chat.completions.create(**STREAMED))
    streamtally.uninstrument()
    assert len(exporter.records) == 1
    assert patches._patches == {}


def test_an_sdk_that_others_have_patched_too(tally: Tally) -> None:
    """A method that replaced ours stays, and ours below it does nothing after `uninstrument`."""
    before = vars(Completions)["create"]
    streamtally.instrument(tally=tally)
    ours = vars(Completions)["create"]

    def theirs(*args: Any, **arguments: Any) -> Any:
        return ours(*args, **arguments)

    Completions.create = theirs  # type: ignore[method-assign]
    try:
        streamtally.uninstrument()
        assert vars(Completions)["create"] is theirs
    finally:
        Completions.create = before  # type: ignore[method-assign]


def test_the_current_default_tally_is_used(
    provider: FakeProvider, client: OpenAI, exporter: RecordingExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A default tally that is configured after `instrument` is used."""
    monkeypatch.setattr(streamtally.default, "_default", None)
    streamtally.instrument()
    try:
        streamtally.configure(exporters=[exporter])
        provider.enqueue(scenarios.chat("one"))
        _read(client.chat.completions.create(**STREAMED))
    finally:
        streamtally.uninstrument()
    assert len(exporter.records) == 1


def run(program: str) -> str:
    """Run a program in a new interpreter, and return its output."""
    done = run_python("-c", program)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_is_imported_for_it() -> None:
    """An SDK that is imported later is wrapped then, and its modules are loaded as usual."""
    program = """
import sys, streamtally
streamtally.instrument()
print("openai" in sys.modules, "anthropic" in sys.modules)
import openai
client = openai.OpenAI(api_key="x")
print(*(type(one).create.__code__.co_filename[-10:] for one in (client.chat.completions, client.responses)))
module = sys.modules["openai.resources.chat.completions.completions"]
print(type(module.__loader__).__name__, type(module.__spec__.loader).__name__)
streamtally.uninstrument()
print(any(type(one).__module__.startswith("streamtally") for one in sys.meta_path))
"""
    assert run(program).split() == ["False", "False", "patches.py", "patches.py", "SourceFileLoader", "SourceFileLoader", "False"]


def test_an_sdk_that_is_not_installed() -> None:
    """An SDK that is not installed is no error."""
    program = """
import sys, streamtally
sys.modules.update(dict.fromkeys(("openai", "anthropic")))
streamtally.instrument()
try:
    import openai
except ImportError:
    print("absent", end="")
streamtally.uninstrument()
"""
    assert run(program) == "absent"
