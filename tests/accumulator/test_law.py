"""The law: a record is a function of the set of chunks, not of their order, their repetition, or where they arrived."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamtally import Accumulator, MergeError, Outcome, StreamRecord, StreamType, Tally
from streamtally.chunks import Chunk, TextDelta
from streamtally.dialects import Dialect
from streamtally.testing.clock import FakeClock
from tests.strategies import STAMPS, STREAMS, Sent

KINDS = sorted(STREAMS)
OUTSIDE_THE_LAW = {"duplicates", "late", "conflicts"}
OF_THE_WAY = {*OUTSIDE_THE_LAW, "timing", "ordering", "highest_index"}
"""What differs between one ordered source and positions from anywhere, beside the content."""


class Fact(NamedTuple):
    """A chunk, its position, and when it was read."""

    place: int
    at: float
    payload: Any


def opened(sent: Sent) -> Accumulator:
    """An accumulator in which the stream is open."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", dialect=sent.dialect, started_at=990.0, params=sent.params)
    return accumulator


def record_of(sent: Sent, facts: Iterable[Fact]) -> StreamRecord | None:
    """What `add` says in the end, which it says once."""
    accumulator = opened(sent)
    said = [accumulator.add("r", fact.payload, index=fact.place, at=fact.at) for fact in facts]
    records = [record for record in said if record is not None]
    assert len(records) <= 1
    return records[0] if records else None


def lawful(record: StreamRecord | None) -> Any:
    """What the law speaks of."""
    assert record is not None
    return record.model_dump(exclude=OUTSIDE_THE_LAW)


def content(record: StreamRecord | None) -> Any:
    """What was said, however it came here."""
    assert record is not None
    return record.model_dump(exclude=OF_THE_WAY)


def drawn(data: st.DataObject, kind: str) -> tuple[Sent, list[Fact]]:
    """A stream, as payloads or as chunks, and its facts."""
    sent = data.draw(STREAMS[kind])
    sent = sent.normalised() if data.draw(st.booleans(), "normalised") else sent
    stamps = data.draw(st.lists(STAMPS, min_size=len(sent.payloads), max_size=len(sent.payloads)), "stamps")
    return sent, [Fact(*fact) for fact in zip(itertools.count(), stamps, sent.payloads, strict=False)]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(data=st.data())
def test_order_and_repetition_leave_no_trace(kind: str, data: st.DataObject) -> None:
    """The same chunks in any order, any number of times, give the same record to the last digit of its times."""
    sent, facts = drawn(data, kind)
    again = data.draw(st.lists(st.sampled_from(facts), max_size=5), "again")
    shuffled = data.draw(st.permutations([*facts, *again]), "shuffled")
    record = record_of(sent, shuffled)
    assert lawful(record) == lawful(record_of(sent, facts))
    assert record is not None
    assert record.missing == ()
    assert record.chunk_count == len(facts)
    assert record.ordering == "index"


TWICE = [(3, 1_005.0), (3, 1_001.0), (5, 1_009.0), (5, 1_002.0), (4, 1_007.0), (4, 1_003.0)]


