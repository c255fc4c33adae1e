from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streamtally import Choice, Outcome, StreamRecord, StreamType, ToolCall, Usage
from streamtally.pricing.estimate import estimated


def words(text: str) -> int:
    """A tokenizer."""
    return len(text.split())


def record(*choices: Choice, outcome: Outcome = Outcome.COMPLETED, **fields: Any) -> StreamRecord:
    """A record of these choices."""
    kind = fields.pop("stream_type", StreamType.CHAT)
    return StreamRecord(request_id="r", dialect="openai.chat", stream_type=kind, choices=choices, outcome=outcome, **fields)


SAID = Choice(
    text="one two three",
    reasoning="let me see",
    tool_calls=(ToolCall(index=0, name="f", arguments='{"a": 1}'),),
    finish_reason=None,
)


def test_all_words_of_all_choices_are_counted() -> None:
    """Text, reasoning, refusal, and what tools are called with; marked, and a lower bound without the input."""
    found = estimated(record(SAID, Choice(index=1, refusal="no way", finish_reason="stop")), None, words)
    assert found == Usage(output_tokens=3 + 3 + 1 + 2 + 2, source="estimated", partial=True)


def test_the_input_is_the_callers() -> None:
    """A record does not hold what was asked; a whole answer to a known input is no lower bound."""
    found = estimated(record(SAID, params={"input_tokens": 812}), None, words)
    assert found == Usage(input_tokens=812, output_tokens=9, source="estimated")


def test_a_stream_that_was_cut() -> None:
    """The provider's input, and the larger of two counts of the output."""
    cut = record(SAID, outcome=Outcome.CANCELLED, params={"input_tokens": 1})
    placeholder = Usage(input_tokens=40, output_tokens=1, total_tokens=41, partial=True)
    found = estimated(cut, placeholder, words)
    assert found == Usage(input_tokens=40, output_tokens=9, source="estimated", partial=True)
    better = Usage(input_tokens=40, output_tokens=12, partial=True)
    assert estimated(cut, better, words) is better


def test_what_needs_no_estimate_has_none() -> None:
    """A count of the provider's stays; what words do not measure, and what said none, has no estimate."""
    usage = Usage(input_tokens=3, output_tokens=4)
    assert estimated(record(SAID), usage, words) is usage
    assert estimated(record(SAID, stream_type=StreamType.SPEECH), None, words) is None
    assert estimated(record(), None, words) is None


@given(st.text(), st.none() | st.integers(0, 50), st.booleans())
def test_an_estimate_never_lowers_a_count(text: str, said: int | None, partial: bool) -> None:
    """It adds to what is known or leaves it."""
    usage = Usage(input_tokens=3, output_tokens=said, partial=partial)
    found = estimated(record(Choice(text=text, finish_reason=None)), usage, words)
    assert found is not None
    assert (found.output_tokens or 0) >= (said or 0)
    assert (found is usage) is (found.source == "provider")
