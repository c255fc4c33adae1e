"""Quirks of Gemini's streamGenerateContent (https://ai.google.dev/api/generate-content)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect


def reply(*parts: Mapping[str, Any], finish: Any = None, usage: Mapping[str, Any] | None = None, **fields: Any) -> Payload:
    """A response with one candidate; `fields` are beside its content."""
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, **fields}
    return _response([candidate if finish is None else {**candidate, "finishReason": finish}], usage)


def _response(candidates: list[Any], usage: Mapping[str, Any] | None = None, **fields: Any) -> Payload:
    whole = {"candidates": candidates, "modelVersion": "gemini-1", "responseId": "res_1", **fields}
    return whole if usage is None else {**whole, "usageMetadata": usage}


def text(words: str, **fields: Any) -> Payload:
    """A part of text."""
    return {"text": words, **fields}


def call(name: str, **args: Any) -> Payload:
    """A part with a function call."""
    return {"functionCall": {"name": name, "args": args}}


def used(prompt: int, output: int | None = None, **fields: Any) -> Payload:
    """A usage report."""
    counts = {"promptTokenCount": prompt, **({} if output is None else {"candidatesTokenCount": output}), **fields}
    return {**counts, "totalTokenCount": prompt + (output or 0) + fields.get("thoughtsTokenCount", 0)}


def fails(code: int = 503, status: str = "UNAVAILABLE", message: str = "The model is overloaded.") -> Payload:
    """An error."""
    return {"error": {"code": code, "message": message, "status": status}}


GROUNDING = {
    "webSearchQueries": ["q"],
    "groundingChunks": [{"web": {"uri": "https://a.test", "title": "A"}}],
    "groundingSupports": [{"segment": {"startIndex": 0, "endIndex": 2, "text": "so"}, "groundingChunkIndices": [0]}],
}

QUIRKS = by_dialect(
    "gemini",
    [
        ("usage is cumulative: the last report is the count, and none are added", [
            reply(text("Hel"), usage=used(9)), reply(text("lo"), usage=used(9, 3)),
            reply(text("!"), finish="STOP", usage=used(9, 4))],
            {"text": "Hello!", "usage.input_tokens": 9, "usage.output_tokens": 4, "usage.total_tokens": 13,
             "finish": ("stop", "STOP"), "response_id": "res_1", "model": "gemini-1"}),
        ("the last report may correct the prompt downwards", [
            reply(text("a"), usage=used(2560, 1)), reply(text("b"), finish="STOP", usage=used(29, 2))],
            {"text": "ab", "usage.input_tokens": 29, "usage.output_tokens": 2}),
        ("what was cached is a part of the prompt, and is not added", [
            reply(text("a"), finish="STOP", usage=used(100, 2, cachedContentTokenCount=80))],
            {"usage.input_tokens": 100, "usage.cache_read_tokens": 80}),
        ("output includes the thoughts, input what tools put in", [
            reply(text("a"), finish="STOP", usage=used(10, 2, thoughtsTokenCount=7, toolUsePromptTokenCount=5))],
            {"usage.input_tokens": 15, "usage.output_tokens": 9, "usage.reasoning_tokens": 7}),
        ("parts marked as thoughts are reasoning, and their signatures are kept", [
            reply(text("let ", thought=True)), reply(text("me", thought=True)), reply(text("so", thoughtSignature="sig==")),
            reply(text(""), finish="STOP")],
            {"reasoning": "let me", "text": "so"}),
        ("thoughts and text in one chunk", [
            reply(text("hm", thought=True), text("so"), finish="STOP")], {"reasoning": "hm", "text": "so"}),
        ("an answer with function calls has the reason STOP", [
            reply(call("f", a=1), finish="STOP", usage=used(9, 3))],
            {"calls": [(None, "f", {"a": 1})], "finish": ("tool_calls", "STOP")}),
        ("several calls in one chunk, and one in the next", [
            reply(call("f", a=1), call("g", b=2)), reply(call("f", a=3), finish="STOP")],
            {"calls": [(None, "f", {"a": 1}), (None, "g", {"b": 2}), (None, "f", {"a": 3})]}),
        ("two calls that are alike are two", [
            reply(call("f", a=1)), reply(call("f", a=1), finish="STOP")],
            {"calls": [(None, "f", {"a": 1}), (None, "f", {"a": 1})]}),
        ("an id is kept where there is one", [
            reply({"functionCall": {"id": "c1", "name": "f", "args": {}}, "thoughtSignature": "sig=="}, finish="STOP")],
            {"calls": [("c1", "f", {})]}),
        ("an empty id is none", [
            reply({"functionCall": {"id": "", "name": "f", "args": {}}}, finish="STOP")], {"calls": [(None, "f", {})]}),
        ("a call without arguments is one with an empty object", [
            reply({"functionCall": {"name": "f"}}, finish="STOP")], {"calls": [(None, "f", {})]}),
        ("a reason may be a number", [reply(text("a")), reply(text("b"), finish=1)],
            {"text": "ab", "finish.0": "stop"}),
        ("the last candidate may have no content at all", [
            reply(text("a")), _response([{"finishReason": "MAX_TOKENS", "index": 0}], used(9, 50))],
            {"text": "a", "finish": ("length", "MAX_TOKENS"), "usage.output_tokens": 50}),
        ("content may be a role and no more", [
            reply(text("a")), _response([{"content": {"role": "model"}, "finishReason": "STOP"}])],
            {"text": "a", "finish": ("stop", "STOP")}),
        ("a filtered answer keeps what came before", [
            reply(text("a")), reply(finish="SAFETY", safetyRatings=[{"category": "C", "probability": "HIGH", "blocked": True}])],
            {"text": "a", "finish": ("content_filter", "SAFETY")}),
        ("so is one that recites", [reply(finish="RECITATION")], {"finish": ("content_filter", "RECITATION")}),
        ("a prompt that is blocked has no candidates, and is a filtered answer", [
            {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": used(9), "modelVersion": "gemini-1"}],
            {"finish.0": "content_filter", "usage.input_tokens": 9, "text": ""}),
        ("a call that failed to be written is an error of the model's", [
            reply(finish="MALFORMED_FUNCTION_CALL")], {"finish.1": "MALFORMED_FUNCTION_CALL", "calls": [], "outcome": "error"}),
        ("grounding is annotations", [
            reply(text("so")), reply(text(""), finish="STOP", groundingMetadata=GROUNDING)],
            {"text": "so", "annotations_present": True}),
        ("candidates are distinguished by index, which the first may omit", [
            _response([{"content": {"parts": [text("a")]}}, {"index": 1, "content": {"parts": [text("x")]}}]),
            _response([{"index": 1, "content": {"parts": [text("y")]}, "finishReason": "STOP"}]),
            _response([{"content": {"parts": [text("b")]}, "finishReason": "MAX_TOKENS"}])],
            {"choices.0.text": "ab", "choices.1.text": "xy",
            "choices.0.finish_reason": "length", "choices.1.finish_reason": "stop"}),
        ("images in parts", [
            reply({"inlineData": {"mimeType": "image/png", "data": "aW1n"}}, text("here"), finish="STOP")],
            {"text": "here", "images.0.data": b"img", "images.0.mime_type": "image/png"}),
        ("executed code is kept, and is not text", [
            reply({"executableCode": {"language": "PYTHON", "code": "print(1)"}}),
            reply({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}), reply(text("so"), finish="STOP")],
            {"text": "so"}),
        ("an error after good chunks takes nothing away", [
            reply(text("some"), usage=used(9, 1)), fails()],
            {"text": "some", "outcome": "error", "error.status": 503, "error.retryable": True, "usage.input_tokens": 9,
             "usage.partial": True}),
        ("an error may be all there is", [fails(429, "RESOURCE_EXHAUSTED", "quota")],
            {"outcome": "error", "error.status": 429, "error.message": "quota", "error.retryable": True}),
        ("an answer without a reason was cut off", [
            reply(text("a"), usage=used(9, 1)), reply(text("b"), usage=used(9, 2))],
            {"text": "ab", "outcome": "truncated", "usage.partial": True, "usage.output_tokens": 2}),
        ("a chunk may have no candidates", [
            {"usageMetadata": used(9), "modelVersion": "gemini-1"}, reply(text("a"), finish="STOP"), _response([], used(9, 1))],
            {"text": "a", "usage.output_tokens": 1}),
        ("how the traffic was served is kept", [
            reply(text("a"), finish="STOP", usage=used(9, 1, trafficType="ON_DEMAND"))],
            {"usage.raw.trafficType": "ON_DEMAND"}),
        ("line separators of Unicode are text", [reply(text("a\u2028b\u0085c\u2029d"), finish="STOP")],
            {"text": "a\u2028b\u0085c\u2029d"}),
    ],
)  # fmt: skip
