import copy
import json
import pickle
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.framing import DONE, Done, Malformed, payloads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(VALUES, st.sampled_from([None, 2]))
def test_one_json_text(value: object, indent: int | None) -> None:
    """The data of an event is one JSON text, on one or several lines."""
    assert payloads(json.dumps(value, indent=indent)) == [value]


@given(st.lists(st.dictionaries(st.text(max_size=9), VALUES, max_size=3), min_size=2, max_size=5))
def test_a_json_text_in_each_line(values: list[object]) -> None:
    """Without blank lines between events each line is a payload."""
    data = "\n".join(map(json.dumps, values))
    assert payloads(data) == values
    assert payloads(f"{data}\n[DONE]") == [*values, DONE]


@pytest.mark.parametrize("data", ["[DONE]", " [DONE] ", "[DONE]\n", "\n[DONE]"])
def test_done(data: str) -> None:
    """The end marker is `DONE`, with or without white space."""
    assert payloads(data) == [DONE]


def test_done_is_one_object() -> None:
    """`DONE` stays a singleton after copying and pickling."""
    assert repr(DONE) == "DONE"
    assert isinstance(DONE, Done)
    assert copy.deepcopy(DONE) is DONE
    assert pickle.loads(pickle.dumps(DONE)) is DONE


@pytest.mark.parametrize("data", ["", " ", "\n", "\n \n"])
def test_blank_data(data: str) -> None:
    """Blank data has no payload."""
    assert payloads(data) == []


@pytest.mark.parametrize(
    "text", ['{"a": ', "not json", "[DONE", "{'a': 1}", "{}{}", "\ufffd", '{\n "a": 1,\n "b"', "[\n[1],\n[2]"]
)
def test_no_json(text: str) -> None:
    """Text that is not JSON is kept whole, with the reason."""
    (payload,) = payloads(text)
    assert isinstance(payload, Malformed)
    assert payload.text == text
    assert payload.reason


def test_one_broken_line_among_sound_ones() -> None:
    """A malformed line does not affect the other lines."""
    first, broken, last = payloads('{"a": 1}\n{"b": \n[DONE]')
    assert (first, last) == ({"a": 1}, DONE)
    assert isinstance(broken, Malformed)
    assert broken.text == '{"b": '


def test_lines_that_are_part_of_something_larger() -> None:
    """An object on an indented line is not a payload of its own."""
    data = '{\n "a": [\n  {"b": 1}'
    assert payloads(data) == [Malformed(data, payloads(data)[0].reason)]


def test_nested_beyond_bounds() -> None:
    """JSON nested deeper than Python's limit is malformed."""
    (payload,) = payloads("[" * 200_000)
    assert isinstance(payload, Malformed)
    assert "recursion" in payload.reason


def test_number_beyond_bounds() -> None:
    """A number with more digits than Python's limit is malformed."""
    (payload,) = payloads("1" * (sys.get_int_max_str_digits() + 1))
    assert isinstance(payload, Malformed)
    assert "digits" in payload.reason


def test_numbers_beyond_the_json_standard() -> None:
    """Infinities are accepted, because real servers send them as log probabilities."""
    assert payloads('{"logprob": -Infinity}') == [{"logprob": float("-inf")}]
