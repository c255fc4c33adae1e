"""Scenario builders for the wire formats of the providers besides OpenAI.

Each builder takes the text of an answer and the shared `Options`, and encodes reasoning, text, tool calls, finish and usage (one
token for each piece) in its format. The formats are those of the official SDKs' types and of the providers' references, which
the docstrings link.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict, Unpack

from .eventstream import message
from .scenario import Scenario
from .wire import CREATED, DONE, Call, Pieces, answer_pieces, event, split_words

_INPUT = 9
_SIGNATURE = "c2lnbmF0dXJl"
_NDJSON = "application/x-ndjson"
_AWS = "application/vnd.amazon.eventstream"
_WHEN = "2026-01-01T00:00:00Z"

Payload = dict[str, Any]


class Options(TypedDict, total=False):
    """The options that all builders share.

    model: the model that the stream names.
    reasoning: reasoning before the answer.
    tool_calls: tool calls after the answer.
    finish_reason: the provider's finish reason; by default the one for a complete answer.
    """

    model: str
    reasoning: Pieces
    tool_calls: Sequence[Call]
    finish_reason: str


class _Answer(NamedTuple):
    """The answer to encode: its reasoning, text and tool calls, each in the pieces that are streamed."""

    model: str
    reasoning: tuple[str, ...]
    texts: tuple[str, ...]
    calls: tuple[Call, ...]
    finish_reason: str | None

    @property
    def tokens(self) -> int:
        """The number of output tokens: one for each piece."""
        return len(self.reasoning) + len(self.texts) + sum(len(call.pieces) for call in self.calls)

    def finish(self, stop: str, calls: str) -> str:
        """The finish reason: the given one, else `calls` if there are tool calls, else `stop`."""
        return self.finish_reason or (calls if self.calls else stop)


def _answer(
    default_model: str,
    text: Pieces | None,
    *,
    model: str | None = None,
    reasoning: Pieces = (),
    tool_calls: Sequence[Call] = (),
    finish_reason: str | None = None,
) -> _Answer:
    calls = tuple(call._replace(id=call.id or f"call_{index}") for index, call in enumerate(tool_calls))
    return _Answer(model or default_model, split_words(reasoning), answer_pieces(text, tool_calls), calls, finish_reason)


def anthropic(text: Pieces | None = None, **options: Unpack[Options]) -> Scenario:
    """A stream of the Messages API (https://docs.anthropic.com/en/docs/build-with-claude/streaming)."""
    answer = _answer("claude-sonnet-4-5", text, **options)
    payloads = _messages(answer)
    return Scenario(tuple(event(payload, name=payload["type"]) for payload in payloads))


def _messages(answer: _Answer) -> Iterator[Payload]:
    usage = {"input_tokens": _INPUT, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1}
    head = {"id": "msg_0", "type": "message", "role": "assistant", "model": answer.model, "content": []}
    yield {"type": "message_start", "message": {**head, "stop_reason": None, "stop_sequence": None, "usage": usage}}
    yield {"type": "ping"}
    for index, (start, deltas) in enumerate(_blocks(answer)):
        yield {"type": "content_block_start", "index": index, "content_block": start}
        yield from ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        yield {"type": "content_block_stop", "index": index}
    reason = answer.finish("end_turn", "tool_use")
    delta = {"stop_reason": reason, "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": answer.tokens}}
    yield {"type": "message_stop"}


def _blocks(answer: _Answer) -> Iterator[tuple[Payload, list[Payload]]]:
    """Each content block of a message: how it starts, and its deltas."""
    if answer.reasoning:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in answer.reasoning]
        signed = {"type": "signature_delta", "signature": _SIGNATURE}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signed]
    if answer.texts:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in answer.texts]
    for call in answer.calls:
        start: Payload = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        yield start, [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *call.pieces)]


