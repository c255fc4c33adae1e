"""Payloads in forms that no SDK returns, and events with unusual names."""

import dataclasses
import json
from types import SimpleNamespace
from typing import Any

import pytest

from streamtally import Outcome, replay
from streamtally.dialects.payload_reader import PayloadReader
from tests.dialects.wire import chat, choice, envelope, event, stops


@dataclasses.dataclass(slots=True)
class Slotted:
    """A plain object without `__dict__`."""

    content: str


@pytest.mark.parametrize("delta", [SimpleNamespace(content="hi"), Slotted("hi"), {"content": "hi"}])
def test_objects_inside_objects(delta: Any) -> None:
    """Objects inside plain objects are read too, and a surrogate pair may be split."""
    payloads = [
        SimpleNamespace(object="chat.completion.chunk", choices=[SimpleNamespace(index=0, delta=delta, finish_reason=None)]),
        SimpleNamespace(choices=[SimpleNamespace(index=0, delta=SimpleNamespace(content="\ud83d"), finish_reason=None)]),
        SimpleNamespace(choices=[SimpleNamespace(index=0, delta=SimpleNamespace(content="\ude00"), finish_reason="stop")]),
    ]
    record = replay(payloads, dialect="openai.chat")
    assert (record.text, record.outcome) == ("hi\U0001f600", Outcome.COMPLETED)


def test_images_of_two_choices() -> None:
    """Each choice has its own; their indices continue."""
    images = [{"index": 0, "image_url": {"url": url}} for url in ("https://a", "https://b")]
    record = replay([chat(choice(1, images=images[1:]), choice(0, images=images[:1]))], dialect="openai.chat")
    assert [(image.index, image.url) for image in record.images] == [(0, "https://a"), (1, "https://b")]


@pytest.mark.parametrize(("name", "is_content"), [("text", True), ("summary", True), ("data", True), ("signature", False)])
def test_reasoning_in_details_alone(name: str, is_content: bool) -> None:
    """Reasoning in details alone is generated content; a signature is not."""
    (chunk,) = PayloadReader().read(chat(choice(reasoning_details=[{"type": "t", "index": 0, name: "x"}])))
    assert bool(chunk.flags) == is_content


def test_an_error_event_without_an_error_inside() -> None:
    """The fields of the event are those of the error."""
    record = replay([event("created", response={"id": "r"}), event("error", message="no", code="c")], dialect="openai.responses")
    assert record.outcome is Outcome.ERROR
    assert record.error is not None
    assert (record.error.message, record.error.type, record.error.code) == ("no", "c", "c")


def test_a_response_that_was_cancelled() -> None:
    """A cancelled response has ended without a finish reason, and what it used is final."""
    usage = {"input_tokens": 3, "output_tokens": 1}
    record = replay([envelope("created"), envelope("cancelled", status="cancelled", usage=usage)], dialect="openai.responses")
    assert record.outcome is Outcome.CANCELLED
    assert (record.finish_reason, record.choices[0].finish_reason_raw) == (None, "cancelled")
    assert record.usage is not None
    assert not record.usage.partial


ERROR = json.dumps({"error": {"type": "t", "message": "no", "details": ["x", 1]}}, indent=2).encode()


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_body_over_several_lines(end: bytes) -> None:
    """A JSON body over several lines is one payload, also in pieces."""
    record = replay([(ERROR + end)[start : start + 7] for start in range(0, len(ERROR + end), 7)])
    assert record.error is not None
    assert (record.error.type, record.error.message) == ("t", "no")


def test_lines_that_wait_are_not_lost() -> None:
    """A line that is no JSON is reported, before the good line that follows, or at the end."""
    good = json.dumps(stops()).encode()
    for body, kinds in ((b'{"a\n' + good + b"\n", [True, False]), (b'{"a\n{"b\n', [True, True])):
        reader = PayloadReader()
        chunks = [*reader.read(body), *reader.end()]
        assert [bool(chunk.error) for chunk in chunks] == kinds


def test_blank_keepalives_before_the_body() -> None:
    """Blank lines before the body are not kept in memory."""
    reader = PayloadReader()
    for _ in range(1_000):
        assert not list(reader.read(b" " * 100 + b"\n"))
    (chunk,) = [*reader.read(b"data: " + json.dumps(stops()).encode() + b"\n\n"), *reader.end()]
    assert chunk.finish_reason == "stop"
    assert len(reader._start) < 10_000
