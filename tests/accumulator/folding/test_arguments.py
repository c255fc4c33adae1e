"""Tool call arguments that arrive as pairs of path and value are assembled to one object."""

import json
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from streamtally.accumulator.folding import choices
from streamtally.accumulator.folding.answer import Answer, CallState
from streamtally.accumulator.folding.arguments import assembled, fold_pieces
from streamtally.accumulator.folding.fields import dump, load
from streamtally.accumulator.folding.growing import Retention
from streamtally.accumulator.folding.tool_calls import has_lost
from streamtally.chunks import FinishDelta, ToolCallDelta
from streamtally.json_values import Json

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
OBJECTS = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3),
        max_leaves=6,
    ),
    min_size=1,
    max_size=3,
)


def by_path(value: Json, path: str = "$") -> Iterator[tuple[str, Json]]:
    """Yield the leaves of a value, each with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            quoted = key.replace("\\", "\\\\").replace("'", "\\'")
            yield from by_path(inner, f"{path}.{key}" if key.isidentifier() else f"{path}['{quoted}']")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from by_path(inner, f"{path}[{index}]")
    else:
        yield path, value


@given(OBJECTS, st.integers(1, 3))
def test_pieces_make_the_object(arguments: dict[str, Json], length: int) -> None:
    """Pieces make the original object, whatever its keys, its nesting and the pieces of its strings."""
    retention, call = Retention(), CallState()
    for path, value in by_path(arguments):
        cut = [value[at : at + length] for at in range(0, len(value), length)] or [""] if isinstance(value, str) else [value]
        for piece in cut:
            fold_pieces(retention, call, [[path, piece]])
    assert json.loads(assembled(call) or "") == arguments
    assert assembled(load(CallState, dump(call), Retention())) == assembled(call)


def test_nothing_by_path() -> None:
    """A call without such pieces has no assembled arguments."""
    assert assembled(CallState()) is None


def test_paths_that_make_no_sense() -> None:
    """Contradictory or very long paths do not raise, and a later path replaces an earlier value."""
    call = CallState()
    deep = "$" + ".a" * 5_000
    fold_pieces(Retention(), call, [["$.b", 1], ["$.b.c", 2], ["$", 3], [deep, 4], ["$[12345678901234567890]", 5]])
    assert json.loads(assembled(call) or "")["b"] == {"c": 2}


def test_pieces_for_which_there_was_no_room() -> None:
    """A call whose pieces were dropped is marked as having lost some."""
    retention, call = Retention(), CallState()
    fold_pieces(retention, call, [["$.a", "x"], ["$.b", 1]])
    retention.stop()
    assert not has_lost(call)
    fold_pieces(retention, call, [["$.a", "yy"], ["$.secret", 2]])
    assert has_lost(call)
    assert (retention.dropped, assembled(call)) == (3, '{"a": "x", "b": 1}')


def test_pieces_whose_content_was_removed() -> None:
    """A call whose content was removed has no arguments, and is incomplete."""
    answer = Answer()
    pieces = ToolCallDelta("", 0, "c", "f", pieces=[["$.a", "x"], ["$.b", 1]])
    choices.fold_tool_call(answer, pieces)
    answer.remove_content()
    choices.fold_finish(answer, FinishDelta("stop"))
    (call,) = choices.choices(answer, {})[0].tool_calls
    assert (call.name, call.arguments, call.complete) == ("f", "", False)
