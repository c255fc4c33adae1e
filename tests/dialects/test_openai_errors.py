"""Errors inside a stream with HTTP status 200: in every form the record has the error and the content before it."""

import json
from typing import Any

import pytest

from streamtally import StreamRecord, replay
from streamtally.errors import RETRYABLE_STATUS
from tests.dialects.wire import Payload, chat, choice, envelope, event, facts, numbered, read, sse, stated, stops, texts

RATE = {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}
RATE_TOLD = {"type": "rate_limit_error", "message": "slow down", "code": "rate_limit_exceeded", "body": RATE}
GATEWAY = {"code": 502, "message": "Provider returned error", "metadata": {"raw": "?"}}
GATEWAY_TOLD = {"type": "502", "message": "Provider returned error", "code": "502", "status": 502, "body": GATEWAY}


def _unnamed(message: str, body: Any = None) -> dict[str, Any]:
    """An error with only a message."""
    return {"type": "provider_error", "message": message, "body": body or message}


CHUNKS: dict[str, tuple[list[Payload], dict[str, Any]]] = {
    "an error alone": ([{"error": RATE}], RATE_TOLD),
    "an error with a status beside it": ([{"error": RATE, "status_code": 429}], {**RATE_TOLD, "status": 429}),
    "an error that is a text": ([{"error": "boom"}], _unnamed("boom")),
    "an error that is a text, with its type beside it": (
        [{"error": "boom", "error_type": "overloaded"}],
        {"type": "overloaded", "message": "boom", "body": "boom"},
    ),
    "an error with a number for a code": ([chat(error=GATEWAY)], GATEWAY_TOLD),
    "an error beside choices and usage": (
        [chat(choice(0, "error", content=""), error=GATEWAY, usage={"prompt_tokens": 3, "completion_tokens": 0})],
        GATEWAY_TOLD,
    ),
    "an error under x_groq": ([chat(x_groq={"id": "req", "error": "boom"})], _unnamed("boom")),
    "an error in a choice": ([chat(choice(0, "error", beside={"error": GATEWAY}))], GATEWAY_TOLD),
    "only a finish reason": ([stops("error")], {"type": "error"}),
    "an object that is an error": (
        [{"object": "error", "message": "too long", "type": "BadRequestError", "param": None, "code": 400}],
        {"type": "BadRequestError", "message": "too long", "code": "400", "status": 400,
         "body": {"object": "error", "message": "too long", "type": "BadRequestError", "param": None, "code": 400}},
    ),
    "a type that is error": (
        [{"type": "error", "error": {"type": "overloaded_error", "message": "busy", "code": None}}],
        {"type": "overloaded_error", "message": "busy", "body": {"type": "overloaded_error", "message": "busy", "code": None}},
    ),
}  # fmt: skip


def _reported(error: Payload) -> Payload:
    """An error as it is in the record: `retryable` follows from the status."""
    return {**error, "retryable": error["status"] in RETRYABLE_STATUS} if "status" in error else error


def _without_usage(record: StreamRecord) -> dict[str, Any]:
    return {name: value for name, value in stated(record).items() if name in ("outcome", "error")}


@pytest.mark.parametrize("form", CHUNKS)
def test_after_good_chunks(form: str) -> None:
    """The outcome is an error, the type is from its payload, and the text before it is kept."""
    chunks, error = CHUNKS[form]
    record = read([*texts("hel", "lo"), *chunks])
    assert _without_usage(record) == {"outcome": "error", "error": _reported(error)}
    assert record.text == "hello"


@pytest.mark.parametrize("form", CHUNKS)
@pytest.mark.parametrize("dialect", ["openai.chat", None])
def test_as_the_only_event(form: str, dialect: str | None) -> None:
    """A body with only an error makes an error record in any framing, also if no dialect is detected."""
    chunks, error = CHUNKS[form]
    for body in (sse(chunks), sse(chunks, done=True), json.dumps(chunks[0])):
        assert _without_usage(replay(body, dialect=dialect)) == {"outcome": "error", "error": _reported(error)}


def test_an_empty_error_is_none() -> None:
    """Some servers send the field on every chunk."""
    nothings: tuple[Any, ...] = (None, "", {}, False)
    for nothing in nothings:
        assert read([*texts("hello", error=nothing), stops(error=nothing)]).outcome == "completed"


def test_usage_before_an_error_is_kept() -> None:
    """Usage before, with, or after the error is kept, and is partial unless the answer was finished."""
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    for chunks in (
        [chat(choice(content="hi"), usage=usage), {"error": RATE}],
        [*texts("hi"), chat(error=RATE, usage=usage)],
        [*texts("hi"), {"error": RATE}, chat(usage=usage)],
    ):
        record = read(chunks)
        assert record.usage is not None
        assert (record.outcome, record.usage.total_tokens, record.usage.partial) == ("error", 5, True)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(json.dumps({"error": RATE}), RATE_TOLD, id="wrapped"),
        pytest.param(json.dumps(RATE), RATE_TOLD, id="bare"),
        pytest.param(
            json.dumps({"message": "boom"}),
            _unnamed("boom", {"message": "boom"}),
            id="message only",
        ),
        pytest.param(json.dumps("boom"), _unnamed("boom"), id="a JSON text"),
        pytest.param("boom", _unnamed("boom"), id="no JSON"),
    ],
)
@pytest.mark.parametrize(
    "dialect", ["openai.chat", "openai.completions", "openai.responses", "openai.transcription", "openai.images"]
)
def test_an_event_named_error(data: str, error: dict[str, Any], dialect: str) -> None:
    """The name of the event makes it an error, with any data."""
    record = replay(f"event: error\ndata: {data}\n\n", dialect=dialect)
    assert stated(record) == {"outcome": "error", "error": _reported(error)}


