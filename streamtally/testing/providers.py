"""Streams in the exact wire formats of the providers besides OpenAI, each in one call.

All builders take the same arguments, and say the same in their own words: thoughts, an answer, calls of tools, the finish with
its usage (one token for each piece). The formats are those of the official SDKs' types and of the providers' references, which
each builder names.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .eventstream import message
from .scenario import Scenario
from .wire import CREATED, DONE, Call, Pieces, answer, event, words

_INPUT = 9
_SIGNATURE = "c2lnbmF0dXJl"
_NDJSON = "application/x-ndjson"
_AWS = "application/vnd.amazon.eventstream"
_WHEN = "2026-01-01T00:00:00Z"

Payload = dict[str, Any]


class _Said(NamedTuple):
    """What all builders say."""

    thoughts: tuple[str, ...]
    texts: tuple[str, ...]
    calls: tuple[Call, ...]

    @property
    def tokens(self) -> int:
        return len(self.thoughts) + len(self.texts) + sum(len(call.pieces) for call in self.calls)

    def reason(self, given: str | None, stop: str, calls: str) -> str:
        """The provider's word for the finish: what was given, else by whether tools are called."""
        return given or (calls if self.calls else stop)


def _said(text: Pieces | None, reasoning: Pieces, tool_calls: Sequence[Call]) -> _Said:
    calls = tuple(call._replace(id=call.id or f"call_{place}") for place, call in enumerate(tool_calls))
    return _Said(words(reasoning), answer(text, tool_calls), calls)


def anthropic(
    text: Pieces | None = None,
    *,
    model: str = "claude-sonnet-4-5",
    reasoning: Pieces = (),
    tool_calls: Sequence[Call] = (),
    finish_reason: str | None = None,
) -> Scenario:
    """A stream of the Messages API (https://docs.anthropic.com/en/docs/build-with-claude/streaming).

    Args:
        text: the answer; a greeting by default, none where there are tool calls.
        model: the model that is named.
        reasoning: thoughts before the answer.
        tool_calls: calls of tools, one after the other.
        finish_reason: the provider's word for the finish.
    """
    payloads = _messages(_said(text, reasoning, tool_calls), model, finish_reason)
    return Scenario(tuple(event(payload, name=payload["type"]) for payload in payloads))


def _messages(said: _Said, model: str, finish_reason: str | None) -> Iterator[Payload]:
    usage = {"input_tokens": _INPUT, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1}
    head = {"id": "msg_0", "type": "message", "role": "assistant", "model": model, "content": []}
    yield {"type": "message_start", "message": {**head, "stop_reason": None, "stop_sequence": None, "usage": usage}}
    yield {"type": "ping"}
    for index, (start, deltas) in enumerate(_blocks(said)):
        yield {"type": "content_block_start", "index": index, "content_block": start}
        yield from ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        yield {"type": "content_block_stop", "index": index}
    reason = said.reason(finish_reason, "end_turn", "tool_use")
    delta = {"stop_reason": reason, "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": said.tokens}}
    yield {"type": "message_stop"}


def _blocks(said: _Said) -> Iterator[tuple[Payload, list[Payload]]]:
    """Each content block of a message: how it starts, and its deltas."""
    if said.thoughts:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in said.thoughts]
        signed = {"type": "signature_delta", "signature": _SIGNATURE}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signed]
    if said.texts:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in said.texts]
    for call in said.calls:
        start: Payload = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        yield start, [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *call.pieces)]


def gemini(
    text: Pieces | None = None,
    *,
    model: str = "gemini-2.5-flash",
    reasoning: Pieces = (),
    tool_calls: Sequence[Call] = (),
    finish_reason: str | None = None,
    sse: bool = True,
) -> Scenario:
    """A stream of `streamGenerateContent` (https://ai.google.dev/api/generate-content); see `anthropic` for the arguments.

    Args:
        text: as above.
        model: as above.
        reasoning: as above.
        tool_calls: as above.
        finish_reason: as above.
        sse: whether it comes as events (`alt=sse`), and not as one JSON array.
    """
    said = _said(text, reasoning, tool_calls)
    parts: list[Payload] = [{"text": piece, "thought": True} for piece in said.thoughts]
    parts += [{"text": piece} for piece in said.texts]
    parts += [{"functionCall": {"name": call.name, "args": json.loads("".join(call.pieces))}} for call in said.calls]
    payloads = [_candidate(model, part, place) for place, part in enumerate(parts, 1)]
    last = _candidate(model, {"text": ""}, len(parts))
    last["candidates"][0]["finishReason"] = finish_reason or "STOP"
    payloads.append(last)
    if sse:
        return Scenario(tuple(event(payload, end="\r\n") for payload in payloads))
    pieces = [("[" if place == 0 else ",\r\n") + json.dumps(payload, indent=2) for place, payload in enumerate(payloads)]
    return Scenario(tuple(piece.encode() for piece in (*pieces, "]")), content_type="application/json")


