"""Each claim of the comparison, on what both really made of it."""

import json
from collections.abc import Iterator

import pytest

from streamtally import Outcome, StreamRecord, Tally
from streamtally.demo import comparison, streams
from streamtally.demo.comparison import Comparison, Stage
from streamtally.testing import FakeProvider

PACE = 0.3


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Where they are compared, at a quicker pace."""
    with FakeProvider() as provider:
        yield Stage(provider, Tally(), PACE)


def test_every_comparison_holds(stage: Stage) -> None:
    """Every comparison shows what it claims."""
    assert [title for title, compare in comparison.CASES.items() if not compare(stage).holds] == []


def test_the_loop_takes_a_role_for_the_first_token(stage: Stage) -> None:
    """The loop's time to first token is that of the first chunk; the record has both times."""
    made = comparison.first_token(stage)
    timing = made.record.timing
    assert made.answer is not None
    assert timing.time_to_first_chunk is not None
    assert timing.time_to_first_token is not None
    assert timing.time_to_first_chunk < timing.time_to_first_token
    assert made.answer.time_to_first_token < timing.time_to_first_token
    assert timing.started_from == "request"


def test_the_loop_fuses_parallel_calls(stage: Stage) -> None:
    """The loop's arguments are invalid JSON; the record has both calls complete."""
    made = comparison.tool_calls(stage)
    assert made.answer is not None
    with pytest.raises(json.JSONDecodeError):
        json.loads(made.answer.arguments)
    assert [(call.name, call.arguments_json) for call in made.record.tool_calls] == [
        ("get_weather", {"city": "Oslo", "days": 3}),
        ("get_time", {"zone": "Europe/Oslo"}),
    ]
    assert all(call.complete for call in made.record.tool_calls)


def test_the_loop_loses_what_is_cancelled(stage: Stage) -> None:
    """The loop has no answer for a cancelled stream; the record has the text so far and a partial cost."""
    made = comparison.cancelled(stage)
    assert made.answer is None
    record = made.record
    assert record.outcome is Outcome.CANCELLED
    assert record.text == " ".join(streams.SEA.split()[: comparison.WORDS_READ])
    assert record.usage is not None
    assert (record.usage.output_tokens, record.usage.partial) == (comparison.WORDS_READ, True)
    assert record.cost.usd is not None
    assert record.cost.usd > 0
    assert not record.cost.complete


def test_the_loop_gives_an_unknown_model_away(stage: Stage) -> None:
    """The loop computes $0 for a model without a price; the cost in the record is unknown."""
    made = comparison.unknown_model(stage)
    assert made.answer is not None
    assert made.answer.usage is not None
    assert made.answer.cost == 0
    assert (made.record.cost.usd, made.record.cost.status) == (None, "unknown_model")
    assert made.record.usage is not None
    assert made.record.usage.output_tokens == made.answer.usage["completion_tokens"]


def test_the_loop_garbles_what_comes_out_of_order(stage: Stage) -> None:
    """The record is that of the chunks in order."""
    made = comparison.shuffled(stage)
    assert made.answer is not None
    assert made.answer.text != streams.SEA
    assert all(word in made.answer.text for word in streams.SEA.split())  # all of it came
    assert made.record.text == streams.SEA
    assert made.record.duplicates > 0
    assert made.record.missing == ()


def test_the_loop_is_right_about_a_plain_stream(stage: Stage) -> None:
    """For a stream without faults the loop and the record agree, so the comparison is fair."""
    answer, record = stage.read_whole(streams.counted_as_it_goes())
    assert answer.text == record.text == streams.SEA
    assert record.cost.usd is not None
    assert answer.cost == pytest.approx(float(record.cost.usd))


def test_a_row_is_empty_until_it_is_compared() -> None:
    """Nothing is shown before it was measured."""
    row = comparison.Row("title")
    assert row.cells == ("title", ("…", "dim"), ("…", "dim"))
    row.comparison = Comparison(None, _some_record(), "wrong", "right", holds=True)
    assert row.cells == ("title", ("wrong", "red"), ("right", "green"))


def _some_record() -> StreamRecord:
    return StreamRecord.model_validate({"request_id": "r1", "stream_type": "responses", "dialect": "openai.responses"})
