"""Whatever is handed to `add`: nothing is raised, what can be folded is kept, and a record can be made of it."""

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
from tests.accumulator.wire import DONE, called, chat, event, finish, said, used
from tests.strategies import JSON_VALUES, STREAMS, broken_payloads


def sound(record: StreamRecord) -> StreamRecord:
    """A record that survives JSON."""
    assert StreamRecord.model_validate_json(record.model_dump_json()) == record
    return record


def record_of(*payloads: Any, dialect: str | Dialect | None = None, held: bool = False) -> StreamRecord:
    """What the payloads make, each at its index (`held`: behind a gap)."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", dialect=dialect)
    for index, payload in enumerate(payloads, start=held):
        accumulator.add("r", payload, index=index)
    sound(accumulator.snapshot("r"))
    return sound(accumulator.finish("r"))


ODD_INDICES = [-1, -(2**70), True, False, "3", 1.5, float("nan"), b"", [], {}, (0,)]


@pytest.mark.parametrize("index", ODD_INDICES, ids=repr)
def test_an_index_that_is_none(index: Any) -> None:
    """Words without a usable index go by arrival, and none is lost."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", said("a"), index=0)
    accumulator.add("r", said("b"), index=index)
    accumulator.add("r", said("c"), index=1)
    record = sound(accumulator.finish("r"))
    assert (record.text, record.ordering, record.missing, record.highest_index) == ("abc", "arrival", (), None)


@pytest.mark.parametrize("index", ODD_INDICES, ids=repr)
def test_metadata_without_a_usable_index(index: Any) -> None:
    """Usage, tier and finish need no position: the order of the others is still believed."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", said("b"), index=1)
    accumulator.add("r", {**used(5, 6), "service_tier": "flex", "cache_debug": "hit"}, index=index)
    accumulator.add("r", said("a"), index=0)
    record = sound(accumulator.finish("r"))
    assert (record.text, record.ordering, record.service_tier) == ("ab", "index", "flex")
    assert record.usage is not None
    assert record.extras["cache_debug"] == "hit"


def test_an_index_beyond_all_bounds() -> None:
    """Python's integers have no end, and neither have positions."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.add("r", said("b"), index=2**70)
    accumulator.add("r", said("a"), index=0)
    other = Accumulator(clock=FakeClock())
    other.merge("r", accumulator.dump("r"))
    record = sound(other.finish("r"))
    assert (record.text, record.highest_index, record.missing) == ("ab", 2**70, ((1, 2**70),))


