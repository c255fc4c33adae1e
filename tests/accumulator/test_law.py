"""A record depends only on the set of chunks: not on their order, their repetition, or the worker that received them."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamtally import Accumulator, MergeError, Outcome, StreamRecord, StreamType, Tally
from streamtally.chunks import Chunk, TextDelta
from streamtally.dialects import Dialect, dialect_named
from streamtally.testing.clock import FakeClock
from tests.strategies import STAMPS, STREAMS, Sent

pytestmark = pytest.mark.no_cover  # hundreds of streams for each test: tracing each line would only make it slow

KINDS = sorted(STREAMS)
DELIVERY_COUNTS = {"duplicates", "late", "conflicts"}
ARRIVAL_FIELDS = {*DELIVERY_COUNTS, "timing", "ordering", "highest_index"}
"""Fields that differ between one ordered source and chunks from several, beside the content."""


class Delivery(NamedTuple):
    """A chunk, its position, and when it was read."""

    place: int
    at: float
    payload: Any


def opened(sent: Sent) -> Accumulator:
    """Return an accumulator in which the stream is open."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", dialect=sent.dialect, started_at=990.0, params=sent.params)
    return accumulator


def record_of(sent: Sent, deliveries: Iterable[Delivery]) -> StreamRecord | None:
    """Return the record that `add` returns when the stream is complete, at most once, or `finish` of a session."""
    accumulator = opened(sent)
    results = [accumulator.add("r", delivery.payload, index=delivery.place, at=delivery.at) for delivery in deliveries]
    records = [record for record in results if record is not None]
    if dialect_named(sent.dialect).sessions:
        records.append(accumulator.finish("r"))
    assert len(records) <= 1
    return records[0] if records else None


def order_independent(record: StreamRecord | None) -> Any:
    """Return the fields of a record that must not depend on order, repetition or worker."""
    assert record is not None
    return record.model_dump(exclude=DELIVERY_COUNTS)


def content(record: StreamRecord | None) -> Any:
    """Return the fields of a record that are the same for wrapped, added and merged streams."""
    assert record is not None
    return record.model_dump(exclude=ARRIVAL_FIELDS)


def draw_stream(data: st.DataObject, kind: str) -> tuple[Sent, list[Delivery]]:
    """Draw a stream, of payloads or of normalised chunks, and its chunks with positions and times."""
    sent = data.draw(STREAMS[kind])
    sent = sent.normalised() if data.draw(st.booleans(), "normalised") else sent
    stamps = data.draw(st.lists(STAMPS, min_size=len(sent.payloads), max_size=len(sent.payloads)), "stamps")
    return sent, [Delivery(*delivery) for delivery in zip(itertools.count(), stamps, sent.payloads, strict=False)]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(data=st.data())
def test_order_and_repetition_leave_no_trace(kind: str, data: st.DataObject) -> None:
    """The same chunks in any order, any number of times, give exactly the same record, times included."""
    sent, deliveries = draw_stream(data, kind)
    again = data.draw(st.lists(st.sampled_from(deliveries), max_size=5), "again")
    shuffled = data.draw(st.permutations([*deliveries, *again]), "shuffled")
    record = record_of(sent, shuffled)
    assert order_independent(record) == order_independent(record_of(sent, deliveries))
    assert record is not None
    assert record.missing == ()
    assert record.chunk_count == len(deliveries)
    assert record.ordering == "index"


TWICE = [(3, 1_005.0), (3, 1_001.0), (5, 1_009.0), (5, 1_002.0), (4, 1_007.0), (4, 1_003.0)]


