"""Streams whose dialect nobody named: it follows from the payloads in the order of their positions, not from their arrival."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamtally import Accumulator, StreamRecord, replay
from streamtally.dialects import dialect_named
from streamtally.dialects.recognition import MAX_WAITING
from streamtally.testing.clock import FakeClock
from tests.accumulator.wire import DONE, chat, finish_chunk, text_chunk
from tests.strategies import STREAMS

pytestmark = pytest.mark.no_cover  # hundreds of streams for each test: tracing each line would only make it slow

NOISE: list[Any] = [{}, {"type": "ping"}, {"event": "heartbeat"}, None, {"strange": 1}, {"choices": []}, {"metadata": {}}]
"""Payloads that say nothing of their dialect, or not enough."""

LOCAL = {"request_id", "duplicates", "late", "conflicts"}
ARRIVAL = {*LOCAL, "timing", "ordering", "highest_index", "cost", "usage", "provider"}

Placed = tuple[int, Any]


def accumulated(deliveries: Iterable[Placed]) -> Accumulator:
    """An accumulator to which payloads were added, each at its position and at the time that is its position."""
    accumulator = Accumulator(clock=FakeClock())
    for place, payload in deliveries:
        accumulator.add("r", payload, index=place, at=1_000.0 + place)
    return accumulator


def record_of(deliveries: Iterable[Placed]) -> StreamRecord:
    """The record once all of them came."""
    return accumulated(deliveries).finish("r")


def stated(record: StreamRecord, without: set[str] = LOCAL) -> Any:
    """The fields of a record that must agree."""
    return record.model_dump(exclude=without)


def drawn(data: st.DataObject, kind: str) -> list[Any]:
    """The payloads of a stream after noise, as JSON would bring them."""
    sent = data.draw(STREAMS[kind].filter(lambda sent: dialect_named(sent.dialect).framing == "events"))
    return [*data.draw(st.lists(st.sampled_from(NOISE), max_size=4)), *sent.payloads]


KINDS = ["chat", "completions", "responses", "transcription", "images"]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(data=st.data())
def test_arrival_leaves_no_trace(kind: str, data: st.DataObject) -> None:
    """In any order, and any number of times, the payloads make the record that they make in order."""
    placed = list(enumerate(drawn(data, kind)))
    shuffled = data.draw(st.permutations([*placed, *data.draw(st.lists(st.sampled_from(placed), max_size=3))]))
    ended = accumulated(shuffled)
    assert stated(ended.finish("r")) == stated(record_of(placed))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(data=st.data())
def test_workers_agree(kind: str, data: st.DataObject) -> None:
    """Partial states of several workers, none of which may know the dialect, merge to the same record."""
    placed = list(enumerate(drawn(data, kind)))[:-1]  # the last one ends some streams, which no state is dumped of
    owners = data.draw(st.lists(st.integers(0, 2), min_size=len(placed), max_size=len(placed)))
    states = [
        accumulated(part).dump("r")
        for worker in range(3)
        if (part := [each for each, owner in zip(placed, owners, strict=True) if owner == worker])
    ]
    merged = Accumulator(clock=FakeClock())
    for state in data.draw(st.permutations(states)):
        merged.merge("r", state)
    if placed:
        assert stated(merged.finish("r")) == stated(record_of(placed))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(data=st.data())
def test_added_and_replayed_agree(kind: str, data: st.DataObject) -> None:
    """By position, without one, and as a recording."""
    payloads = drawn(data, kind)
    by_position = record_of(enumerate(payloads))
    arriving = Accumulator(clock=FakeClock())
    for payload in payloads:
        arriving.add("r", payload)
    assert stated(by_position, ARRIVAL | {"chunk_count"}) == stated(replay(payloads), ARRIVAL | {"chunk_count"})
    assert arriving.finish("r").dialect == by_position.dialect


@given(st.permutations(range(6)))
def test_a_payload_of_another_format_later_decides_nothing(order: Sequence[int]) -> None:
    """The first that decides does, whatever came first."""
    payloads = [{}, text_chunk("a"), {"type": "message_start", "message": {"id": "m"}}, text_chunk("b"), finish_chunk(), DONE]
    record = record_of((place, payloads[place]) for place in order)
    assert (record.dialect, record.text, record.outcome) == ("openai.chat", "ab", "completed")


def test_what_waits_is_in_every_record() -> None:
    """In flight, at the end, and where the stream has a gap."""
    accumulator = accumulated([(2, {"strange": 1})])
    assert accumulator.snapshot("r").extras == {"strange": 1}
    assert accumulator.snapshot("r").dialect == "opaque"
    accumulator.add("r", text_chunk("late"), index=3)
    assert accumulator.snapshot("r").dialect == "openai.chat"
    record = accumulator.finish("r")
    assert (record.dialect, record.text, record.missing) == ("openai.chat", "late", ((0, 2),))


def test_a_name_settles_what_waits() -> None:
    """A caller who names the dialect later."""
    accumulator = accumulated([(1, {"choices": [{"index": 0, "text": "b"}]}), (0, {"choices": [{"index": 0}]})])
    accumulator.open("r", dialect="openai.chat")
    assert accumulator.snapshot("r").dialect == "openai.completions"
    named = Accumulator(clock=FakeClock())
    named.add("r", {"strange": 1}, index=1)
    named.open("r", dialect="openai.chat")
    named.add("r", chat(content="a"), index=0)
    assert (named.snapshot("r").dialect, named.snapshot("r").text) == ("openai.chat", "a")


def test_an_end_to_waiting() -> None:
    """After `MAX_WAITING` payloads without a decision a stream is opaque for good, and what waited is read."""
    strange = [{"strange": number} for number in range(MAX_WAITING)]
    accumulator = accumulated(enumerate(strange[:-1]))
    assert accumulator.snapshot("r").chunk_count == MAX_WAITING - 1
    for place, payload in itertools.chain([(MAX_WAITING - 1, strange[-1])], enumerate([text_chunk("a")], MAX_WAITING)):
        accumulator.add("r", payload, index=place)
    record = accumulator.finish("r")
    assert (record.dialect, record.text, record.outcome) == ("opaque", "", "completed")
    assert record.extras["payloads"] == [*strange, text_chunk("a")]
