"""Tool calls in Chat Completions, in all the forms that servers send."""

from typing import Any

import pytest

from tests.dialects.wire import Payload, call, calls, chat, choice, read, stated, stops, texts

F = {"type": "function"}


def _called(index: int, name: str | None, arguments: str, parsed: Any, call_id: str | None = None) -> dict[str, Any]:
    """A whole call, as it is in the record."""
    stated = {"id": call_id, "name": name, "arguments": arguments, "arguments_json": parsed}
    return {"index": index, "complete": True, **{key: value for key, value in stated.items() if value not in (None, "")}}


TWO = (_called(0, "f", '{"a": 1}', {"a": 1}, "c0"), _called(1, "g", '{"b": 2}', {"b": 2}, "c1"))
UNNAMED = (_called(0, "f", '{"a": 1}', {"a": 1}), _called(1, "g", '{"b": 2}', {"b": 2}))
ONE = TWO[:1]

FORMS: dict[str, tuple[list[Payload], tuple[dict[str, Any], ...]]] = {
    "one after the other": (
        [
            calls(call(0, "f", "", id="c0", **F)),
            calls(call(0, None, '{"a"')),
            calls(call(0, None, ": 1}")),
            calls(call(1, "g", "", id="c1", **F)),
            calls(call(1, None, '{"b": 2}')),
        ],
        TWO,
    ),
    "parallel, in turns": (
        [
            calls(call(0, "f", "", id="c0", **F)),
            calls(call(1, "g", "", id="c1", **F)),
            calls(call(1, None, '{"b"')),
            calls(call(0, None, '{"a"')),
            calls(call(1, None, ": 2}")),
            calls(call(0, None, ": 1}")),
        ],
        TWO,
    ),
    "parallel, in one chunk": (
        [
            calls(call(0, "f", '{"a"', id="c0", **F), call(1, "g", '{"b"', id="c1", **F)),
            calls(call(1, None, ": 2}"), call(0, None, ": 1}")),
        ],
        TWO,
    ),
    "another id under the same index": (
        [
            calls(call(0, "f", "", id="c0", **F)),
            calls(call(0, None, '{"a": 1}')),
            calls(call(0, "g", "", id="c1", **F)),
            calls(call(0, None, '{"b": 2}')),
        ],
        TWO,
    ),
    "all at index 0, whole": (
        [calls(call(0, "f", '{"a": 1}', id="c0", **F)), calls(call(0, "g", '{"b": 2}', id="c1", **F))],
        TWO,
    ),
    "all at index 0, in one chunk": (
        [calls(call(0, "f", '{"a": 1}', id="c0", **F), call(0, "g", '{"b": 2}', id="c1", **F))],
        TWO,
    ),
    "the same index twice in one chunk, of one call": ([calls(call(0, "f", '{"a"', id="c0", **F), call(0, None, ": 1}"))], ONE),
    "the same index without any id": ([calls(call(0, "f", '{"a": 1}', **F)), calls(call(0, "g", '{"b": 2}', **F))], UNNAMED),
    "the same index twice in one chunk, without any id": ([calls(call(0, "f", '{"a": 1}'), call(0, "g", '{"b": 2}'))], UNNAMED),
    "another name under the same index, without any id": (
        [calls(call(0, "f", "")), calls(call(0, "g", '{"b": 2}'))],
        (_called(0, "f", "", {}), UNNAMED[1]),
    ),
    "back to an earlier id": (
        [
            calls(call(0, "f", '{"a"', id="c0", **F)),
            calls(call(0, "g", '{"b"', id="c1", **F)),
            calls(call(0, None, ": 1}", id="c0")),
            calls(call(0, None, ": 2}", id="c1")),
        ],
        TWO,
    ),
    "no index": ([calls(call(None, "f", '{"a": 1}', id="c0", **F)), calls(call(None, "g", '{"b": 2}', id="c1", **F))], TWO),
    "no index, two in one chunk": ([calls(call(None, "f", '{"a": 1}', id="c0"), call(None, "g", '{"b": 2}', id="c1"))], TWO),
    "no index, in pieces": (
        [
            calls(call(None, "f", '{"a"', id="c0")),
            calls(call(None, None, ": 1}")),
            calls(call(None, "g", "", id="c1")),
            calls(call(None, None, '{"b": 2}')),
        ],
        TWO,
    ),
    "no index, in turns by id": (
        [
            calls(call(None, "f", '{"a"', id="c0")),
            calls(call(None, "g", '{"b"', id="c1")),
            calls(call(None, None, ": 1}", id="c0")),
            calls(call(None, None, ": 2}", id="c1")),
        ],
        TWO,
    ),
    "no index and no id": ([calls(call(None, "f", '{"a": 1}'), call(None, "g", '{"b": 2}'))], UNNAMED),
    "no index and no id, in pieces": (
        [calls(call(None, "f", '{"a"')), calls(call(None, None, ": 1}")), calls(call(None, "g", '{"b": 2}'))],
        UNNAMED,
    ),
    "no id, by index": (
        [
            calls(call(0, "f", '{"a"', **F)),
            calls(call(1, "g", '{"b"', **F)),
            calls(call(0, None, ": 1}")),
            calls(call(1, None, ": 2}")),
        ],
        UNNAMED,
    ),
    "id empty": ([calls(call(0, "f", '{"a": 1}', id="", **F)), calls(call(1, "g", '{"b": 2}', id="", **F))], UNNAMED),
    "id empty later": ([calls(call(0, "f", '{"a"', id="c0", **F)), calls(call(0, "", ": 1}", id="", type=""))], ONE),
    "id null later": ([calls(call(0, "f", '{"a"', id="c0", **F)), calls(call(0, None, ": 1}", id=None, type=None))], ONE),
    "id on every piece": (
        [
            calls(call(0, "f", '{"a"', id="c0", **F)),
            calls(call(0, None, ": ", id="c0", **F)),
            calls(call(0, None, "1}", id="c0", **F)),
        ],
        ONE,
    ),
    "id on every piece of two, in turns": (
        [
            calls(call(0, "f", '{"a"', id="c0")),
            calls(call(1, "g", '{"b"', id="c1")),
            calls(call(0, None, ": 1}", id="c0")),
            calls(call(1, None, ": 2}", id="c1")),
        ],
        TWO,
    ),
    "the same id for both, in turns": (
        [
            calls(call(0, "f", '{"a"', id="c")),
            calls(call(1, "g", '{"b"', id="c")),
            calls(call(0, None, ": 1}", id="c")),
            calls(call(1, None, ": 2}", id="c")),
        ],
        tuple({**one, "id": "c"} for one in TWO),
    ),
    "id as a number": ([calls(call(0, "f", '{"a": 1}', id=7, **F))], ({**TWO[0], "id": "7"},)),
    "name later": ([calls(call(0, None, "", id="c0", **F)), calls(call(0, None, '{"a"')), calls(call(0, "f", ": 1}"))], ONE),
    "name empty first": ([calls(call(0, "", "", id="c0", **F)), calls(call(0, "f", '{"a": 1}'))], ONE),
    "name empty later": ([calls(call(0, "f", "", id="c0", **F)), calls(call(0, "", '{"a": 1}'))], ONE),
    "name repeated": ([calls(call(0, "f", '{"a"', id="c0", **F)), calls(call(0, "f", ": 1}", id="c0", **F))], ONE),
    "name repeated without an id": ([calls(call(0, "f", '{"a"')), calls(call(0, "f", ": 1}"))], UNNAMED[:1]),
    "arguments as an object": ([calls(call(0, "f", {"a": 1}, id="c0", **F))], ONE),
    "arguments null": (
        [calls({"index": 0, "id": "c0", "function": {"name": "f", "arguments": None}}), calls(call(0, None, '{"a": 1}'))],
        ONE,
    ),
    "whole in one chunk": ([calls(call(0, "f", '{"a": 1}', id="c0", **F))], ONE),
    "whole with the finish": ([chat(choice(0, "tool_calls", tool_calls=[call(0, "f", '{"a": 1}', id="c0", **F)]))], ONE),
    "index from 1 on": ([calls(call(1, "f", '{"a": 1}', id="c0")), calls(call(2, "g", '{"b": 2}', id="c1"))], TWO),
    "the higher index first": ([calls(call(1, "g", '{"b": 2}', id="c1")), calls(call(0, "f", '{"a": 1}', id="c0"))], TWO),
    "type null": ([calls(call(0, "f", '{"a"', id="c0", **F)), calls(call(0, None, ": 1}", type=None))], ONE),
    "no arguments at all": ([calls(call(0, "f", "", id="c0", **F))], (_called(0, "f", "", {}, "c0"),)),
    "fields of a gateway": (
        [calls(call(0, "f", '{"a": 1}', id="c0", extra_content={"google": {"thought_signature": "sig"}}, **F))],
        ({**TWO[0], "extras": {"extra_content": {"google": {"thought_signature": "sig"}}}},),
    ),
    "custom tool": (
        [
            calls({"index": 0, "id": "c0", "type": "custom", "custom": {"name": "f", "input": "SELECT "}}),
            calls({"index": 0, "custom": {"input": "1"}}),
        ],
        ({"index": 0, "id": "c0", "name": "f", "type": "custom", "arguments": "SELECT 1", "complete": True},),
    ),
    "legacy function_call": (
        [
            chat(choice(role="assistant", content=None, function_call={"name": "f", "arguments": ""})),
            chat(choice(function_call={"arguments": '{"a"'})),
            chat(choice(function_call={"arguments": ": 1}"})),
        ],
        UNNAMED[:1],
    ),
    "arguments that are no object": ([calls(call(0, "f", "[1]", id="c0"))], (_called(0, "f", "[1]", [1], "c0"),)),
}