def added(deliveries: Sequence[tuple[int, float]]) -> Accumulator:
    """Return an accumulator with the same text at each of these positions, which begin at 3."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", first_index=3)
    for index, at in deliveries:
        accumulator.add("r", Chunk((TextDelta("word"),)), index=index, at=at)
    return accumulator


@given(st.permutations(TWICE))
def test_the_earliest_stamp_of_a_position_stays(deliveries: list[tuple[int, float]]) -> None:
    """The time of a repeated chunk is that of its earliest delivery, in whichever order they are added."""
    record = added(deliveries).finish("r")
    assert record.timing.duration == 3.0
    assert record.timing.inter_chunk is not None
    assert record.timing.inter_chunk.max == 1.0
    assert record.duplicates == 3


@given(st.permutations(TWICE), st.integers(0, 6))
def test_the_earliest_stamp_of_all_workers_stays(deliveries: list[tuple[int, float]], cut: int) -> None:
    """The time of a chunk that two workers received is the earlier one."""
    alone, first, second = added(deliveries), added(deliveries[:cut]), added(deliveries[cut:])
    first.merge("r", second.dump("r"))
    assert order_independent(first.finish("r")) == order_independent(alone.finish("r"))


def test_the_earliest_opening_of_all_workers_stays() -> None:
    """The start of a merged stream is the earliest at any worker, however few chunks that worker received."""
    clock = FakeClock()
    early, late = Accumulator(clock=clock), Accumulator(clock=clock)
    early.open("r")
    clock.advance(2)
    late.open("r").add(Chunk((TextDelta("word"),)), index=0)
    early.merge("r", late.dump("r"))
    assert early.finish("r").timing.time_to_first_token == 2.0


def test_contradictions_between_workers_are_counted() -> None:
    """If two workers folded different content at a position, the longer prefix is kept, and a conflict counted."""
    first, second = Accumulator(clock=FakeClock()), Accumulator(clock=FakeClock())
    for accumulator, words in ((first, "ab"), (second, "xbc")):
        for index, word in enumerate(words):
            accumulator.add("r", Chunk((TextDelta(word),)), index=index)
    first.merge("r", second.dump("r"))
    record = first.finish("r")
    assert (record.text, record.conflicts) == ("xbc", 1)


def test_a_count_that_was_corrected_stays_so() -> None:
    """A worker with only the earlier usage reports does not undo what a later report corrected."""
    reports = ({"prompt_tokens": 1}, {"total_tokens": 0}, {"prompt_tokens": 0})
    whole, part = Accumulator(clock=FakeClock()), Accumulator(clock=FakeClock())
    for accumulator, seen in ((whole, reports), (part, reports[:2])):
        accumulator.open("r", dialect="openai.chat")
        for index, report in enumerate(seen):
            accumulator.add("r", Chunk(usage=report), index=index)
    whole.merge("r", part.dump("r"))
    usage = whole.finish("r").usage
    assert usage is not None
    assert usage.input_tokens == 0


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(data=st.data())
def test_several_workers_make_one_record(kind: str, data: st.DataObject) -> None:
    """The states of several workers, merged in any order and grouping, give the record of one worker with all chunks."""
    sent, deliveries = draw_stream(data, kind)
    deliveries = deliveries[:-1]
    alone = opened(sent)
    for delivery in deliveries:
        alone.add("r", delivery.payload, index=delivery.place, at=delivery.at)
    workers = [opened(sent) for _ in range(data.draw(st.integers(1, 4), "workers"))]
    for delivery in data.draw(st.permutations(deliveries), "shuffled"):
        for worker in data.draw(st.sets(st.sampled_from(workers), min_size=1), "seen by"):
            worker.add("r", delivery.payload, index=delivery.place, at=delivery.at)
    state = merged(data, sent, [worker.dump("r") for worker in workers])
    last = Accumulator(clock=FakeClock())
    last.merge("r", state)
    assert order_independent(last.finish("r")) == order_independent(alone.finish("r"))


def merged(data: st.DataObject, sent: Sent, states: Sequence[bytes]) -> bytes:
    """Merge the states two at a time, in a drawn order, to one state."""
    waiting = list(states)
    while len(waiting) > 1:
        pair = [waiting.pop(data.draw(st.integers(0, len(waiting) - 1))) for _ in range(2)]
        accumulator = opened(sent)
        for state in pair:
            accumulator.merge("r", state)
        waiting.append(accumulator.dump("r"))
    return waiting[0]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"realtime", "live"}))  # a session is ended by its caller
@settings(max_examples=30)
@given(data=st.data())
def test_the_merge_that_completes_a_stream_ends_it(kind: str, data: st.DataObject) -> None:
    """A merge that brings the last missing chunks ends the stream, and returns the record of one worker with all."""
    sent, deliveries = draw_stream(data, kind)
    part = data.draw(st.sets(st.integers(0, len(deliveries) - 1), max_size=len(deliveries) - 1), "first worker")
    first, second = opened(sent), opened(sent)
    for delivery in deliveries:
        (first if delivery.place in part else second).add("r", delivery.payload, index=delivery.place, at=delivery.at)
    if not part:  # the second had them all, and ended the stream
        assert "r" not in second
        return
    record = second.merge("r", first.dump("r"))
    assert order_independent(record) == order_independent(record_of(sent, deliveries))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(data=st.data())
def test_merging_again_changes_nothing(kind: str, data: st.DataObject) -> None:
    """Merging a state twice, or into the stream it was dumped from, changes nothing."""
    sent, deliveries = draw_stream(data, kind)
    accumulator = opened(sent)
    for index in data.draw(st.lists(st.integers(0, len(deliveries) - 2), max_size=5) if deliveries[1:] else st.just([]), "some"):
        accumulator.add("r", deliveries[index].payload, index=index, at=deliveries[index].at)
    before = accumulator.snapshot("r")
    state = accumulator.dump("r")
    for _ in range(2):
        accumulator.merge("r", state)
        assert order_independent(accumulator.snapshot("r")) == order_independent(before)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=50)
@given(data=st.data())
def test_wrapped_added_and_merged_agree(kind: str, data: st.DataObject) -> None:
    """Wrapping, `add` and `merge` give the same content for the same stream of any type."""
    sent, deliveries = draw_stream(data, kind)
    tally = Tally(clock=FakeClock())
    with tally.wrap(list(sent.payloads), dialect=sent.dialect, request_id="r", params=sent.params) as stream:
        assert list(stream) == list(sent.payloads)

    def keyed(deliveries: Sequence[Delivery]) -> Tally:
        worker = Tally(clock=FakeClock())
        worker.open("r", dialect=sent.dialect, params=sent.params)
        for delivery in deliveries:
            worker.add("r", delivery.payload, index=delivery.place, at=delivery.at)
        return worker

    added = keyed(deliveries)
    assert content(added.finish("r")) == content(stream.record)
    odd, even = keyed(deliveries[1::2]), keyed(deliveries[::2])
    if "r" in odd.accumulator and "r" in even.accumulator:
        odd.accumulator.merge("r", even.accumulator.dump("r"))
        assert content(odd.finish("r")) == content(stream.record)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(data=st.data())
def test_in_order_without_index_agrees(kind: str, data: st.DataObject) -> None:
    """Chunks that are added in order without index give the same content."""
    sent, deliveries = draw_stream(data, kind)
    accumulator = opened(sent)
    results = [accumulator.add("r", delivery.payload, at=delivery.at) for delivery in deliveries]
    assert content(results[-1] or accumulator.finish("r")) == content(record_of(sent, deliveries))


@settings(max_examples=100)
@given(st.sets(st.integers(0, 12)), st.data())
def test_gaps_are_listed(indices: set[int], data: st.DataObject) -> None:
    """`missing` lists the positions below the highest that did not come, as half-open ranges, however they came."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", dialect="openai.chat")
    for index in data.draw(st.permutations(sorted(indices))):
        accumulator.add("r", Chunk((TextDelta(f"{index},"),)), index=index)
    record = accumulator.finish("r")
    gaps = [index for start, stop in record.missing for index in range(start, stop)]
    assert gaps == [index for index in range(max(indices, default=0)) if index not in indices]
    assert record.text == "".join(f"{index}," for index in sorted(indices))
    assert record.highest_index == max(indices, default=None)
    assert record.outcome is Outcome.TRUNCATED


