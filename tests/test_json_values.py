import copy
import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from streamtally.json_values import MAX_DEPTH, json_object, json_value, mend_surrogates, plain_fields, size_of
from tests.strategies import JSON_VALUES, TEXTS


class Model(BaseModel):
    """A pydantic model, as SDKs use."""

    name: str = "n"
    given: int | None = None


@dataclass
class Point:
    """A plain object with fields."""

    x: int
    _hidden: int = 0


@dataclass(init=False)
class Loose:
    """A dataclass whose fields need not be set, and that has attributes besides."""

    set: int
    unset: int

    def __init__(self) -> None:
        self.set, self.beside, self._hidden = 1, 2, 3


class Named:
    """An object with `to_dict`, as some SDKs use."""

    def to_dict(self) -> dict[str, Any]:
        """Its fields."""
        return {"a": {1}}


class Colour(enum.Enum):
    RED = "red"


class Text(str):
    __slots__ = ()


@given(TEXTS)
def test_mending(text: str) -> None:
    """The result is valid Unicode, and valid text is unchanged."""
    mended = mend_surrogates(text)
    mended.encode()
    assert mend_surrogates(mended) == mended
    try:
        text.encode()
    except UnicodeEncodeError:
        assert mended != text
    else:
        assert mended == text


@given(st.text(), st.integers(0, 99))
def test_pairs_that_came_in_pieces(text: str, cut: int) -> None:
    """Text split between the surrogates of a character is restored."""
    halves = [chr(int.from_bytes(unit, "little")) for unit in _units(text)]
    assert mend_surrogates("".join(halves[:cut]) + "".join(halves[cut:])) == text


def _units(text: str) -> list[bytes]:
    data = text.encode("utf-16-le")
    return [data[start : start + 2] for start in range(0, len(data), 2)]


@pytest.mark.parametrize("value", [None, 1, b"\xff", ["\ud83d"]])
def test_only_texts_are_mended(value: object) -> None:
    """Other values are returned unchanged."""
    assert mend_surrogates(value) is value


@given(JSON_VALUES)
def test_a_copy_is_json(value: Any) -> None:
    """The copy is strict JSON, and copying it again gives an equal value."""
    copied = json_value(value)
    assert json_value(copied) == copied
    assert json.loads(json.dumps(copied, allow_nan=False)) == copied


@given(
    st.recursive(st.booleans() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
)
def test_a_copy_shares_nothing(value: Any) -> None:
    """The copy is equal to JSON input, and changes to it do not affect the original."""
    copied, before = json_value(value), copy.deepcopy(value)
    assert copied == value
    if isinstance(copied, list | dict):
        copied.clear()
    assert value == before


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x00\xff", "AP8="),
        (bytearray(b"a"), "YQ=="),
        (memoryview(b"a"), "YQ=="),
        (Colour.RED, "red"),
        (Text("a"), "a"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (float("nan"), "nan"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (True, True),
        ((1, 2), [1, 2]),
        (iter([1]), [1]),
        ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Model(name="m"), {"name": "m"}),
        (Named(), {"a": [1]}),
        (Point(1, 2), {"x": 1}),
        (SimpleNamespace(a=Model()), {"a": {}}),
        (10**400, 10**400),
        ("\ud83d", "\ufffd"),
        ({"\ud83d": 1}, {"\ufffd": 1}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_that_are_not_json(value: Any, expected: Any) -> None:
    """Each value that is not JSON has the expected JSON form."""
    assert json_value(value) == expected


def test_what_has_no_fields() -> None:
    """An object without fields becomes its `str`."""
    assert json_value(object).startswith("<class")
    assert json_value(3 + 4j) == "(3+4j)"


def test_what_is_nested_too_deep() -> None:
    """Nesting is bounded, so every JSON writer accepts the copy, and self-references end."""
    ring: list[Any] = []
    ring.append({"ring": ring})
    for value in (ring, json.loads("[" * 500 + "]" * 500)):
        copied = json_value(value)
        assert "…" in json.dumps(copied, ensure_ascii=False)
        assert json.dumps(copied).count("[") <= MAX_DEPTH
    passed = json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert json_value(passed) == passed


def test_only_fields_that_were_set() -> None:
    """Unset defaults of a model are left out."""
    assert plain_fields(Model()) == {}
    assert plain_fields(Loose()) == {"set": 1, "beside": 2}
    assert plain_fields(Model(given=None)) == {"given": None}
    assert plain_fields(Model) is None
    assert plain_fields(len) is None
    assert plain_fields(5) is None


def test_objects() -> None:
    """`json_object` copies objects with fields and rejects others."""
    fields: Mapping[str, Any] = {"a": b"b", 2: Point(3)}  # type: ignore[dict-item]
    assert json_object(fields) == {"a": "Yg==", "2": {"x": 3}}
    with pytest.raises(ValueError, match="fields"):
        json_object([1])


@given(JSON_VALUES)
def test_sizes(value: Any) -> None:
    """The size is the sum of the parts, and at least the length of the strings."""
    assert size_of([value, value]) == size_of((value, value)) == 2 * size_of(value)
    assert size_of({"key": value}) == 3 + size_of(value)