@pytest.mark.parametrize("form", FORMS)
def test_form(form: str) -> None:
    """With fields missing, repeated or out of order, the calls are complete and in order."""
    chunks, expected = FORMS[form]
    (answer,) = stated(read([*chunks, stops("tool_calls")]))["choices"]
    assert answer["tool_calls"] == expected
    assert (answer["finish_reason"], answer.get("text", "")) == ("tool_calls", "")


@pytest.mark.parametrize(
    ("arguments", "finish"),
    [
        pytest.param('{"a": [1, 2', "length", id="cut short"),
        pytest.param("{'a': 1}", "tool_calls", id="no JSON"),
        pytest.param('{"a": 1}}', "tool_calls", id="one brace too many"),
        pytest.param("[" * 100_000, "tool_calls", id="deeper than can be parsed"),
    ],
)
def test_arguments_that_cannot_be_parsed(arguments: str, finish: str) -> None:
    """The raw text is kept, and the call is not complete."""
    (answer,) = stated(read([calls(call(0, "f", "", id="c0")), calls(call(0, None, arguments)), stops(finish)]))["choices"]
    assert answer["tool_calls"] == ({"index": 0, "id": "c0", "name": "f", "arguments": arguments},)


def test_a_call_of_an_answer_that_was_cut_off() -> None:
    """Without a finish reason a call is not complete, even without arguments, which may have been cut off."""
    record = read([calls(call(0, "f", "", id="c0")), calls(call(1, "g", '{"b": 2}', id="c1"))])
    assert [(one.name, one.complete) for one in record.tool_calls] == [("f", False), ("g", True)]
    assert record.outcome == "truncated"


def test_text_and_calls_in_one_answer() -> None:
    """Text before and after a call stays text."""
    record = read([*texts("let me "), calls(call(0, "f", "{}", id="c0")), *texts("see"), stops("tool_calls")])
    assert (record.text, [one.name for one in record.tool_calls]) == ("let me see", ["f"])


def test_a_call_and_text_in_one_delta() -> None:
    """A delta may have several kinds of content."""
    record = read([chat(choice(0, "tool_calls", content="so", reasoning="hm", tool_calls=[call(0, "f", "{}", id="c0")]))])
    assert (record.text, record.reasoning, record.tool_calls[0].arguments_json) == ("so", "hm", {})


def test_calls_that_are_no_calls() -> None:
    """Entries of a list of calls that are no calls are ignored."""
    record = read([chat(choice(content="a", tool_calls=[None, "x", 3])), chat(choice(tool_calls={"index": 0})), stops()])
    assert (record.text, record.tool_calls, record.outcome) == ("a", (), "completed")
