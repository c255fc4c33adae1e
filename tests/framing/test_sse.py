import json
import re
import sys
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.errors import FramingError
from streamtally.framing import Malformed, ServerSentEvent, SSEDecoder, payloads, splitter
from tests.framing.wire import cut
from tests.recordings import Recording

SAMPLE = (
    "\ufeff: welcome\n"
    'data: {"text": "漢字 и 😀"}\n\n'
    'event: delta\r\ndata:{"a": 1}\r\n\r\n'
    "data: one\rdata:  two\r\r"
    ": ping\n\n\n\n"
    "id: 7\nretry: 1500\ndata\ndata:\n\n"
    "id\nretry: soon\nunknown: x\nevent:\ndata: a\u2028b\u2029c\u0085d\x0be: f\n\r\n"
    "event: no data\n\n"
    "data: [DONE]\r\n\n"
    "data: cut sho"
).encode()

SAMPLE_EVENTS = [
    ServerSentEvent(None, '{"text": "漢字 и 😀"}'),
    ServerSentEvent("delta", '{"a": 1}'),
    ServerSentEvent(None, "one\n two"),
    ServerSentEvent(None, "\n", "7", 1500),
    ServerSentEvent(None, "a\u2028b\u2029c\u0085d\x0be: f", ""),
    ServerSentEvent(None, "[DONE]", ""),
    ServerSentEvent(None, "cut sho", "", None, False),
]

PIECES = (
    *(b"data", b"event", b"id", b"retry", b"12", b":", b": ", b" ", b"x", b"\0"),
    *(b"\n", b"\n\n", b"\r", b"\r\n", b"\r\r"),
    *(b"\xef\xbb\xbf", b"\xef", b"\xbb", "漢".encode(), b"\xf0\x9f", b"\x98\x80", b"\xff", "\u2028".encode(), "\u0085".encode()),
)

LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))


def decode(reads: Iterable[bytes]) -> tuple[list[ServerSentEvent], int, str]:
    """The events, the number of comments and the tail of a stream that arrives in these reads."""
    decoder = SSEDecoder()
    return decode_into(decoder, reads), decoder.comments, decoder.tail


def decode_into(
    decoder: SSEDecoder, reads: Iterable[bytes], events: list[ServerSentEvent] | None = None
) -> list[ServerSentEvent]:
    """Feed all reads and flush, appending the events, so that they are kept if an error is raised."""
    events = [] if events is None else events
    for read in reads:
        events += decoder.feed(read)
    events += decoder.flush()
    return events


def by_the_standard(body: bytes) -> tuple[list[ServerSentEvent], int]:
    """The standard's algorithm, applied step by step to the whole body."""
    lines = re.split("\r\n|\n|\r", body.decode("utf-8", "replace").removeprefix("\ufeff"))
    events, comments = [], 0
    last_id: str | None = None
    data, name, retry = "", "", None
    for number, line in enumerate(lines):
        if line.startswith(":"):
            comments += 1
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "event":
            name = value
        if field == "data":
            data += value + "\n"
        if field == "id" and "\0" not in value:
            last_id = value
        if field == "retry" and re.fullmatch("[0-9]+", value):
            retry = int(value)
        ended = number == len(lines) - 1
        if line == "" or ended:
            if data:
                events.append(ServerSentEvent(name or None, data[:-1], last_id, retry, line == "" and not ended))
            data, name, retry = "", "", None
    return events, comments


def test_sample_read_whole() -> None:
    """The fields, comments and tail of a body with every form of line end."""
    assert decode([SAMPLE]) == (SAMPLE_EVENTS, 2, "data: cut sho")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64])
def test_sample_in_small_reads(size: int) -> None:
    """Reads may end inside a character, a line end or the byte order mark."""
    reads = [SAMPLE[at : at + size] for at in range(0, len(SAMPLE), size)]
    assert decode(reads) == decode([SAMPLE])


def test_sample_cut_at_every_byte() -> None:
    """A body split at any byte gives the events of the whole."""
    for at in range(len(SAMPLE) + 1):
        assert decode([SAMPLE[:at], b"", SAMPLE[at:]]) == decode([SAMPLE]), at


@given(st.lists(st.sampled_from(PIECES)).map(b"".join), st.lists(st.integers(0)))
def test_any_bytes_are_read_by_the_standard(body: bytes, cuts: list[int]) -> None:
    """Any bytes, whole or in pieces, give the events of the standard's algorithm."""
    events, comments, _ = decode(cut(body, cuts))
    assert (events, comments) == by_the_standard(body)