@given(st.lists(st.none() | st.booleans() | st.integers(-3, 2**70) | st.text(max_size=2), max_size=8))
def test_indices_of_every_kind_mixed(indices: list[Any]) -> None:
    """Whatever the indices, each is taken in, held or counted."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r")
    for number, index in enumerate(indices):
        accumulator.add("r", said(f"<{number}>"), index=index)
    record = sound(accumulator.finish("r"))
    assert record.chunk_count + record.conflicts == len(indices)
    assert sum(f"<{number}>" in record.text for number in range(len(indices))) == record.chunk_count


def test_two_contents_for_one_protocol_number() -> None:
    """Of two chunks that wait under one number, none is doubled and none is lost, at whatever moment they came."""
    accumulator = Accumulator(clock=FakeClock())
    for number, word in [(5, "later"), (5, "early"), (6, "!")]:
        accumulator.add("r", event("output_text.delta", number, item_id="m", output_index=0, delta=word), at=1_000.0)
    record = sound(accumulator.finish("r"))
    assert (record.text, record.ordering) == ("laterearly!", "arrival")


@given(st.permutations([("b", 1_002.0), ("a", 1_002.0), ("c", 1_003.0)]))
def test_two_contents_for_one_index(deliveries: list[tuple[str, float]]) -> None:
    """Of contents that wait at one index the earlier stays, and of two at one moment the smaller; their usage is kept."""
    accumulator = Accumulator(clock=FakeClock())
    for word, at in deliveries:
        accumulator.add("r", {**said(word), "usage": {"prompt_tokens": 5}}, index=1, at=at)
    record = sound(accumulator.finish("r"))
    assert (record.text, record.conflicts) == ("a", 2)
    assert record.usage is not None


@pytest.mark.parametrize(
    "payload",
    [None, [], {}, "", b"", 0, True, 1.5, object(), "not json", "{", b"\xff", "data:", ":", [{}], {1: 2, None: 3}],
    ids=lambda payload: "object()" if type(payload) is object else repr(payload),  # an address differs in each worker
)
def test_payloads_that_are_no_chunks(payload: Any) -> None:
    """They are taken in, and take nothing from the chunks around them."""
    accumulator = Accumulator(clock=FakeClock())
    for index, one in enumerate([said("a"), payload, said("b"), finish()]):
        accumulator.add("r", one, index=index)
    record = sound(accumulator.finish("r"))
    assert record.text == "ab"
    assert record.outcome in (Outcome.COMPLETED, Outcome.ERROR)
    assert record_of(payload).missing == ()
    assert record_of(payload, held=True).missing == ((0, 1),)


DEEP: Any = []
for _ in range(900):
    DEEP = [DEEP]

ODD_CHUNKS: dict[str, Any] = {
    "keys of several types": {1: 2, None: 3, "a": {4: 5}, **said("a")},
    "a deep payload": {**said("a"), "extra": DEEP},
    "a deep payload that passes": {**said("a"), "extra": json.loads("[" * 300 + "]" * 300)},
    "reasoning details with a boolean index": chat(content="a", reasoning_details=[{"index": True, "text": "b"}]),
    "an image that is no base64": {"type": "image_generation.completed", "b64_json": "Q*"},
    "sound that is no base64": {"type": "speech.audio.delta", "audio": "a"},
    "half a surrogate pair everywhere": json.loads(r'{"id":"\ud83d","model":"\ud83d","object":"chat.completion.chunk","choices":'
                                                   r'[{"index":0,"delta":{"role":"\ud83d","content":"\ud83d"},"finish_reason":"\ud83d"}]}'),
    "a huge choice": chat(index=10**300, content="a"),
    "a huge content index": event("output_text.delta", 0, item_id="m", content_index=10**30, delta="a"),
    "huge usage": used(10**30, 10**300),
    "infinite usage": used(float("inf"), float("nan")),  # type: ignore[arg-type]
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
    """Neither `add`, `snapshot`, `dump`, `merge` nor `finish` minds, and the next chunk is heard."""
    payload = ODD_CHUNKS[odd]
    record_of(payload, held=held)
    accumulator, other = Accumulator(clock=FakeClock()), Accumulator(clock=FakeClock())
    accumulator.add("r", payload, index=int(held))
    accumulator.add("r", used(5, 6), index=1 + int(held))
    sound(accumulator.snapshot("r"))
    if odd != "a chunk whose delta is no delta":  # which has no JSON form, and so does not travel
        other.merge("r", accumulator.dump("r"))
        sound(other.finish("r"))


def test_a_broken_delta_costs_no_metadata() -> None:
    """The usage beside sound that cannot be decoded is kept."""
    broken = {"type": "image_generation.completed", "b64_json": "A", "usage": {"input_tokens": 5}}
    record = record_of({**broken, "b64_json": "A=BC"})
    assert record.usage is not None
    assert record.usage.input_tokens == 5


def test_base64_in_lines() -> None:
    """Base64 that comes in lines, as mail has it, is decoded."""
    record = record_of({"type": "image_generation.completed", "b64_json": "QUJD\r\nREVG\n"})
    assert record.images[0].data == b"ABCDEF"


def test_a_reasoning_detail_whose_index_is_none() -> None:
    """It is kept at the place where it stands."""
    record = record_of(chat(content="a", reasoning_details=[{"index": True, "type": "t", "text": "b"}]))
    assert record.choices[0].reasoning_details == ({"index": True, "type": "t", "text": "b"},)


def test_a_dialect_that_raises() -> None:
    """A dialect of the caller's own that fails harms nobody, wherever it fails."""

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
    """A record is made all the same, and says that something was left out."""
    assert record_of(Chunk(meta={"model": ["a"]})).extras == {"observation_faults": 1}


@pytest.mark.parametrize("at", [float("nan"), float("inf"), 1e300, -1e18], ids=repr)
def test_a_moment_that_is_none(at: float) -> None:
    """A stamp is the caller's word: one that cannot be is refused, before anything is taken in."""
    accumulator = Accumulator(clock=FakeClock())
    with pytest.raises(ValueError, match="time"):
        accumulator.add("r", said("a"), index=0, at=at)
    assert len(accumulator) == 0


@pytest.mark.parametrize("dialect", [*dialect_names(), None], ids=str)
@settings(max_examples=40)
@given(payloads=st.lists(JSON_VALUES, max_size=4), held=st.booleans())
def test_any_json_in_any_dialect(dialect: str | None, payloads: list[Any], held: bool) -> None:
    """Arbitrary JSON is never an unhandled error."""
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
    """A value of a wrong type, in any field at any depth, is never an unhandled error."""
    sent = data.draw(STREAMS[kind])
    broken = data.draw(st.lists(broken_payloads(kind), min_size=1, max_size=3))
    payloads = [*sent.payloads[:-1], *broken]
    record = record_of(*payloads, dialect=sent.dialect, held=data.draw(st.booleans()))
    assert record.chunk_count + record.late == len(payloads)


BASE_STATE = Accumulator(clock=FakeClock())
for _index, _payload in [
    (0, {**said("a"), "service_tier": "flex"}),
    (1, called({"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "{"}})),
    (2, chat(audio={"data": "QUI"})),
    (5, used()),
    (6, DONE),
]:
    BASE_STATE.add("r", _payload, index=_index)
STATE = json.loads(BASE_STATE.dump("r"))


@settings(max_examples=150)
@given(data=st.data())
def test_states_with_something_wrong(data: st.DataObject) -> None:
    """A state that was tampered with is refused, or makes a record; never anything else."""
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
        record = record or accumulator.add("r", said("x"), index=index)
    sound(record or accumulator.finish("r"))
