"""Malformed input to `Accumulator.add` never raises: what can be folded is kept, and a record can always be made."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamtally import Accumulator, MergeError, Outcome, StreamRecord
from streamtally.chunks import AudioDelta, Chunk, DetailDelta, ImageDelta, ItemDelta, TextDelta
from streamtally.dialects import Dialect, dialect_names
from streamtally.records import StreamType
from streamtally.testing.clock import FakeClock
from tests.accumulator.wire import DONE, call_chunk, chat, event, finish_chunk, text_chunk, usage_chunk
from tests.strategies import JSON_VALUES, STREAMS, broken_payloads

pytestmark = pytest.mark.no_cover  # hundreds of streams for each test: tracing each line would only make it slow


def sound(record: StreamRecord) -> StreamRecord:
    """Check that the record survives a round trip through JSON, and return it."""
    assert StreamRecord.model_validate_json(record.model_dump_json()) == record
    return record


def record_of(*payloads: Any, dialect: str | Dialect | None = None, held: bool = False) -> StreamRecord:
    """Return the record of the payloads, each added at its position (`held`: behind a gap, so that all are held)."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", dialect=dialect)
    for index, payload in enumerate(payloads, start=held):
        accumulator.add("r", payload, index=index)
    sound(accumulator.snapshot("r"))
    return sound(accumulator.finish("r"))


ODD_INDICES = [-1, -(2**70), True, False, "3", 1.5, float("nan"), b"", [], {}, (0,)]


@pytest.mark.parametrize("index", ODD_INDICES, ids=repr)
def test_an_index_that_is_none(index: Any) -> None:
    """Content without a usable index is ordered by arrival, and none is lost."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", text_chunk("a"), index=0)
    accumulator.add("r", text_chunk("b"), index=index)
    accumulator.add("r", text_chunk("c"), index=1)
    record = sound(accumulator.finish("r"))
    assert (record.text, record.ordering, record.missing, record.highest_index) == ("abc", "arrival", (), None)


@pytest.mark.parametrize("index", ODD_INDICES, ids=repr)
def test_metadata_without_a_usable_index(index: Any) -> None:
    """Usage, service tier and extras need no position, so the other chunks are still ordered by index."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", text_chunk("b"), index=1)
    accumulator.add("r", {**usage_chunk(5, 6), "service_tier": "flex", "cache_debug": "hit"}, index=index)
    accumulator.add("r", text_chunk("a"), index=0)
    record = sound(accumulator.finish("r"))
    assert (record.text, record.ordering, record.service_tier) == ("ab", "index", "flex")
    assert record.usage is not None
    assert record.extras["cache_debug"] == "hit"


def test_an_index_beyond_all_bounds() -> None:
    """Indices may be as large as Python's integers, which have no upper bound."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", text_chunk("b"), index=2**70)
    accumulator.add("r", text_chunk("a"), index=0)
    other = Accumulator(clock=FakeClock())
    other.merge("r", accumulator.dump("r"))
    record = sound(other.finish("r"))
    assert (record.text, record.highest_index, record.missing) == ("ab", 2**70, ((1, 2**70),))


@given(st.lists(st.none() | st.booleans() | st.integers(-3, 2**70) | st.text(max_size=2), max_size=8))
def test_indices_of_every_kind_mixed(indices: list[Any]) -> None:
    """Every chunk is either folded or counted as a conflict, whatever its index."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r")
    for number, index in enumerate(indices):
        accumulator.add("r", text_chunk(f"<{number}>"), index=index)
    record = sound(accumulator.finish("r"))
    assert record.chunk_count + record.conflicts == len(indices)
    assert sum(f"<{number}>" in record.text for number in range(len(indices))) == record.chunk_count


def test_two_contents_for_one_protocol_number() -> None:
    """Two different chunks with one sequence number are both folded, once each, whatever their times."""
    accumulator = Accumulator(clock=FakeClock())
    for number, word in [(5, "later"), (5, "early"), (6, "!")]:
        accumulator.add("r", event("output_text.delta", number, item_id="m", output_index=0, delta=word), at=1_000.0)
    record = sound(accumulator.finish("r"))
    assert (record.text, record.ordering) == ("laterearly!", "arrival")


@given(st.permutations([("b", 1_002.0), ("a", 1_002.0), ("c", 1_003.0)]))
def test_two_contents_for_one_index(deliveries: list[tuple[str, float]]) -> None:
    """Of contents held at one index the earliest stays, or the smallest if the times are equal; usage is kept."""
    accumulator = Accumulator(clock=FakeClock())
    for word, at in deliveries:
        accumulator.add("r", {**text_chunk(word), "usage": {"prompt_tokens": 5}}, index=1, at=at)
    record = sound(accumulator.finish("r"))
    assert (record.text, record.conflicts) == ("a", 2)
    assert record.usage is not None


