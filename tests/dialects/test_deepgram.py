"""Deepgram's live transcription, as the JSON messages of its WebSocket."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally import Outcome, StreamType, Tally, replay


def result(text: str, start: float, *, final: bool = True, channel: int = 0, **fields: Any) -> dict[str, Any]:
    """A message of version 1 with the words of a stretch of sound."""
    words = [{"word": word, "start": start, "end": start + 0.5} for word in text.split()]
    metadata = {"request_id": "r-1", "model_info": {"name": "general-nova-3", "arch": "nova-3"}, "model_uuid": "u"}
    head = {
        "type": "Results",
        "channel_index": [channel, 2],
        "start": start,
        "duration": 1.0,
        "is_final": final,
        "speech_final": False,
    }
    return {
        **head,
        "channel": {"alternatives": [{"transcript": text, "confidence": 0.9, "words": words}]},
        "metadata": metadata,
        **fields,
    }


def turn(sequence: int, index: int, event: str, text: str) -> dict[str, Any]:
    """A message of version 2."""
    head = {"type": "TurnInfo", "request_id": "r-2", "sequence_id": sequence, "event": event, "turn_index": index}
    return {
        **head,
        "transcript": text,
        "words": [{"word": word, "confidence": 0.9} for word in text.split()],
        "audio_window_start": 0.0,
    }


END = {
    "type": "Metadata",
    "transaction_key": "k",
    "request_id": "r-1",
    "sha256": "0",
    "duration": 2.5,
    "channels": 1,
    "created": "x",
}


def test_interim_results_are_replaced() -> None:
    """The text is that of the final results, one after another; the end states the seconds."""
    record = replay(
        [
            result("bring", 0.0, final=False),
            result("bring a", 0.0, final=False),
            result("Bring a", 0.0, speech_final=True),
            {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 1.0},
            result("", 1.0),
            result("goat", 2.0, final=False),
            result("coat.", 2.0),
            END,
        ]
    )
    assert (record.dialect, record.stream_type, record.provider) == ("deepgram.live", StreamType.TRANSCRIPTION, "deepgram")
    assert (record.text, record.outcome, record.model, record.response_id) == (
        "Bring a coat.",
        Outcome.COMPLETED,
        "general-nova-3",
        "r-1",
    )
    assert record.transcript is not None
    assert [word["word"] for word in record.transcript.words] == ["Bring", "a", "coat."]
    assert [(segment["text"], segment["start"]) for segment in record.transcript.segments] == [("Bring a", 0.0), ("coat.", 2.0)]
    assert (record.transcript.duration, record.usage and record.usage.seconds) == (2.5, 2.5)
    assert record.extras["events"]["UtteranceEnd"][0]["last_word_end"] == 1.0


def test_a_rate_for_recordings_is_none_for_live_sound() -> None:
    """Live transcription has a price of its own, which the catalog does not have."""
    record = Tally().wrap([result("a", 0.0), END], params={"model": "nova-3"})
    list(record)
    assert (record.record.cost.usd, record.record.cost.status) == (None, "missing_rate")


@pytest.mark.parametrize(
    ("messages", "outcome", "text"),
    [
        ([result("a", 0.0)], Outcome.COMPLETED, "a"),
        ([result("a", 0.0), result("b", 1.0, final=False)], Outcome.TRUNCATED, "a"),
        ([result("a", 0.0, final=False)], Outcome.TRUNCATED, ""),
        ([result("a", 0.0, final=False), END], Outcome.COMPLETED, ""),
        ([result("a", 0.0, is_final=None)], Outcome.COMPLETED, "a"),
    ],
)
def test_a_stream_without_its_end(messages: list[dict[str, Any]], outcome: Outcome, text: str) -> None:
    """It is complete if all that began is final. What is not final is no text, but it is a segment."""
    record = replay(messages)
    assert (record.outcome, record.text) == (outcome, text)
    assert record.transcript is not None
    assert [segment["text"] for segment in record.transcript.segments] == [
        one["channel"]["alternatives"][0]["transcript"] for one in messages if one["type"] == "Results"
    ]


def test_channels() -> None:
    """What was said at the same time in two channels is kept apart."""
    record = replay([result("a", 0.0), result("x", 0.0, channel=1), result("b", 1.0), result("y", 1.0, channel=1), END])
    assert record.text == "a x b y"


def test_turns() -> None:
    """Version 2 sends all of a turn so far, and has no message at the end."""
    messages = [
        {"type": "Connected", "request_id": "r-2", "sequence_id": 0},
        turn(1, 0, "StartOfTurn", "bring"),
        turn(2, 0, "Update", "bring a"),
        turn(3, 0, "EndOfTurn", "Bring a coat."),
        turn(4, 1, "StartOfTurn", "it"),
        turn(5, 1, "EagerEndOfTurn", "it rains"),
        turn(6, 1, "TurnResumed", "it rains"),
    ]
    record = replay(messages)
    assert (record.text, record.outcome, record.response_id) == ("Bring a coat.", Outcome.TRUNCATED, "r-2")
    record = replay([*messages, turn(7, 1, "EndOfTurn", "It rains.")])
    assert (record.text, record.outcome) == ("Bring a coat. It rains.", Outcome.COMPLETED)
    assert record.transcript is not None
    assert [word["word"] for word in record.transcript.words] == ["Bring", "a", "coat.", "It", "rains."]


@given(st.permutations([turn(number, number // 2, ("Update", "EndOfTurn")[number % 2], f"w{number}") for number in range(6)]))
def test_their_numbers_order_turns(messages: list[dict[str, Any]]) -> None:
    """Added in any order, and one twice, they are the same transcript."""
    tally = Tally()
    for message in [*messages, messages[0]]:
        tally.add("r", message)
    record = tally.finish("r")
    assert (record.text, record.outcome, record.missing, record.ordering) == ("w1 w3 w5", Outcome.COMPLETED, (), "sequence")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"type": "Error", "variant": "DATA-0000", "description": "no sound"}, "DATA-0000"),
        ({"type": "Error", "sequence_id": 1, "code": "NET-1", "description": "no sound"}, "NET-1"),
    ],
)
def test_errors(message: dict[str, Any], kind: str) -> None:
    """Of both versions."""
    record = replay([result("a", 0.0), message])
    assert record.error is not None
    assert (record.outcome, record.text, record.error.type, record.error.message) == (Outcome.ERROR, "a", kind, "no sound")


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "Results"},
        {"type": "Results", "channel": {"alternatives": None}},
        {"type": "Metadata", "duration": 1},
        {"type": "Metadata", "request_id": "x", "usage": {}},
        {"type": "TurnInfo"},
        {"channel": {"alternatives": []}},
    ],
)
def test_what_is_not_recognised(payload: dict[str, Any]) -> None:
    """A type alone says nothing."""
    assert replay([payload]).dialect == "opaque"


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "Results", "channel": 3, "metadata": []},
        {"type": "Results", "channel": {"alternatives": [None]}, "start": "x", "channel_index": [], "is_final": True},
        {"type": "TurnInfo", "turn_index": 3, "words": [1], "languages": [None], "event": "EndOfTurn"},
        {"type": "Metadata", "duration": None},
        {"type": None},
    ],
)
def test_odd_messages_lose_nothing_else(odd: dict[str, Any]) -> None:
    """What has another form than it should is left out."""
    record = replay([result("a", 1.0), odd, result("b", 2.0), END])
    assert (record.text, record.error, record.usage and record.usage.seconds) == ("a b", None, 2.5)
