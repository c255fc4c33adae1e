from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.testing import Scenario

FIVE = Scenario((b"a1", b"b22", b"c", b"d4444", b"data: [DONE]\n\n"), delays=(0.1, 0.2, 0.3, 0.4, 0.5))

FRAMES = st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=9).map(tuple)


def test_one_delay_for_all() -> None:
    """A single delay applies to all frames."""
    assert Scenario((b"a", b"b"), delays=0.5).steps == ((0.5, b"a"), (0.5, b"b"))


def test_delayed() -> None:
    """Delays add up, including those of the headers."""
    later = FIVE.delayed(1.0, headers=2.0).delayed(1.0, headers=3.0)
    assert [delay for delay, _ in later.steps] == [2.1, 2.2, 2.3, 2.4, 2.5]
    assert later.header_delay == 5.0
    assert later.frames == FIVE.frames


def test_stalled() -> None:
    """A stall delays one frame."""
    assert [delay for delay, _ in FIVE.stalled(1, 9.0).stalled(-1, 1.0).steps] == [0.1, 9.2, 0.3, 0.4, 1.5]


def test_duplicated() -> None:
    """The second of two equal frames has no delay."""
    assert FIVE.duplicated(0, -2).steps[:2] == ((0.1, b"a1"), (0.0, b"a1"))
    assert FIVE.duplicated(0, -2).frames == (b"a1", b"a1", b"b22", b"c", b"d4444", b"d4444", FIVE.frames[-1])
    assert Scenario((b"a", b"b")).duplicated().frames == (b"a", b"a", b"b", b"b")


def test_without() -> None:
    """Dropped frames take their delays with them."""
    assert FIVE.without(0, -1).steps == ((0.2, b"b22"), (0.3, b"c"), (0.4, b"d4444"))


def test_reordered() -> None:
    """The order depends on the seed only; the end marker and the delays keep their positions."""
    shuffled = {FIVE.reordered(seed).frames for seed in range(20)}
    assert len(shuffled) > 5
    assert {tuple(sorted(frames)) for frames in shuffled} == {tuple(sorted(FIVE.frames))}
    assert {frames[-1] for frames in shuffled} == {FIVE.frames[-1]}
    assert FIVE.reordered(1) == FIVE.reordered(1)
    assert FIVE.reordered(1).delays == FIVE.delays
    assert Scenario().reordered().frames == ()


@given(FRAMES, st.integers(1, 20))
def test_rechunked(frames: tuple[bytes, ...], size: int) -> None:
    """The bytes stay, in writes of at most the given size."""
    scenario = Scenario(frames, delays=1.0).rechunked(size)
    assert scenario.body == b"".join(frames)
    assert max(map(len, scenario.frames)) <= size
    assert sum(delay for delay, _ in scenario.steps) == len(frames)


@given(FRAMES, st.integers(-100, 100), st.booleans())
def test_cut(frames: tuple[bytes, ...], at_byte: int, clean: bool) -> None:
    """The body is a slice, and only a clean cut ends regularly."""
    scenario = Scenario(frames).cut(at_byte, clean=clean)
    assert scenario.body == b"".join(frames)[:at_byte]
    assert scenario.dropped is not clean
    assert b"" not in scenario.frames


def test_failing() -> None:
    """Frames after the error are not sent."""
    failing = FIVE.failing(1, "no more").frames
    assert failing == (b"a1", b'data: {"error": {"message": "no more", "type": "server_error", "param": null, "code": null}}\n\n')
    assert len(FIVE.failing(-1).frames) == 5


@pytest.mark.parametrize(("at", "place"), [(0, 0), (2, 2), (5, 5), (-1, 4)])
def test_pings(at: int, place: int) -> None:
    """Comments are inserted before the frame, or at the end."""
    steps = FIVE.pings(2, 0.5, at=at).steps
    assert steps[place : place + 2] == ((0.5, b": ping\n\n"),) * 2
    assert steps[:place] + steps[place + 2 :] == FIVE.steps


def test_unanswered() -> None:
    """Without a status there is no response."""
    assert FIVE.unanswered().status is None


@pytest.mark.parametrize(
    "fault",
    [
        lambda scenario: scenario.stalled(5, 1.0),
        lambda scenario: scenario.duplicated(5),
        lambda scenario: scenario.without(-6),
        lambda scenario: scenario.failing(5),
        lambda scenario: scenario.pings(1, 1.0, at=6),
        lambda scenario: scenario.pings(1, 1.0, at=-6),
    ],
)
def test_no_such_frame(fault: Callable[[Scenario], Scenario]) -> None:
    """A position outside the body raises."""
    with pytest.raises(IndexError):
        fault(FIVE)


def test_impossible_scenarios() -> None:
    """A wrong number of delays or a negative delay raises."""
    with pytest.raises(ValueError, match="1 delays for 2 frames"):
        Scenario((b"a", b"b"), delays=(0.1,))
    impossible: list[dict[str, Any]] = [{"delays": -1.0}, {"delays": (float("nan"),)}, {"header_delay": -1.0}]
    for delays in impossible:
        with pytest.raises(ValueError, match="negative"):
            Scenario((b"a",), **delays)
    with pytest.raises(ValueError, match="at least one byte"):
        FIVE.rechunked(0)


def test_scenarios_are_values() -> None:
    """Equal scenarios compare equal and are hashable."""
    assert len({Scenario((b"a",), headers={"x": "1"}), Scenario((b"a",), headers={"x": "1"})}) == 1
