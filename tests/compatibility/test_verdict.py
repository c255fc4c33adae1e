"""What `make far` says of a record."""

from typing import Any

import pytest

import streamtally
from compatibility.bodies import CALL, call_deltas, chat_chunks, words
from compatibility.case import Case, Row, Truth
from compatibility.report import Result, lines_of, page
from compatibility.run import Reader, result_of, seen_in
from compatibility.verdict import verdict_on

USED = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
COUNTS = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
TRUTH = Truth("sdk", "Hi you", usage=COUNTS, model="m-1")
ANSWER = chat_chunks(*words("Hi ", "you"), usage=USED)


def _case(truth: Truth = TRUTH, **lacks: str) -> Case:
    return Case("chat", print, {}, truth, {name.replace("__", "."): why for name, why in lacks.items()})


def _seen(payloads: Any, **changes: Any) -> dict[str, Any]:
    return {**seen_in(streamtally.replay(payloads, params={"provider": "sdk"}), None), **changes}


def test_a_record_that_has_all_is_right() -> None:
    """Text, calls, usage and identity."""
    calls = chat_chunks(*call_deltas(), finish="tool_calls")
    truth = Truth("sdk", tool_calls=[(CALL[0], CALL[1])], finish_reason="tool_calls", model="m-1")
    assert verdict_on(_case(), _seen(ANSWER)).level == "right"
    assert verdict_on(_case(truth), _seen(calls)).level == "right"


def test_a_record_that_lacks_something_for_a_reason_is_honest() -> None:
    """The reason is stated for the whole usage or for one count."""
    without = chat_chunks(*words("Hi ", "you"))
    assert verdict_on(_case(usage="the SDK drops it"), _seen(without)).level == "honest"
    part = {"input_tokens": 3, "output_tokens": 2}
    assert verdict_on(_case(usage__total_tokens="not said"), _seen(ANSWER, usage=part)).level == "honest"


def test_an_opaque_record_is_honest() -> None:
    """It claims nothing."""
    case = _case(Truth("sdk", "Hi", finish_reason=None, model="m-1"))
    assert verdict_on(case, _seen([{"words": "Hi"}])).level == "honest"


@pytest.mark.parametrize(
    ("case", "changes", "fault"),
    [
        (_case(), {"text": "Hi youHi you"}, "text is 'Hi youHi you', not 'Hi you'"),
        (_case(), {"provider": None}, "provider is None, not 'sdk'"),
        (_case(), {"usage": {**COUNTS, "reasoning_tokens": 1}}, "usage.reasoning_tokens is 1, not None"),
        (_case(text="the SDK drops it"), {"text": "Hi"}, "text is 'Hi', not 'Hi you'"),
        (_case(text="the SDK drops it"), {}, "text is there, and is said to be lacking"),
        (_case(), {"error": "gone"}, "error is 'gone', not None"),
        (_case(), {"faults": 2}, "2 faults while it was read"),
        (_case(), {"failed": "no such module"}, "failed: no such module"),
    ],
)
def test_what_is_wrong(case: Case, changes: dict[str, Any], fault: str) -> None:
    """A false word, one that is missing without a reason, and a reason for what is there."""
    verdict = verdict_on(case, _seen(ANSWER, **changes))
    assert (verdict.level, verdict.faults) == ("WRONG", (fault,))


def test_a_case_is_driven() -> None:
    """Its function reads a stream from the server; what fails is said."""

    def drive(far: Reader) -> None:
        far.read(ANSWER, params={"provider": "sdk"})

    async def adrive(far: Reader) -> None:
        async def stream() -> Any:
            for payload in ANSWER:
                yield payload

        assert await far.aread(stream(), params={"provider": "sdk"}) == ANSWER

    found = [result_of(Case("chat", how, {}, TRUTH)) for how in (drive, adrive)]
    assert [verdict_on(_case(), seen).level for seen in found] == ["right", "right"]
    assert result_of(Case("chat", lambda far: far.missing, {}, TRUTH))["failed"].startswith("AttributeError")
    assert result_of(Case("chat", lambda _: None, {}, TRUTH)) == {"failed": "nothing was read"}


def test_an_error_while_reading_is_noted() -> None:
    """The record has it, and so has the result."""

    def broken() -> Any:
        yield from ANSWER[:1]
        raise OSError("gone")

    seen = result_of(Case("chat", lambda far: far.read(broken()), {}, TRUTH))
    assert (seen["raised"], seen["outcome"], seen["text"]) == ("OSError: gone", "error", "Hi ")


def test_the_lines_of_a_row() -> None:
    """One for each case, with a mark for each part of the answer."""
    right = verdict_on(_case(), _seen(ANSWER))
    lacking = _case(usage="a | b")
    row = Row("sdk", "1.0", [_case(), lacking])
    unused = verdict_on(lacking, _seen(chat_chunks(*words("Hi ", "you"))))
    assert list(lines_of(Result(row, [(_case(), right), (lacking, unused)]))) == [
        "| sdk | 1.0 | chat | openai.chat | sdk | yes | – | – | yes | yes | unknown provider | – | right |  |",
        "| sdk | 1.0 | chat | openai.chat | sdk | yes | – | – | yes | no | unknown provider | – | honest | usage: a \\| b |",
    ]
    broken = Result(row, failed="cannot be installed")
    assert broken.is_wrong
    assert next(lines_of(broken)).endswith("| WRONG | cannot be installed |")


def test_some_rows_are_renewed() -> None:
    """The lines of the others stay, in the order of the packages."""

    def result(package: str, version: str, why: str) -> Result:
        return Result(Row(package, version, []), failed=why)

    old = page({"One": [result("b", "1", "gone"), result("c", "1", "gone")], "Two": [result("d", "1", "gone")]})
    new = page({"One": [result("c", "2", "late"), result("a", "1", "late")], "Two": []}, old)
    rows = [line for line in new.splitlines() if line.endswith(("gone |", "late |"))]
    assert [(line.split()[1], line.split()[3], line.split()[-2]) for line in rows] == [
        ("a", "1", "late"),
        ("b", "1", "gone"),
        ("c", "2", "late"),
        ("d", "1", "gone"),
    ]
