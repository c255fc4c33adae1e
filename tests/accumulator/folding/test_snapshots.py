"""Texts that come as snapshots, stated or guessed, give what the pieces give."""

from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally import Extract, StreamRecord, replay
from streamtally.chunks import Chunk, FinishDelta, TextDelta
from tests.accumulator.wire import chat, finish_chunk

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=6)


def content(record: StreamRecord) -> Any:
    """The content, usage and end of a record."""
    return [
        (
            choice.text,
            choice.reasoning,
            [(call.id, call.name, call.arguments) for call in choice.tool_calls],
            choice.finish_reason,
        )
        for choice in record.choices
    ], record.usage


def deltas(texts: list[str], thoughts: list[str], arguments: list[str]) -> list[dict[str, Any]]:
    """The chunks of an answer, one for each text, thought and piece of arguments, and its end."""
    calls = [[{"index": 0, "id": "c", "function": {"name": "f", "arguments": piece}}] for piece in arguments]
    return [
        *(chat(reasoning_content=thought) for thought in thoughts),
        *(chat(content=text) for text in texts),
        *(chat(tool_calls=call) for call in calls),
        {**finish_chunk(), "usage": {"prompt_tokens": 3, "completion_tokens": 5}},
    ]


@given(texts=st.lists(WORDS, max_size=6), thoughts=st.lists(WORDS, max_size=4), arguments=st.lists(WORDS, max_size=4))
def test_a_declared_cumulative_form(texts: list[str], thoughts: list[str], arguments: list[str]) -> None:
    """A stream, and the one whose every delta has all that came so far: the same text, reasoning, calls, usage and finish."""
    pieces = replay(deltas(texts, thoughts, arguments), extract=Extract(cumulative=False))
    snapshots = deltas(*([*accumulate(each)] for each in (texts, thoughts, arguments)))
    assert content(replay(snapshots, extract=Extract(cumulative=True))) == content(pieces)


@given(st.lists(WORDS, min_size=3, max_size=8).filter(lambda words: len(set("".join(words[:3]))) > 1))
def test_a_guess(texts: list[str]) -> None:
    """Three texts in a row that repeat all before them are enough, whatever follows; `False` switches that off."""
    snapshots = [*accumulate(texts)]
    assert replay(deltas(snapshots, [], [])).text == snapshots[-1]
    assert replay(deltas([], snapshots, [])).reasoning == snapshots[-1]
    assert replay(deltas(snapshots, [], []), extract=Extract(cumulative=False)).text == "".join(snapshots)


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        pytest.param(["66", "66", "66", "6"], "6666666", id="the same again"),
        pytest.param(["a", "ab", "c"], "aabc", id="growing twice"),
        pytest.param(["-", "--", "---", "----"], "----------", id="a rule in growing pieces"),
        pytest.param(["The", "The cat", "The cat sat", "The cat sat", "The cat"], "The cat sat", id="no news, then less"),
        pytest.param(["The", "The cat", "The cat sat", " and ate"], "The cat sat and ate", id="then pieces"),
        pytest.param(["x", "The", "The cat", "The cat sat"], "xTheThe catThe cat sat", id="not from the first on"),
    ],
)
def test_what_is_no_snapshot(texts: list[str], text: str) -> None:
    """Nothing that came is dropped on weaker evidence, and nothing that follows is lost."""
    assert replay(deltas(texts, [], [])).text == text


def test_a_choice_of_its_own() -> None:
    """One choice may come in snapshots beside one that comes in pieces."""
    snapshots = ["a b", "a b c", "a b c d"]
    chunks = [
        Chunk((TextDelta(text, "text", 0), TextDelta(word, "text", 1))) for text, word in zip(snapshots, "xyz", strict=True)
    ]
    record = replay([*chunks, Chunk((FinishDelta("stop", 0), FinishDelta("stop", 1)))])
    assert [choice.text for choice in record.choices] == ["a b c d", "xyz"]


def test_a_stated_snapshot_may_change_what_came() -> None:
    """The last one counts, also where it is shorter."""
    texts = [TextDelta("draft one", whole=True), TextDelta("", whole=True), TextDelta("final", whole=True)]
    assert replay([Chunk((text,)) for text in texts]).text == "final"
