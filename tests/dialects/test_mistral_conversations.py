"""The dialect `mistral.conversations`: the SDK's events, whole responses, and what tells its events from others."""

from typing import Any

import pytest

from streamtally import Outcome, Tally, replay, to_response
from streamtally.dialects import dialect_named
from tests.dialects.wire import OTHER_SDKS, Payload, read, texts
from tests.quirks.mistral_conversations import SOURCE, STARTED, calls, done, event, runs, says, thinking
from tests.sdk_types import check_response

WHOLE = [
    STARTED,
    runs("started", arguments='{"query": "q"}'),
    runs("done", info={}),
    says(thinking("hm"), output_index=1),
    says("It ", index=1, output_index=1),
    says("is.", index=1, output_index=1),
    says(SOURCE, index=2, output_index=1),
    calls('{"a": 1}', at=2),
    done(188, 55, 7_355, connector_tokens=7_112, connectors={"web_search": 1}),
]


def test_events_of_the_sdk() -> None:
    """They have the fields as `data`, and make the same record as the events on the wire."""
    record = read(WHOLE, "mistral.conversations")
    assert (record.text, record.reasoning, record.provider, record.model) == ("It is.", "hm", "mistral", "mistral-1")
    assert [item["type"] for item in record.output_items] == ["tool.execution", "message.output", "function.call"]


def test_the_class_of_an_event_states_the_dialect() -> None:
    """Whatever is in it."""
    (unknown,) = [OTHER_SDKS["mistral.conversations"](payload) for payload in [event("agent.note")]]
    record = replay([unknown])
    assert (record.dialect, record.provider, record.outcome) == ("mistral.conversations", "mistral", Outcome.TRUNCATED)
    assert record.extras["events"]["agent.note"][0]["type"] == "agent.note"


def test_the_whole_response() -> None:
    """The response form is valid for the SDK, and is read as the same answer."""
    record = replay(WHOLE)
    whole = to_response(record)
    check_response("mistral.conversations", whole)
    assert (whole["conversation_id"], whole["outputs"][2]["arguments"]) == ("conv_1", '{"a": 1}')
    again = replay([whole])
    assert (again.dialect, again.outcome, again.model) == ("mistral.conversations", Outcome.COMPLETED, "mistral-1")
    assert (again.text, again.reasoning, again.usage) == (record.text, record.reasoning, record.usage)
    assert again.tool_calls == record.tool_calls


def test_the_whole_response_of_what_was_cut() -> None:
    """Without a report the counts are zero, which the SDK requires."""
    check_response("mistral.conversations", to_response(replay([STARTED, says("a")])))


@pytest.mark.parametrize("value", [None, "x", 1, [], [None], ["x"], [[]], {}, {"a": 1}])
@pytest.mark.parametrize("name", ["type", "content", "model", "role", "arguments", "tool_call_id"])
def test_a_whole_response_with_something_wrong(name: str, value: Any) -> None:
    """Any field of an output, or of a part of it, may have any value."""
    message = {"type": "message.output", "content": [{"type": "text", "text": "a"}, {"type": "thinking", name: value}]}
    outputs = [{**message, name: value}, {"type": "function.call", name: value}, value, message]
    record = replay([{"object": "conversation.response", "conversation_id": "c", "outputs": outputs, "usage": {name: value}}])
    assert "observation_faults" not in record.extras
    assert record.outcome is Outcome.COMPLETED
    assert record.text.endswith("a")


def test_a_content_that_is_one_text() -> None:
    """So whole responses have it."""
    message = {"type": "message.output", "content": "Hello", "role": "assistant"}
    record = replay([{"object": "conversation.response", "conversation_id": "c", "outputs": [message], "usage": {}}])
    assert (record.text, record.choices[0].role, record.model) == ("Hello", "assistant", None)


def test_add_ends_with_the_terminal() -> None:
    """The end, or an error, ends a keyed stream."""
    for last in (done(), event("conversation.response.error", message="gone", code=500)):
        tally = Tally()
        found = [tally.add("r", payload) for payload in (STARTED, says("a"), last)]
        assert [record is None for record in found] == [True, True, False]


def test_another_response_after_the_end() -> None:
    """It is a part of its own, and usage is summed."""
    record = replay([STARTED, says("a"), done(9, 4), STARTED, says("b", "msg_2"), done(11, 2)])
    assert (record.text, len(record.parts)) == ("ab", 2)
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (20, 6)


@pytest.mark.parametrize("payload", WHOLE)
def test_events_that_are_recognised(payload: Payload) -> None:
    """On the wire, and as the SDK's mappings; the chat's events have `data` too."""
    for each in (payload, {"event": payload["type"], "data": payload}):
        assert dialect_named("mistral.conversations").recognises(each)
        assert not dialect_named("mistral.chat").recognises(each)


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "message.output.delta", "content": "a"},
        {"type": "function.call.begun", "id": "a"},
        {"type": "conversation.created"},
        {"data": texts("a")[0]},
        {"object": "conversation.response"},
    ],
)
def test_events_of_others(payload: Payload) -> None:
    """A name alone is no event of this API."""
    assert not dialect_named("mistral.conversations").recognises(payload)