@st.composite
def written(draw: st.DrawFn) -> tuple[bytes, list[ServerSentEvent]]:
    """A body that a server could send, and its events."""
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    last_id: str | None = None
    lines: list[str] = []
    events = []
    for data in draw(st.lists(st.lists(LINE, min_size=1))):
        name, retry = draw(st.none() | LINE), draw(st.none() | st.integers(0, 10**6))
        lines += [f":{comment}" for comment in draw(st.lists(LINE, max_size=1))]
        lines += [] if name is None else [f"event: {name}"]
        lines += [] if retry is None else [f"retry: {retry}"]
        if draw(st.booleans()):
            last_id = draw(LINE.filter(lambda line: "\0" not in line))
            lines.append(f"id: {last_id}")
        lines += [f"data: {line}" for line in data] + [""] * draw(st.integers(1, 3))
        events.append(ServerSentEvent(name or None, "\n".join(data), last_id, retry))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return (mark + "".join(line + end for line in lines)).encode(), events


@given(written(), st.lists(st.integers(0)))
def test_what_was_written_is_read(stream: tuple[bytes, list[ServerSentEvent]], cuts: list[int]) -> None:
    """An event survives encoding and any split of the bytes."""
    body, events = stream
    assert decode(cut(body, cuts))[0] == events


@pytest.mark.parametrize(
    ("body", "datas"),
    [
        ("data: YHOO\ndata: +2\ndata: 10\n\n", ["YHOO\n+2\n10"]),
        (
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event",
            ["first event", "second event"],
        ),
        ("data\n\ndata\ndata\n\ndata:", ["", "\n"]),
        ("data:test\n\ndata: test\n\n", ["test", "test"]),
    ],
)
def test_examples_of_the_standard(body: str, datas: list[str]) -> None:
    """The four example streams of the standard."""
    assert [event.data for event in SSEDecoder().feed(body.encode())] == datas


@pytest.mark.parametrize("line_end", ["", "\n", "\r", "\r\n"])
def test_last_blank_line_missing(line_end: str) -> None:
    """An event without its blank line is returned by `flush` as incomplete, and its text is the tail."""
    decoder = SSEDecoder()
    assert decoder.feed(b"event: end\ndata: {}" + line_end.encode()) == []
    assert decoder.flush() == [ServerSentEvent("end", "{}", complete=False)]
    assert decoder.tail == "event: end\ndata: {}" + ("\n" if line_end else "")
    assert decoder.flush() == []


@pytest.mark.parametrize(
    ("rest", "tail"),
    [("", ""), ("\n", ""), ("\n: pin", ""), (": a\n: b", ""), ("event: del", "event: del"), (": a\ndat", ": a\ndat")],
)
def test_tail_without_data(rest: str, tail: str) -> None:
    """An incomplete field is a tail; a comment or a blank line is not."""
    decoder = SSEDecoder()
    decoder.feed(b"data: x\n\n" + rest.encode())
    assert (decoder.flush(), decoder.tail) == ([], tail)


def test_an_event_comes_with_its_last_byte() -> None:
    """A carriage return that ends the blank line completes the event; a line feed after it is ignored."""
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\r\n") == []
    assert [event.data for event in decoder.feed(b"\r")] == ["a"]
    assert decoder.feed(b"\n") == []
    assert [event.data for event in decoder.feed(b"data: b\n\n")] == ["b"]


@pytest.mark.parametrize("before", ["\n", "\n\n", ":\n\n", "data: x\n\n", "\r", "\r\n\r\n"])
def test_byte_order_mark_only_at_the_start(before: str) -> None:
    """A later byte order mark is part of a field name, which is then unknown."""
    body = f"{before}\ufeffdata: a\n\ndata: \ufeffb\n\n".encode()
    for at in range(len(body)):
        assert decode([body[:at], body[at:]])[0] == by_the_standard(body)[0]
        assert decode([body[:at], body[at:]])[0][-1] == ServerSentEvent(None, "\ufeffb")


def test_id_with_a_null() -> None:
    """An ID with a null character is ignored."""
    assert decode([b"id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n"])[0] == [
        ServerSentEvent(None, "a", "1"),
        ServerSentEvent(None, "b", "1"),
    ]


def test_invalid_retry() -> None:
    """A retry time with too many digits or non-ASCII digits is ignored."""
    body = f"retry: {'9' * 5000}\nretry: ٣\ndata: a\n\n".encode()
    assert decode([body])[0] == [ServerSentEvent(None, "a")]


