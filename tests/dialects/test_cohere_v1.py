"""The dialect `cohere.v1`: events, of which the last repeats the streamed content."""

from typing import Any

import cohere
import pytest

from streamtally import Outcome, replay, to_response
from tests.dialects.wire import Payload, read, stated

META = {
    "api_version": {"version": "1"},
    "billed_units": {"input_tokens": 7, "output_tokens": 9},
    "tokens": {"input_tokens": 69, "output_tokens": 9},
}


def event(kind: str, **fields: Any) -> Payload:
    """One event."""
    return {"is_finished": kind == "stream-end", "event_type": kind, **fields}


def begins() -> Payload:
    """The first event."""
    return event("stream-start", generation_id="id-1")


def texts(*pieces: str) -> list[Payload]:
    """Words."""
    return [event("text-generation", text=piece) for piece in pieces]


def ends(reason: str = "COMPLETE", /, text: str = "hello", **fields: Any) -> Payload:
    """The last event, with the whole response."""
    history = [{"role": "USER", "message": "hi"}, {"role": "CHATBOT", "message": text}]
    whole = {"text": text, "generation_id": "id-1", "chat_history": history, "finish_reason": reason, "meta": META, **fields}
    return event("stream-end", finish_reason=reason, response={"response_id": "r-1", **whole})


def test_an_answer_with_citations() -> None:
    """The content that the last event repeats is not doubled; what else it has is kept, the history too."""
    citation = {"start": 0, "end": 5, "text": "hello", "document_ids": ["d"]}
    document = {"id": "d", "title": "t"}
    stream = [
        begins(),
        event("search-results", documents=[document], search_results=[]),
        *texts("hel", "lo"),
        event("citation-generation", citations=[citation]),
        ends(citations=[citation], documents=[document]),
    ]
    assert stated(read(stream, "cohere.v1")) == {
        "outcome": "completed",
        "provider": "cohere",
        "choices": ({"text": "hello", "annotations": (citation,), "finish_reason": "stop", "finish_reason_raw": "COMPLETE"},),
        "usage": {"input_tokens": 7, "output_tokens": 9},
        "extras": {
            "response_id": "r-1",
            "documents": [document],
            "search_results": [],
            "meta": META,
            "chat_history": [{"role": "USER", "message": "hi"}, {"role": "CHATBOT", "message": "hello"}],
        },
    }


CALLS = [{"name": "f", "parameters": {"x": 1}}, {"name": "f", "parameters": {"x": 1}}]
PIECES = [
    event("tool-calls-chunk", text="I"),
    event("tool-calls-chunk", text=" will"),
    *(
        event("tool-calls-chunk", tool_call_delta={"index": index, **piece})
        for index in (0, 1)
        for piece in ({"name": "f"}, {"parameters": '{"x"'}, {"parameters": ": 1}"})
    ),
]


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        ([*PIECES, event("tool-calls-generation", text="I will", tool_calls=CALLS)], "I will"),
        (PIECES, "I will"),
        ([event("tool-calls-generation", tool_calls=CALLS)], ""),
    ],
    ids=["in pieces and whole", "in pieces", "whole"],
)
def test_tool_calls(stream: list[Payload], text: str) -> None:
    """Sent in pieces, whole, or both, there are two calls, and the text before them is not doubled."""
    record = read([begins(), *stream, ends(text=text, tool_calls=CALLS)], "cohere.v1")
    assert [(call.name, call.arguments_json, call.complete) for call in record.tool_calls] == [("f", {"x": 1}, True)] * 2
    assert (record.text, record.finish_reason) == (text, "tool_calls")


def test_calls_that_were_cut() -> None:
    """Without the event that repeats them whole, the pieces are kept."""
    record = replay([begins(), *PIECES[:4]], dialect="cohere.v1")
    assert [(call.name, call.arguments, call.complete) for call in record.tool_calls] == [("f", '{"x"', False)]
    assert record.outcome is Outcome.TRUNCATED


def test_pieces_with_the_words_inside() -> None:
    """A piece of a call may have the plan."""
    piece = event("tool-calls-chunk", tool_call_delta={"text": "I"})
    assert read([begins(), piece, ends()], "cohere.v1", detectable=True).text == "I"


def test_an_answer_that_failed() -> None:
    """The finish reason states it, and may be alone."""
    record = read([begins(), *texts("hel"), ends("ERROR")], "cohere.v1")
    assert record.error is not None
    assert (record.text, record.outcome, record.finish_reason) == ("hel", Outcome.ERROR, "error")
    alone = replay([{"message": "invalid api token"}], dialect="cohere.v1")
    assert alone.error is not None
    assert (alone.outcome, alone.error.message) == (Outcome.ERROR, "invalid api token")


def test_the_generate_api_before_it() -> None:
    """Chunks of the older Generate API are numbered by generation; the oldest have no event type."""
    stream = [
        {"index": 0, "text": "a", "is_finished": False},
        {"index": 1, "text": "b", "is_finished": False},
        {"index": 0, "is_finished": True, "finish_reason": "COMPLETE"},
        {"index": 1, "is_finished": True, "finish_reason": "MAX_TOKENS"},
    ]
    record = replay(stream)
    assert record.dialect == "cohere.v1"
    assert [(answer.text, answer.finish_reason) for answer in record.choices] == [("a", "stop"), ("b", "length")]


def test_tokens_where_nothing_was_billed() -> None:
    """Tokens are used if there are no billed units."""
    meta = {"tokens": {"input_tokens": 2, "output_tokens": 1}}
    record = read([begins(), *texts("a"), ends(meta=meta)], "cohere.v1")
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.raw) == (2, 1, meta)


def test_the_response_object() -> None:
    """The response object is that of the API without streaming, by the SDK's type."""
    citation = {"start": 0, "end": 1, "text": "a", "document_ids": ["d"]}
    stream = [
        begins(),
        *texts("a"),
        event("citation-generation", citations=[citation]),
        event("tool-calls-generation", tool_calls=CALLS),
        ends(text="a"),
    ]
    response = cohere.NonStreamedChatResponse.model_validate(to_response(read(stream, "cohere.v1")))
    assert (response.text, response.generation_id, response.finish_reason) == ("a", "id-1", "COMPLETE")
    assert response.tool_calls is not None
    assert [call.parameters for call in response.tool_calls] == [{"x": 1}] * 2
    assert response.meta is not None
    assert response.meta.billed_units is not None
    assert response.meta.billed_units.output_tokens == 9
    cohere.NonStreamedChatResponse.model_validate(to_response(replay([], dialect="cohere.v1")))
