"""Quirks of Bedrock: ConverseStream, and InvokeModelWithResponseStream, which wraps each model's own payloads.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.dialects.wire import Payload
from tests.quirks import anthropic
from tests.quirks.quirk import by_dialect

START: Payload = {"messageStart": {"role": "assistant"}}
COUNTS = {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}


def grows(index: int, **delta: Any) -> Payload:
    """A delta of a block."""
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}


def closed(index: int) -> Payload:
    """A block ends."""
    return {"contentBlockStop": {"contentBlockIndex": index}}


def texts(*words: str, index: int = 0) -> list[Payload]:
    """A block of text, which has no start event."""
    return [*(grows(index, text=word) for word in words), closed(index)]


def opened(index: int, call_id: str, name: str) -> Payload:
    """A call begins."""
    return {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": call_id, "name": name}}}}


def calls(index: int, call_id: str, name: str, *pieces: str) -> list[Payload]:
    """A whole block with a tool call."""
    return [opened(index, call_id, name), *(grows(index, toolUse={"input": piece}) for piece in pieces), closed(index)]


def thinking(*words: str, index: int = 0, signature: str = "sig==") -> list[Payload]:
    """A block of reasoning, with its signature."""
    pieces = [grows(index, reasoningContent={"text": word}) for word in words]
    return [*pieces, grows(index, reasoningContent={"signature": signature}), closed(index)]


def used(**counts: Any) -> Payload:
    """The last event: usage and latency."""
    return {"metadata": {"usage": counts or COUNTS, "metrics": {"latencyMs": 100}}}


def stops(reason: str = "end_turn") -> Payload:
    """The event with the stop reason."""
    return {"messageStop": {"stopReason": reason}}


def ends(reason: str = "end_turn", **counts: Any) -> list[Payload]:
    """The event with the stop reason, then that with the usage."""
    return [stops(reason), used(**counts)]


def fails(name: str = "modelStreamErrorException", message: str = "The model failed.") -> Payload:
    """An exception inside the stream."""
    return {name: {"message": message}}


QUIRKS = by_dialect(
    "bedrock.converse",
    [
        ("text without a start, and usage after the reason", [START, *texts("Hel", "lo"), *ends()],
            {"text": "Hello", "finish": ("stop", "end_turn"), "usage.input_tokens": 9, "usage.output_tokens": 4}),
        ("input leaves out what was read from and written to the cache; ours does not", [
            START, *texts("a"),
            *ends(inputTokens=12, outputTokens=4, totalTokens=1094, cacheReadInputTokens=1028, cacheWriteInputTokens=50)],
            {"usage.input_tokens": 1090, "usage.cache_read_tokens": 1028, "usage.cache_write_tokens": 50,
             "usage.output_tokens": 4}),
        ("pieces of parallel calls go to the block that they name", [
            START, *texts("I"), opened(1, "t1", "f"), opened(2, "t2", "g"), grows(2, toolUse={"input": '{"b"'}),
            grows(1, toolUse={"input": '{"a": 1}'}), grows(2, toolUse={"input": ": 2}"}), closed(1), closed(2),
            *ends("tool_use")],
            {"text": "I", "calls": [("t1", "f", {"a": 1}), ("t2", "g", {"b": 2})], "finish": ("tool_calls", "tool_use")}),
        ("a call without input is one with an empty object", [START, *calls(0, "t1", "f"), *ends("tool_use")],
            {"calls": [("t1", "f", {})]}),
        ("reasoning and its signature", [START, *thinking("let ", "me"), *texts("so", index=1), *ends()],
            {"reasoning": "let me", "text": "so", "details.0.signature": "sig=="}),
        ("encrypted reasoning is not text", [
            START, grows(0, reasoningContent={"redactedContent": b"\x00\x01"}), closed(0), *texts("so", index=1), *ends()],
            {"text": "so", "reasoning": None}),
        ("what a guardrail stopped is filtered", [START, *texts("a"), *ends("guardrail_intervened")],
            {"finish": ("content_filter", "guardrail_intervened")}),
        ("so is what the model's filter stopped", [START, *texts("a"), *ends("content_filtered")],
            {"finish": ("content_filter", "content_filtered")}),
        ("a call that was cut short is kept as text", [START, *calls(0, "t1", "f", '{"a": '), *ends("max_tokens")],
            {"calls": [("t1", "f", '{"a": ')], "unfinished": ["f"], "finish": ("length", "max_tokens")}),
        ("padding is ignored", [
            {"messageStart": {"role": "assistant", "p": "abcd"}},
            {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "a"}, "p": "abcdefgh"}},
            {"messageStop": {"stopReason": "end_turn", "p": "ab"}}, used()],
            {"text": "a", "extras.p": None}),
        ("an exception after good events keeps the text", [START, *texts("some", "words"), fails()],
            {"text": "somewords", "outcome": "error", "error.type": "modelStreamErrorException",
             "error.message": "The model failed.", "error.status": 424}),
        ("an exception may be the only event", [fails("throttlingException", "slow down")],
            {"outcome": "error", "error.status": 429, "error.retryable": True, "usage": None}),
        ("the server's own fault can be tried again", [START, fails("internalServerException", "oops")],
            {"outcome": "error", "error.status": 500, "error.retryable": True}),
        ("so can a service that is not there", [START, fails("serviceUnavailableException", "gone")],
            {"outcome": "error", "error.status": 503, "error.retryable": True}),
        ("a request that was wrong cannot", [fails("validationException", "no")],
            {"outcome": "error", "error.status": 400, "error.retryable": False}),
        ("an answer without a reason was cut off", [START, *texts("a")],
        {"text": "a", "outcome": "truncated", "usage": None}),
        ("a reason without the last event is an answer without usage", [START, *texts("a"), stops()],
            {"text": "a", "finish": ("stop", "end_turn"), "usage": None}),
        ("unknown events are ignored", [
            START, {"contentBlockHologram": {"contentBlockIndex": 0}}, *texts("a"), *ends()], {"text": "a"}),
    ],
)  # fmt: skip


def wrapped(payloads: Iterable[Payload]) -> list[Payload]:
    """A model's own payloads as InvokeModel sends them."""
    return [{"chunk": {"bytes": json.dumps(payload).encode()}} for payload in payloads]