@pytest.mark.parametrize("size", [1000, 65536, 2**21])
def test_long_line(size: int) -> None:
    """A line of more than 1 MiB is decoded."""
    body = b"data: " + "漢".encode() * (2**20 // 3) + b"\n\n"
    events, _, _ = decode(body[at : at + size] for at in range(0, len(body), size))
    assert [event.data for event in events] == ["漢" * (2**20 // 3)]


class CountingBuffer(bytearray):
    """A buffer that counts the bytes that are searched, copied or joined."""

    work = 0

    def rfind(self, sub: bytes, start: int) -> int:  # type: ignore[override]
        CountingBuffer.work += len(self) - start
        return super().rfind(sub, start)

    def __getitem__(self, at: slice) -> bytearray:  # type: ignore[override]
        part = super().__getitem__(at)
        CountingBuffer.work += len(part)
        return part


@pytest.mark.parametrize("step", [1, 13, 4096])
def test_work_is_linear(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Each byte of a long line is processed a few times at most, however it arrives."""
    monkeypatch.setattr(splitter, "bytearray", CountingBuffer, raising=False)
    monkeypatch.setattr(CountingBuffer, "work", 0)
    body = b"data: " + b"x" * 2**17 + b"\n\n"
    assert len(decode(body[at : at + step] for at in range(0, len(body), step))[0]) == 1
    assert len(body) <= CountingBuffer.work <= 3 * len(body)


def oversized() -> Iterator[list[bytes]]:
    """A stream with a frame of 11 bytes between two shorter ones, in many splits."""
    body = b"data: a\n\ndata: 12345\n\ndata: b\n\n"
    yield [body]
    yield [body[:-3]]
    yield [b"data: a\n\ndata: 12345"]
    for size in range(1, 20):
        yield [body[at : at + size] for at in range(0, len(body), size)]


@pytest.mark.parametrize("reads", list(oversized()))
@pytest.mark.parametrize("crlf", [False, True])
def test_frame_too_long(reads: list[bytes], crlf: bool) -> None:
    """Events before an oversized frame are returned; then every call raises with the start of the frame."""
    decoder = SSEDecoder(max_frame=10)
    events: list[ServerSentEvent] = []
    with pytest.raises(FramingError, match="more than 10 bytes") as caught:
        decode_into(decoder, (read.replace(b"\n", b"\r\n") if crlf else read for read in reads), events)
    assert [event.data for event in events] == ["a"]
    assert caught.value.frame == b"data: 12345"[: len(caught.value.frame)]
    assert len(caught.value.frame) > 10
    with pytest.raises(FramingError):
        decoder.feed(b"data: c\n\n")
    with pytest.raises(FramingError):
        decoder.flush()


@pytest.mark.parametrize("body", [b"x" * 2**17, b"x" * 2**17 + b"\n\n", b"\n" + b"x" * 2**17])
@pytest.mark.parametrize("size", [1000, 2**18])
def test_long_frame_too_long(body: bytes, size: int) -> None:
    """The error is raised as soon as the bound is exceeded, and only the start of the frame is kept."""
    decoder = SSEDecoder(max_frame=2**16)
    with pytest.raises(FramingError) as caught:
        _ = [decoder.feed(body[at : at + size]) for at in range(0, len(body), size)]
    assert set(caught.value.frame.strip()) == {ord("x")}
    assert len(caught.value.frame) in (1023, 1024)
    assert sys.getsizeof(decoder._frames._buffer) < 2**12
    with pytest.raises(FramingError):
        decoder.feed(b"\n\ndata: c\n\n")
    with pytest.raises(FramingError):
        decoder.flush()


@pytest.mark.parametrize("size", [9, 10])
def test_frame_of_just_the_bound(size: int) -> None:
    """The bound excludes the line feeds around the frame."""
    decoder = SSEDecoder(max_frame=10)
    frame = b"data: 1234"[:size]
    assert len(decoder.feed(frame + b"\n\n")) == 1
    assert len([event for byte in b"\n" + frame + b"\n\n\n" for event in decoder.feed(bytes([byte]))]) == 1


@pytest.mark.recordings(format="sse", provenance="wire-chunked")
def test_recorded_streams(recording: Recording) -> None:
    """Recorded streams, in their recorded reads, decode by the standard, and all data is JSON."""
    events, comments, _ = decode(recording.pieces())
    assert (events, comments) == by_the_standard(recording.body)
    assert not [one for event in events for one in payloads(event.data) if isinstance(one, Malformed)]


def test_a_json_object_between_events() -> None:
    """Some servers put an error between events, over several lines and without the name of a field."""
    body = b'data: {"a": 1}\n\n{\n  "error": {"code": 503}\n}\n\nnot: {a field}\n\n{"b": 2}'
    decoder = SSEDecoder()
    events = [*decoder.feed(body), *decoder.flush()]
    assert [json.loads(event.data) for event in events] == [{"a": 1}, {"error": {"code": 503}}, {"b": 2}]
