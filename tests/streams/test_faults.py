"""Faults of exporters, prices and observation never reach the caller."""

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally import Outcome, StreamRecord, Tally
from streamtally.accumulator.folding import Fold
from streamtally.pricing import ModelCatalog
from streamtally.streams import BLOCK
from streamtally.testing import RecordingExporter, scenarios
from tests.streams.sources import Script, SdkSource, World, chat_chunk, chat_chunks


class BadExporter(RecordingExporter):
    """An exporter whose every method raises."""

    def on_start(self, record: StreamRecord) -> None:
        super().on_start(record)
        raise OSError("on_start")

    def export(self, record: StreamRecord) -> None:
        super().export(record)
        raise OSError("export")

    def flush(self, timeout: float | None = None) -> bool:
        super().flush(timeout)
        raise OSError("flush")

    def close(self) -> None:
        super().close()
        raise OSError("close")


def test_an_exporter_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """A raising exporter affects neither caller nor other exporters, and is logged once."""
    bad, good = BadExporter(), RecordingExporter()
    tally = Tally(exporters=[bad, good])
    for _ in range(3):
        with tally.wrap(chat_chunks()) as stream:
            assert list(stream) == chat_chunks()
        assert stream.record.outcome is Outcome.COMPLETED
    assert tally.flush() is False
    tally.close()
    assert bad.records == good.records != []
    assert len(bad.started) == len(good.started) == 3
    assert len(tally.accumulator) == 0
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert tally.delivery is not None
    assert dict(tally.delivery.failures) == {"BadExporter": 9}


class BadCatalog(ModelCatalog):
    """A catalog whose every attribute raises."""

    def __init__(self) -> None:
        """Create it without prices."""

    def __getattribute__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


def test_prices_that_raise(caplog: pytest.LogCaptureFixture) -> None:
    """The record is exported without a price, and the fault is logged once."""
    exporter = RecordingExporter()
    tally = Tally(exporters=[exporter], catalog=BadCatalog())
    for _ in range(3):
        with tally.wrap(chat_chunks()) as stream:
            assert list(stream) == chat_chunks()
    assert [(record.text, record.cost.usd) for record in exporter.records] == [("one two three", None)] * 3
    (logged,) = caplog.records
    assert (logged.levelno, logged.exc_info is not None) == (logging.WARNING, True)
    assert "ZeroDivisionError" in logged.getMessage()


class Hostile:
    """An object whose attributes, representation and comparison raise."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    __hash__ = None  # type: ignore[assignment]


class HostileText(str):
    """A string whose attributes raise."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Model:
    """An object whose `model_dump` raises."""

    def model_dump(self, **_: Any) -> Any:
        raise RuntimeError("dump")


def self_referential() -> dict[str, Any]:
    """Return a mapping that contains itself."""
    mapping: dict[str, Any] = {"choices": []}
    mapping["self"] = mapping
    return mapping


def deep() -> list[Any]:
    """Return a list with more levels than Python has stack frames."""
    nested: list[Any] = []
    for _ in range(10_000):
        nested = [nested]
    return nested


ODD: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "int": lambda: 5,
    "nan": lambda: float("nan"),
    "bool": lambda: True,
    "empty": dict,
    "list": lambda: [1, 2],
    "set": lambda: {1, 2},
    "object": object,
    "class": lambda: Hostile,
    "function": lambda: deep,
    "exception": lambda: ValueError("as a chunk"),
    "hostile": Hostile,
    "hostile text": lambda: HostileText("x"),
    "model": Model,
    "ring": self_referential,
    "deep": lambda: {"object": "chat.completion.chunk", "choices": deep()},
    "bytes": lambda: b"\xff\x00\xfe",
    "half an event": lambda: b'data: {"choices": [{"del',
    "no json": lambda: "data: {nonsense}\n\n",
    "surrogate": lambda: {"object": "chat.completion.chunk", "model": "\ud800", "service_tier": "\ud800", "choices": []},
    "odd choices": lambda: {"object": "chat.completion.chunk", "choices": [None, 5, {"index": "x", "delta": 7}]},
    "odd usage": lambda: {"object": "chat.completion.chunk", "choices": [], "usage": {"prompt_tokens": "many"}},
    "odd error": lambda: {"error": {"message": {"a": []}, "type": [], "code": {}}},
    "odd id": lambda: {"type": "speech.audio.done", "id": {"a": 1}},
    "odd delta": lambda: {"type": "response.function_call_arguments.delta", "delta": {}, "item_id": []},
    "odd list": lambda: {"type": "transcript.text.done", "text": 5, "segments": [0], "words": {}},
}


