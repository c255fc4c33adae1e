"""Streams without a wire format: words, sound, and what nobody recognises."""

import pytest

from streamtally import Accumulator, StreamType, replay
from tests.dialects.wire import pieces, stated


@pytest.mark.parametrize("dialect", ["text", None])
def test_words(dialect: str | None) -> None:
    """Any iterable of texts is one text, and its end is the end."""
    words = ["Hello", " ", "", "wor", "ld", "!\n"]
    record = replay(words, dialect=dialect)
    assert stated(record) == {"outcome": "completed", "choices": ({"text": "Hello world!\n"},)}
    assert (record.stream_type, record.dialect, record.provider) == (StreamType.TEXT, "text", None)


@pytest.mark.parametrize("first", ["{", '{"a": 1}', "data: x\n\n", "[DONE]", "event: y", ": z", " "])
def test_words_that_look_like_something_else(first: str) -> None:
    """Where the caller says that it is text, it is text."""
    assert replay([first, " and more"], dialect="text").text == first + " and more"


def test_words_by_position() -> None:
    """Words that come out of order are put in order."""
    accumulator = Accumulator()
    for position in (2, 0, 1, 2):
        accumulator.add("r", "abc"[position], index=position)
    record = accumulator.finish("r")
    assert (record.text, record.duplicates, record.outcome) == ("abc", 1, "completed")


def test_sound() -> None:
    """Any iterable of bytes is one sound, whatever its bytes are."""
    body = b"\x00\x01data: {}\n\n\xff\xfe: \n" * 50
    for source in ([body], pieces(body, 1), pieces(body, 7), [bytearray(body)], [memoryview(body)]):
        record = replay(source, dialect="raw.audio")
        assert record.audio is not None
        assert (record.audio.data, record.outcome, record.stream_type) == (body, "completed", StreamType.SPEECH)


def test_what_is_no_sound() -> None:
    """An object among the bytes is a fault of the source, which the record shows."""
    record = replay([b"\x00", {"a": 1}], dialect="raw.audio")
    assert record.error is not None
    assert (record.outcome, record.error.type) == ("error", "malformed_payload")


def test_what_nobody_recognises() -> None:
    """Unknown payloads are kept as they were said last, and the end of the source is their end."""
    record = replay([{"a": 1, "b": {"c": 1}}, {"a": 2, "b": {"d": 2}}])
    assert stated(record) == {"outcome": "completed", "extras": {"a": 2, "b": {"c": 1, "d": 2}}}
    assert record.dialect == "opaque"


@pytest.mark.parametrize("payload", [None, 5, [1], object])
def test_what_is_no_payload(payload: object) -> None:
    """A thing without fields is no chunk of any stream."""
    record = replay([payload])
    assert record.error is not None
    assert (record.outcome, record.error.type) == ("error", "malformed_payload")
