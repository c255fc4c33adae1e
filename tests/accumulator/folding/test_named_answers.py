"""Answers that stream at the same time in one stream, and say which of them each payload belongs to."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally import Accumulator, Chunk, Dialect, StreamType, replay
from streamtally.chunks import FinishDelta, TextDelta, UsageDelta
from streamtally.testing.clock import FakeClock

NAMES = "xyz"


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """A payload of a made-up framework: a word of a run, all of its words, or its end."""
    run = payload.get("run")
    if "all" in payload:
        return Chunk((TextDelta(payload["all"], whole=True),), answer=run)
    if "why" in payload:
        return Chunk((FinishDelta(payload["why"]), UsageDelta({"output_tokens": 1}, "+")), answer=run)
    return Chunk((TextDelta(payload["word"], whole=False),) if "word" in payload else (), payload.get("meta") or {}, answer=run)


WORDS: Any = {"stop": "stop", "length": "length"}
RUNS = Dialect("runs", StreamType.CHAT, chunk, finish_reasons=WORDS, states_finish=False)


def said(run: str, *words: str) -> list[dict[str, Any]]:
    """The payloads of one run."""
    return [*({"run": run, "word": word} for word in words), {"run": run, "why": "stop"}]


EVENT = {"event": "on_chat_model_stream", "name": "m", "metadata": {}}
"""A payload of LangChain's, whose dialect names its answers."""

pieces = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=4)


@given(st.lists(pieces, min_size=1, max_size=3), st.data())
def test_each_answer_gets_its_own_words(runs: list[list[str]], data: st.DataObject) -> None:
    """However the answers alternate: each is a part, in the order in which they began."""
    left = {name: said(name, *words) for name, words in zip(NAMES, runs, strict=False)}
    payloads, order = [], []
    while left:
        name = data.draw(st.sampled_from(sorted(left)))
        order += [] if name in order else [name]
        payloads.append(left[name].pop(0))
        if not left[name]:
            del left[name]
    record = replay(payloads, dialect=RUNS)
    assert record.text == "".join(word for name in order for word in runs[NAMES.index(name)])
    assert record.usage is not None
    assert record.usage.output_tokens == len(runs)
    assert len(record.parts) == (len(runs) if len(runs) > 1 else 0)
    assert {part.finish_reason for part in record.parts} <= {"stop"}


@given(st.data())
def test_they_travel_and_arrive_in_any_order(data: st.DataObject) -> None:
    """Split over two workers, in any order: the same record as in one."""
    runs = (("x", "a"), ("y", "c"), ("x", "b"), ("y", "d"))
    payloads = list(enumerate({**EVENT, "run_id": run, "data": {"chunk": {"content": text}}} for run, text in runs))
    shuffled = data.draw(st.permutations(payloads))
    cut = data.draw(st.integers(0, len(payloads)))
    workers = [Accumulator(clock=FakeClock()) for _ in range(3)]
    for worker, part in zip(workers, (payloads, shuffled[:cut], shuffled[cut:]), strict=True):
        worker.open("r", several=True)
        for index, payload in part:
            worker.add("r", payload, index=index, at=1_000.0 + index)
    alone, first, second = workers
    first.merge("r", second.dump("r"))
    local = {"duplicates", "conflicts", "late"}
    record = alone.finish("r")
    assert (record.text, len(record.parts)) == ("abcd", 2)
    assert first.finish("r").model_dump(exclude=local) == record.model_dump(exclude=local)


def test_a_whole_answer_goes_to_its_own() -> None:
    """What repeats all of an answer replaces the pieces of that one, and not those of the one that streams meanwhile."""
    payloads = [
        *said("x", "a", "b"),
        {"run": "y", "word": "c"},
        {"run": "x", "all": "ab"},
        *said("y", "d"),
        {"run": "z", "all": "e"},
    ]
    assert replay(payloads, dialect=RUNS).text == "abcde"


@pytest.mark.parametrize(
    ("before", "parts"),
    [([], 0), ([{"meta": {"model": "m-1"}}], 0), ([{"word": "z"}], 2)],
)
def test_what_came_without_a_name(before: list[dict[str, Any]], parts: int) -> None:
    """An answer without content becomes the first that is named; one with content stays for itself."""
    record = replay([*before, *said("x", "a")], dialect=RUNS)
    assert len(record.parts) == parts
    assert record.text.endswith("a")
    assert record.model == ("m-1" if before and "meta" in before[0] else None)


def test_a_chunk_with_a_name_travels() -> None:
    """The name is part of the chunk's JSON form."""
    named = Chunk((TextDelta("a"),), answer="x")
    assert Chunk.from_state(named.state()) == named