def gemini(text: Pieces | None = None, *, sse: bool = True, **options: Unpack[Options]) -> Scenario:
    """A stream of `streamGenerateContent` (https://ai.google.dev/api/generate-content).

    Args:
        text: the answer; by default a greeting, or nothing beside tool calls.
        sse: whether to send events (`alt=sse`) instead of one JSON array.
        options: see `Options`.
    """
    answer = _answer("gemini-2.5-flash", text, **options)
    parts: list[Payload] = [{"text": piece, "thought": True} for piece in answer.reasoning]
    parts += [{"text": piece} for piece in answer.texts]
    parts += [{"functionCall": {"name": call.name, "args": json.loads("".join(call.pieces))}} for call in answer.calls]
    payloads = [_candidate(answer.model, part, place) for place, part in enumerate(parts, 1)]
    last = _candidate(answer.model, {"text": ""}, len(parts))
    last["candidates"][0]["finishReason"] = answer.finish_reason or "STOP"
    payloads.append(last)
    if sse:
        return Scenario(tuple(event(payload, end="\r\n") for payload in payloads))
    pieces = [("[" if place == 0 else ",\r\n") + json.dumps(payload, indent=2) for place, payload in enumerate(payloads)]
    return Scenario(tuple(piece.encode() for piece in (*pieces, "]")), content_type="application/json")


def _candidate(model: str, part: Payload, tokens: int) -> Payload:
    usage = {"promptTokenCount": _INPUT, "candidatesTokenCount": tokens, "totalTokenCount": _INPUT + tokens}
    candidate = {"content": {"parts": [part], "role": "model"}, "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": "response-0"}


def cohere(text: Pieces | None = None, **options: Unpack[Options]) -> Scenario:
    """A stream of the Chat API v2 (https://docs.cohere.com/v2/reference/chat-stream), whose events do not name the model."""
    answer = _answer("command-a-03-2025", text, **options)
    begun = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    payloads: list[Payload] = [{"id": "0", "type": "message-start", "delta": {"message": begun}}]
    index = 0
    for kind, pieces in (("thinking", answer.reasoning), ("text", answer.texts)):
        if pieces:
            contents = [{"type": kind, kind: ""}, *({kind: piece} for piece in pieces)]
            payloads += _cohere_part("content", index, ({"content": content} for content in contents))
            index += 1
    for index, call in enumerate(answer.calls):
        start = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        parts = [start, *({"function": {"arguments": piece}} for piece in call.pieces)]
        payloads += _cohere_part("tool-call", index, ({"tool_calls": part} for part in parts))
    counts = {"input_tokens": _INPUT, "output_tokens": answer.tokens}
    reason = answer.finish("COMPLETE", "TOOL_CALL")
    payloads.append(
        {"type": "message-end", "delta": {"finish_reason": reason, "usage": {"billed_units": counts, "tokens": counts}}}
    )
    return Scenario(tuple(event(payload, name=payload["type"]) for payload in payloads))


def _cohere_part(family: str, index: int, messages: Iterable[Payload]) -> Iterator[Payload]:
    for place, part in enumerate(messages):
        yield {"type": f"{family}-{'delta' if place else 'start'}", "index": index, "delta": {"message": part}}
    yield {"type": f"{family}-end", "index": index}


def mistral(text: Pieces | None = None, **options: Unpack[Options]) -> Scenario:
    """A stream of Mistral's chat completions (https://docs.mistral.ai/api).

    Reasoning is sent as lists of parts, tool calls whole, and usage on the chunk with the finish.
    """
    answer = _answer("mistral-large-latest", text, **options)
    deltas: list[Payload] = [{"role": "assistant", "content": ""}]
    parts = ({"type": "thinking", "thinking": [{"type": "text", "text": piece}]} for piece in answer.reasoning)
    deltas += [{"content": [part]} for part in parts]
    deltas += [{"content": piece} for piece in answer.texts]
    calls = [
        {"id": call.id, "function": {"name": call.name, "arguments": "".join(call.pieces)}, "index": index}
        for index, call in enumerate(answer.calls)
    ]
    deltas.append({"content": "", "tool_calls": calls} if calls else {"content": ""})
    head = {"id": "0", "object": "chat.completion.chunk", "created": CREATED, "model": answer.model}
    reasons = [*[None] * (len(deltas) - 1), answer.finish("stop", "tool_calls")]
    payloads: list[Payload] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        for delta, reason in zip(deltas, reasons, strict=True)
    ]
    payloads[-1]["usage"] = {
        "prompt_tokens": _INPUT,
        "completion_tokens": answer.tokens,
        "total_tokens": _INPUT + answer.tokens,
    }
    return Scenario((*map(event, payloads), DONE))


