import base64
import itertools
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.accumulator.document import Document
from tests.strategies import JSON_OBJECTS, JSON_VALUES, TEXTS

PIECES = st.lists(st.tuples(st.sampled_from(["a", "b"]), TEXTS), max_size=8)


@given(PIECES)
def test_texts_grow_at_their_address(pieces: list[tuple[str, str]]) -> None:
    """Each text is what was appended at its address, halves of characters included."""
    document = Document()
    for name, text in pieces:
        document.append_text(text, "text", name)
    for name in "ab":
        expected = [text for at, text in pieces if at == name]
        assert document.text("text", name) == ("".join(expected) if expected else None)
    assert document.size == sum(len(text) for _, text in pieces)


@given(st.binary(max_size=40), st.lists(st.integers(0, 60), max_size=5), st.booleans())
def test_base64_in_pieces(data: bytes, cuts: list[int], padded: bool) -> None:
    """Base64 may be cut anywhere, and may end without its padding."""
    text = base64.b64encode(data).decode()
    text = text if padded else text.rstrip("=")
    borders = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    document = Document()
    for start, end in itertools.pairwise(borders):
        document.append_bytes(text[start:end], "audio")
    assert document.data("audio") == data
    assert document.data_size("audio") == len(data)


@given(st.lists(st.binary(max_size=9)))
def test_base64_padded_in_the_middle(pieces: list[bytes]) -> None:
    """Pieces that were each encoded on their own make one."""
    document = Document()
    document.append_bytes("".join(base64.b64encode(piece).decode() for piece in pieces), "audio")
    assert document.data("audio") == b"".join(pieces)


@pytest.mark.parametrize("text", ["A=BC", "Q", "Q*", "====", "\ud83d"])
def test_base64_that_is_none(text: str) -> None:
    """It is refused when it comes, or leaves out what cannot be decoded; reading never fails."""
    document = Document()
    with suppress(ValueError):
        document.append_bytes(text, "audio")
    assert document.data("audio") in (None, b"")


@given(PIECES, JSON_OBJECTS, st.lists(JSON_VALUES), st.binary(), st.booleans())
def test_a_copy_shares_nothing(
    pieces: list[tuple[str, str]], value: dict[str, object], listed: list[object], data: bytes, retain: bool
) -> None:
    """A document comes back from its JSON form as it was, and goes on by itself."""
    document = Document(retain=retain)
    for name, text in pieces:
        document.append_text(text, name, 0)
        document.note(name, "names")
    document.put(value, "value")
    document.push(listed, "list")
    document.append_bytes(data, "data")
    dumped = document.dump()
    twin = Document.load(json.loads(json.dumps(dumped)))
    assert twin.dump() == json.loads(json.dumps(dumped)) or twin.dump() == dumped
    assert (twin.size, twin.dropped, len(twin)) == (document.size, document.dropped, len(document))
    twin.append_text("more", "a", 0)
    twin.push(["more"], "list")
    assert document.dump() == dumped


def test_nothing_is_kept_without_room() -> None:
    """Without retention content is counted; what says how a stream stands is kept."""
    document = Document()
    document.append_text("kept", "text")
    document.append_bytes(b"kept", "data")
    document.stop_retaining()
    document.append_text("gone", "text")
    document.append_bytes(b"gone", "data")
    document.push(["gone"], "list")
    document.put("stop", "finish")
    assert (document.text("text"), document.data("data"), document.data_size("data")) == ("kept", b"kept", 8)
    assert (document.get("list"), document.get("finish"), document.dropped) == (None, "stop", 8)
    assert document.has_text("text")


def test_none_says_nothing() -> None:
    """None never takes the place of a value."""
    document = Document()
    document.put("a", "model")
    document.put(None, "model")
    assert document.get("model") == "a"


def test_replacing() -> None:
    """What is put in the place of a text or of bytes is all that is left, also of a piece that was not whole."""
    document = Document()
    document.append_text("draft", "text")
    document.append_bytes("QUJDR", "data")
    document.replace_text("final", "text")
    document.replace_data("REVG", "data")
    assert (document.text("text"), document.data("data")) == ("final", b"DEF")
