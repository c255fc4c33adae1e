"""`replay` of every form of recording, and `to_response`, validated by the official SDK's types."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from openai.types import Completion, ImagesResponse
from openai.types.audio import Transcription, TranscriptionDiarized, TranscriptionVerbose
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from streamtally import (
    Outcome,
    StreamRecord,
    StreamType,
    Timing,
    UnknownDialect,
    configure,
    replay,
    to_response,
)
from tests.dialects.wire import (
    Payload,
    call,
    calls,
    chat,
    choice,
    envelope,
    event,
    facts,
    numbered,
    pieces,
    sdk_objects,
    sse,
    stops,
    texts,
)

USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
CHUNKS = [chat(choice(role="assistant", content="")), *texts("hel", "lo"), stops(), chat(usage=USAGE)]
BODY = sse(CHUNKS, done=True)

FORMS: Mapping[str, Callable[[], Any]] = {
    "bytes": lambda: BODY,
    "text": lambda: BODY.decode(),
    "pieces of bytes": lambda: pieces(BODY, 11),
    "a generator of pieces": lambda: (piece for piece in pieces(BODY, 500)),
    "a bytearray and a memoryview": lambda: [bytearray(BODY[:100]), memoryview(BODY[100:])],
    "JSON lines": lambda: "\n".join(map(json.dumps, CHUNKS)),
    "JSON lines as bytes, with CRLF": lambda: "\r\n".join(map(json.dumps, CHUNKS)).encode(),
    "payloads": lambda: CHUNKS,
    "payloads as JSON texts": lambda: [*map(json.dumps, CHUNKS), "[DONE]"],
    "events as texts": lambda: [sse([chunk]).decode() for chunk in CHUNKS],
    "SDK objects": lambda: sdk_objects(CHUNKS, "openai.chat"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dialect", ["openai.chat", None])
def test_every_form_of_a_recording(form: str, dialect: str | None) -> None:
    """Bytes, text, payloads or SDK objects, whole or in pieces, with or without a named dialect, give the same record."""
    assert facts(replay(FORMS[form](), dialect=dialect)) == facts(replay(CHUNKS, dialect="openai.chat"))


def test_the_record_of_a_recording() -> None:
    """The record has dialect, stream type and request parameters, and no times."""
    record = replay(BODY, params={"model": "m-0", "provider": "p", "messages": ["secret"]})
    assert (record.dialect, record.stream_type, record.outcome) == ("openai.chat", StreamType.CHAT, Outcome.COMPLETED)
    assert (record.requested_model, record.model, record.provider, record.params) == (
        "m-0",
        "m-1",
        "p",
        {"model": "m-0", "provider": "p"},
    )
    assert record.timing == Timing(started_from="wrap")
    assert record.chunk_count == len(CHUNKS) + 1


def test_nothing_is_exported() -> None:
    """`replay` exports nothing, because a recording was exported when it was made."""
    records: list[StreamRecord] = []
    tally = configure(exporters=[records.append])
    try:
        replay(BODY)
        tally.flush()
    finally:
        configure(exporters=[])
    assert records == []


def test_an_unknown_dialect() -> None:
    """An unknown dialect raises `UnknownDialect`."""
    with pytest.raises(UnknownDialect, match=r"no\.such"):
        replay(BODY, dialect="no.such")


@pytest.mark.parametrize("body", [b"", "", [], b"\n\n", b": ping\n\n"])
@pytest.mark.parametrize("dialect", ["openai.chat", "openai.responses", "openai.transcription", "openai.images"])
def test_an_empty_recording(body: Any, dialect: str) -> None:
    """An empty body gives a truncated record without content."""
    record = replay(body, dialect=dialect)
    assert (record.outcome, record.text, record.usage, record.choices, record.images) == (Outcome.TRUNCATED, "", None, (), ())


def test_a_source_that_fails_is_not_hidden() -> None:
    """An exception of the iterable reaches the caller."""

    def broken() -> Iterator[Payload]:
        yield CHUNKS[0]
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        replay(broken())


TOOLS = [
    calls(call(0, "f", "", id="c0", type="function")),
    calls(call(0, None, '{"a": 1}')),
    calls({"index": 1, "id": "c1", "type": "custom", "custom": {"name": "g", "input": "x"}}),
    stops("tool_calls"),
]
NOTE = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1}}
LOGPROB = {"token": "hello", "logprob": -0.5, "bytes": None, "top_logprobs": []}

ANSWERS: Mapping[str, tuple[list[Payload], Payload]] = {
    "text": (
        [*texts("hel", "lo", service_tier="flex", system_fingerprint="fp", citations=["u"]), stops(), chat(usage=USAGE)],
        {
            "choices": [{"index": 0, "message": {"content": "hello"}, "finish_reason": "stop"}],
            "usage": USAGE,
            "service_tier": "flex",
            "system_fingerprint": "fp",
            "citations": ["u"],
        },
    ),
    "tool calls": (
        TOOLS,
        {
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "tool_calls",
                    "message": {
                        "content": None,
                        "tool_calls": [
                            {"id": "c0", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
                            {"id": "c1", "type": "custom", "custom": {"name": "g", "input": "x"}},
                        ],
                    },
                }
            ]
        },
    ),
    "legacy function call": (
        [chat(choice(function_call={"name": "f", "arguments": "{}"})), stops("function_call")],
        {
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "function_call",
                    "message": {"content": None, "function_call": {"name": "f", "arguments": "{}"}},
                }
            ]
        },
    ),
    "two choices": (
        [chat(choice(0, content="a"), choice(1, refusal="no")), chat(choice(0, "length"), choice(1, "content_filter"))],
        {
            "choices": [
                {"index": 0, "finish_reason": "length", "message": {"content": "a"}},
                {"index": 1, "finish_reason": "content_filter", "message": {"content": None, "refusal": "no"}},
            ]
        },
    ),
    "reasoning, annotations, log probabilities": (
        [
            chat(choice(reasoning="hm", annotations=[NOTE, {"type": "other"}], reasoning_details=[{"type": "t", "text": "hm"}])),
            chat(choice(content="hello", beside={"logprobs": {"content": [{"token": "hello", "logprob": -0.5, "bytes": None}]}})),
            chat(choice(0, "stop", beside={"native_finish_reason": "STOP"})),
        ],
        {
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "native_finish_reason": "STOP",
                    "logprobs": {"content": [LOGPROB]},
                    "message": {
                        "content": "hello",
                        "reasoning_content": "hm",
                        "reasoning_details": [{"type": "t", "text": "hm"}],
                        "annotations": [NOTE],
                    },
                }
            ]
        },
    ),
    "sound and an image": (
        [
            chat(choice(audio={"id": "a", "data": "YWI=", "transcript": "ab", "expires_at": 5})),
            chat(choice(images=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,YWI="}}])),
            stops(),
        ],
        {
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {
                        "content": None,
                        "audio": {"id": "a", "data": "YWI=", "transcript": "ab", "expires_at": 5},
                        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,YWI="}, "index": 0}],
                    },
                }
            ]
        },
    ),
    "what OpenAI's shape has no word for": (
        [*texts("hello", service_tier="on_demand"), stops("eos"), chat(usage={"prompt_tokens": 9, "completion_tokens": 2})],
        {"choices": [{"index": 0, "message": {"content": "hello"}, "finish_reason": "stop"}], "usage": USAGE},
    ),
    "cut short": (texts("hel"), {"choices": [{"index": 0, "message": {"content": "hel"}, "finish_reason": "length"}]}),
    "failed": (
        [*texts("hel"), stops("error")],
        {"choices": [{"index": 0, "message": {"content": "hel"}, "finish_reason": "length"}]},
    ),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_chat_completion(answer: str) -> None:
    """A chat record gives the `ChatCompletion` that the same request without streaming returns."""
    chunks, expected = ANSWERS[answer]
    shape = ChatCompletion.model_validate(to_response(replay(chunks, dialect="openai.chat")))
    whole = {"id": "id-1", "object": "chat.completion", "created": 1, "model": "m-1", **expected}
    for whole_choice in whole["choices"]:
        whole_choice["message"] = {"role": "assistant", **whole_choice["message"]}
    assert shape.model_dump(exclude_none=True) == _without_none(whole)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value


def test_completion() -> None:
    """A text completion keeps its log probabilities."""
    logprobs = {"tokens": ["hello"], "token_logprobs": [-0.5], "top_logprobs": [{"hello": -0.5}], "text_offset": [0]}
    chunk = {"id": "id-1", "object": "text_completion", "created": 1, "model": "m-1"}
    chunks = [
        {**chunk, "choices": [{"index": 0, "text": "hello", "logprobs": logprobs, "finish_reason": None}]},
        {**chunk, "choices": [{"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"}], "usage": USAGE},
    ]
    shape = Completion.model_validate(to_response(replay(chunks)))
    assert shape.model_dump(exclude_none=True) == {
        **chunk,
        "choices": [{"index": 0, "text": "hello", "logprobs": logprobs, "finish_reason": "stop"}],
        "usage": USAGE,
    }


def _message(text: str) -> Payload:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"id": "msg", "type": "message", "role": "assistant", "status": "completed", "content": [part]}


@pytest.mark.parametrize("listed", [True, False])
def test_response(listed: bool) -> None:
    """A response has its items, whether its last event lists them or they were only streamed."""
    usage = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}
    fields = {
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [{"type": "web_search"}, {"type": "x_search"}],
        "usage": usage,
    }
    events = [
        envelope("created"),
        event("output_item.added", output_index=0, item={**_message(""), "content": [], "status": "in_progress"}),
        event("output_text.delta", output_index=0, item_id="msg", content_index=0, delta="hello"),
        event("output_item.done", output_index=0, item=_message("hello")),
        envelope("completed", output=[_message("hello")] if listed else [], **fields),
    ]
    shape = Response.model_validate(to_response(replay(numbered(*events))))
    assert shape.output_text == "hello"
    assert shape.model_dump(exclude_none=True) == {
        "id": "id-1",
        "object": "response",
        "created_at": 1.0,
        "model": "m-1",
        "status": "completed",
        "output": [_message("hello")],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [{"type": "web_search"}],
        "usage": {
            **usage,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


def test_response_that_failed() -> None:
    """A failed response has its error."""
    events = numbered(envelope("created"), envelope("failed", error={"code": "rate_limit_exceeded", "message": "slow"}))
    shape = Response.model_validate(to_response(replay(events)))
    assert shape.error is not None
    assert (shape.status, shape.error.code, shape.error.message, shape.output) == ("failed", "rate_limit_exceeded", "slow", [])


def test_response_that_broke_off() -> None:
    """A response without its last event has the items so far, and the status "in_progress"."""
    events = numbered(
        envelope("created"), event("output_text.delta", output_index=0, item_id="msg", content_index=0, delta="hel")
    )
    found = to_response(replay(events))
    assert (found["status"], found["output"][0]["content"][0]["text"], found.get("usage")) == ("in_progress", "hel", None)


def test_images() -> None:
    """All images of a request are in one response, with their size, quality and format."""
    properties = {"created_at": 7, "size": "1024x1024", "quality": "high", "background": "auto", "output_format": "png"}
    usage = {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}
    events = [
        {"type": "image_generation.completed", "b64_json": base64.b64encode(data).decode(), "usage": usage, **properties}
        for data in (b"one", b"two")
    ]
    shape = ImagesResponse.model_validate(to_response(replay(events, params={"n": 2})))
    assert shape.model_dump(exclude_none=True) == {
        "created": 7,
        "data": [{"b64_json": "b25l"}, {"b64_json": "dHdv"}],
        "output_format": "png",
        "quality": "high",
        "size": "1024x1024",
        "usage": {**usage, "input_tokens_details": {"image_tokens": 0, "text_tokens": 0}},
    }


def test_transcription() -> None:
    """A transcription has text, log probabilities and usage in tokens."""
    usage = {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}
    logprobs = [{"token": "hi", "logprob": -0.5, "bytes": [104.0, 105.0]}]
    shape = Transcription.model_validate(
        to_response(replay([{"type": "transcript.text.done", "text": "hi", "logprobs": logprobs, "usage": usage}]))
    )
    assert shape.model_dump(exclude_none=True) == {"text": "hi", "logprobs": logprobs, "usage": {"type": "tokens", **usage}}


def test_transcription_in_the_verbose_and_the_diarised_form() -> None:
    """Words, segments and duration have the names of the verbose and diarised formats."""
    words = [{"word": "hi", "start": 0.0, "end": 0.5}]
    done = {"type": "transcript.text.done", "text": "hi", "language": "en", "duration": 0.5, "words": words}
    verbose = to_response(replay([{**done, "usage": {"seconds": 1}}]))
    assert TranscriptionVerbose.model_validate(verbose).model_dump(exclude_none=True) == {
        "text": "hi",
        "language": "en",
        "duration": 0.5,
        "words": words,
        "usage": {"type": "duration", "seconds": 1.0},
    }
    segment = {"id": "s", "start": 0.0, "end": 0.5, "speaker": "A", "text": "hi", "type": "transcript.text.segment"}
    diarised = {**to_response(replay([segment, {**done, "words": []}])), "task": "transcribe"}
    assert TranscriptionDiarized.model_validate(diarised).segments[0].model_dump() == segment


@pytest.mark.parametrize("body", [["some ", "words"], b"RIFF\0\0"])
def test_kinds_without_a_response_object(body: Any) -> None:
    """Plain text and raw audio raise `ValueError`, because no API has a response object for them."""
    record = replay(body)
    with pytest.raises(ValueError, match=record.dialect):
        to_response(record)
