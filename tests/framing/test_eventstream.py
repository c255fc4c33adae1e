import base64
from collections.abc import Iterable
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from streamtally.errors import FramingError
from streamtally.framing import EventStreamDecoder, EventStreamMessage, eventstream
from tests.framing.wire import Typed, cut, event, framed, message, prelude

SAMPLE = event("messageStart", b'{"role":"assistant"}') + event("delta", "漢字".encode()) + message({}) + event("stop", b"{}")

WHOLE_NUMBERS = {2: 8, 3: 16, 4: 32, 5: 64, 8: 64}
VALUES = st.one_of(
    st.sampled_from([Typed(0, True), Typed(1, False)]),
    *[
        st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).map(lambda value, kind=kind: Typed(kind, value))  # type: ignore[misc]
        for kind, bits in WHOLE_NUMBERS.items()
    ],
    st.binary(max_size=300).map(lambda value: Typed(6, value)),
    st.text(max_size=100).map(lambda value: Typed(7, value)),
    st.binary(min_size=16, max_size=16).map(lambda value: Typed(9, value)),
)
MESSAGES = st.lists(
    st.tuples(st.dictionaries(st.text(min_size=1, max_size=20), VALUES, max_size=4), st.binary(max_size=200)), max_size=5
)
CUTS = st.lists(st.integers(0))


def decode(reads: Iterable[bytes], **options: Any) -> tuple[list[EventStreamMessage], str]:
    """The messages, and the tail or the message of the error."""
    decoder = EventStreamDecoder(**options)
    messages: list[EventStreamMessage] = []
    try:
        for read in reads:
            messages += decoder.feed(read)
        messages += decoder.flush()
    except FramingError as error:
        return messages, f"! {error}"
    return messages, decoder.tail


def by_botocore(body: bytes) -> list[EventStreamMessage]:
    """The messages that botocore's decoder returns."""
    buffer: Any = EventStreamBuffer()
    buffer.add_data(body)
    return [EventStreamMessage(one.headers, one.payload) for one in buffer]


@given(MESSAGES, CUTS)
def test_read_as_the_sdk_reads_it(written: list[tuple[dict[str, Typed], bytes]], cuts: list[int]) -> None:
    """Messages with all header types and any payload, split anywhere, decode as botocore decodes them."""
    body = b"".join(message(headers, payload) for headers, payload in written)
    expected = [({name: typed.value for name, typed in headers.items()}, payload) for headers, payload in written]
    assert decode(cut(body, cuts)) == (expected, "")
    assert by_botocore(body) == expected


def test_every_byte_alone() -> None:
    """Reads of one byte give the same messages."""
    assert decode(SAMPLE[at : at + 1] for at in range(len(SAMPLE))) == decode([SAMPLE]) == (by_botocore(SAMPLE), "")


@pytest.mark.parametrize("at", range(len(SAMPLE)))
def test_cut_short_at_every_byte(at: int) -> None:
    """A stream cut at any byte gives the complete messages, and the rest as the tail, without error."""
    messages, tail = decode([SAMPLE[:at]])
    whole = by_botocore(SAMPLE[:at])
    assert messages == whole
    rest = base64.b64decode(tail)
    assert SAMPLE[:at].endswith(rest)
    assert len(by_botocore(SAMPLE[: at - len(rest)])) == len(whole)


@pytest.mark.parametrize("at", range(len(SAMPLE)))
def test_one_wrong_byte(at: int) -> None:
    """A changed byte raises an error after the messages before it, and every later call raises it again."""
    body = SAMPLE[:at] + bytes([SAMPLE[at] ^ 0x10]) + SAMPLE[at + 1 :]
    messages, error = decode([body])
    assert error.startswith("! the checksum")
    assert messages == by_botocore(SAMPLE)[: len(messages)]
    assert decode(body[place : place + 1] for place in range(len(body))) == (messages, error)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (prelude(15, 0), "15 bytes"),
        (prelude(100, 85), "100 bytes with 85 bytes of headers"),
        (prelude(2**32 - 1, 0), "4294967295 bytes"),
        (prelude(1001, 0), "1001 bytes"),
        (framed(b"\x01a\x0a"), "unknown type 10"),
        (framed(b"\x05a\x00"), "exceeds the header block"),
        (framed(b"\x01a"), "headers"),
        (framed(b"\x01a\x05\x00"), "headers"),
        (framed(b"\x01a\x07\x00"), "headers"),
        (framed(b"\x01a\x07\x00\x05abc"), "exceeds the header block"),
        (framed(b"\x01a\x07\x00\x01\xff"), "headers"),
        (framed(b"\x01a\x09abc"), "exceeds the header block"),
    ],
)
def test_impossible_messages(body: bytes, reason: str) -> None:
    """Impossible lengths and headers raise a `FramingError` with the start of the message as soon as they are read."""
    decoder = EventStreamDecoder(max_frame=1000)
    assert len(decoder.feed(message({}) + body)) == 1
    with pytest.raises(FramingError, match=reason) as caught:
        decoder.feed(SAMPLE)
    assert caught.value.frame == body
    with pytest.raises(FramingError, match=reason):
        decoder.flush()
    assert len(decoder._buffer) == 0


@given(st.binary(), CUTS)
def test_any_bytes(body: bytes, cuts: list[int]) -> None:
    """Any bytes raise nothing but `FramingError`, and the result does not depend on how they are split."""
    for start in (b"", SAMPLE, SAMPLE[:100]):
        assert decode(cut(start + body, cuts)) == decode([start + body])


class CountingBuffer(bytearray):
    """A buffer that counts the bytes that are copied."""

    work = 0

    def __getitem__(self, at: slice) -> bytearray:  # type: ignore[override]
        part = super().__getitem__(at)
        CountingBuffer.work += len(part)
        return part


@pytest.mark.parametrize(("step", "most"), [(1, 14), (13, 2), (4096, 2), (2**20, 2)])
def test_work_is_linear(monkeypatch: pytest.MonkeyPatch, step: int, most: int) -> None:
    """Messages are copied once and a prelude is read once per feed, for one long and many short messages."""
    monkeypatch.setattr(eventstream, "bytearray", CountingBuffer, raising=False)
    for body in (message({}, b"x" * 2**17), message({}, b"xx") * 2**12):
        CountingBuffer.work = 0
        messages, _ = decode(body[at : at + step] for at in range(0, len(body), step))
        assert sum(len(one.payload) + 16 for one in messages) == len(body)
        assert len(body) <= CountingBuffer.work <= most * len(body)