@pytest.mark.parametrize("keep_raw", [False, True], ids=["", "raw"])
@pytest.mark.parametrize("place", ["alone", "first", "among", "late"])
@pytest.mark.parametrize("name", ODD)
def test_an_odd_chunk(name: str, place: str, keep_raw: bool) -> None:
    """An odd chunk passes through unchanged and is counted, as are the chunks around it."""
    odd, plain = ODD[name](), chat_chunks()
    chunks = {
        "alone": [odd],
        "first": [odd, *plain],
        "among": [*plain[:2], odd, *plain[2:]],
        "late": [plain[0], *[chat_chunk({"content": "x"}) for _ in range(2 * BLOCK)], odd, plain[4]],
    }[place]
    exporter = RecordingExporter()
    tally = Tally(exporters=[exporter])
    with tally.wrap(chunks, keep_raw=keep_raw) as stream:
        passed = list(stream)
    assert len(passed) == len(chunks)
    assert all(one is other for one, other in zip(passed, chunks, strict=True))
    (record,) = exporter.records
    assert record.chunk_count == len(chunks)
    assert record.outcome is not None
    assert len(tally.accumulator) == 0
    if name in ("hostile", "hostile text", "model"):
        assert record.extras.get("observation_faults") or record.error
    if name == "int":
        assert record.error or record.extras["payload"] == odd


@pytest.mark.anyio
@pytest.mark.parametrize("name", ODD)
async def test_an_odd_chunk_async(name: str) -> None:
    """An odd chunk passes through an async stream unchanged and is counted."""
    chunks = [*chat_chunks()[:2], ODD[name](), *chat_chunks()[2:]]

    async def source() -> AsyncIterator[Any]:
        for chunk in chunks:
            yield chunk

    async with Tally().wrap(source()) as stream:
        passed = [chunk async for chunk in stream]
    assert all(one is other for one, other in zip(passed, chunks, strict=True))
    assert stream.record.chunk_count == len(chunks)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_chunk_among_sdk_objects(world: World, name: str) -> None:
    """An odd chunk passes through unchanged on the fast path for SDK objects."""
    source = SdkSource(Script.WHOLE, world.provider).ask(world.client(Script.WHOLE))
    objects = list(source)
    chunks = [*objects[:3], ODD[name](), *objects[3:]]
    with Tally().wrap(chunks) as stream:
        passed = list(stream)
    assert all(one is other for one, other in zip(passed, chunks, strict=True))
    assert stream.record.chunk_count == len(chunks)
    assert stream.record.text == "one two three" or stream.record.extras["observation_faults"]


def test_faults_are_counted() -> None:
    """The record counts failed observations, and has the content of all other chunks."""
    chunks: list[Any] = [*chat_chunks()[:2], HostileText("x"), HostileText("y"), *chat_chunks()[2:]]
    with Tally().wrap(chunks) as stream:
        list(stream)
    assert stream.record.extras["observation_faults"] == 2
    assert (stream.record.text, stream.record.chunk_count) == ("one two three", 8)


class BadFold(Fold):
    """A fold that raises when its content is read."""

    def content(self, *_: Any) -> Any:
        raise ZeroDivisionError


