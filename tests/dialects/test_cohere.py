"""The dialect `cohere.v2`: typed events, whose content blocks and tool calls are numbered separately."""

from collections.abc import Mapping
from typing import Any

import cohere
import pytest

from streamtally import Outcome, replay, to_response
from streamtally.dialects.payload_reader import PayloadReader
from tests.dialects.wire import Payload, facts, read, sse, stated

COUNTS = {"billed_units": {"input_tokens": 12, "output_tokens": 7}, "tokens": {"input_tokens": 507, "output_tokens": 10}}


def event(kind: str, index: int | None = None, /, **message: Any) -> Payload:
    """One event with fields in its message."""
    place = {} if index is None else {"index": index}
    return {"type": kind, **place, "delta": {"message": message}}


def begins() -> Payload:
    """The first event."""
    message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    return {"id": "id-1", "type": "message-start", "delta": {"message": message}}


def block(index: int, kind: str, *pieces: str) -> list[Payload]:
    """A content block in pieces."""
    return [
        event("content-start", index, content={"type": kind, kind: ""}),
        *(event("content-delta", index, content={kind: piece}) for piece in pieces),
        {"type": "content-end", "index": index},
    ]


def called(index: int, call_id: str, name: str, *pieces: str) -> list[Payload]:
    """A tool call in pieces."""
    function = {"name": name, "arguments": ""}
    return [
        event("tool-call-start", index, tool_calls={"id": call_id, "type": "function", "function": function}),
        *(event("tool-call-delta", index, tool_calls={"function": {"arguments": piece}}) for piece in pieces),
        {"type": "tool-call-end", "index": index},
    ]


def cites(index: int, **citation: Any) -> list[Payload]:
    """A citation."""
    return [event("citation-start", index, citations=citation), {"type": "citation-end", "index": index}]


def ends(reason: str = "COMPLETE", usage: Mapping[str, Any] | None = COUNTS, /, **fields: Any) -> Payload:
    """The last event."""
    return {"type": "message-end", "delta": {"finish_reason": reason, "usage": usage, **fields}}


def test_an_answer_with_thinking_and_citations() -> None:
    """Thinking is reasoning, a citation is an annotation, and the counts are the tokens processed, with cache reads."""
    source = {"type": "document", "id": "d1", "document": {"id": "d1", "title": "t"}}
    citation = {"start": 0, "end": 5, "text": "hello", "sources": [source], "type": "TEXT_CONTENT"}
    stream = [
        begins(),
        *block(0, "thinking", "h", "m"),
        *block(1, "text", "hel", "lo"),
        *cites(0, **citation),
        ends("COMPLETE", {**COUNTS, "cached_tokens": 448}),
    ]
    assert stated(read(stream, "cohere.v2")) == {
        "outcome": "completed",
        "provider": "cohere",
        "choices": (
            {
                "role": "assistant",
                "text": "hello",
                "reasoning": "hm",
                "annotations": (citation,),
                "finish_reason": "stop",
                "finish_reason_raw": "COMPLETE",
            },
        ),
        "usage": {"input_tokens": 507, "output_tokens": 10, "cache_read_tokens": 448},
    }


def test_parallel_calls_after_a_plan() -> None:
    """Pieces of calls are assigned by index, in any order; the plan is an entry of the reasoning details."""
    one, two = called(0, "a_1", "a", '{"x":', " 1}"), called(1, "b_1", "b", "{}")
    plan = [event("tool-plan-delta", tool_plan=piece) for piece in ("I will ", "call")]
    record = read([begins(), *plan, *one[:2], *two, *one[2:], ends("TOOL_CALL")], "cohere.v2")
    assert [(call.id, call.name, call.arguments_json, call.complete) for call in record.tool_calls] == [
        ("a_1", "a", {"x": 1}, True),
        ("b_1", "b", {}, True),
    ]
    assert (record.finish_reason, record.reasoning, record.text) == ("tool_calls", None, "")
    assert record.choices[0].reasoning_details == ({"type": "tool_plan", "index": 0, "text": "I will call"},)


def test_a_plan_is_the_first_that_is_generated() -> None:
    """The plan is the first token; the role and an empty block are not."""
    chunks = [
        chunk
        for each in (begins(), *block(0, "text"), event("tool-plan-delta", tool_plan="I"))
        for chunk in PayloadReader().read(each)
    ]
    assert [bool(chunk.flags) for chunk in chunks] == [False, False, False, True]


@pytest.mark.parametrize(
    ("word", "reason"),
    [("STOP_SEQUENCE", "stop"), ("MAX_TOKENS", "length"), ("ERROR_LIMIT", "length"), ("ERROR_TOXIC", "content_filter")],
)
def test_finish_reasons(word: str, reason: str) -> None:
    """Each word is normalised, and kept as the raw reason."""
    record = read([begins(), *block(0, "text", "a"), ends(word)], "cohere.v2")
    assert (record.finish_reason, record.choices[0].finish_reason_raw, record.outcome) == (reason, word, "completed")


@pytest.mark.parametrize("word", ["ERROR", "TIMEOUT"])
def test_an_answer_that_failed(word: str) -> None:
    """The content before the failure is kept; usage is None if none was reported."""
    failure = {"error": "invalid tool generation", "error_type": "INVALID_TOOL_GENERATION"}
    record = read([begins(), *block(0, "text", "a"), ends(word, {}, **failure)], "cohere.v2")
    assert (record.text, record.outcome, record.finish_reason, record.usage) == ("a", Outcome.ERROR, "error", None)
    assert record.error is not None
    assert (record.error.type, record.error.message) == ("INVALID_TOOL_GENERATION", "invalid tool generation")
    silent = read([begins(), ends(word, None)], "cohere.v2")
    assert silent.error is not None
    assert (silent.error.type, silent.outcome) == ("provider_error", Outcome.ERROR)


