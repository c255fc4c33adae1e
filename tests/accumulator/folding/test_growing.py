import base64
import itertools
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.accumulator.folding.growing import JOIN_AT, Data, Retention, Text
from tests.strategies import JSON_OBJECTS, TEXTS

ACTIONS = st.lists(
    st.tuples(st.sampled_from(["append", "sink", "settle", "general", "replace", "clear", "tail"]), TEXTS), max_size=30
)


@given(ACTIONS)
def test_a_text_is_what_was_written(actions: list[tuple[str, str]]) -> None:
    """A text equals what was written to it by any of its methods, lone surrogates included, and its size is counted."""
    retention = Retention()
    text, other, expected = Text(retention), Text(retention), ""
    other.append("other")
    for action, piece in actions:
        match action:
            case "append":
                text.append(piece)
                expected += piece
            case "sink":
                text.sink()(piece)
                expected += piece
            case "settle":
                retention.settle()
            case "general":
                retention.close_sinks()
            case "replace":
                text.replace(piece)
                expected = piece
            case "clear":
                text.clear()
                expected = ""
            case _:
                assert text.tail(len(piece)) == expected[len(piece) :]
        assert text.value() == expected
    retention.close_sinks()
    assert (text.value(), text.size, retention.kept) == (expected, len(expected), len(expected) + 5)


@pytest.mark.parametrize("way", ["append", "sink"])
def test_no_piece_stays_alone(way: str) -> None:
    """Pieces are joined as they arrive: a text is a few blocks of falling length, and a short rest."""
    retention, pieces = Retention(), 10_000
    text = Text(retention)
    for number in range(pieces):
        (text.append if way == "append" else text.sink())(f"{number:06}")
        if way == "sink" and number % JOIN_AT == 0:
            retention.settle()
    assert len(text.pieces) <= JOIN_AT + math.log2(pieces)
    assert text.value() == "".join(f"{number:06}" for number in range(pieces))


def test_joining_copies_little() -> None:
    """Each character is copied a logarithmic number of times while a text grows."""
    copied = 0

    class Counted(str):
        def __add__(self, other: str) -> "Counted":
            nonlocal copied
            copied += len(self) + len(other)
            return Counted(str.__add__(self, other))

    text = Text(Retention())
    pieces = 64 * JOIN_AT
    for _ in range(pieces):
        text.append("x")
        text.pieces[:] = [piece if len(piece) == 1 else Counted(piece) for piece in text.pieces]
    assert 0 < copied <= pieces * math.log2(pieces)


@given(st.binary(max_size=40), st.lists(st.integers(0, 60), max_size=5), st.booleans())
def test_base64_in_pieces(data: bytes, cuts: list[int], padded: bool) -> None:
    """Base64 may be cut anywhere, and may lack its padding."""
    text = base64.b64encode(data).decode()
    text = text if padded else text.rstrip("=")
    borders = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    grown = Data(Retention())
    for start, end in itertools.pairwise(borders):
        grown.append(text[start:end])
    assert grown.value() == data


@given(st.lists(st.binary(max_size=9), min_size=1))
def test_base64_padded_in_the_middle(pieces: list[bytes]) -> None:
    """Pieces that were each encoded on their own are decoded to one value."""
    grown = Data(Retention())
    grown.append("".join(base64.b64encode(piece).decode() for piece in pieces))
    assert grown.value() == b"".join(pieces)


@pytest.mark.parametrize("text", ["A=BC", "Q", "Q*", "====", "\ud83d"])
def test_base64_that_is_none(text: str) -> None:
    """Invalid base64 raises `ValueError` when it is appended, or is left out; reading never raises."""
    grown = Data(Retention())
    with suppress(ValueError):
        grown.append(text)
    assert grown.value() in (None, b"")


def test_content_that_is_not_kept_is_counted() -> None:
    """After `stop` content is counted as lost and dropped; earlier content is kept."""
    retention = Retention()
    text, data = Text(retention), Data(retention)
    text.append("kept")
    data.append(b"kept")
    listed = retention.extend(None, ["kept"])
    retention.stop()
    text.append("gone")
    text.sink()("gone")
    data.append("Z29uZQ==")
    assert retention.extend(listed, ["gone"]) == ["kept"]
    assert retention.extend(None, ["gone"]) is None
    assert (text.value(), text.lost, data.value(), data.lost) == ("kept", 8, b"kept", 4)
    assert (retention.kept, retention.dropped) == (12, 12)


def test_replacing_bytes() -> None:
    """`replace` discards all earlier bytes, including an incomplete group of base64."""
    retention = Retention()
    data = Data(retention)
    data.append("QUJDR")
    data.replace("REVG")
    assert (data.value(), retention.kept) == (b"DEF", 3)


@given(st.lists(JSON_OBJECTS, max_size=5))
def test_merged_fields_are_counted_as_they_stand(objects: list[dict[str, object]]) -> None:
    """A repeated value adds no size, and a replaced value no longer counts."""
    retention = Retention()
    known: dict[str, object] = {}
    for fields in objects:
        retention.merge(known, fields)
    fresh = Retention()
    fresh.swap(None, known)
    assert retention.kept == fresh.kept
