"""Quirks of DashScope's native generation (https://help.aliyun.com/zh/model-studio/qwen-api-via-dashscope)."""

from __future__ import annotations

from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect


def used(outputs: int = 1, inputs: int = 9, **fields: Any) -> Payload:
    """A usage report."""
    return {"input_tokens": inputs, "output_tokens": outputs, "total_tokens": inputs + outputs, **fields}


def choice(content: Any = "", finish: str = "null", index: int | None = None, **message: Any) -> Payload:
    """One choice of an item."""
    place = {} if index is None else {"index": index}
    return {"message": {"role": "assistant", "content": content, **message}, "finish_reason": finish, **place}


def item(*choices: Payload, usage: Payload | None = None, **fields: Any) -> Payload:
    """One item of a stream."""
    return {"output": {"choices": list(choices), **fields}, "usage": usage or used(), "request_id": "r-1"}


def says(content: Any = "", finish: str = "null", outputs: int = 1, **message: Any) -> Payload:
    """An item with one choice."""
    return item(choice(content, finish, **message), usage=used(outputs))


def single(text: str, finish: str = "null", **fields: Any) -> Payload:
    """An item whose output is a single text."""
    return {"output": {"text": text, "finish_reason": finish, **fields}, "usage": used(), "request_id": "r-1"}


def calls(arguments: str, name: str | None = None, **fields: Any) -> Payload:
    """An item with a piece of a tool call."""
    function = {"arguments": arguments, **({} if name is None else {"name": name})}
    return says(tool_calls=[{"index": 0, "type": "function", "function": function, **fields}])


FAILED: Payload = {"code": "DataInspectionFailed", "message": "gone", "request_id": "r-1"}

QUIRKS = by_dialect(
    "dashscope",
    [
        ("usage comes with each item, and the last one counts", [says("Hel"), says("lo", outputs=2), says("", "stop", 4)],
            {"text": "Hello", "usage.input_tokens": 9, "usage.output_tokens": 4, "finish": ("stop", "stop"),
             "response_id": "r-1", "provider": "alibaba"}),
        ("each message may be all that came so far", [says("Hel"), says("Hello"), says("Hello you"), says("Hello you", "stop")],
            {"text": "Hello you"}),
        ("the reasoning may be all that came so far, too", [
            says(reasoning_content="a"), says(reasoning_content="ab"), says(reasoning_content="abc"),
            says("x", "stop", reasoning_content="abc")],
            {"reasoning": "abc", "text": "x"}),
        ("the reason is the text null until there is one", [says("a"), says("b")],
            {"text": "ab", "outcome": "truncated", "finish": (None, None)}),
        ("reasoning is beside the content", [says("", reasoning_content="let "), says("", reasoning_content="me"),
            says("so", "stop", reasoning_content="")],
            {"reasoning": "let me", "text": "so"}),
        ("a text without choices is the answer", [single("Hel"), single("lo"), single("", "stop")], {"text": "Hello"}),
        ("an application counts by model", [
            {**single("a", session_id="s-1"), "usage": {}},
            {**single("b", "stop"), "usage": {"models": [{"model_id": "qwen-max", "input_tokens": 5, "output_tokens": 2}]}}],
            {"text": "ab", "usage.input_tokens": 5, "usage.output_tokens": 2, "model": "qwen-max", "extras.session_id": "s-1"}),
        ("content may be a list of parts", [
            says([{"text": "a"}]), says([{"text": "b"}, {"image": "https://a.test/1"}]), says([], "stop")],
            {"text": "ab", "images.0.url": "https://a.test/1"}),
        ("a part of another kind is kept", [says([{"box": [1, 2]}]), says("a", "stop")],
            {"text": "a", "annotations": [{"box": [1, 2]}]}),
        ("a part may have more than its text", [says([{"text": "a", "ocr_result": {"words": 1}}]), says([{"text": "b"}], "stop")],
            {"text": "ab", "annotations": [{"ocr_result": {"words": 1}}]}),
        ("the SDK gives a picture an empty text", [says([{"text": "", "image": "https://a.test/1"}]), says("", "stop")],
            {"text": "", "images.0.url": "https://a.test/1"}),
        ("sound is beside the choices", [
            item(choice("a"), audio={"data": "YWE=", "id": "s"}), item(choice("", "stop"), audio={"data": "YmI=", "id": "s"})],
            {"audio.data": b"aabb", "audio.id": "s"}),
        ("arguments of a call come in pieces", [
            calls("", "f", id="c1"), calls('{"a"', id=""), calls(": 1}", "", id=""), says("", "tool_calls")],
            {"calls": [("c1", "f", {"a": 1})], "finish": ("tool_calls", "tool_calls")}),
        ("a call that is named again has all its arguments so far", [
            calls("", "f", id="c1"), calls('{"a"', "f", id="c1"), calls('{"a": 1}', "f", id="c1"), says("", "tool_calls")],
            {"calls": [("c1", "f", {"a": 1})]}),
        ("each of several answers is counted by itself, with the same input", [
            item(choice("a", index=0), usage=used(1)), item(choice("x", index=1), usage=used(1)),
            item(choice("b", "stop", 0), usage=used(2)), item(choice("y", "stop", 1), usage=used(3))],
            {"choices.0.text": "ab", "choices.1.text": "xy", "usage.input_tokens": 9, "usage.output_tokens": 5,
             "usage.total_tokens": 14}),
        ("an item of all answers counts all of them", [
            item(choice("a", index=0), usage=used(1)), item(choice("x", index=1), usage=used(1)),
            item(choice("b", "stop", 0), choice("y", "stop", 1), usage=used(5))],
            {"choices.0.text": "ab", "choices.1.text": "xy", "usage.output_tokens": 5}),
        ("cache and reasoning are parts of the counts", [
            item(choice("a", "stop"), usage=used(4, prompt_tokens_details={"cached_tokens": 8},
                                                output_tokens_details={"reasoning_tokens": 3}))],
            {"usage.input_tokens": 9, "usage.cache_read_tokens": 8, "usage.output_tokens": 4, "usage.reasoning_tokens": 3}),
        ("probabilities are in the choice", [
            item({**choice("a", "stop"), "logprobs": {"content": [{"token": "a", "logprob": -0.5}]}})],
            {"logprobs": {"content": [{"token": "a", "logprob": -0.5}]}}),
        ("what else an output has is kept", [item(choice("a", "stop"), search_info={"search_results": [{"url": "u"}]})],
            {"extras.search_info": {"search_results": [{"url": "u"}]}}),
        ("an item of the SDK has a status and empty words", [
            {**says("a", "stop"), "status_code": 200, "code": "", "message": "", "headers": {"set-cookie": "secret"}}],
            {"text": "a", "error": None, "extras": {}}),
        ("an item may be an error", [says("a"), FAILED],
            {"text": "a", "outcome": "error", "error.type": "DataInspectionFailed", "error.message": "gone"}),
        ("an error of the SDK has a status, and null in place of what is absent", [
            {"status_code": 429, "request_id": "r-1", "code": "Throttling", "message": "slow", "output": None, "usage": None}],
            {"outcome": "error", "error.type": "Throttling", "error.status": 429, "response_id": "r-1", "usage": None}),
        ("a status is enough for an error", [
            says("a"), {"status_code": 500, "request_id": "", "code": None, "message": "gone", "output": None}],
            {"text": "a", "outcome": "error", "error.status": 500, "error.message": "gone"}),
    ],
)  # fmt: skip
