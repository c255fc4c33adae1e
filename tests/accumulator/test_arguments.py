"""Arguments that come by path come together to the object that was meant."""

import json
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from streamtally.accumulator.arguments import assembled, fold_pieces
from streamtally.accumulator.document import Document
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
    """The leaves of a value, each with its path."""
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
    """Whatever the names, the nesting and the pieces in which texts come."""
    document = Document()
    for path, value in by_path(arguments):
        cut = [value[at : at + length] for at in range(0, len(value), length)] or [""] if isinstance(value, str) else [value]
        for one in cut:
            fold_pieces(document, [[path, one]], "call")
    assert json.loads(assembled(document, ("call",)) or "") == arguments
    copy = document.copy()
    assert assembled(copy, ("call",)) == assembled(document, ("call",))


def test_nothing_by_path() -> None:
    """Most calls have none."""
    assert assembled(Document(), ("call",)) is None


def test_paths_that_make_no_sense() -> None:
    """They do no harm: what a later path needs takes the place of an earlier value, and no path is too long."""
    document = Document()
    deep = "$" + ".a" * 5_000
    fold_pieces(document, [["$.b", 1], ["$.b.c", 2], ["$", 3], [deep, 4], ["$[12345678901234567890]", 5]], "call")
    assert json.loads(assembled(document, ("call",)) or "")["b"] == {"c": 2}


def test_pieces_for_which_there_was_no_room() -> None:
    """They are known to be missing."""
    document = Document()
    fold_pieces(document, [["$.a", "x"], ["$.b", 1]], "call")
    document.stop_retaining()
    assert not document.lost("call", "arguments")
    fold_pieces(document, [["$.a", "yy"], ["$.secret", 2]], "call")
    assert document.lost("call", "arguments")
    assert (document.dropped, assembled(document, ("call",))) == (3, '{"a": "x", "b": 1}')