def metrics(prompt: int = 9, output: int = 4) -> dict[str, Any]:
    """The metrics that Bedrock adds to the last chunk."""
    counts = {"inputTokenCount": prompt, "outputTokenCount": output, "invocationLatency": 100, "firstByteLatency": 50}
    return {"amazon-bedrock-invocationMetrics": counts}


CLAUDE = [
    anthropic.start(),
    *anthropic.thinking("hm"),
    *anthropic.texts("so", index=1),
    *anthropic.calls(2, "toolu_1", "f", "{}"),
]
NOVA = [START, *texts("Hel", "lo"), stops(), {**used(inputTokens=9, outputTokens=4), **metrics()}]

INVOKE = by_dialect(
    "bedrock.invoke",
    [
        ("the payloads of Anthropic's Messages API", wrapped([
            *CLAUDE, anthropic.ends("tool_use")[0], {**anthropic.STOP, **metrics(25, 15)}]),
            {"reasoning": "hm", "text": "so", "calls": [("toolu_1", "f", {})], "finish": ("tool_calls", "tool_use"),
             "usage.input_tokens": 25, "usage.output_tokens": 15, "response_id": "msg_1"}),
        ("the events of Converse, by their names", wrapped(NOVA),
            {"text": "Hello", "finish": ("stop", "end_turn"), "usage.input_tokens": 9, "usage.output_tokens": 4}),
        ("pieces of text, the last with a reason", wrapped([
            {"outputText": "Hel", "index": 0, "totalOutputTextTokenCount": None, "completionReason": None,
            "inputTextTokenCount": 9},
            {"outputText": "lo", "index": 0, "totalOutputTextTokenCount": 4,
            "completionReason": "LENGTH", "inputTextTokenCount": None,
             **metrics()}]),
            {"text": "Hello", "finish": ("length", "LENGTH"), "usage.input_tokens": 9, "usage.output_tokens": 4}),
        ("counts are cumulative", wrapped([
            {"generation": "Hel", "prompt_token_count": 9, "generation_token_count": 1, "stop_reason": None},
            {"generation": "lo", "prompt_token_count": None, "generation_token_count": 2, "stop_reason": None},
            {"generation": "", "prompt_token_count": None, "generation_token_count": 4, "stop_reason": "stop", **metrics()}]),
            {"text": "Hello", "finish": ("stop", "stop"), "usage.input_tokens": 9, "usage.output_tokens": 4}),
        ("the older format of Anthropic's", wrapped([
            {"completion": " Hel", "stop_reason": None, "stop": None},
            {"completion": "lo", "stop_reason": "stop_sequence", "stop": "\n\nHuman:", **metrics()}]),
            {"text": " Hello", "finish": ("stop", "stop_sequence"), "usage.input_tokens": 9, "usage.output_tokens": 4}),
        ("pieces of text, the last without any", wrapped([
            {"text": "Hel", "is_finished": False}, {"text": "lo", "is_finished": False},
            {"finish_reason": "MAX_TOKENS", "is_finished": True, **metrics()}]),
            {"text": "Hello", "finish": ("length", "MAX_TOKENS"), "usage.output_tokens": 4}),
        ("outputs with a reason", wrapped([
            {"outputs": [{"text": "Hel", "stop_reason": None}]},
            {"outputs": [{"text": "lo", "stop_reason": "length"}], **metrics()}]),
            {"text": "Hello", "finish": ("length", "length"), "usage.output_tokens": 4}),
        ("chunks of Chat Completions", wrapped([
            {"id": "c1", "object": "chat.completion.chunk", "model": "gpt-oss", "created": 1,
             "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hello"}, "finish_reason": None}]},
            {"id": "c1", "object": "chat.completion.chunk", "model": "gpt-oss", "created": 1,
             "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], **metrics()}]),
            {"text": "Hello", "finish": ("stop", "stop"), "usage.input_tokens": 9, "usage.output_tokens": 4}),
        ("an exception takes nothing away", [*wrapped(CLAUDE[:5]), fails("modelTimeoutException", "too slow")],
            {"reasoning": "hm", "outcome": "error", "error.message": "too slow"}),
        ("an answer without a reason was cut off", wrapped(CLAUDE), {"outcome": "truncated", "text": "so"}),
    ],
)  # fmt: skip
