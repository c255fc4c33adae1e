"""Quirks of the UI message stream of Vercel's AI SDK (https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol)."""

from __future__ import annotations

from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect

START: Payload = {"type": "start", "messageId": "msg_1"}
STEP: Payload = {"type": "start-step"}
STEP_END: Payload = {"type": "finish-step"}


def says(*words: str, at: str = "0", kind: str = "text", **end: Any) -> list[Payload]:
    """A part of words; `end` are fields of its end."""
    deltas = [{"type": f"{kind}-delta", "id": at, "delta": word} for word in words]
    return [{"type": f"{kind}-start", "id": at}, *deltas, {"type": f"{kind}-end", "id": at, **end}]


def thinks(*words: str, at: str = "0", **end: Any) -> list[Payload]:
    """A part of reasoning."""
    return says(*words, at=at, kind="reasoning", **end)


def calls(call: str, name: str, *pieces: str, whole: Any = None, **fields: Any) -> list[Payload]:
    """A tool call whose input comes in pieces, as a whole, or both."""
    names = {"toolCallId": call, "toolName": name, **fields}
    deltas = [{"type": "tool-input-delta", "toolCallId": call, "inputTextDelta": piece} for piece in pieces]
    started = [{"type": "tool-input-start", **names}, *deltas] if pieces else []
    return [*started, *([] if whole is None else [{"type": "tool-input-available", **names, "input": whole}])]


def result(call: str, kind: str = "available", **fields: Any) -> Payload:
    """What came of a tool call."""
    return {"type": f"tool-output-{kind}", "toolCallId": call, **fields}


def finish(reason: str | None = "stop", metadata: Any = None) -> Payload:
    """The end of a message."""
    fields = {"finishReason": reason, "messageMetadata": metadata}
    return {"type": "finish", **{name: value for name, value in fields.items() if value is not None}}


USED = {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}
SOURCE = {"type": "source-url", "sourceId": "s1", "url": "https://a.test", "title": "A"}
DOCUMENT = {"type": "source-document", "sourceId": "s2", "mediaType": "x/y", "title": "B"}
CACHED = {
    "inputTokens": 100, "outputTokens": 14, "totalTokens": 114,
    "inputTokenDetails": {"noCacheTokens": 15, "cacheReadTokens": 80, "cacheWriteTokens": 5},
    "outputTokenDetails": {"textTokens": 4, "reasoningTokens": 10}}  # fmt: skip

