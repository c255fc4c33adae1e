"""The dialect `vercel.ui`: messages of several steps, and what tells its parts from others."""

import pytest

from streamtally import Outcome, Tally, replay, to_response
from streamtally.dialects import dialect_named
from tests.dialects.wire import Payload, read
from tests.quirks.vercel import CACHED, SOURCE, START, STEP, STEP_END, calls, finish, result, says, thinks

WHOLE = [
    START,
    STEP,
    *thinks("hm", providerMetadata={"anthropic": {"signature": "s"}}),
    *says("I look. "),
    *calls("c1", "f", '{"a": ', "1}", whole={"a": 1}),
    result("c1", output=[42]),
    STEP_END,
    STEP,
    SOURCE,
    *says("It is ", "42."),
    STEP_END,
    finish(metadata={"usage": CACHED, "model": "m-1"}),
]


def test_a_message_of_two_steps() -> None:
    """It is one answer; all framings make the same record."""
    record = read(WHOLE, "vercel.ui")
    assert (record.text, record.reasoning, record.finish_reason, record.model) == ("I look. It is 42.", "hm", "stop", "m-1")
    assert [part["type"] for part in record.output_items] == [
        "step-start", "reasoning", "text", "tool-f", "step-start", "source-url", "text"
    ]  # fmt: skip
    assert record.output_items[3] == {
        "type": "tool-f",
        "toolCallId": "c1",
        "toolName": "f",
        "state": "output-available",
        "input": {"a": 1},
        "output": [42],
    }
    assert record.provider is None


def test_there_is_no_response_object() -> None:
    """The protocol is between an application and its user interface; no API has the message as a response."""
    with pytest.raises(ValueError, match=r"vercel\.ui has no response object"):
        to_response(replay(WHOLE))


def test_add_ends_with_the_terminal() -> None:
    """The end of a step ends no message."""
    tally = Tally()
    found = [tally.add("r", payload) for payload in WHOLE]
    assert [record is None for record in found] == [True] * (len(WHOLE) - 1) + [False]


def test_parts_that_stream_at_the_same_time() -> None:
    """Each keeps its own words."""
    one, other = says("a", "b", at="1"), says("c", "d", at="2")
    record = replay([START, *(each for pair in zip(one, other, strict=True) for each in pair), finish()])
    assert [part["text"] for part in record.output_items] == ["ab", "cd"]
    assert record.text == "abcd"


def test_a_message_after_another() -> None:
    """It is a part of the record, with usage of its own."""
    record = replay([*WHOLE, {**START, "messageId": "msg_2"}, *says("Bye"), finish()])
    assert (record.text, record.outcome) == ("I look. It is 42.Bye", Outcome.COMPLETED)
    assert [part.response_id for part in record.parts] == ["msg_1", "msg_2"]


@pytest.mark.parametrize("payload", [each for each in WHOLE if each not in (START, STEP, STEP_END, WHOLE[-1])])
def test_parts_that_are_recognised(payload: Payload) -> None:
    """By their type and the field that the protocol requires."""
    assert dialect_named("vercel.ui").recognises(payload)


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "start"},
        {"type": "finish", "finishReason": "stop"},
        {"type": "text-delta", "text": "a"},
        {"type": "content-delta", "index": 0, "delta": {"message": {}}},
        {"type": "error", "error": {"message": "m"}},
        {"type": "file", "name": "f"},
        {"type": "tool-input-delta", "delta": "a"},
    ],
)
def test_parts_of_others(payload: Payload) -> None:
    """A type alone is no part of this protocol."""
    assert not dialect_named("vercel.ui").recognises(payload)


@pytest.mark.parametrize(
    "others",
    [
        [{"type": "start"}, {"type": "end"}],
        [{"type": "start"}, {"type": "token", "text": "a"}, {"type": "finish"}],
        [{"type": "start-step"}, {"type": "data-x", "data": 1}],
        [{"type": "start"}, {"type": "abort"}],
    ],
)
def test_a_guess_that_nothing_confirms(others: list[Payload]) -> None:
    """Such a stream is opaque and complete."""
    record = replay(others)
    assert (record.dialect, record.outcome, record.provider) == ("opaque", Outcome.COMPLETED, None)
