"""The dialect `gemini.live`: the SDK's objects, and what tells its messages from those of `gemini`."""

from typing import Any

import pytest

from streamtally import Outcome, Tally, replay
from streamtally.dialects import dialect_named
from tests.dialects import gemini_wire
from tests.dialects.wire import Payload, facts
from tests.quirks.live import CALL, SETUP, USED, content, ends, sound, turn

SESSION = [
    SETUP,
    turn(sound("YWFh")),
    content(outputTranscription={"text": "Hello"}),
    CALL,
    turn({"text": "so", "thought": True}),
    content(interrupted=True),
    ends(USED),
    turn({"text": "Bye"}),
    ends(USED, turnCompleteReason="NEED_MORE_INPUT"),
]


def of_sdk(payload: Payload) -> Any:
    """The SDK's object, whose names are in snake_case."""
    return pytest.importorskip("google.genai.types").LiveServerMessage.model_validate(payload)


def test_objects_of_the_sdk() -> None:
    """They make the same record as the messages of the socket."""
    record = replay(SESSION)
    assert facts(replay(list(map(of_sdk, SESSION)))) == facts(record)
    assert (record.dialect, record.text, record.reasoning, record.outcome) == ("gemini.live", "Bye", "so", Outcome.COMPLETED)
    assert record.audio is not None
    assert (record.audio.data, record.audio.transcript) == (b"aaa", "Hello")


def test_the_end_of_a_session_is_that_of_its_source() -> None:
    """Turns end no keyed stream."""
    tally = Tally()
    assert [tally.add("r", message) for message in SESSION] == [None] * len(SESSION)
    assert facts(tally.finish("r")) == facts(replay(SESSION))


@pytest.mark.parametrize("payload", SESSION[1:])
def test_messages_that_are_recognised(payload: Payload) -> None:
    """By what is in them; usage has names in common with `gemini`, which does not take it for its own."""
    assert dialect_named("gemini.live").recognises(payload)
    assert not dialect_named("gemini").recognises(payload)
    assert not dialect_named("gemini").resembles(payload)


@pytest.mark.parametrize(
    "payload",
    [
        gemini_wire.reply(gemini_wire.text("a"), usage={"promptTokenCount": 1}),
        {"serverContent": "a"},
        {"serverContent": {"title": "a"}},
        {"toolCall": {"name": "f"}},
        {"usageMetadata": {"promptTokenCount": 1}},
    ],
)
def test_messages_of_others(payload: Payload) -> None:
    """A name alone is no message of this API."""
    assert not dialect_named("gemini.live").recognises(payload)