def test_an_error_in_place_of_events() -> None:
    """Such an error has hardly more than a message."""
    record = replay(sse([{"id": "e", "message": "trial key"}]), dialect="cohere.v2")
    assert record.error is not None
    assert (record.outcome, record.error.message, record.choices) == (Outcome.ERROR, "trial key", ())


def test_billed_units_where_nothing_was_counted() -> None:
    """Billed units are used if there are no tokens; searches have a unit of their own."""
    usage = {"billed_units": {"input_tokens": 3, "output_tokens": 2, "search_units": 1}}
    record = read([begins(), *block(0, "text", "a"), ends("COMPLETE", usage)], "cohere.v2")
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.searches) == (3, 2, 1)
    assert record.usage.raw == usage


@pytest.mark.parametrize("nothing", [0, None])
def test_billed_units_beside_tokens_that_say_nothing(nothing: int | None) -> None:
    """Tokens that are 0, or null, are no count beside the billed units; cached tokens are part of the tokens."""
    billed = {"input_tokens": 3, "output_tokens": 2}
    empty = {"input_tokens": nothing, "output_tokens": nothing}
    for tokens, expected in ((empty, (3, 2, None)), ({"input_tokens": 90}, (90, 2, 80))):
        usage = {"billed_units": billed, "tokens": tokens, "cached_tokens": 80}
        found = read([begins(), *block(0, "text", "a"), ends("COMPLETE", usage)], "cohere.v2").usage
        assert found is not None
        assert (found.input_tokens, found.output_tokens, found.cache_read_tokens) == expected


def test_a_stream_without_its_end() -> None:
    """A stream without its last event is truncated."""
    assert replay([begins(), *block(0, "text", "a")], dialect="cohere.v2").outcome is Outcome.TRUNCATED


def test_what_has_no_name_is_kept() -> None:
    """A debugging prompt, unknown parts, log probabilities and unknown fields are kept."""
    piece = {**event("content-delta", 0, content={"text": "a"}), "logprobs": {"text": "a", "token_ids": [1], "logprobs": [-0.5]}}
    other = event("content-delta", 1, content={"type": "chart", "chart": {"x": 1}})
    novel = event("tool-plan-delta", novelty=1)
    stream = [begins(), {"type": "debug", "prompt": "<s>"}, piece, other, novel, ends()]
    record = replay(stream, dialect="cohere.v2")
    (answer,) = record.choices
    assert record.extras == {"prompt": "<s>"}
    assert answer.logprobs == [{"text": "a", "token_ids": [1], "logprobs": [-0.5]}]
    assert answer.annotations == ({"type": "chart", "chart": {"x": 1}},)
    assert answer.extras == {"novelty": 1}


def test_a_whole_message_in_one_event() -> None:
    """Fields that are objects in events are lists there, and content is a text."""
    calls = [{"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}} for name in "ab"]
    stream = [
        event("message-start", content=[{"type": "text", "text": "a"}], tool_calls=calls),
        event("content-delta", content="b"),
        ends(),
    ]
    record = replay(stream, dialect="cohere.v2")
    assert (record.text, [call.id for call in record.tool_calls], record.finish_reason) == ("ab", ["a", "b"], "tool_calls")


def test_the_response_object() -> None:
    """The response object is that of the API without streaming, by the SDK's type."""
    citation = {"start": 0, "end": 1, "text": "a", "sources": []}
    stream = [
        begins(),
        event("tool-plan-delta", tool_plan="p"),
        *block(0, "thinking", "h"),
        *block(1, "text", "a"),
        *called(0, "a_1", "a", "{}"),
        *cites(0, **citation),
        ends("TOOL_CALL"),
    ]
    whole = to_response(read(stream, "cohere.v2"))
    response = cohere.V2ChatResponse.model_validate(whole)
    assert (response.id, response.finish_reason, response.message.tool_plan) == ("id-1", "TOOL_CALL", "p")
    assert whole["message"]["content"] == [{"type": "thinking", "thinking": "h"}, {"type": "text", "text": "a"}]
    assert whole["message"]["citations"] == [citation]
    assert whole["usage"] == COUNTS
    assert response.message.tool_calls is not None
    assert response.message.tool_calls[0].id == "a_1"
    cohere.V2ChatResponse.model_validate(to_response(replay([], dialect="cohere.v2")))


def test_halves_of_a_surrogate_pair() -> None:
    """The halves of a surrogate pair in two chunks make one character, in text, plan and arguments."""
    stream = [
        begins(),
        *block(0, "text", "\ud83d", "\ude00"),
        event("tool-plan-delta", tool_plan="\ud83d"),
        event("tool-plan-delta", tool_plan="\ude00"),
        ends(),
    ]
    record = replay(sse(stream), dialect="cohere.v2")
    assert (record.text, record.choices[0].reasoning_details[0]["text"]) == ("\U0001f600",) * 2


def test_json_lines_are_detected_too() -> None:
    """The dialect is detected in JSON lines as in server-sent events."""
    stream = [begins(), *block(0, "text", "a"), ends()]
    assert replay(sse(stream, named=True, done=True)).dialect == "cohere.v2"
    assert facts(replay(sse(stream, named=True, done=True))) == facts(replay(stream))
