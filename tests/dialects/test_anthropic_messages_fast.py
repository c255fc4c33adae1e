"""The fast path makes the same record as the general path."""

from typing import Any

import pytest
from anthropic._models import construct_type
from anthropic.types import RawMessageStreamEvent
from anthropic.types.beta import BetaRawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st

from streamtally import StreamRecord, Tally
from streamtally.accumulator.folding import Answer, Fold
from streamtally.dialects import dialect_named
from tests.dialects.wire import facts
from tests.quirks.anthropic import CITATION, PING, closed, ends, grows, opened, start
from tests.quirks.bodies import Payload

DIALECT = dialect_named("anthropic.messages")


def objects(payloads: list[Payload], kind: Any = BetaRawMessageStreamEvent) -> list[Any]:
    """The events as objects of the SDK."""
    return [construct_type(type_=kind, value=payload) for payload in payloads]


def wrapped(chunks: list[Any]) -> StreamRecord:
    """The record of a stream that is read through a wrapper, which alone uses the fast path."""
    with Tally().wrap(iter(chunks), dialect=DIALECT) as stream:
        list(stream)
    return stream.record


INDICES = st.integers(0, 2)
WORDS = st.sampled_from(["", "a", "é", "{", "}"])
EVENTS = st.one_of(
    st.builds(lambda at, text: grows(at, "text_delta", text=text), INDICES, WORDS),
    st.builds(lambda at, text: grows(at, "text_delta", text=text), INDICES, WORDS),
    st.builds(lambda at, text: grows(at, "thinking_delta", thinking=text), INDICES, WORDS),
    st.builds(lambda at, text: grows(at, "thinking_delta", thinking=text, estimated_tokens=1), INDICES, WORDS),
    st.builds(lambda at, text: grows(at, "input_json_delta", partial_json=text), INDICES, WORDS),
    st.builds(lambda at, text: {**grows(at, "text_delta", text=text), "odd": text}, INDICES, WORDS),
    st.builds(lambda at, text: grows(at, "text_delta", text=text, odd=text), INDICES, WORDS),
    st.builds(lambda at: grows(at, "citations_delta", citation=CITATION), INDICES),
    st.builds(lambda at: grows(at, "signature_delta", signature="s"), INDICES),
    st.builds(lambda at: opened(at, "text", text="x"), INDICES),
    st.builds(lambda at: opened(at, "tool_use", id=f"t{at}", name="f", input={}), INDICES),
    st.builds(closed, INDICES),
    st.builds(lambda number: start(id=f"msg_{number}"), st.integers(1, 2)),
    st.just(PING),
    st.just({"type": "text", "text": "a", "snapshot": "ab"}),
    st.just({"type": "input_json", "partial_json": "a", "snapshot": {}}),
    st.just(ends("tool_use")[0]),
)


@given(st.lists(EVENTS, max_size=30))
def test_the_fast_path_makes_the_same_record(payloads: list[Payload]) -> None:
    """For any events between the deltas that it accepts."""
    assert facts(wrapped(objects(payloads))) == facts(wrapped(payloads))


@pytest.mark.parametrize("kind", [RawMessageStreamEvent, BetaRawMessageStreamEvent])
@pytest.mark.parametrize(
    ("block", "delta", "name"),
    [
        ({"type": "text", "text": ""}, "text_delta", "text"),
        ({"type": "thinking", "thinking": "", "signature": ""}, "thinking_delta", "thinking"),
        ({"type": "tool_use", "id": "t", "name": "f", "input": {}}, "input_json_delta", "partial_json"),
    ],
)
def test_what_it_takes(kind: Any, block: Payload, delta: str, name: str) -> None:
    """The fast path accepts all text deltas of a block but the first, and the events that the SDK adds."""
    fold = Fold(Answer())
    assert DIALECT.fast_path is not None
    take = DIALECT.fast_path(fold)
    opening = {"type": "content_block_start", "index": 0, "content_block": block}
    payloads = [
        start(),
        opening,
        *(grows(0, delta, **{name: word}) for word in "abc"),
        {"type": "text", "text": "c", "snapshot": "abc"},
    ]
    taken = []
    for payload, event in zip(payloads, objects(payloads, kind), strict=True):
        taken.append(take(event))
        if not taken[-1]:
            fold.apply(DIALECT.chunk(payload))
    assert taken == [False, False, False, True, True, True]
    assert fold.answer.items is not None
    text = fold.answer.items.items[0].pieces[(name,)].text
    assert text is not None
    assert text.value() == "abc"
