"""Frames of every framing to payloads, and bodies that are cut, broken, or of another kind."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from streamtally import Outcome, StreamRecord, replay
from streamtally.chunks import Chunk
from streamtally.dialects import Dialect, PayloadReader
from streamtally.records import StreamType
from tests.dialects.wire import chat, facts, pieces, sse, stops, texts
from tests.framing.wire import event, message

CHUNKS = [*texts("hel", "lo"), stops()]


def read(body: bytes, length: int = 1 << 20) -> tuple[list[Any], list[Any], str]:
    """The payloads that the dialect reads, the errors, and the tail."""
    given: list[Any] = []

    def chunk(payload: Any) -> Chunk:
        given.append(payload)
        return Chunk()

    reader = PayloadReader(Dialect("any", StreamType.TEXT, chunk))
    chunks = [one for piece in pieces(body, length) for one in reader.read(piece)]
    chunks += reader.end()
    return given, [one.error for one in chunks if one.error], reader.tail


def exception(kind: str, payload: bytes) -> bytes:
    """A message that is a modelled exception."""
    return message({":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}, payload)


@pytest.mark.parametrize("length", [1, 50, 1 << 20])
def test_event_stream(length: int) -> None:
    """Each payload is under the name of its event or exception, as in boto3; an unmodelled error is an error."""
    piece = base64.b64encode(b'{"type":"message_start"}').decode()
    body = (
        event("messageStart", b'{"role": "assistant"}')
        + event("chunk", json.dumps({"bytes": piece, "p": "abc"}).encode())
        + event("messageStop", b"")
        + exception("throttlingException", b'{"message": "slow down"}')
        + message({":message-type": "error", ":error-code": "InternalFailure", ":error-message": "broken"})
    )
    assert read(body, length) == (
        [
            {"messageStart": {"role": "assistant"}},
            {"chunk": {"bytes": piece, "p": "abc"}},
            {"messageStop": {}},
            {"throttlingException": {"message": "slow down"}},
            {"error": {"code": "InternalFailure", "message": "broken"}},
        ],
        [],
        "",
    )


def test_event_stream_with_a_payload_that_is_no_json() -> None:
    """A payload that is no JSON is an error, and the other messages are read."""
    given, errors, _ = read(event("a", b"{") + event("b", b"1") + message({":message-type": "event"}, b'{"c": 1}'))
    assert given == [{"b": 1}, {"c": 1}]
    assert [(one["type"], one["body"]) for one in errors] == [("malformed_payload", "{")]


@pytest.mark.parametrize("length", [1, 7, 1 << 20])
def test_event_stream_that_breaks(length: int) -> None:
    """Messages before a wrong checksum are kept, and the error is reported once."""
    whole = event("a", b"{}")
    given, errors, tail = read(whole + whole[:-1] + b"\0" + whole + whole, length)
    assert (given, [one["type"] for one in errors], tail) == ([{"a": {}}], ["framing_error"], "")


def test_event_stream_whose_first_bytes_are_wrong() -> None:
    """If only events are possible, a body that begins with a null byte is an event stream."""
    given, errors, _ = read(b"\0\0\1\0" + b"x" * 100)
    assert (given, [one["type"] for one in errors]) == ([], ["framing_error"])


def test_event_stream_that_is_cut() -> None:
    """An incomplete message is no error; the tail has its bytes in base64."""
    whole = event("a", b"{}")
    for at in range(1, len(whole)):
        given, errors, tail = read(whole + whole[:at])
        assert (given, errors, base64.b64decode(tail)) == ([{"a": {}}], [], whole[:at])


def test_events_whose_name_is_their_type() -> None:
    """The event's name is the type if the data has none, and nothing else."""
    body = b"".join(
        f"event: {name}\ndata: {data}\n\n".encode()
        for name, data in [
            ("stream-start", '{"a": 1}'),
            ("message", '{"a": 2}'),
            ("named", '{"type": "other"}'),
            ("named", '{"type": null}'),
            ("named", "[1]"),
            ("done", "[DONE]"),
            ("error", '{"message": "no"}'),
            ("error", '{"type": "error", "error": {"message": "no"}}'),
            ("error", "no"),
        ]
    )
    given, errors, _ = read(body)
    assert given == [
        {"type": "stream-start", "a": 1},
        {"a": 2},
        {"type": "other"},
        {"type": None},
        {"error": {"message": "no"}},
        {"type": "error", "error": {"message": "no"}},
        {"error": "no"},
    ]
    assert [one["message"] for one in errors] == ["a list is no chunk"]