@pytest.mark.parametrize(
    "payload",
    [None, [], {}, "", b"", 0, True, 1.5, object(), "not json", "{", b"\xff", "data:", ":", [{}], {1: 2, None: 3}],
    ids=lambda payload: "object()" if type(payload) is object else repr(payload),  # an address differs in each worker
)
def test_payloads_that_are_no_chunks(payload: Any) -> None:
    """A payload that is no chunk is accepted, and does not affect the chunks around it."""
    accumulator = Accumulator(clock=FakeClock())
    for index, chunk in enumerate([text_chunk("a"), payload, text_chunk("b"), finish_chunk()]):
        accumulator.add("r", chunk, index=index)
    record = sound(accumulator.finish("r"))
    assert record.text == "ab"
    assert record.outcome in (Outcome.COMPLETED, Outcome.ERROR)
    assert record_of(payload).missing == ()
    assert record_of(payload, held=True).missing == ((0, 1),)


DEEP: Any = []
for _ in range(900):
    DEEP = [DEEP]

ODD_CHUNKS: dict[str, Any] = {
    "keys of several types": {1: 2, None: 3, "a": {4: 5}, **text_chunk("a")},
    "a deep payload": {**text_chunk("a"), "extra": DEEP},
    "a deep payload that passes": {**text_chunk("a"), "extra": json.loads("[" * 300 + "]" * 300)},
    "reasoning details with a boolean index": chat(content="a", reasoning_details=[{"index": True, "text": "b"}]),
    "an image that is no base64": {"type": "image_generation.completed", "b64_json": "Q*"},
    "sound that is no base64": {"type": "speech.audio.delta", "audio": "a"},
    "half a surrogate pair everywhere": json.loads(r'{"id":"\ud83d","model":"\ud83d","object":"chat.completion.chunk","choices":'
                                                   r'[{"index":0,"delta":{"role":"\ud83d","content":"\ud83d"},"finish_reason":"\ud83d"}]}'),
    "a huge choice": chat(index=10**300, content="a"),
    "a huge content index": event("output_text.delta", 0, item_id="m", content_index=10**30, delta="a"),
    "huge usage": usage_chunk(10**30, 10**300),
    "infinite usage": usage_chunk(float("inf"), float("nan")),  # type: ignore[arg-type]
    "a chunk whose delta is no delta": Chunk(("text",)),  # type: ignore[arg-type]
    "an item without a path": Chunk((ItemDelta("append", None, None, (), "a"),)),
    "annotations that are none": Chunk((DetailDelta("annotations", None),)),
    "an error of other fields": Chunk(error={"no such field": 1}),
    "metadata of another type": Chunk(meta={"model": ["a"]}),
    "extras that are no JSON": Chunk(extras={"a": object()}),
    "text that is none": Chunk((TextDelta(None),)),  # type: ignore[arg-type]
    "sound that is neither": Chunk((AudioDelta(5),)),  # type: ignore[arg-type]
    "an image at a place that is none": Chunk((ImageDelta("first", "QUJD"), ImageDelta(0, "QUJD"))),  # type: ignore[arg-type]
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD_CHUNKS)
@pytest.mark.parametrize("held", [False, True], ids=["folded", "held"])
def test_odd_chunks(odd: str, held: bool) -> None:
    """`add`, `snapshot`, `dump`, `merge` and `finish` accept the chunk, and the next chunk is folded."""
    payload = ODD_CHUNKS[odd]
    record_of(payload, held=held)
    accumulator, other = Accumulator(clock=FakeClock()), Accumulator(clock=FakeClock())
    accumulator.add("r", payload, index=int(held))
    accumulator.add("r", usage_chunk(5, 6), index=1 + int(held))
    sound(accumulator.snapshot("r"))
    if odd != "a chunk whose delta is no delta":  # it has no JSON form, so it cannot be dumped
        other.merge("r", accumulator.dump("r"))
        sound(other.finish("r"))


def test_a_broken_delta_costs_no_metadata() -> None:
    """Usage is kept when the base64 beside it cannot be decoded."""
    broken = {"type": "image_generation.completed", "b64_json": "A", "usage": {"input_tokens": 5}}
    record = record_of({**broken, "b64_json": "A=BC"})
    assert record.usage is not None
    assert record.usage.input_tokens == 5