def ollama(text: Pieces | None = None, *, generate: bool = False, **options: Unpack[Options]) -> Scenario:
    """A stream of Ollama (https://github.com/ollama/ollama/blob/main/docs/api.md).

    Args:
        text: the answer; by default a greeting, or nothing beside tool calls.
        generate: whether to use the format of `/api/generate`, which has no tool calls, instead of `/api/chat`.
        options: see `Options`.
    """
    answer = _answer("llama3.2", text, **options)
    messages: list[Payload] = [{"content": "", "thinking": piece} for piece in answer.reasoning]
    messages += [{"content": piece} for piece in answer.texts]
    for call in answer.calls:
        function = {"name": call.name, "arguments": json.loads("".join(call.pieces))}
        messages.append({"content": "", "tool_calls": [{"function": function}]})
    messages.append({"content": ""})
    bodies = [_generated(part) if generate else {"message": {"role": "assistant", **part}} for part in messages]
    payloads = [{"model": answer.model, "created_at": _WHEN, **body, "done": False} for body in bodies]
    payloads[-1] |= {
        "done": True,
        "done_reason": answer.finish_reason or "stop",
        "total_duration": 4_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": _INPUT,
        "prompt_eval_duration": 1_000_000,
        "eval_count": answer.tokens,
        "eval_duration": 2_000_000,
    }
    return Scenario(tuple(f"{json.dumps(payload, ensure_ascii=False)}\n".encode() for payload in payloads), content_type=_NDJSON)


def _generated(part: Mapping[str, Any]) -> Payload:
    return {"response": part["content"], **({"thinking": part["thinking"]} if "thinking" in part else {})}


def converse(text: Pieces | None = None, **options: Unpack[Options]) -> Scenario:
    """A stream of Amazon Bedrock's `ConverseStream`, whose events do not name the model.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
    """
    answer = _answer("anthropic.claude-sonnet-4-5", text, **options)
    events: list[tuple[str, Payload]] = [("messageStart", {"role": "assistant"})]
    for index, (start, deltas) in enumerate(_converse_blocks(answer)):
        if start:
            events.append(("contentBlockStart", {"contentBlockIndex": index, "start": start}))
        events += [("contentBlockDelta", {"contentBlockIndex": index, "delta": delta}) for delta in deltas]
        events.append(("contentBlockStop", {"contentBlockIndex": index}))
    events.append(("messageStop", {"stopReason": answer.finish("end_turn", "tool_use")}))
    usage = {"inputTokens": _INPUT, "outputTokens": answer.tokens, "totalTokens": _INPUT + answer.tokens}
    events.append(("metadata", {"usage": usage, "metrics": {"latencyMs": 4}}))
    return _aws(events)


def _converse_blocks(answer: _Answer) -> Iterator[tuple[Payload, list[Payload]]]:
    if answer.reasoning:
        deltas: list[Payload] = [{"reasoningContent": {"text": piece}} for piece in answer.reasoning]
        yield {}, [*deltas, {"reasoningContent": {"signature": _SIGNATURE}}]
    if answer.texts:
        yield {}, [{"text": piece} for piece in answer.texts]
    for call in answer.calls:
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        yield start, [{"toolUse": {"input": piece}} for piece in call.pieces]


def invoke(text: Pieces | None = None, **options: Unpack[Options]) -> Scenario:
    """A stream of Amazon Bedrock's `InvokeModelWithResponseStream`, from a model of Anthropic's.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
    """
    answer = _answer("claude-sonnet-4-5", text, **options)
    payloads = list(_messages(answer))
    metrics = {"inputTokenCount": _INPUT, "outputTokenCount": answer.tokens, "invocationLatency": 4, "firstByteLatency": 1}
    payloads[-1]["amazon-bedrock-invocationMetrics"] = metrics
    encoded = (base64.b64encode(json.dumps(payload).encode()).decode() for payload in payloads)
    return _aws([("chunk", {"bytes": data}) for data in encoded])


def _aws(events: Iterable[tuple[str, Payload]]) -> Scenario:
    return Scenario(tuple(message(kind, json.dumps(payload).encode()) for kind, payload in events), content_type=_AWS)