def added(deliveries: Sequence[tuple[int, float]]) -> Accumulator:
    """An accumulator with the same words at each position, from 3 on."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", first_index=3)
    for index, at in deliveries:
        accumulator.add("r", Chunk((TextDelta("word"),)), index=index, at=at)
    return accumulator


@given(st.permutations(TWICE))
def test_the_earliest_stamp_of_a_position_stays(deliveries: list[tuple[int, float]]) -> None:
    """A chunk that came twice came when it came first, whichever delivery is taken in first."""
    record = added(deliveries).finish("r")
    assert record.timing.duration == 3.0
    assert record.timing.inter_chunk is not None
    assert record.timing.inter_chunk.max == 1.0
    assert record.duplicates == 3


@given(st.permutations(TWICE), st.integers(0, 6))
def test_the_earliest_stamp_of_all_workers_stays(deliveries: list[tuple[int, float]], cut: int) -> None:
    """A chunk that two workers saw came when the first of them saw it."""
    alone, first, second = added(deliveries), added(deliveries[:cut]), added(deliveries[cut:])
    first.merge("r", second.dump("r"))
    assert lawful(first.finish("r")) == lawful(alone.finish("r"))


def test_the_earliest_opening_of_all_workers_stays() -> None:
    """The stream began where it was opened first, however little that worker saw of it."""
    clock = FakeClock()
    early, late = Accumulator(clock=clock), Accumulator(clock=clock)
    early.open("r")
    clock.advance(2)
    late.open("r").add(Chunk((TextDelta("word"),)), index=0)
    early.merge("r", late.dump("r"))
    assert early.finish("r").timing.time_to_first_token == 2.0


def test_contradictions_between_workers_are_counted() -> None:
    """Where two workers folded other content at one position, that of the longer prefix stays, and it is a conflict."""
    first, second = Accumulator(clock=FakeClock()), Accumulator(clock=FakeClock())
    for accumulator, words in ((first, "ab"), (second, "xbc")):
        for index, word in enumerate(words):
            accumulator.add("r", Chunk((TextDelta(word),)), index=index)
    first.merge("r", second.dump("r"))
    record = first.finish("r")
    assert (record.text, record.conflicts) == ("xbc", 1)


def test_a_count_that_was_corrected_stays_so() -> None:
    """A worker that saw only the first reports does not bring back what a later one corrected."""
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
    """Chunks that went to several workers, whose states are merged in any order and grouping, give the same record."""
    sent, facts = drawn(data, kind)
    facts = facts[:-1]
    alone = opened(sent)
    for fact in facts:
        alone.add("r", fact.payload, index=fact.place, at=fact.at)
    workers = [opened(sent) for _ in range(data.draw(st.integers(1, 4), "workers"))]
    for fact in data.draw(st.permutations(facts), "shuffled"):
        for worker in data.draw(st.sets(st.sampled_from(workers), min_size=1), "seen by"):
            worker.add("r", fact.payload, index=fact.place, at=fact.at)
    state = merged(data, sent, [worker.dump("r") for worker in workers])
    last = Accumulator(clock=FakeClock())
    last.merge("r", state)
    assert lawful(last.finish("r")) == lawful(alone.finish("r"))


def merged(data: st.DataObject, sent: Sent, states: Sequence[bytes]) -> bytes:
    """The states as one, two at a time, in an order that is drawn."""
    waiting = list(states)
    while len(waiting) > 1:
        pair = [waiting.pop(data.draw(st.integers(0, len(waiting) - 1))) for _ in range(2)]
        accumulator = opened(sent)
        for state in pair:
            accumulator.merge("r", state)
        waiting.append(accumulator.dump("r"))
    return waiting[0]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(data=st.data())
def test_the_merge_that_completes_a_stream_ends_it(kind: str, data: st.DataObject) -> None:
    """Two workers that have all chunks between them complete the stream, and the record is that of one."""
    sent, facts = drawn(data, kind)
    part = data.draw(st.sets(st.integers(0, len(facts) - 1), max_size=len(facts) - 1), "first worker")
    first, second = opened(sent), opened(sent)
    for fact in facts:
        (first if fact.place in part else second).add("r", fact.payload, index=fact.place, at=fact.at)
    if not part:  # the second had them all, and ended the stream
        assert "r" not in second
        return
    record = second.merge("r", first.dump("r"))
    assert lawful(record) == lawful(record_of(sent, facts))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(data=st.data())
def test_merging_again_changes_nothing(kind: str, data: st.DataObject) -> None:
    """A state that is merged twice, also into the very stream that it is of, adds nothing."""
    sent, facts = drawn(data, kind)
    accumulator = opened(sent)
    for index in data.draw(st.lists(st.integers(0, len(facts) - 2), max_size=5) if facts[1:] else st.just([]), "some"):
        accumulator.add("r", facts[index].payload, index=index, at=facts[index].at)
    before = accumulator.snapshot("r")
    state = accumulator.dump("r")
    for _ in range(2):
        accumulator.merge("r", state)
        assert lawful(accumulator.snapshot("r")) == lawful(before)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=50)
@given(data=st.data())
def test_wrapped_added_and_merged_agree(kind: str, data: st.DataObject) -> None:
    """The generator, `add` and `merge` say the same of the same stream, whatever its type."""
    sent, facts = drawn(data, kind)
    tally = Tally(clock=FakeClock())
    with tally.wrap(list(sent.payloads), dialect=sent.dialect, request_id="r", params=sent.params) as stream:
        assert list(stream) == list(sent.payloads)

    def keyed(facts: Sequence[Fact]) -> Tally:
        worker = Tally(clock=FakeClock())
        worker.open("r", dialect=sent.dialect, params=sent.params)
        for fact in facts:
            worker.add("r", fact.payload, index=fact.place, at=fact.at)
        return worker

    added = keyed(facts)
    assert content(added.finish("r")) == content(stream.record)
    odd, even = keyed(facts[1::2]), keyed(facts[::2])
    if "r" in odd.accumulator and "r" in even.accumulator:
        odd.accumulator.merge("r", even.accumulator.dump("r"))
        assert content(odd.finish("r")) == content(stream.record)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(data=st.data())
def test_in_order_without_index_agrees(kind: str, data: st.DataObject) -> None:
    """Chunks that are added in order need no index to say the same."""
    sent, facts = drawn(data, kind)
    accumulator = opened(sent)
    said = [accumulator.add("r", fact.payload, at=fact.at) for fact in facts]
    assert content(said[-1]) == content(record_of(sent, facts))


@settings(max_examples=100)
@given(st.sets(st.integers(0, 12)), st.data())
def test_gaps_are_told(indices: set[int], data: st.DataObject) -> None:
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
    """The state of a stream with one chunk."""
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
    """They raise, and leave what is here as it is."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.merge("r", mine)
    before = accumulator.snapshot("r")
    with pytest.raises(MergeError):
        accumulator.merge("r", theirs)
    assert accumulator.snapshot("r") == before


def test_the_state_of_another_request() -> None:
    """It raises, and opens nothing."""
    accumulator = Accumulator(clock=FakeClock())
    with pytest.raises(MergeError, match="'other'"):
        accumulator.merge("r", state_of("other"))
    assert len(accumulator) == 0


@given(st.binary())
def test_bytes_that_are_no_state(garbage: bytes) -> None:
    """They raise `MergeError`, and open nothing."""
    accumulator = Accumulator(clock=FakeClock())
    with pytest.raises(MergeError):
        accumulator.merge("r", garbage)
    assert len(accumulator) == 0


def test_a_state_of_a_later_version() -> None:
    """A state that this version cannot know is refused by its version."""
    with pytest.raises(MergeError, match="version 99"):
        Accumulator().merge("r", state_of().replace(b'"version":2', b'"version":99'))


def test_merging_rebases_wall_clock_times() -> None:
    """Workers whose monotonic clocks have nothing in common agree on the wall clock, and so on every figure."""
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
    """The dialect states its first number, so that nothing is missing before it; the end marker ends the stream."""
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
