import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.chunks import (
    CONTENT,
    TEXT,
    AudioDelta,
    Chunk,
    Delta,
    DetailDelta,
    FinishDelta,
    ImageDelta,
    ItemDelta,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
    chunk_of_error,
    joined,
)
from tests.strategies import chunks


@given(chunks())
def test_a_chunk_comes_back_from_its_json_form(chunk: Chunk) -> None:
    """A chunk restored from its JSON form has the same content and digest."""
    back = Chunk.from_state(json.loads(json.dumps(chunk.state())))
    assert back.canonical() == chunk.canonical()
    assert back.digest() == chunk.digest()
    assert back.flags == chunk.flags
    if not any(isinstance(delta, AudioDelta) and isinstance(delta.data, bytes) for delta in chunk.deltas):
        assert back == chunk


@given(chunks(), chunks())
def test_digests_distinguish_chunks(one: Chunk, other: Chunk) -> None:
    """Equal content has an equal 8-byte digest, other content another one."""
    assert (one.digest() == other.digest()) == (one.canonical() == other.canonical())
    assert 0 <= one.digest() < 2**64


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_keys_does_not_matter(names: list[str]) -> None:
    """The digest does not depend on the order of keys."""
    ordered = Chunk(extras={"a": 1, "b": 1, "c": {"a": 1, "b": 1, "c": 1}})
    other = Chunk(extras={**dict.fromkeys(names, 1), "c": dict.fromkeys(names, 1)})
    assert other.digest() == ordered.digest()


def test_a_digest_is_the_same_in_every_process() -> None:
    """The digest depends on content alone, so states can move between processes."""
    assert Chunk((TextDelta("word"),)).digest() == 992_688_502_941_574_530


@pytest.mark.parametrize("value", [object(), {1: 2, "a": 3}, {None: 1, "b": {2, 3}}], ids=["object", "keys", "set"])
def test_what_is_no_json_has_a_canonical_form_too(value: Any) -> None:
    """A chunk with values that are not JSON has a canonical form."""
    assert Chunk(extras={"value": value}).canonical() != Chunk().canonical()


@pytest.mark.parametrize(
    ("delta", "flags"),
    [
        (TextDelta("a"), CONTENT | TEXT),
        (TextDelta(""), 0),
        (TextDelta("a", "reasoning"), CONTENT),
        (TextDelta("a", "refusal"), CONTENT),
        (ToolCallDelta("{"), CONTENT),
        (ToolCallDelta(name="f"), CONTENT),
        (ToolCallDelta(position=1, type="function"), 0),
        (FinishDelta("stop"), 0),
        (DetailDelta("role", "assistant"), 0),
        (AudioDelta(b"a"), CONTENT),
        (AudioDelta(transcript="a"), CONTENT),
        (AudioDelta(fields={"id": "a"}), 0),
        (ImageDelta(0, "QUJD", partial=True), CONTENT),
        (TranscriptDelta("a"), CONTENT | TEXT),
        (TranscriptDelta(lists={"segments": [{}]}), CONTENT | TEXT),
        (TranscriptDelta("", final=True), 0),
        (ItemDelta("append", "m", 0, ("content", 0, "output_text"), "a", "text"), CONTENT | TEXT),
        (ItemDelta("append", "m", 0, ("summary", 0, "summary_text"), "a", "reasoning"), CONTENT),
        (ItemDelta("append", "m", 0, ("arguments",), "", "other"), 0),
        (ItemDelta("append", "m", 0, (), "a", "other"), CONTENT),
        (ItemDelta("append", "m", 0, ("signature",), "a"), 0),
        (ItemDelta("add", "m", 0, (), {"type": "message"}), 0),
        (ItemDelta("add", "m", 0, (), {"type": "function_call"}, "other"), CONTENT),
        (ItemDelta("done", "m", 0, (), {"type": "message", "content": [{}]}, "other"), CONTENT),
        (ItemDelta("set", "m", 0, ("status",), "completed"), 0),
        (ItemDelta("replace", None, None, (), []), 0),
    ],
)
def test_what_counts_as_content(delta: Delta, flags: int) -> None:
    """Roles, pings, finishes and metadata are not content; answer text is distinguished from other content."""
    assert Chunk((delta,)).flags == flags
    assert Chunk((FinishDelta("stop"), delta)).flags == flags


def test_the_properties_of_a_chunk() -> None:
    """The properties describe the first choice, as those of a record do."""
    call = ToolCallDelta("{}", 0, "call_a", "f")
    chunk = Chunk(
        (
            TextDelta("a"),
            TextDelta("x", choice=1),
            TextDelta("b"),
            TextDelta("thought", "reasoning"),
            ItemDelta("append", "m", 0, ("content", 0, "output_text"), "c", "text"),
            ItemDelta("append", "m", 0, ("summary", 0, "summary_text"), "!", "reasoning"),
            call,
            AudioDelta(b"AB"),
            AudioDelta("Q0Q"),
            FinishDelta("stop"),
            FinishDelta("length", 1),
        )
    )
    assert (chunk.text, chunk.reasoning, chunk.tool_calls, chunk.audio) == ("abc", "thought!", (call,), b"ABCD")
    assert chunk.finish_reason == "length"
    assert chunk.without_content().deltas == (FinishDelta("stop"), FinishDelta("length", 1))
    assert Chunk().finish_reason is None


def test_sizes_count_what_is_kept() -> None:
    """Text, audio, lists and items count towards the size."""
    assert Chunk((TextDelta("word"),)).size >= 4
    assert Chunk((AudioDelta(b"12345"),)).size >= 5
    assert Chunk((DetailDelta("logprobs", {"content": [{"token": "x" * 100}]}),)).size >= 100
    assert Chunk((ItemDelta("done", "m", 0, (), {"result": "x" * 100}),)).size >= 100


def test_several_chunks_as_one() -> None:
    """Several chunks of one payload are merged per field, with later values winning."""
    whole = joined(
        [
            Chunk(
                (TextDelta("a"),), meta={"model": "m1", "response_id": "r"}, extras={"x": {"a": 1}}, usage={"a": 1}, sequence=4
            ),
            Chunk((TextDelta("b"),), meta={"model": "m2", "response_id": None}, error={"type": "one"}),
            Chunk(extras={"x": {"b": 2}}, error={"type": None, "message": "two"}, usage={"b": 2}, terminal=True),
        ]
    )
    assert (whole.text, whole.sequence, whole.terminal, whole.usage) == ("ab", 4, True, {"a": 1, "b": 2})
    assert (whole.meta, whole.extras, whole.error) == (
        {"model": "m2", "response_id": "r"},
        {"x": {"a": 1, "b": 2}},
        {"type": "one", "message": "two"},
    )
    assert joined([]) == Chunk()


def test_an_error_chunk() -> None:
    """An error chunk has the fields of an error and no content."""
    chunk = chunk_of_error("framing_error", "bad", status=500)
    assert chunk.error == {"type": "framing_error", "message": "bad", "status": 500}
    assert (chunk.flags, chunk.terminal) == (0, False)
