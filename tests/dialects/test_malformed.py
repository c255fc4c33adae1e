"""Any field of any payload may have any value: nothing is raised, and there are no internal faults."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from streamtally import StreamRecord, replay, to_response
from streamtally.dialects import dialect_named
from tests.dialects import gemini_wire as gemini
from tests.dialects.wire import Payload, call, chat, choice, envelope, event, numbered, stops
from tests.quirks import live, realtime, vercel
from tests.quirks import mistral_conversations as conversations

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
                thinking_blocks=[{"type": "thinking", "thinking": "h", "signature": "s"}],
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
    "openai.realtime": [
        realtime.session(),
        realtime.event("conversation.item.added", item=realtime.USER),
        realtime.heard("completed", transcript="a", usage={"type": "tokens", "total_tokens": 1}, logprobs=[{"token": "a"}]),
        realtime.event("error", error={"type": "t", "code": "c", "message": "m", "event_id": "e"}),
        realtime.created(),
        *realtime.speaks(("a", "YWFh")),
        *realtime.calls(1, "f", "{}"),
        realtime.done(status="failed", usage=realtime.SPLIT,
                      status_details={"type": "failed", "reason": "r", "error": {"type": "t", "message": "m"}},
                      output=[{"id": "resp_1_0", "type": "message", "content": [{"type": "text", "text": "a"}]}]),
    ],
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
    "anthropic.completions": [
        {"type": "completion", "id": "i", "completion": "a", "stop_reason": None, "stop": None, "model": "m"},
        {"type": "completion", "completion": "b", "stop_reason": "stop_sequence", "stop": "END",
         "amazon-bedrock-invocationMetrics": {"inputTokenCount": 1, "outputTokenCount": 1, "cacheReadInputTokenCount": 1}},
    ],
    "dashscope": [
        {"output": {"choices": [{"index": 0, "finish_reason": "null", "message": {"role": "assistant", "content": [{"text": "a"},
         {"image": "https://a"}], "reasoning_content": "h", "tool_calls": [call(0, "f", "{}", id="c", type="function")]}}],
         "audio": {"data": "YWFh", "id": "s"}},
         "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2, "models": [{"model_id": "m", "input_tokens": 1}]},
         "request_id": "r", "status_code": 200, "code": "", "message": "", "headers": {"a": "b"}},
        {"output": {"text": "a", "finish_reason": "stop"}, "usage": {"characters": 1}, "request_id": "r"},
        {"code": "c", "message": "m", "request_id": "r", "status_code": 400, "output": None},
    ],
    "huggingface.tgi": [
        {"index": 1, "token": {"id": 1, "text": "a", "logprob": -0.5, "special": False}, "top_tokens": [{"id": 1, "text": "a"}]},
        {"index": 2, "token": {"id": 2, "text": "b", "special": True}, "generated_text": "a",
         "details": {"finish_reason": "eos_token", "generated_tokens": 2, "input_length": 1, "seed": 1, "tokens": [{"id": 1}]}},
    ],
    "llamacpp": [
        {"index": 0, "content": "a", "tokens": [1], "stop": False, "tokens_predicted": 1, "tokens_evaluated": 1,
         "completion_probabilities": [{"id": 1, "token": "a"}], "prompt_progress": None},
        {"index": 0, "content": "", "stop": True, "stop_type": "eos", "stopped_eos": True, "timings": {"cache_n": 1},
         "prompt": "p", "generation_settings": {"seed": 1}, "model": "m"},
        {"error": {"code": 500, "message": "m", "type": "t"}},
    ],
    "anthropic.messages": [
        {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "m",
         "container": {"id": "c"}, "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn",
         "usage": {"input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 1}, "service_tier": "standard"}}},
        {"type": "content_block_start", "index": 1,
         "content_block": {"type": "text", "text": "a", "citations": [{"cited_text": "a"}]}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "a"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": {"cited_text": "a"}}},
        {"type": "content_block_start", "index": 2, "content_block": {"type": "thinking", "thinking": "h", "signature": "s"}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "thinking_delta", "thinking": "h", "estimated_tokens": 1}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "signature_delta", "signature": "s"}},
        {"type": "content_block_start", "index": 3,
         "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}},
        {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
        {"type": "content_block_delta", "index": 4, "delta": {"type": "odd_delta", "odd": "a"}},
        {"type": "content_block_stop", "index": 3},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": "s"},
         "usage": {"output_tokens": 1, "server_tool_use": {"web_search_requests": 1}}},
        {"type": "error", "error": {"type": "overloaded_error", "message": "m"}, "request_id": "r"},
    ],
    "bedrock.converse": [
        {"messageStart": {"role": "assistant", "p": "abc"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "a"}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"citation": {"title": "t"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"reasoningContent": {"text": "h"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"reasoningContent": {"signature": "s", "redactedContent": ""}}}},
        {"contentBlockStart": {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "f", "type": "x"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"toolUse": {"input": "{}"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 3, "delta": {"toolResult": [{"json": {"a": 1}}]}}},
        {"contentBlockStart": {"contentBlockIndex": 4, "start": {"image": {"format": "png"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 4, "delta": {"image": {"source": {"bytes": "YWFh"}}}}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 1, "cacheDetails": [{"ttl": "1h", "inputTokens": 1}]},
         "serviceTier": {"type": "flex"}}},
        {"throttlingException": {"message": "m"}},
    ],
    "bedrock.invoke": [
        {"chunk": {"bytes": '{"outputText": "a"}'}},
        {"generation": "a", "prompt_token_count": 1, "stop_reason": "stop"},
        {"generations": [{"text": "a", "finish_reason": "COMPLETE"}]},
        {"choices": [{"text": "a", "stop_reason": "stop"}],
         "amazon-bedrock-invocationMetrics": {"inputTokenCount": 1, "outputTokenCount": 1}},
        {"error": {"code": "throttlingException", "message": "m"}},
    ],
    "gemini": [
        gemini.reply(
            gemini.thought("h"),
            gemini.text("a", thoughtSignature="YWFh"),
            gemini.call("f", id="c", args={"a_b": 1}, sig="YWFh"),
            {"inlineData": {"mimeType": "image/png", "data": "YWFh"}},
            {"inlineData": {"mimeType": "audio/L16", "data": "YWFh"}},
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            index=0,
            safetyRatings=[{"category": 8, "probability": 1}],
            logprobsResult={"chosenCandidates": [{"token": "a"}]},
            groundingMetadata={"webSearchQueries": ["q"], "groundingChunks": [{"web": {"uri": "u"}}]},
            citationMetadata={"citationSources": [{"uri": "u"}]},
            usage={"promptTokenCount": 1, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1}], "serviceTier": "flex"},
        ),
        gemini.reply(
            gemini.call("g", willContinue=True),
            gemini.in_pieces(gemini.piece("$.a", stringValue="x", more=True), gemini.piece("$.b[0]", numberValue=1)),
            gemini.call(),
            finish="STOP",
        ),
        {"promptFeedback": {"blockReason": "SAFETY"}, "error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m"},
         "sdkHttpResponse": {"headers": {"x-gemini-service-tier": "flex"}}, "response": {"modelVersion": "m"}},
    ],
    "gemini.interactions": [
        {"event_type": "interaction.created", "event_id": "e", "interaction": {"id": "i", "status": "in_progress", "model": "m"}},
        {"event_type": "interaction.status_update", "interaction_id": "i", "status": "in_progress", "continuation_token": "t"},
        {"event_type": "step.start", "index": 0, "step": {"type": "thought", "summary": [{"type": "text", "text": "h"}]}},
        {"event_type": "step.delta", "index": 0,
         "delta": {"type": "thought_summary", "content": {"type": "image", "data": "YWFh"}}},
        {"event_type": "step.delta", "index": 0, "delta": {"type": "thought_signature", "signature": "s"}},
        {"event_type": "step.start", "index": 1, "step": {"type": "model_output", "content": [{"type": "text", "text": "a"}]}},
        {"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "a", "annotations": [{"type": "u"}]},
         "metadata": {"total_usage": {"total_input_tokens": 1}}},
        {"event_type": "step.delta", "index": 1, "delta": {"type": "image", "data": "YWFh", "uri": "u", "mime_type": "m"}},
        {"event_type": "step.delta", "index": 1, "delta": {"type": "audio", "data": "YWFh", "mime_type": "m", "rate": 1}},
        {"event_type": "step.delta", "index": 1, "delta": {"type": "text_annotation_delta", "annotations": [{"type": "u"}]}},
        {"event_type": "step.start", "index": 2, "step": {"type": "function_call", "id": "c", "name": "f", "arguments": {}}},
        {"event_type": "step.delta", "index": 2, "delta": {"type": "arguments_delta", "arguments": "{}"}},
        {"event_type": "step.start", "index": 3, "step": {"type": "google_search_call", "id": "c", "arguments": {}}},
        {"event_type": "step.delta", "index": 3,
         "delta": {"type": "google_search_call", "arguments": {"queries": ["q"]}, "signature": "s"}},
        {"event_type": "step.stop", "index": 3, "usage": {"total_input_tokens": 1}, "step_usage": {"total_tokens": 1}},
        {"event_type": "error", "error": {"code": "503", "message": "m"}},
        {"event_type": "interaction.completed", "interaction": {
            "id": "i", "status": "failed", "model": "m", "service_tier": "flex", "agent": "a", "errors": [{"code": "c"}],
            "steps": [{"type": "model_output", "content": [{"type": "text", "text": "a"}, {"type": "audio", "mime_type": "m"}]},
                      {"type": "function_result", "call_id": "c"}],
            "usage": {"total_input_tokens": 1, "input_tokens_by_modality": [{"modality": "text", "tokens": 1}],
                      "grounding_tool_count": [{"type": "google_search", "count": 1}]}}},
    ],
    "gemini.live": [
        {"setupComplete": {"sessionId": "s"}},
        live.turn({"inlineData": {"mimeType": "audio/pcm", "data": "YWFh"}}, {"text": "a", "thought": True},
                  groundingMetadata={"webSearchQueries": ["q"]}),
        live.content(outputTranscription={"text": "a"}, inputTranscription={"text": "b", "finished": True}),
        {"toolCall": {"functionCalls": [{"id": "c", "name": "f", "args": {"a": 1}}]}},
        live.content(interrupted=True),
        live.ends(live.USED, turnCompleteReason="NEED_MORE_INPUT"),
    ],
    "cohere.v2": [
        {"type": "message-start", "id": "i", "delta": {"message": {"role": "assistant", "content": [], "tool_calls": []}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"type": "text", "text": "a", "thinking": "h"}}},
         "logprobs": {"text": "a", "logprobs": [-0.5]}},
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "p"}}},
        {"type": "tool-call-start", "index": 0,
         "delta": {"message": {"tool_calls": {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}}}},
        {"type": "citation-start", "index": 0, "delta": {"message": {"citations": {"start": 0, "sources": [{"id": "d"}]}}}},
        {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "e", "error_type": "t",
         "usage": {"billed_units": {"input_tokens": 1}, "tokens": {"input_tokens": 1}, "cached_tokens": 1}}},
    ],
    "cohere.v1": [
        {"event_type": "stream-start", "generation_id": "i", "is_finished": False},
        {"event_type": "text-generation", "text": "a"},
        {"event_type": "tool-calls-chunk", "tool_call_delta": {"index": 0, "name": "f", "parameters": "{", "text": "t"}},
        {"event_type": "tool-calls-generation", "text": "t", "tool_calls": [{"name": "f", "parameters": {"x": 1}}]},
        {"event_type": "citation-generation", "citations": [{"start": 0, "document_ids": ["d"]}]},
        {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE",
         "response": {"text": "a", "meta": {"billed_units": {"input_tokens": 1}, "tokens": {"input_tokens": 1}}}},
    ],
    "mistral.conversations": [
        conversations.STARTED,
        {"event": "message.output.delta", "data": conversations.says(conversations.thinking("h", signature="s"), agent_id="a")},
        conversations.says({"type": "text", "text": "a", "x": 1}, index=1),
        conversations.says({"type": "image_url", "image_url": {"url": "u"}}, index=None),
        conversations.calls("{}"),
        conversations.runs("started", arguments="{}"),
        conversations.runs("done", info={"a": 1}),
        {"object": "error", "type": "t", "message": "m", "code": 500},
        conversations.done(1, 1, connector_tokens=1, connectors={"web_search": 1}),
    ],
    "ollama.chat": [
        {"model": "m", "created_at": "t", "done": False, "logprobs": [{"token": "a"}],
         "message": {"role": "assistant", "content": "a", "thinking": "h", "images": ["YWFh"],
                     "tool_calls": [{"id": "c", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}}]}},
        {"model": "m", "done": True, "done_reason": "stop", "prompt_eval_count": 1, "eval_count": 1, "eval_duration": 1},
    ],
    "ollama.generate": [
        {"model": "m", "response": "a", "thinking": "h", "image": "YWFh", "context": [1], "done": True, "done_reason": "stop"},
    ],
    "mistral.chat": [
        {"data": {"choices": [{"index": 0, "delta": {"content": [{"raw": {"type": "x"}}, {"type": "thinking", "signature": "s",
         "thinking": [{"type": "text", "text": "h"}, {"type": "reference", "reference_ids": [1]}]}]}}]}},
        stops(usage={"prompt_tokens": 1, "prompt_audio_seconds": 1}),
    ],
    "vercel.ui": [
        {**vercel.START, "messageMetadata": {"model": "m", "totalUsage": vercel.CACHED}},
        vercel.STEP,
        *vercel.thinks("h", providerMetadata={"a": {"signature": "s"}}),
        *vercel.says("a"),
        *vercel.calls("c1", "f", "{}", whole={"a": 1}, providerExecuted=True),
        vercel.result("c1", output={"a": 1}, preliminary=True),
        {"type": "tool-approval-request", "toolCallId": "c1", "approvalId": "a"},
        {"type": "file", "url": "data:image/png;base64,YWFh", "mediaType": "image/png"},
        {"type": "file", "url": "data:audio/wav;base64,YWFh", "mediaType": "audio/wav"},
        vercel.SOURCE,
        {"type": "data-x", "id": "i", "data": {"a": 1}, "transient": False},
        {"type": "error", "errorText": "m"},
        vercel.finish("tool-calls", metadata={"usage": vercel.USED}),
    ],
}  # fmt: skip

ANYTHING: Sequence[Any] = (None, "", "x", [], {}, -1, 1.5, True, 10**30, float("nan"), [None], ["x"], [[]], [{}], {"a": None})


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values in a payload."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from _places(child, (*path, key))


def _with(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """A copy with another value at one path."""
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], other)
    return copy


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
@pytest.mark.parametrize("dialect", STREAMS)
def test_any_field_may_hold_anything(dialect: str) -> None:
    """Each field in turn has each odd value: there is a record, which can be dumped, and a response form."""
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
    if dialect_named(dialect).response is not None:
        json.dumps(to_response(record))
