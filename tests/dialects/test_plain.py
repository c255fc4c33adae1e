"""Streams without a wire format: text, audio, and unknown payloads."""

import pytest

from streamtally import Accumulator, StreamType, replay
from tests.dialects.wire import pieces, stated


@pytest.mark.parametrize("dialect", ["text", None])
def test_words(dialect: str | None) -> None:
    """Any iterable of `str` is one text, which its end completes."""
    words = ["Hello", " ", "", "wor", "ld", "!\n"]
    record = replay(words, dialect=dialect)
    assert stated(record) == {"outcome": "completed", "choices": ({"text": "Hello world!\n"},)}
    assert (record.stream_type, record.dialect, record.provider) == (StreamType.TEXT, "text", None)


@pytest.mark.parametrize("first", ["{", '{"a": 1}', "data: x\n\n", "[DONE]", "event: y", ": z", " "])
def test_text_that_looks_like_another_format(first: str) -> None:
    """Text that looks like another format is text if the caller states the dialect."""
    assert replay([first, " and more"], dialect="text").text == first + " and more"


def test_words_by_position() -> None:
    """Pieces of text by position are put in order."""
    accumulator = Accumulator()
    for position in (2, 0, 1, 2):
        accumulator.add("r", "abc"[position], index=position)
    record = accumulator.finish("r")
    assert (record.text, record.duplicates, record.outcome) == ("abc", 1, "completed")


def test_sound() -> None:
    """Any iterable of bytes of no other format is audio."""
    body = b"\x00\x01data: {}\n\n\xff\xfe: \n" * 50
    for source in ([body], pieces(body, 1), pieces(body, 7), [bytearray(body)], [memoryview(body)]):
        record = replay(source, dialect="raw.audio")
        assert record.audio is not None
        assert (record.audio.data, record.outcome, record.stream_type) == (body, "completed", StreamType.SPEECH)


def test_an_object_among_bytes() -> None:
    """An object among bytes makes an error of the source in the record."""
    record = replay([b"\x00", {"a": 1}], dialect="raw.audio")
    assert record.error is not None
    assert (record.outcome, record.error.type) == ("error", "malformed_payload")


def test_unknown_payloads() -> None:
    """Each different payload is kept, and the last value of each of their fields; the end of the source completes the record."""
    payloads = [{"a": 1, "b": {"c": 1}}, {"a": 2, "b": {"d": 2}}]
    record = replay([payloads[0], *payloads])
    assert stated(record) == {"outcome": "completed", "extras": {"a": 2, "b": {"c": 1, "d": 2}, "payloads": payloads}}
    assert record.dialect == "opaque"


@pytest.mark.parametrize("payload", [5, [1], object, 1.5, True])
def test_what_has_no_fields(payload: object) -> None:
    """A payload without fields is kept as it is, or as its text."""
    record = replay([payload])
    kept = payload if isinstance(payload, int | float) else 1 if payload == [1] else str(payload)
    assert (record.dialect, record.outcome, record.error, record.extras) == ("opaque", "completed", None, {"payload": kept})


def test_nothing_is_no_payload() -> None:
    """None is not counted as anything."""
    assert stated(replay([None])) == {"outcome": "completed"}