def test_an_event_named_error_after_good_chunks() -> None:
    """The text before it is kept."""
    body = sse(texts("hel", "lo")) + f"event: error\ndata: {json.dumps(RATE)}\n\n".encode()
    assert stated(replay(body)) == {"outcome": "error", "choices": ({"text": "hello"},), "error": RATE_TOLD}


def test_a_later_error_completes_an_earlier_one() -> None:
    """Of each field the later value counts, and fields that it lacks stay."""
    record = read(
        [*texts("a"), {"error": {"message": "first", "type": "overloaded"}}, {"error": {"message": "second", "code": 503}}]
    )
    assert record.error is not None
    assert (record.error.type, record.error.message, record.error.status) == ("503", "second", 503)
    record = read([*texts("a"), {"error": {"message": "first", "type": "overloaded"}}, stops("error")])
    assert record.error is not None
    assert (record.error.type, record.error.message) == ("overloaded", "first")


FAILED = {"code": "server_error", "message": "it broke"}


def _items() -> list[Payload]:
    message = {"id": "msg-1", "type": "message", "role": "assistant", "content": [], "status": "in_progress"}
    return [
        envelope("created"),
        event("output_item.added", output_index=0, item=message),
        event("output_text.delta", item_id="msg-1", output_index=0, content_index=0, delta="hello"),
    ]


def _error_event(message: str, code: str | None = "rate_limit_exceeded") -> Payload:
    return {"type": "error", "code": code, "message": message, "param": None}


@pytest.mark.parametrize(
    ("ends", "kind", "message", "code"),
    [
        pytest.param([_error_event("slow")], "rate_limit_exceeded", "slow", "rate_limit_exceeded", id="error alone"),
        pytest.param([envelope("failed", error=FAILED)], "server_error", "it broke", "server_error", id="failed"),
        pytest.param([envelope("failed", error=None)], "provider_error", None, None, id="failed without a word"),
        pytest.param(
            [_error_event("slow"), envelope("failed", error=FAILED)],
            "server_error", "it broke", "server_error", id="error, failed",
        ),
        pytest.param(
            [_error_event("slow"), envelope("failed", error=None)],
            "rate_limit_exceeded", "slow", "rate_limit_exceeded", id="error, failed without a word",
        ),
        pytest.param(
            [envelope("failed", error=FAILED), _error_event("late", None)],
            "server_error", "late", "server_error", id="failed, error",
        ),
        pytest.param(
            [{"type": "error", "error": {"type": "invalid_request_error", "code": None, "message": "no"}, "status": 400}],
            "invalid_request_error", "no", None, id="error as over WebSocket",
        ),
        pytest.param(
            [event("error", error={"type": "overloaded", "message": "busy"})], "overloaded", "busy", None, id="response.error"
        ),
    ],
)  # fmt: skip
def test_responses(ends: list[Payload], kind: str, message: str | None, code: str | None) -> None:
    """`error` and `response.failed` in any order make one error with the fields of both, and the text is kept."""
    events = numbered(*_items(), *ends)
    records = [replay(events), replay(sse(events, named=True)), replay(events[:3] + events[3:] * 2)]
    for record in records:
        assert record.error is not None
        assert (record.error.type, record.error.message, record.error.code) == (kind, message, code)
        assert (record.outcome, record.text) == ("error", "hello")
    assert facts(records[0]) == facts(records[1]) == facts(records[2])


def test_an_error_at_a_sequence_number_that_was_used() -> None:
    """An error is not taken for a duplicate of the event with its number."""
    record = replay([*numbered(*_items()), {**_error_event("slow"), "sequence_number": 0}])
    assert record.error is not None
    assert (record.outcome, record.error.message, record.text) == ("error", "slow", "hello")


@pytest.mark.parametrize(
    ("dialect", "good"),
    [
        pytest.param(
            "openai.completions", {"object": "text_completion", "choices": [{"index": 0, "text": "a"}]}, id="completions"
        ),
        pytest.param("openai.speech", {"type": "speech.audio.delta", "audio": "YQ=="}, id="speech"),
        pytest.param("openai.transcription", {"type": "transcript.text.delta", "delta": "a"}, id="transcription"),
        pytest.param(
            "openai.images", {"type": "image_generation.partial_image", "b64_json": "YQ==", "partial_image_index": 0}, id="images"
        ),
    ],
)
def test_other_kinds_of_stream(dialect: str, good: Payload) -> None:
    """Every type of stream can fail after its start, and keeps its content."""
    for bad in ({"error": RATE}, {"type": "error", "error": RATE}):
        record = read([good, bad], dialect)
        assert _without_usage(record) == {"outcome": "error", "error": RATE_TOLD}
        assert record.text == "a" or record.audio or record.images


@pytest.mark.parametrize("garbage", ["<html>502 Bad Gateway</html>", '{"choices": [', "5", '["a"]', '"text"'])
def test_a_frame_that_is_no_payload(garbage: str) -> None:
    """A frame that is no payload is an error with its text, and the frames around it are read."""
    body = sse(texts("hel")) + f"data: {garbage}\n\n".encode() + sse([*texts("lo"), stops()])
    record = replay(body, dialect="openai.chat")
    assert record.error is not None
    assert (record.outcome, record.error.type, record.text) == ("error", "malformed_payload", "hello")
    assert str(record.error.body).strip("'\"[]a") in garbage
