"""Anthropic's Text Completions on Bedrock, and their form without streaming; quirks are in `tests/quirks/anthropic.py`."""

import json

import pytest

from streamtally import Tally, replay, to_response
from tests.quirks.anthropic import METRICS, completes
from tests.quirks.bedrock import wrapped
from tests.quirks.bodies import event_stream

ANSWER = [completes(" Hel"), completes("lo"), completes("", "stop_sequence", stop="END")]


@pytest.mark.parametrize("typed", [True, False])
def test_a_model_on_bedrock(typed: bool) -> None:
    """InvokeModel wraps the same events, which have no type in old versions, and adds counts to the last one."""
    events = [*ANSWER[:2], {**ANSWER[2], "amazon-bedrock-invocationMetrics": METRICS}]
    events = [{name: value for name, value in each.items() if typed or name != "type"} for each in events]
    record = replay(event_stream(wrapped(events)))
    assert (record.dialect, record.provider, record.text) == ("bedrock.invoke", "aws", " Hello")
    assert (record.finish_reason, record.model, record.extras["stop"]) == ("stop", "claude-2.1", "END")
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (9, 4)


def test_a_message_of_a_guardrail() -> None:
    """It has neither a type nor a reason."""
    record = replay(wrapped([{"completion": "No.", "amazon-bedrock-guardrailAction": "INTERVENED"}]))
    assert (record.text, record.finish_reason) == ("No.", "content_filter")


def test_the_last_event_ends_a_keyed_stream() -> None:
    """The reason comes last."""
    tally = Tally()
    ended = [tally.add("r", each, index=index) for index, each in enumerate(ANSWER)]
    assert ended[:2] == [None, None]
    assert ended[2] is not None
    assert ended[2].text == " Hello"


def test_the_form_without_streaming() -> None:
    """It is an event with all of the text."""
    response = to_response(replay(ANSWER))
    assert response == {**completes(" Hello", "stop_sequence", stop="END")}
    assert replay(json.dumps(response)).text == " Hello"
