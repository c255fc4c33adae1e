"""Any field of any payload may hold anything: nothing is raised, nothing is counted as a fault of ours."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from streamtally import StreamRecord, replay, to_response
from tests.dialects.wire import Payload, call, chat, choice, envelope, event, numbered, stops

STREAMS: dict[str, list[Payload]] = {
    "openai.chat": [
        chat(
            choice(
                role="assistant",
                content=[{"type": "thinking", "thinking": [{"text": "h"}]}, {"type": "text", "text": "a"}],
                reasoning="h",
                reasoning_details=[{"type": "t", "index": 0, "text": "h", "signature": "s"}],
                refusal="no",
                tool_calls=[call(0, "f", "{", id="c", type="function")],
                audio={"id": "a", "data": "YWFh", "transcript": "aaa", "expires_at": 1},
                images=[{"index": 0, "image_url": {"url": "data:image/png;base64,YWFh"}}],
                annotations=[{"type": "url_citation", "url_citation": {"url": "u"}}],
                beside={"logprobs": {"content": [{"token": "a", "logprob": -0.5}]}},
            ),
            usage={"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}, "cost": 0.5},
            x_groq={"usage": {"prompt_tokens": 1}},
        ),
        chat(choice(tool_calls=[call(0, None, "}")], function_call={"name": "g", "arguments": "{}"})),
        stops(error={"type": "t", "message": "m", "code": 500}),
    ],
    "openai.completions": [
        {"id": "i", "choices": [{"index": 0, "text": "a", "logprobs": {"tokens": ["a"]}, "finish_reason": "stop"}]},
    ],
    "openai.responses": numbered(
        envelope("created"),
        event("output_item.added", output_index=0, item={"id": "a", "type": "message", "role": "assistant", "content": [{}]}),
        event("content_part.added", output_index=0, item_id="a", content_index=0, part={"type": "output_text", "text": ""}),
        event("output_text.delta", output_index=0, item_id="a", content_index=0, delta="x", logprobs=[{"token": "x"}]),
        event("output_text.annotation.added", output_index=0, item_id="a", content_index=0, annotation={"type": "url_citation"}),
        event("reasoning_summary_text.delta", output_index=1, item_id="b", summary_index=0, delta="x"),
        event("output_item.done", output_index=2, item={"id": "c", "type": "function_call", "call_id": "1", "arguments": "{}"}),
        event("output_item.added", output_index=3, item={"id": "d", "type": "shell_call", "action": {"commands": ["l"]}}),
        event("shell_call_command.delta", output_index=3, command_index=1, delta="s"),
        event("shell_call_output_content.delta", output_index=4, item_id="e", command_index=0, delta={"stdout": "x"}),
        event("shell_call_output_content.done", output_index=4, item_id="e", command_index=0, output=[{"stdout": "x"}]),
        event("image_generation_call.partial_image", output_index=5, item_id="f", partial_image_b64="YWFh", output_format="png"),
        event("web_search_call.completed", output_index=6, item_id="g"),
        envelope(
            "completed",
            output=[{"id": "a", "type": "message", "content": [{"type": "output_text", "text": "x", "annotations": [{}]}]}],
            usage={"input_tokens": 1, "output_tokens": 1, "input_tokens_details": {"cached_tokens": 1}},
            tools=[{"type": "function"}],
            incomplete_details={"reason": "r"},
        ),
    ),
    "openai.speech": [
        {"type": "speech.audio.delta", "audio": "YWFh"},
        {"type": "speech.audio.done", "usage": {"input_tokens": 1}},
    ],
    "openai.transcription": [
        {"type": "transcript.text.delta", "delta": "a", "logprobs": [{"token": "a"}]},
        {"type": "transcript.text.segment", "id": "s", "text": "a", "speaker": "A"},
        {"type": "transcript.text.done", "text": "a", "language": "en", "duration": 1, "words": [{"word": "a"}],
         "languages": [{"code": "en"}], "usage": {"type": "tokens", "input_tokens": 1}},
    ],
    "openai.images": [
        {"type": "image_generation.partial_image", "b64_json": "YWFh", "index": 0, "partial_image_index": 0},
        {"type": "image_generation.completed", "b64_json": "YWFh", "index": 0, "output_format": "png", "revised_prompt": "a",
         "created_at": 1, "usage": {"input_tokens": 1}},
    ],
}  # fmt: skip

ANYTHING: Sequence[Any] = (None, "", "x", [], {}, -1, 1.5, True, 10**30, float("nan"), [None], ["x"], [[]], [{}], {"a": None})


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a payload there is something."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from _places(child, (*path, key))


def _with(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """A copy with something else at one place."""
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], other)
    return copy


@pytest.mark.parametrize("dialect", STREAMS)
def test_any_field_may_hold_anything(dialect: str) -> None:
    """Each field in turn is replaced by each odd value: there is a record, it can be written, and it has a response form."""
    payloads = STREAMS[dialect]
    for position, payload in enumerate(payloads):
        for path in _places(payload):
            for other in ANYTHING:
                stream = [*payloads[:position], _with(payload, path, other), *payloads[position + 1 :]]
                _check(replay(stream, dialect=dialect), dialect)


def _check(record: StreamRecord, dialect: str) -> None:
    assert record.outcome is not None
    assert "observation_faults" not in record.extras
    assert record.error is None or record.error.type != "malformed_payload"
    assert StreamRecord.model_validate_json(record.model_dump_json()).outcome == record.outcome
    if dialect != "openai.speech":
        json.dumps(to_response(record))