FORMS: dict[str, Callable[[list[Any]], str]] = {
    "lines": lambda chunks: "\n".join(map(json.dumps, chunks)),
    "lines, then the end marker": lambda chunks: "\n".join([*map(json.dumps, chunks), "[DONE]\n"]),
    "one after another": lambda chunks: "".join(map(json.dumps, chunks)),
    "over several lines": lambda chunks: "\r\n".join(json.dumps(chunk, indent=2) for chunk in chunks),
    "an array": json.dumps,
    "an array over several lines": lambda chunks: json.dumps(chunks, indent=2) + "\n",
    "an array after a byte order mark": lambda chunks: "\ufeff\n" + json.dumps(chunks),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dialect", ["openai.chat", None])
def test_json_texts(form: str, dialect: str | None) -> None:
    """Every form of a body of JSON texts makes the record of its payloads, in pieces of any size."""
    body = FORMS[form](CHUNKS).encode()
    for length in (1, 10, 1 << 20):
        assert facts(replay(pieces(body, length), dialect=dialect)) == facts(replay(CHUNKS, dialect="openai.chat"))


@pytest.mark.parametrize("form", ["lines", "over several lines", "an array", "an array over several lines"])
def test_json_texts_cut_anywhere(form: str) -> None:
    """A text that is cut short is no error: it is the tail, and the stream is truncated."""
    body = FORMS[form](texts("a", "b"))
    for at in range(body.index("}") + 1, len(body)):
        record = replay(body[:at], dialect="openai.chat")
        tail = record.extras.get("tail", "")
        assert (record.outcome, record.error) == (Outcome.TRUNCATED, None)
        assert tail == "[" or body[:at].rstrip().endswith(tail)


def test_elements_come_as_they_are_complete() -> None:
    """The elements of an array are read before it ends."""
    reader = PayloadReader()
    first, second = (json.dumps(chunk) for chunk in texts("a", "b"))
    assert [chunk.text for chunk in reader.read(f"[{first}".encode())] == ["a"]
    assert [chunk.text for chunk in reader.read(f",\n{second}".encode())] == ["b"]


def replayed(body: Any) -> tuple[Any, ...]:
    """The kind of record that a body makes if no dialect is stated."""
    record: StreamRecord = replay(body)
    return record.dialect, record.outcome, record.text, record.error and record.error.message


@pytest.mark.parametrize(
    "page",
    ["<!doctype html>\n<html><body>502</body></html>", "upstream connect error", "Größe", "x" * 1000, "d", "\n\nno\tmore\r\n"],
)
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, str])
def test_text_is_no_sound(page: str, kind: Any) -> None:
    """A body of plain text, such as a page that reports an error, is text."""
    assert replayed(page if kind is str else kind(page.encode())) == ("text", Outcome.COMPLETED, page, None)
    for dialect in ("openai.speech", "openai.chat"):
        record = replay(page, dialect=dialect)
        assert (record.outcome, record.audio) == (Outcome.TRUNCATED, None)
        assert record.extras["tail"].strip() == page.strip()


def test_text_in_pieces() -> None:
    """Characters that are cut are joined, whether the dialect is stated or detected."""
    text = "漢字 и 😀 " * 20
    for dialect in ("text", None):
        for length in (1, 2, 3, 1000):
            record = replay(pieces(text.encode(), length), dialect=dialect)
            assert (record.dialect, record.text, record.outcome) == ("text", text, Outcome.COMPLETED)


@pytest.mark.parametrize("indent", [None, 2])
def test_one_whole_body(indent: int | None) -> None:
    """An answer without streaming makes a record; an error makes an error record."""
    whole = chat({"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"})
    assert replayed(json.dumps(whole, indent=indent)) == ("openai.chat", Outcome.COMPLETED, "hi", None)
    for error in ({"error": {"message": "no"}}, {"error": "no"}, [{"error": {"code": 429, "message": "no"}}]):
        body = json.dumps(error, indent=indent)
        assert replayed(body)[1:] == (Outcome.ERROR, "", "no")
        assert replayed(pieces(body.encode(), 1))[1:] == (Outcome.ERROR, "", "no")


def test_a_broken_line_costs_only_itself() -> None:
    """The lines after it are read, and it is reported."""
    first, second, last = (json.dumps(chunk) for chunk in CHUNKS)
    record = replay("\n".join([first, second[:40], last, "[DONE]"]), dialect="openai.chat")
    assert record.error is not None
    assert (record.text, record.finish_reason, record.error.type, record.error.body) == (
        "hel",
        "stop",
        "malformed_payload",
        second[:40],
    )


def test_events_in_pieces_of_any_size() -> None:
    """Server-sent events are detected from their first bytes, and read in any pieces."""
    for length in (1, 3, 100):
        assert facts(replay(pieces(sse(CHUNKS), length))) == facts(replay(CHUNKS))
