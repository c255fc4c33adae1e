"""What llama.cpp's server and LiteLLM's proxy send differently from the APIs that they imitate, as bodies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from streamtally import Outcome, StreamRecord, Tally, Usage, replay
from streamtally.testing import FakeClock
from tests.dialects.wire import Payload, chat, choice, envelope, event, facts, pieces, sse, stops
from tests.quirks import anthropic

TIMINGS = {"cache_n": 2, "prompt_n": 1, "prompt_ms": 0.5, "predicted_n": 2, "predicted_ms": 0.5}
FAILED = {"message": "connection error", "type": None, "param": None, "code": "500"}


def completion(text: str, finish: str | None = None, index: int = 0, **fields: Any) -> Payload:
    """A chunk of text completions, which has a finish reason only with the last text of a choice."""
    each = {"index": index, "text": text, "logprobs": None, "finish_reason": finish}
    return {"id": "id-1", "object": "text_completion", "model": "m-1", "choices": [each], **fields}


def ends(index: int, prompt: int, outputs: int) -> Payload:
    """The chunk with which llama.cpp ends a choice: it has the usage of that choice."""
    counts = {"prompt_tokens": prompt, "completion_tokens": outputs, "total_tokens": prompt + outputs}
    return completion("", "length", index, usage={**counts, "prompt_tokens_details": {"cached_tokens": 2}}, timings=TIMINGS)


def body(payloads: Sequence[Payload], *, done: bool = True, named: bool = False) -> bytes:
    """The body of an answer."""
    return sse(payloads, done=done, named=named)


def read(data: bytes) -> StreamRecord:
    """The record of a body, which is the same in pieces of any size."""
    record = replay(data)
    assert facts(replay(pieces(data, 7))) == facts(record)
    return record


def counts(usage: Usage | None) -> tuple[int | None, ...]:
    """Input, output, total and cached tokens; nothing without a report."""
    return () if usage is None else (usage.input_tokens, usage.output_tokens, usage.total_tokens, usage.cache_read_tokens)


ANSWERS = [completion("x", index=1), completion("a"), completion("y", index=1), ends(1, 3, 2), completion("b"), ends(0, 4, 5)]


def test_usage_of_each_choice_by_itself() -> None:
    """The reports of all choices are added; one choice alone has the usage of the answer."""
    record = read(body(ANSWERS))
    assert [each.text for each in record.choices] == ["ab", "xy"]
    assert counts(record.usage) == (7, 7, 14, 4)
    assert counts(read(body([completion("a"), ends(0, 4, 5)])).usage) == (4, 5, 9, 2)


def test_usage_of_each_choice_in_any_order() -> None:
    """A report that comes twice is counted once, however the chunks arrive."""
    tally = Tally()
    for index in (5, 0, 3, 3, 4, 1, 2, 5):
        tally.add("r", ANSWERS[index], index=index)
    assert counts(tally.finish("r").usage) == (7, 7, 14, 4)


def test_usage_of_all_choices_at_the_end() -> None:
    """A report for no choice in particular is that of the answer, whatever else the server says; so is one without timings."""
    whole = {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}
    last = {**completion(""), "choices": [], "usage": whole, "timings": TIMINGS}
    assert counts(read(body([*ANSWERS, last])).usage) == (3, 7, 10, None)
    running = [completion("a", usage={**whole, "completion_tokens": 3}), completion("x", "stop", 1, usage=whole)]
    assert counts(read(body([*running, completion("", "stop", usage=whole)])).usage) == (3, 7, 10, None)


def test_a_null_event() -> None:
    """It is no payload: the answer begins with the next one."""
    data = b"data: null\n\n" + body(ANSWERS)
    assert facts(read(data)) == facts(read(body(ANSWERS)))


@pytest.mark.parametrize("payload", [chat(), {"choices": [], "object": "chat.completion.chunk"}])
def test_progress_and_comments_are_no_content(payload: Payload) -> None:
    """Neither progress with the prompt, nor comments, nor a role is the first token."""
    clock = FakeClock()
    tally = Tally(clock=clock)
    progress = {"total": 9, "cache": 3, "processed": 3, "time_ms": 1}
    frames: list[Any] = [
        {**chat(choice(role="assistant", content=None)), "prompt_progress": progress},
        b":\n\n",
        {**payload, "prompt_progress": {**progress, "processed": 9}},
        chat(choice(content="a")),
        stops(),
    ]
    with tally.open("r", dialect="openai.chat", started_at=clock.monotonic_ns() / 1e9):
        for index, frame in enumerate(frames):
            clock.advance(1)
            tally.add("r", frame, index=index)
        record = tally.finish("r")
    assert (record.timing.time_to_first_chunk, record.timing.time_to_first_token, record.text) == (1, 4, "a")
    assert record.extras["prompt_progress"]["processed"] == 9


THOUGHTS = {
    "chat": [chat(choice(reasoning_content="so")), stops("length")],
    "messages": [anthropic.start(), *anthropic.thinking("so", signature=""), *anthropic.ends("max_tokens")],
    "responses": [
        envelope("created"),
        event("output_item.added", item={"id": "r", "type": "reasoning", "summary": [], "content": []}),
        event("reasoning_text.delta", item_id="r", delta="so"),
        event("reasoning_text.done", item_id="r", text="so"),
        envelope("completed", output=[{"id": "r", "type": "reasoning", "content": [{"type": "reasoning_text", "text": "so"}]}]),
    ],
}


@pytest.mark.parametrize("kind", THOUGHTS)
def test_an_answer_that_is_only_reasoning(kind: str) -> None:
    """A model that thought until its limit: no text, and complete."""
    record = read(body(THOUGHTS[kind], named=kind != "chat"))
    assert (record.text, record.reasoning, record.outcome) == ("", "so", Outcome.COMPLETED)


def test_a_tool_call_that_the_limit_cut() -> None:
    """The markup of a call that the server does not recognise is text; a call that it does, and cuts, is not complete."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": '}}
    record = read(body([chat(choice(content="<tool_call>")), chat(choice(tool_calls=[call])), stops("length")]))
    assert (record.text, record.finish_reason, record.outcome) == ("<tool_call>", "length", Outcome.COMPLETED)
    assert [(each.name, each.complete) for each in record.tool_calls] == [("f", False)]