def state_of(request_id: str = "r", *, index: int | None = 0, first_index: int = 0) -> bytes:
    """Return the state of a stream with one chunk."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open(request_id, first_index=first_index)
    accumulator.add(request_id, Chunk((TextDelta("word"),)), index=index)
    return accumulator.dump(request_id)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (state_of(index=None), state_of(index=None)),
        (state_of(index=None), state_of()),
        (state_of(), state_of(index=None)),
        (state_of(), state_of(index=1, first_index=1)),
    ],
    ids=["both by arrival", "mine by arrival", "theirs by arrival", "another first index"],
)
def test_states_that_have_no_order_in_common(mine: bytes, theirs: bytes) -> None:
    """States whose positions cannot be compared raise `MergeError`, and the stream stays as it was."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.merge("r", mine)
    before = accumulator.snapshot("r")
    with pytest.raises(MergeError):
        accumulator.merge("r", theirs)
    assert accumulator.snapshot("r") == before


def test_the_state_of_another_request() -> None:
    """A state of another request raises `MergeError`, and opens no stream."""
    accumulator = Accumulator(clock=FakeClock())
    with pytest.raises(MergeError, match="'other'"):
        accumulator.merge("r", state_of("other"))
    assert len(accumulator) == 0


@given(st.binary())
def test_bytes_that_are_no_state(garbage: bytes) -> None:
    """Bytes that are no state raise `MergeError`, and open no stream."""
    accumulator = Accumulator(clock=FakeClock())
    with pytest.raises(MergeError):
        accumulator.merge("r", garbage)
    assert len(accumulator) == 0


def test_a_state_of_a_later_version() -> None:
    """A state of a later format version raises `MergeError`, which names the version."""
    with pytest.raises(MergeError, match="version 99"):
        Accumulator().merge("r", state_of().replace(b'"version":2', b'"version":99'))


def test_merging_rebases_wall_clock_times() -> None:
    """Times of workers with unrelated monotonic clocks are compared by the wall clock."""
    here, there = FakeClock(), FakeClock()
    there.advance(5.0)
    first, second = Accumulator(clock=here), Accumulator(clock=there)
    first.open("r")
    first.add("r", Chunk((TextDelta("a"),)), index=0)
    second.add("r", Chunk((TextDelta("b"),)), index=1)
    first.merge("r", second.dump("r"))
    timing = first.finish("r").timing
    assert timing.duration == 5.0
    assert timing.time_to_first_token == 0.0


@given(st.permutations(range(4)))
def test_a_protocol_that_counts_from_one(order: list[int]) -> None:
    """Nothing is missing before the first sequence number that a dialect states, and the end marker ends the stream."""
    counting = Dialect(
        "counts.from.one",
        StreamType.TEXT,
        lambda payload: Chunk((TextDelta(payload["word"]),), sequence=payload["number"], terminal=payload["number"] == 4),
        states_finish=False,
        first_sequence=1,
    )
    accumulator = Accumulator()
    accumulator.open("r", dialect=counting)
    records = [accumulator.add("r", {"number": place + 1, "word": "abcd"[place]}) for place in order]
    (record,) = filter(None, records)
    assert records[-1] is record
    assert (record.text, record.outcome, record.missing, record.ordering) == ("abcd", Outcome.COMPLETED, (), "sequence")
