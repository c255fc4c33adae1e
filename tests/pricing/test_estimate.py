from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streamtally import Choice, Outcome, StreamRecord, StreamType, ToolCall, Usage
from streamtally.pricing.estimate import estimated


def words(text: str) -> int:
    """A tokenizer that counts words."""
    return len(text.split())


def record(*choices: Choice, outcome: Outcome = Outcome.COMPLETED, **fields: Any) -> StreamRecord:
    """A record of these choices."""
    kind = fields.pop("stream_type", StreamType.CHAT)
    return StreamRecord(request_id="r", dialect="openai.chat", stream_type=kind, choices=choices, outcome=outcome, **fields)


CHOICE = Choice(
    text="one two three",
    reasoning="let me see",
    tool_calls=(ToolCall(index=0, name="f", arguments='{"a": 1}'),),
    finish_reason=None,
)


def test_all_words_of_all_choices_are_counted() -> None:
    """Text, reasoning, refusal and tool calls are counted; without an input count the usage is partial."""
    found = estimated(record(CHOICE, Choice(index=1, refusal="no way", finish_reason="stop")), None, words)
    assert found == Usage(output_tokens=3 + 3 + 1 + 2 + 2, source="estimated", partial=True)


def test_the_input_count_is_a_parameter() -> None:
    """The request parameter `input_tokens` gives the input; with it a complete answer is not partial."""
    found = estimated(record(CHOICE, params={"input_tokens": 812}), None, words)
    assert found == Usage(input_tokens=812, output_tokens=9, source="estimated")


def test_a_stream_that_was_cut() -> None:
    """A cut stream has the provider's input and the larger of the two output counts."""
    cut = record(CHOICE, outcome=Outcome.CANCELLED, params={"input_tokens": 1})
    placeholder = Usage(input_tokens=40, output_tokens=1, total_tokens=41, partial=True)
    found = estimated(cut, placeholder, words)
    assert found == Usage(input_tokens=40, output_tokens=9, source="estimated", partial=True)
    better = Usage(input_tokens=40, output_tokens=12, partial=True)
    assert estimated(cut, better, words) is better


def test_usage_that_needs_no_estimate() -> None:
    """The provider's complete count stays, and streams without text get no estimate."""
    usage = Usage(input_tokens=3, output_tokens=4)
    assert estimated(record(CHOICE), usage, words) is usage
    assert estimated(record(CHOICE, stream_type=StreamType.SPEECH), None, words) is None
    assert estimated(record(), None, words) is None


@given(st.text(), st.none() | st.integers(0, 50), st.booleans())
def test_an_estimate_never_lowers_a_count(text: str, reported: int | None, partial: bool) -> None:
    """An estimate never lowers the output count."""
    usage = Usage(input_tokens=3, output_tokens=reported, partial=partial)
    found = estimated(record(Choice(text=text, finish_reason=None)), usage, words)
    assert found is not None
    assert (found.output_tokens or 0) >= (reported or 0)
    assert (found is usage) is (found.source == "provider")
