"""The dialect `mistral.chat`: OpenAI's chunks with content parts, other finish reasons and another SDK."""

from typing import Any

import pytest
from mistralai.client.models import ChatCompletionResponse, CompletionEvent

from streamtally import Outcome, replay, to_response
from streamtally.dialects import PayloadReader, dialect_named
from tests.dialects.wire import Payload, call, chat, choice, facts, read, stated, stops, texts

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def thinking(*words: str, **fields: Any) -> Payload:
    """A thinking part."""
    return {"type": "thinking", "thinking": [{"type": "text", "text": word} for word in words], **fields}


def of_mistral(stream: list[Payload]) -> dict[str, Any]:
    """The fields of the record, for all ways of reading. The dialect is stated, because payloads look like OpenAI's."""
    return stated(read(stream, "mistral.chat", detectable=False))


def test_thinking_and_references_in_the_content() -> None:
    """Content parts become reasoning, text and annotations; the report is beside the last choice."""
    reference = {"type": "reference", "reference_ids": [1, "a"]}
    stream = [
        chat(choice(role="assistant", content="")),
        chat(choice(content=[thinking("h")])),
        chat(choice(content=[thinking("m"), {"type": "text", "text": "hel"}])),
        chat(choice(content=[reference])),
        *texts("lo"),
        stops("stop", usage=USAGE),
    ]
    assert of_mistral(stream) == {
        "outcome": "completed",
        "provider": "mistral",
        "choices": (
            {
                "role": "assistant",
                "text": "hello",
                "reasoning": "hm",
                "annotations": (reference,),
                "finish_reason": "stop",
                "finish_reason_raw": "stop",
            },
        ),
        "usage": {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7},
    }


def test_a_signature_of_the_thinking() -> None:
    """Signature and citations of the thinking are kept in the reasoning details, for the next request."""
    reference = {"type": "reference", "reference_ids": [1]}
    part = {**thinking("h", signature="s"), "thinking": [{"type": "text", "text": "h"}, reference]}
    (answer,) = read([chat(choice(content=[part])), *texts("a"), stops()], "mistral.chat", detectable=False).choices
    assert (answer.reasoning, answer.text, answer.annotations) == ("h", "a", (reference,))
    assert answer.reasoning_details == ({"type": "thinking", "signature": "s"},)


@pytest.mark.parametrize(
    "calls",
    [
        [call(None, "f", '{"x": 1}', id="c1"), call(None, "f", '{"x": 1}', id="c2")],
        [call(0, "f", '{"x": 1}', id="c1"), call(0, "f", '{"x": 1}', id="c2")],
        [call(0, "f", {"x": 1}, id="c1"), call(1, "f", {"x": 1}, id="c2")],
    ],
    ids=["without an index", "under one index", "as objects"],
)
def test_calls_come_whole(calls: list[Payload]) -> None:
    """Two in one chunk are two."""
    stream = [chat(choice(0, "tool_calls", content="", tool_calls=calls), usage=USAGE)]
    record = read(stream, "mistral.chat", detectable=False)
    assert [(call.id, call.name, call.arguments_json) for call in record.tool_calls] == [
        ("c1", "f", {"x": 1}),
        ("c2", "f", {"x": 1}),
    ]
    assert record.finish_reason == "tool_calls"


def test_calls_whose_id_is_the_word_null() -> None:
    """ "null" is no ID."""
    calls = [call(None, name, "{}", id="null") for name in ("f", "g")]
    record = read([chat(choice(0, "tool_calls", tool_calls=calls))], "mistral.chat", detectable=False)
    assert [(call.id, call.name) for call in record.tool_calls] == [(None, "f"), (None, "g")]


@pytest.mark.parametrize(("word", "reason", "outcome"), [("model_length", "length", "completed"), ("error", "error", "error")])
def test_finish_reasons(word: str, reason: str, outcome: str) -> None:
    """Mistral has finish reasons of its own."""
    record = read([*texts("a"), stops(word)], "mistral.chat", detectable=False)
    assert (record.finish_reason, record.outcome) == (reason, Outcome(outcome))


def test_seconds_of_audio() -> None:
    """Seconds of audio are counted besides the tokens."""
    record = read([*texts("a"), stops(usage={**USAGE, "prompt_audio_seconds": 12})], "mistral.chat", detectable=False)
    assert record.usage is not None
    assert (record.usage.seconds, record.usage.input_tokens) == (12, 5)


def test_the_dialect_is_detected_from_the_sdk_s_event() -> None:
    """The SDK's event has the chunk as `data`; unknown parts are kept as sent, and unset fields are absent."""
    novel = {"type": "novelty", "x": 1}
    stream = [chat(choice(role="assistant", content=[novel, {"type": "text", "text": "a"}])), stops()]
    events = [CompletionEvent.model_validate({"data": chunk}) for chunk in stream]
    record = replay(events)
    assert record.dialect == "mistral.chat"
    assert facts(record) == facts(replay(stream, dialect="mistral.chat"))
    assert record.choices[0].annotations == (novel,)
    assert "unset" not in record.model_dump_json().lower()
    assert PayloadReader(dialect_named("mistral.chat")).read({"data": {"choices": None}})


def test_an_error() -> None:
    """An error has the format of OpenAI, or is a bare message."""
    for error in ({"object": "error", "message": "no", "type": "t", "code": "1"}, {"message": "no", "request_id": "r"}):
        record = replay([*texts("a"), error], dialect="mistral.chat")
        assert record.error is not None
        assert (record.outcome, record.error.message) == (Outcome.ERROR, "no")


def test_the_response_object() -> None:
    """The response object is that of the API without streaming, by the SDK's type, with the reasoning as a content part."""
    stream = [
        chat(choice(content=[thinking("h", signature="s"), {"type": "text", "text": "a"}])),
        chat(choice(tool_calls=[call(None, "f", "{}", id="c1")])),
        stops("model_length", usage=USAGE),
    ]
    whole = to_response(read(stream, "mistral.chat", detectable=False))
    response = ChatCompletionResponse.model_validate(whole)
    assert (response.id, response.model, response.usage.total_tokens) == ("id-1", "m-1", 7)
    (answer,) = response.choices
    assert answer.finish_reason == "model_length"
    assert whole["choices"][0]["message"]["content"] == [thinking("h", signature="s"), {"type": "text", "text": "a"}]
    assert whole["choices"][0]["message"]["tool_calls"][0]["id"] == "c1"
    for cut in (texts("a"), [], [chat(choice(content=[thinking("h")]))]):
        ChatCompletionResponse.model_validate(to_response(replay(cut, dialect="mistral.chat")))
