"""The dialect `openai.realtime`: sessions, the SDK's objects, and what tells their events from others."""

from typing import Any

import pytest

from streamtally import Outcome, StreamRecord, Tally, replay, to_response
from streamtally.dialects import dialect_named
from tests.dialects.wire import Payload, envelope, facts, numbered, sdk_objects
from tests.dialects.wire import event as of_responses
from tests.quirks.realtime import SPLIT, USER, calls, created, done, event, heard, says, session, speaks, used
from tests.sdk_types import check_response

DONE_ITEM = {"id": "resp_1_0", "type": "message", "role": "assistant", "status": "completed",
             "content": [{"type": "output_audio", "transcript": "Hello"}]}  # fmt: skip

SESSION = [
    session(),
    event("conversation.item.added", previous_item_id=None, item=USER),
    heard("completed", transcript="Hi", usage={"type": "tokens", **used(50, 5)}),
    created(),
    *speaks(("Hel", "YWFh"), ("lo", "YmI=")),
    *calls(1, "f", '{"a": 1}'),
    done(usage=SPLIT, output=[DONE_ITEM]),
    event("rate_limits.updated", rate_limits=[]),
    created("resp_2"),
    *says("Bye", response_id="resp_2"),
    done("resp_2", usage=used(9, 4)),
]


def keyed(events: list[Any]) -> StreamRecord:
    """The record of a session whose events are added one by one, by their dialect's own rules."""
    tally = Tally()
    assert [tally.add("r", each) for each in events] == [None] * len(events)
    return tally.finish("r")


def test_a_session() -> None:
    """Texts, sound, calls and items go on from response to response; usage is summed."""
    record = replay(SESSION)
    assert (record.dialect, record.outcome, record.finish_reason) == ("openai.realtime", Outcome.COMPLETED, "stop")
    assert record.audio is not None
    assert (record.text, record.audio.transcript, record.audio.data) == ("Bye", "Hello", b"aaabb")
    assert [(call.id, call.arguments_json) for call in record.tool_calls] == [("c1", {"a": 1})]
    assert [item["id"] for item in record.output_items] == ["resp_1_0", "resp_1_1", "resp_2_0"]
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (50, 31)
    assert [part.finish_reason for part in record.parts] == ["tool_calls", "stop"]


def test_other_ways_of_reading() -> None:
    """The SDK's objects, and events that are added one by one, make the same record."""
    expected = facts(replay(SESSION))
    assert facts(replay(sdk_objects(SESSION, "openai.realtime"))) == expected
    assert facts(keyed(SESSION)) == expected
    assert facts(keyed(sdk_objects(SESSION, "openai.realtime"))) == expected


def test_the_end_of_a_session_is_that_of_its_source() -> None:
    """A response that is done ends no keyed stream; the next one is not confused with it."""
    tally = Tally()
    tally.open("r", dialect="openai.realtime")
    for each in (created(), *says("a"), done(usage=used(9, 4))):
        assert tally.add("r", each) is None
    assert tally.snapshot("r").text == "a"
    for each in (*says("b", response_id="resp_2")[2:], event("output_audio_buffer.stopped", response_id="resp_1")):
        assert tally.add("r", each) is None
    record = tally.finish("r")
    assert (record.text, len(record.parts), record.outcome) == ("ab", 2, Outcome.TRUNCATED)
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.partial) == (9, True)


def test_the_response_form() -> None:
    """One response, which the SDK's type validates, without what the user said."""
    whole = to_response(replay(SESSION))
    check_response("openai.realtime", whole)
    assert (whole["id"], whole["status"], len(whole["output"])) == ("resp_2", "completed", 3)
    assert not any(name.startswith("input.") for name in whole)


@pytest.mark.parametrize(
    ("end", "status", "details"),
    [
        ([], "incomplete", None),
        (
            [done(status="cancelled", status_details={"type": "cancelled", "reason": "turn_detected"})],
            "cancelled",
            "turn_detected",
        ),
        ([done(status="incomplete", status_details={"reason": "max_output_tokens"})], "incomplete", "max_output_tokens"),
        ([done(status="failed", status_details={"error": {"type": "t", "code": "c"}})], "failed", None),
        ([event("error", error={"type": "t", "message": "m"})], "failed", None),
    ],
)
def test_the_status_of_the_response_form(end: list[Payload], status: str, details: str | None) -> None:
    """That of the last response, else by the outcome."""
    whole = to_response(replay([session(), created(), *says("a"), *end]))
    check_response("openai.realtime", whole)
    assert (whole["status"], whole.get("status_details", {}).get("reason")) == (status, details)


LIVE = [
    {"type": "session.started", "event_id": "e1", "session": {"id": "s", "model": "gpt-live-1"}},
    {"type": "session.updated", "event_id": "e2", "session": {"id": "s"}},
    {"type": "session.output_transcript.delta", "event_id": "e3", "delta": "Hel", "start_ms": 0, "end_ms": 1},
    {"type": "session.output_audio.delta", "delta": "YWFh"},
    {"type": "response.event", "event_id": "e4", "event": {"type": "response.created"}},
    {"type": "session.usage.updated", "event_id": "e5", "usage": {"seconds": 3.5}},
    {"type": "session.closed", "event_id": "e6", "reason": "close_requested", "session": {}, "usage": {"seconds": 4}},
]


def test_a_live_session_is_opaque() -> None:
    """It has other events, is billed by time, and is taken for no other format; all of it is kept."""
    record = replay(LIVE)
    assert (record.dialect, record.outcome, record.usage) == ("opaque", Outcome.COMPLETED, None)
    assert record.extras["payloads"] == LIVE


@pytest.mark.parametrize("payload", [each for each in SESSION if each["type"] != "error"])
def test_events_of_a_session(payload: Payload) -> None:
    """Each is recognised as one of a session, and not of the Responses API."""
    assert dialect_named("openai.realtime").recognises(payload)
    assert not dialect_named("openai.responses").recognises(payload)


@pytest.mark.parametrize(
    "payload",
    [
        *numbered(
            envelope("created"),
            of_responses("output_text.delta", item_id="m", output_index=0, content_index=0, delta="a"),
            envelope("completed"),
        ),
        {**of_responses("output_text.delta", item_id="m", output_index=0, delta="a"), "sequence_number": 1, "event_id": "e"},
        {**envelope("created"), "event_id": "e"},
        *LIVE,
        {"type": "session.created", "event_id": "e", "session": {"user": "u"}},
        {"type": "session.created", "session": {"object": "realtime.session"}},
    ],
)
def test_events_of_others(payload: Payload) -> None:
    """Responses have numbers in place of IDs; live sessions have types of their own; anybody may have sessions."""
    assert not dialect_named("openai.realtime").recognises(payload)