def _candidate(model: str, part: Payload, tokens: int) -> Payload:
    usage = {"promptTokenCount": _INPUT, "candidatesTokenCount": tokens, "totalTokenCount": _INPUT + tokens}
    candidate = {"content": {"parts": [part], "role": "model"}, "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": "response-0"}


def cohere(
    text: Pieces | None = None,
    *,
    model: str = "command-a-03-2025",  # noqa: ARG001 - this API names no model
    reasoning: Pieces = (),
    tool_calls: Sequence[Call] = (),
    finish_reason: str | None = None,
) -> Scenario:
    """A stream of the Chat API v2 (https://docs.cohere.com/v2/reference/chat-stream); see `anthropic` for the arguments."""
    said = _said(text, reasoning, tool_calls)
    begun = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    payloads: list[Payload] = [{"id": "0", "type": "message-start", "delta": {"message": begun}}]
    index = 0
    for kind, pieces in (("thinking", said.thoughts), ("text", said.texts)):
        if pieces:
            contents = [{"type": kind, kind: ""}, *({kind: piece} for piece in pieces)]
            payloads += _cohere_part("content", index, ({"content": content} for content in contents))
            index += 1
    for place, call in enumerate(said.calls):
        start = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        parts = [start, *({"function": {"arguments": piece}} for piece in call.pieces)]
        payloads += _cohere_part("tool-call", place, ({"tool_calls": part} for part in parts))
    counts = {"input_tokens": _INPUT, "output_tokens": said.tokens}
    reason = said.reason(finish_reason, "COMPLETE", "TOOL_CALL")
    payloads.append(
        {"type": "message-end", "delta": {"finish_reason": reason, "usage": {"billed_units": counts, "tokens": counts}}}
    )
    return Scenario(tuple(event(payload, name=payload["type"]) for payload in payloads))


def _cohere_part(family: str, index: int, messages: Iterable[Payload]) -> Iterator[Payload]:
    for place, part in enumerate(messages):
        yield {"type": f"{family}-{'delta' if place else 'start'}", "index": index, "delta": {"message": part}}
    yield {"type": f"{family}-end", "index": index}


def mistral(
    text: Pieces | None = None,
    *,
    model: str = "mistral-large-latest",
    reasoning: Pieces = (),
    tool_calls: Sequence[Call] = (),
    finish_reason: str | None = None,
) -> Scenario:
    """A stream of Mistral's chat completions (https://docs.mistral.ai/api); see `anthropic` for the arguments.

    Thoughts come as lists of parts, calls of tools whole, and usage on the chunk with the finish.
    """
    said = _said(text, reasoning, tool_calls)
    deltas: list[Payload] = [{"role": "assistant", "content": ""}]
    parts = ({"type": "thinking", "thinking": [{"type": "text", "text": piece}]} for piece in said.thoughts)
    deltas += [{"content": [part]} for part in parts]
    deltas += [{"content": piece} for piece in said.texts]
    calls = [
        {"id": call.id, "function": {"name": call.name, "arguments": "".join(call.pieces)}, "index": place}
        for place, call in enumerate(said.calls)
    ]
    deltas.append({"content": "", "tool_calls": calls} if calls else {"content": ""})
    head = {"id": "0", "object": "chat.completion.chunk", "created": CREATED, "model": model}
    reasons = [*[None] * (len(deltas) - 1), said.reason(finish_reason, "stop", "tool_calls")]
    payloads: list[Payload] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        for delta, reason in zip(deltas, reasons, strict=True)
    ]
    payloads[-1]["usage"] = {
        "prompt_tokens": _INPUT,
        "completion_tokens": said.tokens,
        "total_tokens": _INPUT + said.tokens,
    }
    return Scenario((*map(event, payloads), DONE))


