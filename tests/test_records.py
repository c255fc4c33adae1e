import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import BaseModel, ValidationError

from streamtally import (
    Audio,
    Choice,
    ErrorDetails,
    Image,
    Outcome,
    StreamRecord,
    StreamType,
    ToolCall,
    Transcript,
    Usage,
)
from streamtally import records as module
from streamtally.records.base import Frozen, Private
from tests.strategies import RECORDS

MARK = "a mark that no repr shows"


def record(**fields: Any) -> StreamRecord:
    """A chat record with these fields."""
    return StreamRecord(request_id="r", stream_type=StreamType.CHAT, dialect="openai.chat", **fields)


@settings(max_examples=60)
@given(RECORDS)
def test_json_round_trip(one: StreamRecord) -> None:
    """A record parsed from its JSON is equal to the original, and has the same JSON."""
    text = one.model_dump_json()
    back = StreamRecord.model_validate_json(text)
    assert back == one
    assert back.model_dump_json() == text
    assert StreamRecord.model_validate(one.model_dump()) == one


@settings(max_examples=30)
@given(RECORDS)
def test_json_is_json(one: StreamRecord) -> None:
    """The JSON is valid UTF-8 that any parser accepts: no bare infinities, no lone surrogates."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    assert json.loads(one.model_dump_json().encode(), parse_constant=refuse)["request_id"] == one.request_id


MARKED = [
    record(
        choices=(
            Choice(
                text=MARK,
                reasoning=MARK,
                refusal=MARK,
                annotations=({MARK: MARK},),
                logprobs=[MARK],
                reasoning_details=({"text": MARK},),
                tool_calls=(ToolCall(index=0, arguments=MARK, arguments_json={MARK: MARK}, extras={"a": MARK}),),
                finish_reason=None,
                extras={"a": MARK},
            ),
        ),
        output_items=({"text": MARK},),
        audio=Audio(data=MARK.encode(), transcript=MARK, extras={"a": MARK}),
        transcript=Transcript(text=MARK, words=({"word": MARK},), segments=({"text": MARK},), logprobs=(MARK,)),
        images=(Image(data=MARK.encode(), url=MARK, revised_prompt=MARK, extras={"a": MARK}),),
        usage=Usage(raw={"a": 1}),
        error=ErrorDetails(type="error", message=MARK, body=[MARK]),
        params={"stop": MARK},
        attributes={"user": MARK},
        extras={"payload": MARK},
        raw=({"choices": [MARK]},),
    ),
    Choice(text=MARK, finish_reason="stop"),
    ToolCall(index=0, arguments=MARK),
    Audio(data=MARK.encode()),
    Image(data=MARK.encode()),
    Transcript(text=MARK),
    ErrorDetails(type="error", message=MARK),
]


@pytest.mark.parametrize("one", MARKED, ids=lambda one: type(one).__name__)
def test_repr_shows_no_content(one: BaseModel) -> None:
    """Neither `repr` nor `str` has content; they have its size."""
    for shown in (repr(one), str(one), f"{one}", repr([one])):
        assert MARK not in shown
        assert type(one).__name__ in repr(one)


def test_repr_shows_what_is_no_content() -> None:
    """`repr` identifies the stream, and has its outcome."""
    choice = Choice(text="hello", finish_reason="stop")
    shown = repr(record(model="gpt-4o", outcome=Outcome.COMPLETED, choices=(choice,)))
    for part in ("request_id=r", "model=gpt-4o", "outcome=completed", "choices=<1>"):
        assert part in shown
    for part in ("index=0", "text=<5>", "finish_reason=stop", "refusal=None"):
        assert part in repr(choice)


@pytest.mark.parametrize("name", StreamRecord.model_fields)
def test_a_record_is_frozen(name: str) -> None:
    """No field can be set."""
    with pytest.raises(ValidationError, match="frozen"):
        setattr(record(), name, None)


def test_unknown_fields_are_refused() -> None:
    """A misspelt field is an error."""
    with pytest.raises(ValidationError, match="Extra inputs"):
        record(no_such_field=1)


def test_unknown_values_are_none() -> None:
    """Unknown values are None, not zero; timing and cost are never None."""
    empty = record()
    assert (empty.text, empty.reasoning, empty.refusal, empty.tool_calls, empty.finish_reason) == ("", None, None, (), None)
    assert (empty.usage, empty.model, empty.outcome, empty.finish_reasons) == (None, None, None, ())
    assert (empty.cost.usd, empty.cost.status, empty.timing.duration) == (None, "no_usage", None)
    assert all(value is None for name, value in Usage() if name not in ("source", "partial", "raw"))


def test_a_record_has_the_properties_of_its_first_choice() -> None:
    """Text, reasoning, refusal, calls and finish reason are those of the first choice; a transcript's text is the text."""
    first = Choice(text="a", reasoning="b", refusal="c", tool_calls=(ToolCall(index=0),), finish_reason="stop")
    one = record(choices=(first, Choice(index=1, text="x", finish_reason="length")))
    assert (one.text, one.reasoning, one.refusal, one.tool_calls, one.finish_reason) == ("a", "b", "c", first.tool_calls, "stop")
    assert one.finish_reasons == ("stop", "length")
    assert record(transcript=Transcript(text="heard")).text == "heard"


@pytest.mark.parametrize("ranges", [((3, 3),), ((4, 2),)])
def test_empty_ranges_are_refused(ranges: tuple[tuple[int, int], ...]) -> None:
    """A missing range must not be empty."""
    with pytest.raises(ValidationError, match="half-open"):
        record(missing=ranges)


def test_ranges_are_in_order() -> None:
    """Missing ranges are sorted."""
    assert record(missing=((5, 6), (1, 3))).missing == ((1, 3), (5, 6))


def test_money_is_exact() -> None:
    """An amount keeps every digit through JSON."""
    one = Usage(cost_usd=Decimal("0.000000000000001"))
    assert Usage.model_validate_json(one.model_dump_json()).cost_usd == Decimal("1E-15")


def test_surrogates() -> None:
    """In every text of a record a pair of surrogates is joined, and a lone one is replaced."""
    one = record(model="\ud83d", choices=(Choice(text="\ud83d\ude00", role="\ude00", finish_reason=None),))
    assert (one.model, one.text, one.choices[0].role) == ("\ufffd", "\U0001f600", "\ufffd")


def test_every_result_has_a_docstring_and_is_public() -> None:
    """Each class of results is described, and can be imported from `streamtally.records`."""
    results = {result.__name__ for base in (Frozen, Private) for result in base.__subclasses__()} - {"Private"}
    assert results <= set(module.__all__)
    assert all(getattr(module, name).__doc__ for name in module.__all__ if isinstance(getattr(module, name), type))