QUIRKS = by_dialect(
    "vercel.ui",
    [
        ("there is no usage", [START, STEP, *says("Hel", "lo"), STEP_END, finish()],
            {"text": "Hello", "usage": None, "finish": ("stop", "stop"), "response_id": "msg_1", "provider": None, "model": None,
             "output_items": ({"type": "step-start"}, {"type": "text", "text": "Hello", "state": "done"})}),
        ("but an application may state it", [START, *says("a"), finish(metadata={"usage": CACHED, "model": "m-1", "x": 1})],
            {"usage.input_tokens": 100, "usage.cache_read_tokens": 80, "usage.cache_write_tokens": 5, "usage.output_tokens": 14,
             "usage.reasoning_tokens": 10, "usage.text_output_tokens": 4, "model": "m-1", "extras.metadata.x": 1}),
        ("in the names of older versions, beside other metadata", [
            {**START, "messageMetadata": {"modelId": "m-1"}}, *says("a"),
            finish(metadata={"totalTokens": 13, "promptTokens": 9, "cachedInputTokens": 8, "reasoningTokens": 2})],
            {"usage.total_tokens": 13, "usage.input_tokens": 9, "usage.cache_read_tokens": 8, "usage.reasoning_tokens": 2,
             "model": "m-1"}),
        ("of all steps, or as metadata by itself", [
            START, *says("a"), {"type": "message-metadata", "messageMetadata": {"totalUsage": USED}}, finish()],
            {"usage.input_tokens": 9, "usage.output_tokens": 4}),
        ("metadata may be anything", [START, *says("a"), finish(metadata="mine")], {"usage": None, "extras.metadata": "mine"}),
        ("reasoning and text may have the same ID", [
            START, {"type": "reasoning-start", "id": "0"}, {"type": "text-start", "id": "0"},
            {"type": "reasoning-delta", "id": "0", "delta": "let "}, {"type": "text-delta", "id": "0", "delta": "so"},
            {"type": "reasoning-delta", "id": "0", "delta": "me"}, {"type": "text-end", "id": "0"},
            {"type": "reasoning-end", "id": "0", "providerMetadata": {"anthropic": {"signature": "s"}}}, finish()],
            {"reasoning": "let me", "text": "so", "details": [{"type": "reasoning", "state": "done", "text": "let me",
             "providerMetadata": {"anthropic": {"signature": "s"}}}]}),
        ("each step may use an ID again", [
            START, STEP, *says("I look. "), *calls("c1", "f", whole={"a": 1}), result("c1", output="42"), STEP_END,
            STEP, *says("It is 42."), STEP_END, finish()],
            {"text": "I look. It is 42.", "finish": ("stop", "stop"), "calls": [("c1", "f", {"a": 1})],
             "output_items.1.text": "I look. ", "output_items.2.type": "tool-f", "output_items.2.output": "42",
             "output_items.2.state": "output-available", "output_items.4.text": "It is 42."}),
        ("an input may come in pieces, and as a whole too", [
            START, *calls("c1", "f", '{"a"', ": 1}"), *calls("c2", "g", '{"b": 2}', whole={"b": 2}), finish("tool-calls")],
            {"calls": [("c1", "f", {"a": 1}), ("c2", "g", {"b": 2})], "finish": ("tool_calls", "tool-calls"),
             "output_items.0.input": {"a": 1}, "output_items.1.state": "input-available"}),
        ("an input that was cut", [START, *calls("c1", "f", '{"a"')],
            {"unfinished": ["f"], "outcome": "truncated", "output_items.0.partial_input": '{"a"',
             "output_items.0.state": "input-streaming"}),
        ("an input that is text, of a tool that the provider runs", [
            START, *calls("c1", "f", "SELECT ", "1", inputEncoding="text", providerExecuted=True), finish("tool-calls")],
            {"choices.0.tool_calls.0.arguments": "SELECT 1", "choices.0.tool_calls.0.type": "custom",
             "choices.0.tool_calls.0.extras": {"providerExecuted": True}}),
        ("a tool that is not known beforehand", [START, *calls("c1", "f", whole={}, dynamic=True, title="F"), finish()],
            {"output_items.0.type": "dynamic-tool", "output_items.0.toolName": "f", "calls": [("c1", "f", {})]}),
        ("an input that is wrong is no failure of the answer", [
            START, {"type": "tool-input-error", "toolCallId": "c1", "toolName": "f", "input": '{"a', "errorText": "no JSON"},
            finish()],
            {"unfinished": ["f"], "error": None, "output_items.0.errorText": "no JSON", "output_items.0.state": "output-error"}),
        ("a tool may fail, be denied, or ask first", [
            START, *calls("c1", "f", whole={}), *calls("c2", "g", whole={}), *calls("c3", "h", whole={}),
            result("c1", "error", errorText="gone"), result("c2", "denied"),
            {"type": "tool-approval-request", "toolCallId": "c3", "approvalId": "a1", "signature": "s"}, finish()],
            {"error": None, "output_items.0.errorText": "gone", "output_items.1.state": "output-denied",
             "output_items.2.approval": {"id": "a1", "signature": "s"}, "output_items.2.state": "approval-requested"}),
        ("an output that is not the last one is replaced", [
            START, *calls("c1", "f", whole={}), result("c1", output={"at": 1}, preliminary=True), result("c1", output={"at": 2}),
            finish()], {"output_items.0.output": {"at": 2}}),
        ("the result of a tool of an earlier message", [START, result("c9", output=1), *says("a"), finish()],
            {"text": "a", "output_items.0.toolCallId": "c9", "output_items.0.output": 1}),
        ("sources are annotations", [
            START, *says("so"), SOURCE, DOCUMENT, finish()], {"annotations": [SOURCE, DOCUMENT]}),
        ("files are images and sound of the record", [
            START, {"type": "file", "url": "data:image/png;base64,YWFh", "mediaType": "image/png"},
            {"type": "file", "url": "https://a.test/i.png", "mediaType": "image/png"},
            {"type": "file", "url": "data:audio/wav;base64,YmJi", "mediaType": "audio/wav"},
            {"type": "file", "url": "https://a.test/f.pdf", "mediaType": "application/pdf"}, finish()],
            {"images.0.data": b"aaa", "images.0.mime_type": "image/png", "images.1.url": "https://a.test/i.png",
             "audio.data": b"bbb", "output_items.3.mediaType": "application/pdf"}),
        ("data of the application", [
            START, {"type": "data-weather", "id": "w", "data": {"at": 1}}, {"type": "data-weather", "id": "w", "data": {"at": 2}},
            {"type": "data-note", "data": "x"}, {"type": "data-status", "data": "busy", "transient": True}, *says("a"), finish()],
            {"output_items.0.data": {"at": 2}, "output_items.1.data": "x", "output_items.2.type": "text",
             "extras.events": {"data-status": [{"type": "data-status", "data": "busy", "transient": True}]}}),
        *((f"{raw} is {reason}", [START, *says("a"), finish(raw)], {"finish": (reason, raw)})
          for raw, reason in {"length": "length", "content-filter": "content_filter", "other": None}.items()),
        ("a finish may have no reason", [START, *says("a"), finish(None)], {"finish": ("stop", "finish")}),
        ("it was aborted", [START, *says("a")[:-1], {"type": "abort", "reason": "user left"}],
            {"text": "a", "outcome": "cancelled", "finish": (None, "abort"), "choices.0.extras": {"reason": "user left"}}),
        ("a finish with an error", [START, *says("a"), finish("error")], {"outcome": "error", "error.type": "error"}),
        ("an error", [START, *says("a")[:-1], {"type": "error", "errorText": "gone"}],
            {"text": "a", "outcome": "error", "error.message": "gone", "error.type": "provider_error"}),
        ("a part that is not known", [START, *says("a"), {"type": "hologram", "x": 1}, finish()],
            {"text": "a", "extras.events": {"hologram": [{"type": "hologram", "x": 1}]}}),
        ("a stream that is resumed", [{"type": "text-delta", "id": "0", "delta": "lo"}, *says("!", at="1")[1:], finish()],
            {"text": "lo!"}),
        ("null fields are ignored", [
            {**START, "messageId": None, "messageMetadata": None}, *says("a", providerMetadata=None), finish()], {"text": "a"}),
        ("it was cut off after a step", [START, STEP, *calls("c1", "f", whole={}), STEP_END], {"outcome": "truncated"}),
    ],
)  # fmt: skip