def ollama(
    text: Pieces | None = None,
    *,
    model: str = "llama3.2",
    reasoning: Pieces = (),
    tool_calls: Sequence[Call] = (),
    finish_reason: str | None = None,
    generate: bool = False,
) -> Scenario:
    """A stream of Ollama (https://github.com/ollama/ollama/blob/main/docs/api.md); see `anthropic` for the arguments.

    Args:
        text: as above.
        model: as above.
        reasoning: as above.
        tool_calls: as above; `/api/generate` has none.
        finish_reason: as above.
        generate: whether `/api/generate` answers, and not `/api/chat`.
    """
    said = _said(text, reasoning, tool_calls)
    messages: list[Payload] = [{"content": "", "thinking": piece} for piece in said.thoughts]
    messages += [{"content": piece} for piece in said.texts]
    for call in said.calls:
        function = {"name": call.name, "arguments": json.loads("".join(call.pieces))}
        messages.append({"content": "", "tool_calls": [{"function": function}]})
    messages.append({"content": ""})
    bodies = [_generated(part) if generate else {"message": {"role": "assistant", **part}} for part in messages]
    payloads = [{"model": model, "created_at": _WHEN, **body, "done": False} for body in bodies]
    payloads[-1] |= {
        "done": True,
        "done_reason": finish_reason or "stop",
        "total_duration": 4_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": _INPUT,
        "prompt_eval_duration": 1_000_000,
        "eval_count": said.tokens,
        "eval_duration": 2_000_000,
    }
    return Scenario(tuple(f"{json.dumps(payload, ensure_ascii=False)}\n".encode() for payload in payloads), content_type=_NDJSON)


def _generated(part: Mapping[str, Any]) -> Payload:
    return {"response": part["content"], **({"thinking": part["thinking"]} if "thinking" in part else {})}


def converse(
    text: Pieces | None = None,
    *,
    model: str = "anthropic.claude-sonnet-4-5",  # noqa: ARG001 - this API names no model
    reasoning: Pieces = (),
    tool_calls: Sequence[Call] = (),
    finish_reason: str | None = None,
) -> Scenario:
    """A stream of Amazon Bedrock's `ConverseStream`; see `anthropic` for the arguments.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
    """
    said = _said(text, reasoning, tool_calls)
    events: list[tuple[str, Payload]] = [("messageStart", {"role": "assistant"})]
    for index, (start, deltas) in enumerate(_converse_blocks(said)):
        if start:
            events.append(("contentBlockStart", {"contentBlockIndex": index, "start": start}))
        events += [("contentBlockDelta", {"contentBlockIndex": index, "delta": delta}) for delta in deltas]
        events.append(("contentBlockStop", {"contentBlockIndex": index}))
    events.append(("messageStop", {"stopReason": said.reason(finish_reason, "end_turn", "tool_use")}))
    usage = {"inputTokens": _INPUT, "outputTokens": said.tokens, "totalTokens": _INPUT + said.tokens}
    events.append(("metadata", {"usage": usage, "metrics": {"latencyMs": 4}}))
    return _aws(events)


def _converse_blocks(said: _Said) -> Iterator[tuple[Payload, list[Payload]]]:
    if said.thoughts:
        deltas: list[Payload] = [{"reasoningContent": {"text": piece}} for piece in said.thoughts]
        yield {}, [*deltas, {"reasoningContent": {"signature": _SIGNATURE}}]
    if said.texts:
        yield {}, [{"text": piece} for piece in said.texts]
    for call in said.calls:
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        yield start, [{"toolUse": {"input": piece}} for piece in call.pieces]


def invoke(
    text: Pieces | None = None,
    *,
    model: str = "claude-sonnet-4-5",
    reasoning: Pieces = (),
    tool_calls: Sequence[Call] = (),
    finish_reason: str | None = None,
) -> Scenario:
    """A stream of Amazon Bedrock's `InvokeModelWithResponseStream`, from a model of Anthropic; see `anthropic`.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
    """
    said = _said(text, reasoning, tool_calls)
    payloads = list(_messages(said, model, finish_reason))
    metrics = {"inputTokenCount": _INPUT, "outputTokenCount": said.tokens, "invocationLatency": 4, "firstByteLatency": 1}
    payloads[-1]["amazon-bedrock-invocationMetrics"] = metrics
    encoded = (base64.b64encode(json.dumps(payload).encode()).decode() for payload in payloads)
    return _aws([("chunk", {"bytes": data}) for data in encoded])


def _aws(events: Iterable[tuple[str, Payload]]) -> Scenario:
    return Scenario(tuple(message(kind, json.dumps(payload).encode()) for kind, payload in events), content_type=_AWS)