ITEM = {"id": "m", "type": "message", "role": "assistant", "content": []}
WORDS = [event("output_item.added", item=ITEM), event("output_text.delta", item_id="m", delta="a")]


def test_responses_with_the_marker_of_chat() -> None:
    """LiteLLM ends the stream of a response as that of a chat; llama.cpp adds its timings, and neither numbers its events."""
    usage = {"input_tokens": 3, "input_tokens_details": {"cached_tokens": 2}, "output_tokens": 1, "total_tokens": 4}
    output = [{**ITEM, "content": [{"type": "output_text", "text": "a", "annotations": []}]}]
    last = {**envelope("completed", output=output, usage=usage), "timings": TIMINGS}
    record = read(body([envelope("created"), *WORDS, last], named=True))
    assert (record.text, record.outcome, counts(record.usage)) == ("a", Outcome.COMPLETED, (3, 1, 4, 2))
    assert record.extras["timings"] == TIMINGS
    tally = Tally()
    ended = [tally.add("r", each) for each in (envelope("created"), *WORDS, last)]
    assert ended[-1] is not None
    assert ended[-1].text == "a"


def test_a_response_whose_upstream_is_lost() -> None:
    """LiteLLM's own last event has a number, which the events before it have not."""
    error = {"code": "server_error", "message": "payload is not completed"}
    last = {**envelope("failed", error=error), "sequence_number": 0}
    record = read(body([envelope("created"), *WORDS, last], named=True))
    assert (record.text, record.outcome, record.usage) == ("a", Outcome.ERROR, None)
    assert record.error is not None
    assert (record.error.type, record.error.message) == ("server_error", "payload is not completed")
    tally = Tally()
    ended = [tally.add("r", each) for each in (envelope("created"), *WORDS, last)]
    assert ended[-1] is not None
    assert (ended[-1].text, ended[-1].outcome) == ("a", Outcome.ERROR)


ZEROS = {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
LOST = {
    "chat": [chat(choice(content="a")), {"error": FAILED}],
    "messages": [
        anthropic.start(ZEROS),
        *anthropic.texts("a")[:2],
        {"type": "error", "error": {"type": "api_error", "message": "connection error"}},
    ],
    "completions": [completion("a"), {"error": FAILED}],
}


@pytest.mark.parametrize("kind", LOST)
def test_an_upstream_that_is_lost(kind: str) -> None:
    """The proxy says so inside the stream; what came stays, and placeholders for counts are none."""
    record = read(body(LOST[kind], done=False))
    assert (record.text, record.outcome, record.usage) == ("a", Outcome.ERROR, None)
    assert record.error is not None
    assert record.error.message == "connection error"


@pytest.mark.parametrize("kind", LOST)
def test_a_body_that_is_cut(kind: str) -> None:
    """Without an error, an end, and the rest of its last frame."""
    data = body(LOST[kind][:-1], done=False) + b'data: {"choices":[{"fin'
    record = read(data)
    assert (record.text, record.outcome, record.usage, record.finish_reason) == ("a", Outcome.TRUNCATED, None, None)
    assert record.extras["tail"] == 'data: {"choices":[{"fin'


def test_one_choice_of_two_without_an_end() -> None:
    """LiteLLM drops the finish reason of one choice: that choice may lack its end."""
    chunks = [chat(choice(0, content="a")), chat(choice(1, content="x")), chat(choice(0, "length"))]
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    record = read(body([*chunks, chat(usage=usage)]))
    assert (record.outcome, record.finish_reasons, counts(record.usage)) == (Outcome.TRUNCATED, ("length", None), (3, 2, 5, None))


@pytest.mark.parametrize("whole", [True, False])
def test_zeros_beside_words(whole: bool) -> None:
    """LiteLLM's completions count nothing on each chunk: that is no report. With no words it may be one."""
    zeros = {"completion_tokens": 0, "prompt_tokens": 0, "total_tokens": 0}
    words = [completion("a", usage=zeros)] if whole else []
    record = read(body([*words, completion("", "length", usage=zeros)]))
    assert (record.usage is None) == whole


def test_an_error_in_place_of_an_answer() -> None:
    """A body of JSON, or a stream of one event, that begins no format."""
    error = {"message": "context exceeded", "type": "exceed_context_size_error", "code": 400, "n_ctx": 512}
    for data in (json.dumps({"error": error}).encode(), body([{"error": error}])):
        record = read(data)
        assert record.error is not None
        assert (record.outcome, record.error.type, record.error.status) == (Outcome.ERROR, "exceed_context_size_error", 400)
