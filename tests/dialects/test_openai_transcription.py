"""Speech to text: deltas, a final text that replaces them, and the verbose and diarised forms."""

import pytest

from tests.dialects.wire import Payload, read, stated

DIALECT = "openai.transcription"
TOKENS = {
    "type": "tokens",
    "input_tokens": 14,
    "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
    "output_tokens": 5,
    "total_tokens": 19,
}


def delta(text: str, **fields: object) -> Payload:
    """A piece of the transcript."""
    return {"type": "transcript.text.delta", "delta": text, **fields}


def done(text: str | None, **fields: object) -> Payload:
    """The last event."""
    return {"type": "transcript.text.done", "text": text, **fields}


def segment(number: int, text: str) -> Payload:
    """A segment of one speaker."""
    return {
        "type": "transcript.text.segment",
        "id": f"s{number}",
        "start": number,
        "end": number + 1,
        "speaker": "A",
        "text": text,
    }


def test_deltas_and_the_whole() -> None:
    """The text is not doubled, and usage is in tokens."""
    record = read([delta("I see "), delta("skies"), done("I see skies", usage=TOKENS)], DIALECT)
    assert stated(record) == {
        "outcome": "completed",
        "transcript": {"text": "I see skies"},
        "usage": {
            "input_tokens": 14,
            "output_tokens": 5,
            "total_tokens": 19,
            "text_input_tokens": 4,
            "audio_input_tokens": 10,
        },
    }
    assert record.text == "I see skies"


@pytest.mark.parametrize(
    ("events", "text", "outcome"),
    [
        pytest.param([delta("a"), delta("b"), done("A b.")], "A b.", "completed", id="the final text corrects the deltas"),
        pytest.param([delta("a"), delta("b"), done(None)], "ab", "completed", id="a final event without a text"),
        pytest.param([delta("a"), delta("b"), done("")], "", "completed", id="nothing was heard after all"),
        pytest.param([done("ab")], "ab", "completed", id="no deltas"),
        pytest.param([delta("a"), delta("b")], "ab", "truncated", id="no final event"),
        pytest.param([{"text": "ab"}], "ab", "completed", id="a whole transcription"),
    ],
)
def test_deltas_against_the_final_text(events: list[Payload], text: str, outcome: str) -> None:
    """The final text replaces the deltas; without one the deltas are the transcript."""
    record = read(events, DIALECT, detectable="type" in events[0])
    assert (record.text, record.outcome) == (text, outcome)


def test_usage_in_seconds() -> None:
    """A model that is charged by the second reports the duration."""
    record = read([done("ab", usage={"type": "duration", "seconds": 12})], DIALECT)
    assert stated(record)["usage"] == {"seconds": 12.0}


def test_all_fields_of_the_final_event() -> None:
    """Language, duration, words, segments and log probabilities are kept in the provider's form."""
    words = [{"word": "hi", "start": 0.0, "end": 0.5}]
    segments = [{"id": 0, "start": 0.0, "end": 0.5, "text": "hi"}]
    logprobs = [{"token": "hi", "logprob": -0.5, "bytes": [104, 105]}]
    last = done("hi", language="en", duration="1.5", words=words, segments=segments, logprobs=logprobs, task="transcribe")
    assert stated(read([delta("hi", logprobs=logprobs), last], DIALECT)) == {
        "outcome": "completed",
        "transcript": {
            "text": "hi",
            "language": "en",
            "duration": 1.5,
            "words": tuple(words),
            "segments": tuple(segments),
            "logprobs": tuple(logprobs),
        },
        "extras": {"task": "transcribe"},
    }


def test_logprobs_of_the_deltas() -> None:
    """Where the final event has none, those of the deltas count."""
    entries = [{"token": token, "logprob": -1.0, "bytes": [*token.encode()]} for token in ("a", "b")]
    record = read([delta("a", logprobs=entries[:1]), delta("b", logprobs=entries[1:]), done("ab", logprobs=[])], DIALECT)
    assert record.transcript is not None
    assert record.transcript.logprobs == tuple(entries)


@pytest.mark.parametrize("final", [True, False])
def test_segments_by_speaker(final: bool) -> None:
    """Diarised segments are kept; without a text, theirs are joined."""
    events = [segment(0, "Hello."), segment(1, " Hi.")]
    record = read([*events, *([done("Hello. Hi.")] if final else [])], DIALECT)
    assert record.transcript is not None
    assert [(one["id"], one["speaker"], one["text"]) for one in record.transcript.segments] == [
        ("s0", "A", "Hello."),
        ("s1", "A", " Hi."),
    ]
    assert (record.text, record.outcome) == ("Hello. Hi.", "completed" if final else "truncated")


def test_several_languages() -> None:
    """Of several languages the first is the language, and all of them are kept."""
    record = read([done("hi", languages=[{"code": "en"}, {"code": "de"}])], DIALECT)
    assert record.transcript is not None
    assert (record.transcript.language, record.extras["languages"]) == ("en", [{"code": "en"}, {"code": "de"}])


def test_a_transcription_as_if_it_were_chat() -> None:
    """A transcript in choices is read; the finish reason makes it final."""

    def chat_chunk(text: str, finish: str | None = None, **fields: object) -> Payload:
        chunk = {"id": "id-1", "object": "transcription.chunk", "created": 1, "model": "m-1"}
        return {**chunk, "choices": [{"delta": {"content": text}, "finish_reason": finish}], **fields}

    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    chunks = [
        chat_chunk("I see "),
        chat_chunk("skies"),
        chat_chunk("", "stop"),
        {**chat_chunk(""), "choices": [], "usage": usage},
    ]
    assert stated(read(chunks, DIALECT)) == {
        "outcome": "completed",
        "transcript": {"text": "I see skies"},
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
    }
    assert read(chunks[:2], DIALECT).outcome == "truncated"


def test_unknown_events_are_kept() -> None:
    """An unknown event is kept in the record."""
    record = read([delta("a"), {"type": "transcript.text.mood", "mood": "good"}, done("a")], DIALECT)
    assert (record.text, record.extras["events"]["transcript.text.mood"][0]["mood"]) == ("a", "good")