@pytest.mark.parametrize("way", ["exhausted", "closed", "abandoned"])
def test_a_state_that_makes_no_record(way: str) -> None:
    """A stream whose content cannot be read still gets a record with its counts, however it ends."""
    exporter = RecordingExporter()
    tally = Tally(exporters=[exporter])
    stream = tally.wrap(chat_chunks())
    next(stream)
    state = stream._session.stream
    state.fold = BadFold(state.fold.answer)
    if way == "exhausted":
        assert len(list(stream)) == 5
    elif way == "closed":
        stream.close()
    del stream
    tally.flush()
    (record,) = exporter.records
    assert (record.text, record.extras["observation_faults"]) == ("", 1)
    assert record.chunk_count == (6 if way == "exhausted" else 1)
    assert len(tally.accumulator) == 0


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800")
# fmt: off
_WORDS = st.sampled_from([
    "choices", "delta", "content", "role", "tool_calls", "function", "name", "arguments", "id", "index", "finish_reason",
    "logprobs", "usage", "error", "type", "object", "model", "service_tier", "item", "item_id", "output_index",
    "content_index", "part", "text", "response", "output", "status", "audio", "data", "transcript", "b64_json", "segments",
    "words", "partial_image_index", "message", "code", "prompt_tokens", "completion_tokens", "input_tokens_details",
    "annotations",
])
# fmt: on
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4), max_leaves=12
)
_KINDS = st.sampled_from(
    [
        {"object": "chat.completion.chunk"},
        {"object": "text_completion"},
        {"type": "response.output_item.added"},
        {"type": "response.output_text.delta"},
        {"type": "response.completed"},
        {"type": "speech.audio.delta"},
        {"type": "transcript.text.done"},
        {"type": "image_generation.partial_image"},
        {},
    ]
)
_CHUNKS = st.builds(lambda kind, fields: {**fields, **kind}, _KINDS, st.dictionaries(_WORDS, _VALUES, max_size=6))


@given(st.lists(_CHUNKS, max_size=4), st.booleans())
def test_whatever_comes(chunks: list[dict[str, Any]], keep_raw: bool) -> None:
    """JSON of any shape under known field names passes through unchanged and is counted."""
    exporter = RecordingExporter()
    with Tally(exporters=[exporter]).wrap(chunks, keep_raw=keep_raw) as stream:
        assert sum(one is other for one, other in zip(stream, chunks, strict=True)) == len(chunks)
    (record,) = exporter.records
    assert record.chunk_count == len(chunks)


@pytest.mark.anyio
@pytest.mark.parametrize("form", ["sync", "async"])
async def test_bytes_without_a_last_newline(form: str) -> None:
    """A last line without a newline is in the record."""
    body = b'{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}'

    async def source() -> AsyncIterator[bytes]:
        yield body

    if form == "async":
        async with Tally().wrap(source()) as astream:
            assert [piece async for piece in astream] == [body]
        record = astream.record
    else:
        with Tally().wrap([body]) as stream:
            assert list(stream) == [body]
        record = stream.record
    assert (record.text, record.outcome) == ("x", Outcome.COMPLETED)


def test_bytes_cut_anywhere() -> None:
    """A body that is cut anywhere passes through in the same pieces, and is decoded."""
    body = scenarios.chat("one two three").body
    pieces = [body[start : start + 7] for start in range(0, len(body), 7)]
    with Tally().wrap(pieces) as stream:
        assert b"".join(stream) == body
    assert stream.record.text == "one two three"
    assert stream.record.chunk_count == len(pieces)


class Awkward:
    """A value whose `str` raises."""

    def __str__(self) -> str:
        raise RuntimeError("str")


def test_parameters_of_an_sdk() -> None:
    """ "Not given" sentinels, values without a text and the user's input are left out of the parameters."""
    from openai import NOT_GIVEN, omit

    params = {"model": "m", "temperature": NOT_GIVEN, "top_p": omit, "n": Awkward(), "messages": [{"content": "secret"}]}
    with Tally().wrap(chat_chunks(), params=params) as stream:
        list(stream)
    assert stream.record.params == {"model": "m"}
