"""AssemblyAI's live transcription, as the JSON messages of its WebSocket."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally import Outcome, StreamType, Tally, replay

BEGIN = {"type": "Begin", "id": "s-1", "expires_at": 1_790_000_000, "configuration": {"model": "universal-3"}}
END = {"type": "Termination", "audio_duration_seconds": 4, "session_duration_seconds": 6}


def turn(order: int, text: str, *, ended: bool = False, formatted: bool = False, **fields: Any) -> dict[str, Any]:
    """All of a turn so far."""
    words = [{"text": word, "start": 0, "end": 1, "confidence": 0.9, "word_is_final": ended} for word in text.split()]
    head = {
        "type": "Turn",
        "turn_order": order,
        "end_of_turn": ended,
        "turn_is_formatted": formatted,
        "end_of_turn_confidence": 0.5,
    }
    return {**head, "transcript": text, "words": words, **fields}


TURNS = [
    turn(0, "bring"),
    turn(0, "bring a coat", ended=True),
    turn(0, "Bring a coat.", ended=True, formatted=True),
    turn(1, "it", language_code="en"),
    turn(1, "It rains.", ended=True, formatted=True, language_code="en"),
]


def test_turns() -> None:
    """Each message replaces what came of its turn; a turn that comes formatted too is one turn."""
    record = replay([BEGIN, *TURNS, END])
    assert (record.dialect, record.stream_type, record.provider) == ("assemblyai.live", StreamType.TRANSCRIPTION, "assemblyai")
    assert (record.text, record.outcome, record.response_id) == ("Bring a coat. It rains.", Outcome.COMPLETED, "s-1")
    assert record.model == "universal-3"
    assert record.transcript is not None
    assert [word["text"] for word in record.transcript.words] == ["Bring", "a", "coat.", "It", "rains."]
    assert [segment["turn_is_formatted"] for segment in record.transcript.segments] == [True, True]
    assert (record.transcript.language, record.transcript.duration) == ("en", 4.0)
    assert record.usage is not None
    assert (record.usage.seconds, record.usage.raw["session_duration_seconds"]) == (4.0, 6)


def test_an_unformatted_repeat_changes_nothing() -> None:
    """A turn that has ended is not replaced by a message in which it goes on."""
    assert replay([TURNS[2], TURNS[0], END]).text == "Bring a coat."


@pytest.mark.parametrize(
    ("messages", "outcome", "text"),
    [
        (TURNS, Outcome.COMPLETED, "Bring a coat. It rains."),
        (TURNS[:4], Outcome.TRUNCATED, "Bring a coat."),
        ([BEGIN, TURNS[0]], Outcome.TRUNCATED, ""),
        ([BEGIN, END], Outcome.COMPLETED, ""),
    ],
)
def test_the_end(messages: list[dict[str, Any]], outcome: Outcome, text: str) -> None:
    """Without its end a session is complete if all turns have ended."""
    record = replay(messages)
    assert (record.outcome, record.text) == (outcome, text)


def test_speakers_that_are_known_later() -> None:
    """They replace the words of a turn, and not its text."""
    words = [{"text": "Bring", "speaker": "B"}]
    record = replay([*TURNS, {"type": "SpeakerRevision", "revisions": [{"turn_order": 0, "words": words}]}, END])
    assert record.transcript is not None
    assert (record.text, record.transcript.words[0]) == ("Bring a coat. It rains.", words[0])


def test_other_messages() -> None:
    """An error fails the stream; what else comes is kept beside the transcript."""
    record = replay(
        [BEGIN, {"type": "SpeechStarted", "timestamp": 3}, *TURNS, {"type": "Error", "error_code": 4001, "error": "no sound"}]
    )
    assert record.error is not None
    assert (record.outcome, record.error.message, record.error.code) == (Outcome.ERROR, "no sound", "4001")
    assert record.extras["events"]["SpeechStarted"][0]["timestamp"] == 3


@given(st.permutations(list(enumerate([BEGIN, *TURNS, END]))), st.data())
def test_they_arrive_in_any_order(messages: list[tuple[int, dict[str, Any]]], data: st.DataObject) -> None:
    """With positions, split over two workers: the same transcript."""
    cut = data.draw(st.integers(0, len(messages)))
    first, second = Tally().accumulator, Tally().accumulator
    for worker, part in ((first, messages[:cut]), (second, messages[cut:])):
        worker.open("r", several=True)
        for index, message in part:
            worker.add("r", message, index=index)
    first.merge("r", second.dump("r"))
    record = first.finish("r")
    assert (record.text, record.usage and record.usage.seconds, record.missing) == ("Bring a coat. It rains.", 4.0, ())


@pytest.mark.parametrize("payload", [{"type": "Turn"}, {"type": "Begin", "id": "x"}, {"turn_order": 1, "transcript": "a"}])
def test_what_is_not_recognised(payload: dict[str, Any]) -> None:
    """A type alone says nothing."""
    assert replay([payload]).dialect == "opaque"


@pytest.mark.parametrize(
    "odd", [{"type": "Turn", "turn_order": 7}, {"type": "Turn", "words": 3}, {"type": "SpeakerRevision"}, {"type": 3}]
)
def test_odd_messages_lose_nothing_else(odd: dict[str, Any]) -> None:
    """What has another form than it should is left out."""
    record = replay([*TURNS, odd, END])
    assert (record.text, record.error) == ("Bring a coat. It rains.", None)
