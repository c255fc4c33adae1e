"""Sessions: streams with any number of answers, of which each has an end of its own."""

from collections.abc import Mapping
from typing import Any

import pytest

from streamtally import Chunk, Dialect, Outcome, StreamRecord, StreamType, Tally, replay
from streamtally.chunks import FinishDelta, TextDelta

MODEL = {"model": "m-1"}
BEGIN, HELLO, DONE, CANCELLED = {"begin": "r"}, {"say": "hello"}, {"end": "done"}, {"end": "cancelled"}
ERROR = {"error": "no such item"}


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """An event of a made-up session."""
    if "begin" in payload:
        return Chunk(meta={"response_id": payload["begin"]}, starts=True)
    if "end" in payload:
        return Chunk((FinishDelta(payload["end"]),), usage={"input_tokens": 3, "output_tokens": 1}, terminal=True)
    if "error" in payload:
        return Chunk(error={"type": "invalid", "message": payload["error"]})
    return Chunk((TextDelta(payload["say"]),)) if "say" in payload else Chunk(meta=payload)


WORDS: Any = {"done": "stop", "cancelled": "cancelled", "broken": "error"}
TALKS = Dialect("talks", StreamType.CHAT, chunk, finish_reasons=WORDS, sessions=True)


def keyed(events: list[dict[str, Any]]) -> StreamRecord:
    """The record of events that are added one by one; only `finish` makes it."""
    tally = Tally()
    tally.open("r", dialect=TALKS)
    assert [tally.add("r", event) for event in events] == [None] * len(events)
    return tally.finish("r")


@pytest.mark.parametrize("read", [lambda events: replay(events, dialect=TALKS), keyed])
@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([], Outcome.COMPLETED),
        ([MODEL], Outcome.COMPLETED),
        ([MODEL, BEGIN, HELLO, DONE], Outcome.COMPLETED),
        ([MODEL, BEGIN, HELLO, DONE, BEGIN, HELLO], Outcome.TRUNCATED),
        ([MODEL, BEGIN, HELLO, DONE, BEGIN, HELLO, CANCELLED], Outcome.CANCELLED),
        ([MODEL, BEGIN, HELLO, CANCELLED, BEGIN, HELLO, DONE], Outcome.COMPLETED),
        ([MODEL, ERROR], Outcome.ERROR),
        ([MODEL, BEGIN, ERROR, HELLO, DONE], Outcome.COMPLETED),
        ([MODEL, BEGIN, HELLO, DONE, ERROR], Outcome.COMPLETED),
        ([MODEL, BEGIN, HELLO, DONE, ERROR, BEGIN, HELLO, DONE], Outcome.COMPLETED),
        ([MODEL, BEGIN, HELLO, ERROR], Outcome.ERROR),
        ([MODEL, BEGIN, HELLO, {"end": "broken"}], Outcome.ERROR),
    ],
)
def test_the_last_answer_decides_how_a_session_ended(read: Any, events: list[dict[str, Any]], outcome: Outcome) -> None:
    """An error from which the session recovers is none of the answer; a session without answers has nothing to complete."""
    assert read(events).outcome is outcome


def test_what_the_session_states_once_holds_for_all_its_answers() -> None:
    """The model; usage is that of each answer, and their sum."""
    record = keyed([MODEL, BEGIN, HELLO, DONE, {"begin": "r2"}, HELLO, DONE])
    assert [(part.response_id, part.model) for part in record.parts] == [("r", "m-1"), ("r2", "m-1")]
    assert (record.model, record.text) == ("m-1", "hellohello")
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (6, 2)


def test_an_error_of_a_session_is_kept() -> None:
    """Also where the session recovered from it."""
    record = keyed([MODEL, BEGIN, HELLO, DONE, ERROR, {"begin": "r2"}, HELLO, DONE])
    assert record.parts[0].error is not None
    assert (record.parts[0].error.type, record.error) == ("invalid", None)