def test_base64_in_lines() -> None:
    """Base64 that is broken into lines, as in MIME, is decoded."""
    record = record_of({"type": "image_generation.completed", "b64_json": "QUJD\r\nREVG\n"})
    assert record.images[0].data == b"ABCDEF"


def test_a_reasoning_detail_whose_index_is_none() -> None:
    """A reasoning detail whose index is no integer is kept in order of arrival."""
    record = record_of(chat(content="a", reasoning_details=[{"index": True, "type": "t", "text": "b"}]))
    assert record.choices[0].reasoning_details == ({"index": True, "type": "t", "text": "b"},)


def test_a_dialect_that_raises() -> None:
    """A user's dialect that raises, or returns malformed chunks, does not prevent a record."""

    def fail(_: Any) -> Any:
        raise RuntimeError("broken dialect")

    for dialect in [
        Dialect("broken", StreamType.CHAT, fail),
        Dialect("broken", StreamType.CHAT, lambda payload: Chunk((TextDelta("a"),), usage=payload), fail),
        Dialect("broken", StreamType.CHAT, lambda payload: Chunk(meta={"model": payload})),
    ]:
        record = record_of({"a": 1}, {"b": 2}, dialect=dialect)
        assert (record.dialect, record.chunk_count) == ("broken", 2)
        assert record.outcome is not None


def test_what_no_record_can_hold_is_counted() -> None:
    """A value that no record can hold is left out, and counted in `observation_faults`."""
    assert record_of(Chunk(meta={"model": ["a"]})).extras == {"observation_faults": 1}


@pytest.mark.parametrize("at", [float("nan"), float("inf"), 1e300, -1e18], ids=repr)
def test_a_moment_that_is_none(at: float) -> None:
    """A timestamp that is no possible time raises `ValueError`, and the stream is not opened."""
    accumulator = Accumulator(clock=FakeClock())
    with pytest.raises(ValueError, match="time"):
        accumulator.add("r", text_chunk("a"), index=0, at=at)
    assert len(accumulator) == 0


@pytest.mark.parametrize("dialect", [*dialect_names(), None], ids=str)
@settings(max_examples=40)
@given(payloads=st.lists(JSON_VALUES, max_size=4), held=st.booleans())
def test_any_json_in_any_dialect(dialect: str | None, payloads: list[Any], held: bool) -> None:
    """Arbitrary JSON, as objects, text or bytes, never raises."""
    record_of(*payloads, dialect=dialect, held=held)
    texts = [json.dumps(payload) for payload in payloads]
    record_of(*texts, dialect=dialect, held=held)
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", dialect=dialect)
    for text in texts:
        accumulator.add("r", text.encode())
    sound(accumulator.finish("r"))


@pytest.mark.parametrize("kind", sorted(set(STREAMS) - {"odd", "text"}))
@settings(max_examples=60)
@given(data=st.data())
def test_plausible_payloads_with_something_wrong(kind: str, data: st.DataObject) -> None:
    """A value of a wrong type, in any field at any depth, never raises."""
    sent = data.draw(STREAMS[kind])
    broken = data.draw(st.lists(broken_payloads(kind), min_size=1, max_size=3))
    payloads = [*sent.payloads[:-1], *broken]
    record = record_of(*payloads, dialect=sent.dialect, held=data.draw(st.booleans()))
    assert record.chunk_count + record.late == len(payloads)


BASE_STATE = Accumulator(clock=FakeClock())
for _index, _payload in [
    (0, {**text_chunk("a"), "service_tier": "flex"}),
    (1, call_chunk({"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "{"}})),
    (2, chat(audio={"data": "QUI"})),
    (5, usage_chunk()),
    (6, DONE),
]:
    BASE_STATE.add("r", _payload, index=_index)
STATE = json.loads(BASE_STATE.dump("r"))


@settings(max_examples=150)
@given(data=st.data())
def test_states_with_something_wrong(data: st.DataObject) -> None:
    """A damaged state either raises `MergeError` or gives a valid record."""
    state = copy.deepcopy(STATE)
    holder: Any = state
    key: Any = data.draw(st.sampled_from(sorted(state)))
    while isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
        holder = holder[key]
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
    holder[key] = data.draw(JSON_VALUES)
    accumulator = Accumulator(clock=FakeClock())
    try:
        record = accumulator.merge("r", json.dumps(state).encode())
    except MergeError:
        assert len(accumulator) == 0
        return
    for index in range(7):
        record = record or accumulator.add("r", text_chunk("x"), index=index)
    sound(record or accumulator.finish("r"))
