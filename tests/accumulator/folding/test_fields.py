"""Every field of the state declares a kind, by which it is dumped, loaded, measured and cleared of content."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.accumulator.folding import Answer, Fold, answer, fields
from streamtally.accumulator.folding.growing import Data, Retention, Text
from streamtally.chunks import Chunk
from tests.strategies import chunks as any_chunk

MARK = "SECRETMARK"
STATES = [cls for cls in vars(answer).values() if isinstance(cls, type) and cls in fields._KINDS]


def filled(cls: type[Any], account: Retention) -> Any:
    """Return a state with a value in every field, its content marked, by walking the declared kinds."""
    state = cls()
    for name, kind in fields.kinds(cls):
        if not isinstance(kind, fields._Retention):
            setattr(state, name, _value(kind, account, getattr(state, name)))
    return state


def _value(kind: fields.Kind, account: Retention, default: Any) -> Any:
    match kind:
        case fields._Text():
            text = Text(account)
            text.append(MARK)
            return text
        case fields._Data():
            data = Data(account)
            data.append(MARK.encode())
            return data
        case fields._Content():
            return account.swap(None, {"id": "i", "number": 1, "body": MARK})
        case fields._PartList():
            return [filled(kind._cls, account)]
        case fields._PartMap():
            return {("a", 0): filled(kind._cls, account)}
        case fields._Part():
            return filled(kind._cls, account)
        case fields._Index():
            return {("k", 1): 2}
        case _:
            return {bool: True, int: 7}.get(type(default), "fact")


def whole() -> Answer:
    """Return an answer with a value in every field."""
    account = Retention()
    state: Answer = filled(Answer, account)
    state.retention = account
    return state


def _leaves(value: Any) -> Iterator[Any]:
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _leaves(inner)
    if not isinstance(value, dict | list):
        yield value


def test_a_field_without_a_kind() -> None:
    """A field without a kind raises `TypeError` on import, which names the field and the remedy."""
    with pytest.raises(TypeError, match=r"Lacking\.words has no kind: declare it with"):

        @fields.state
        class Lacking:
            words: str = ""


@pytest.mark.parametrize("cls", STATES, ids=lambda cls: cls.__name__)
def test_every_state_starts_empty(cls: type[Any]) -> None:
    """A new state is empty but for its `Retention`, and shares no container with another."""
    first, second = cls(), cls()
    assert {name for name, _, value in fields._set(first) if value is not False and value != 0} <= {"retention"}
    for name, _ in fields.kinds(cls):
        mine = getattr(first, name)
        assert not isinstance(mine, dict | list) or mine is not getattr(second, name)


def test_every_field_travels() -> None:
    """A dump has every field, is JSON, and loads to an equal state of the same size."""
    state = whole()
    dumped = json.loads(json.dumps(state.dump()))
    loaded = Answer.load(dumped)
    assert json.loads(json.dumps(loaded.dump())) == dumped
    assert dumped.keys() == {name for name, _ in fields.kinds(Answer)}
    assert loaded.retention.kept == state.retention.kept == fields.size(state) == fields.size(loaded) > 0


def test_a_copy_shares_nothing() -> None:
    """Changing a copy does not change the original."""
    state = whole()
    before = json.dumps(state.dump())
    copy = state.copy()
    copy.remove_content()
    assert json.dumps(state.dump()) == before
    assert json.dumps(copy.dump()) != before


def test_removing_content_leaves_none() -> None:
    """Removing content clears every field declared as content, keeps the others, and counts what was dropped."""
    state = whole()
    kept = state.retention.kept
    state.remove_content()
    dumped = state.dump()
    assert MARK not in json.dumps(dumped)
    assert "U0VDUkVUTUFSSw" not in json.dumps(dumped)  # MARK in base64
    assert "fact" in set(_leaves(dumped))
    assert state.retention.keep is False
    assert state.retention.kept == fields.size(state)
    assert state.retention.dropped == kept - state.retention.kept > 0
    assert json.dumps(Answer.load(json.loads(json.dumps(dumped))).dump()) == json.dumps(dumped)


def test_completing_sets_what_is_empty() -> None:
    """`complete` sets every empty field to the other's value, and no other field."""
    account = Retention()
    mine, theirs = answer.ChoiceState(), filled(answer.ChoiceState, account)
    mine.role = "mine"
    fields.complete(mine, theirs)
    assert mine.role == "mine"
    for name, _ in fields.kinds(answer.ChoiceState):
        assert name == "role" or getattr(mine, name) is getattr(theirs, name), name


@given(st.lists(any_chunk(), max_size=6), st.booleans())
def test_the_account_is_what_the_fields_hold(chunks: list[Chunk], keep: bool) -> None:
    """The retained size equals the sum over all fields, and a reloaded state folds to the same result."""
    fold = Fold(Answer.empty(keep=keep))
    half = len(chunks) // 2
    for chunk in chunks[:half]:
        fold.apply(chunk)
    assert fold.answer.retention.kept == fields.size(fold.answer)
    reloaded = Fold(Answer.load(json.loads(json.dumps(fold.answer.dump()))))
    for chunk in chunks[half:]:
        fold.apply(chunk)
        reloaded.apply(chunk)
    assert json.loads(json.dumps(reloaded.answer.dump())) == json.loads(json.dumps(fold.answer.dump()))
    assert reloaded.answer.retention.kept == fold.answer.retention.kept == fields.size(reloaded.answer)
    reloaded.answer.remove_content()
    assert fields.size(reloaded.answer) == reloaded.answer.retention.kept
