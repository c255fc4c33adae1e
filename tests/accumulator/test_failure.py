"""The error fields that are taken from an exception, also from one whose attributes cannot be read."""

import json
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from botocore.exceptions import EventStreamError
from google.genai.errors import APIError as GoogleError

from streamtally import Outcome, StreamRecord, Tally, replay
from streamtally.accumulator import failure_fields


class Mute(Exception):
    """An exception that raises when its text or any attribute is read."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


def test_an_exception_that_raises_when_it_is_read() -> None:
    """The error fields of an unreadable exception are its class name alone."""
    assert {name: value for name, value in failure_fields(Mute()).items() if value is not None} == {
        "type": "Mute",
        "exception": "Mute",
    }


def test_the_source_of_such_an_exception_ends_all_the_same() -> None:
    """An unreadable exception reaches the caller itself, and the stream gets one record."""
    records: list[StreamRecord] = []
    tally = Tally(exporters=[records.append])
    error = Mute()

    def source() -> object:
        raise error

    with pytest.raises(Mute) as caught:
        list(tally.wrap(source))
    assert caught.value is error
    assert [record.outcome for record in records] == [Outcome.ERROR]
    assert len(tally.accumulator) == 0


@pytest.mark.parametrize("name", ["body", "json_data"])
def test_what_the_provider_answered(name: str) -> None:
    """An SDK's exception has it under one of two names, and may say nothing of it in its message."""
    error = RuntimeError("An error occurred")
    setattr(error, name, {"code": "1302", "message": "too many"})
    fields = failure_fields(error)
    assert (fields["message"], fields["body"]) == ("too many", {"code": "1302", "message": "too many"})


def _refused(status: int, path: str) -> httpx2.Response:
    return httpx2.Response(status, request=httpx2.Request("POST", f"https://api.example.com/v1{path}"))


OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
BUSY = {"message": "busy", "type": "server_error", "code": 503}
UNAVAILABLE = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
BROKEN = {"modelStreamErrorException": {"message": "broken"}}

RAISED: dict[str, tuple[Exception, str, Any, int]] = {
    "anthropic, in the stream": (
        anthropic.APIStatusError("x", response=_refused(200, "/messages"), body=OVERLOADED),
        "anthropic.messages", OVERLOADED, 529,
    ),
    "openai, in the stream": (
        openai.APIError("busy", httpx2.Request("POST", "https://api.example.com/v1/chat/completions"), body=BUSY),
        "openai.chat", {"error": BUSY}, 503,
    ),
    "google": (GoogleError(503, UNAVAILABLE), "gemini", UNAVAILABLE, 503),
    "botocore, in the stream": (
        EventStreamError({"Error": {"Code": "modelStreamErrorException", "Message": "broken"}}, "ConverseStream"),
        "bedrock.converse", BROKEN, 424,
    ),
}  # fmt: skip
"""An SDK's exception, the dialect, the payload that it was made of, and the status that it means."""


@pytest.mark.parametrize("name", RAISED)
def test_live_and_replay_say_the_same(name: str) -> None:
    """What the exception of a real SDK carries is read as it is in a recording; a refused request has its dialect."""
    error, dialect, payload, status = RAISED[name]

    def refuse() -> object:
        raise error

    stream = Tally().wrap(refuse)
    with pytest.raises(type(error)):
        list(stream)
    live, recorded = stream.record, replay(f"data: {json.dumps(payload)}\n\n", dialect=dialect)
    assert live.error is not None
    assert recorded.error is not None
    assert live.dialect == recorded.dialect == dialect
    for field in ("type", "message", "code", "status", "retryable"):
        assert getattr(live.error, field) == getattr(recorded.error, field), field
    assert (live.error.status, live.error.exception) == (status, type(error).__name__)


def test_where_a_request_was_refused() -> None:
    """The exception shows the server, and an HTTP status wins over that of the payload."""
    body = {"message": "slow down", "type": "rate_limit_exceeded", "code": None}
    error = openai.RateLimitError("x", response=_refused(429, "/responses"), body=body)

    def refuse() -> object:
        raise error

    stream = Tally().wrap(refuse)
    with pytest.raises(openai.RateLimitError):
        list(stream)
    record = stream.record
    assert (record.dialect, record.server_address, record.server_port) == ("openai.responses", "api.example.com", 443)
    assert record.error is not None
    assert (record.error.status, record.error.type, record.error.retryable) == (429, "rate_limit_exceeded", True)
