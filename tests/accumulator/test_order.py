import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.accumulator.order import Order, Placed, gaps
from streamtally.chunks import Chunk, TextDelta


def chunk(word: str) -> Chunk:
    """Return a chunk with this text."""
    return Chunk((TextDelta(word),))


def offered(order: Order, index: int, word: str = "", stamp: int = 0) -> Placed:
    """Offer a chunk and consume what becomes ready; return where the chunk was placed."""
    placed = order.offer(index, chunk(word or str(index)), stamp)
    list(order.ready())
    return placed


@given(st.permutations(range(3, 12)))
def test_every_chunk_becomes_ready_once_and_in_order(indices: list[int]) -> None:
    """Chunks become ready in order of position, in whatever order they are offered, and none is left."""
    order = Order(3)
    came = []
    for index in indices:
        if order.offer(index, chunk(str(index)), 0) is Placed.READY:
            came += [index, *(int(ready.text) for _, ready in order.ready())]
    assert came == list(range(3, 12))
    assert (order.held, order.missing(), order.next, order.highest) == ({}, (), 12, 11)


def test_repeats_and_conflicts() -> None:
    """The same content at a position is a duplicate, folded or held; other content is a conflict."""
    order = Order()
    assert offered(order, 0) is Placed.READY
    assert offered(order, 0) is Placed.DUPLICATE
    assert offered(order, 0, "other") is Placed.CONFLICT
    assert offered(order, 5) is Placed.HELD
    assert offered(order, 5) is Placed.DUPLICATE
    assert offered(order, 5, "other") is Placed.CONFLICT


def test_a_position_before_the_first() -> None:
    """A chunk before the first position is a conflict."""
    assert offered(Order(1), 0) is Placed.CONFLICT


@pytest.mark.parametrize("words", [("a", "b"), ("b", "a")])
def test_the_earlier_of_two_contents_stays(words: tuple[str, str]) -> None:
    """Of two contents held at a position the earlier is kept, in any order of offers, or the smaller if the times are equal."""
    stamps = {"a": 2, "b": 1}
    order, at_once = Order(), Order()
    for word in words:
        offered(order, 5, word, stamps[word])
        offered(at_once, 5, word)
    assert order.held[5].chunk == chunk("b")
    assert at_once.held[5].chunk == chunk("a")


def test_the_earliest_stamp_of_a_held_chunk_stays() -> None:
    """An earlier duplicate moves the timestamp of a held chunk back; a later one does not move it."""
    order = Order()
    for stamp in (5, 3, 7):
        offered(order, 5, "a", stamp)
    assert order.held[5].stamp == 3


@given(st.integers(0, 5), st.sets(st.integers(0, 30)))
def test_gaps(start: int, positions: set[int]) -> None:
    """The gaps are non-empty half-open ranges in order, which hold exactly the absent positions."""
    beyond = sorted(position for position in positions if position >= start)
    ranges = list(gaps(start, beyond))
    assert all(first < stop for first, stop in ranges)
    inside = [position for first, stop in ranges for position in range(first, stop)]
    assert inside == [position for position in range(start, max(beyond, default=start)) if position not in positions]
