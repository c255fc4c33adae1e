"""Quirks of Ollama's chat and generate (https://docs.ollama.com/api/streaming)."""

from __future__ import annotations

from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect

LATENCIES = {"total_duration": 5, "load_duration": 1, "prompt_eval_duration": 2, "eval_duration": 2}
COUNTS = {**LATENCIES, "prompt_eval_count": 9, "eval_count": 4}


def line(content: str = "", **message: Any) -> Payload:
    """One line of a chat."""
    line = {"model": "llama-1", "created_at": "2026-01-01T00:00:00Z", "done": False}
    return {**line, "message": {"role": "assistant", "content": content, **message}}


def ends(reason: str | None = "stop", **counts: Any) -> Payload:
    """The last line of a chat."""
    end = {"done": True, **({} if reason is None else {"done_reason": reason})}
    return {**line(), **end, **(counts or COUNTS)}


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """A whole tool call: its arguments are an object, and it has no ID."""
    return {"function": {"name": name, "arguments": arguments}}


QUIRKS = by_dialect(
    "ollama.chat",
    [
        ("usage is in the last line", [line("Hel"), line("lo"), ends()],
            {"text": "Hello", "usage.input_tokens": 9, "usage.output_tokens": 4, "finish": ("stop", "stop"), "model": "llama-1"}),
        ("a prompt that was cached is not counted, and that is not zero", [
            line("a"), {**ends(), "prompt_eval_count": None}], {"usage.input_tokens": None, "usage.output_tokens": 4}),
        ("arguments are an object, and calls have no id", [
            line(tool_calls=[call("f", a=1)]), line(tool_calls=[call("g", b=2)]), ends()],
            {"calls": [(None, "f", {"a": 1}), (None, "g", {"b": 2})], "finish": ("tool_calls", "stop")}),
        ("two calls in one line", [line(tool_calls=[call("f", a=1), call("f", a=1)]), ends()],
            {"calls": [(None, "f", {"a": 1}), (None, "f", {"a": 1})]}),
        ("thinking is reasoning", [line(thinking="let "), line(thinking="me"), line("so"), ends()],
            {"reasoning": "let me", "text": "so"}),
        ("a full answer has the length as its reason", [line("a"), ends("length")], {"finish": ("length", "length")}),
        ("older servers give no reason", [line("a"), ends(None)], {"finish.0": "stop", "text": "a"}),
        ("the last line may have text", [line("a"), {**ends(), "message": {"content": "b"}}],
            {"text": "ab"}),
        ("an error under HTTP 200 takes nothing away", [line("a"), {"error": "an error was encountered"}],
            {"text": "a", "outcome": "error", "error.message": "an error was encountered", "usage": None}),
        ("an answer without its last line was cut off", [line("a"), line("b")],
            {"text": "ab", "outcome": "truncated", "usage": None}),
        ("null fields are ignored", [line("a", images=None, tool_calls=None, thinking=None), ends()],
            {"text": "a", "reasoning": None, "calls": []}),
    ],
)  # fmt: skip

QUIRKS += by_dialect(
    "ollama.chat",
    [
        ("an error may be the only line", [{"error": "model not found"}],
            {"outcome": "error", "error.message": "model not found"}),
    ],
    same_as="opaque",
)  # fmt: skip


def generates(words: str = "", **fields: Any) -> Payload:
    """One line of a generation."""
    return {"model": "llama-1", "created_at": "2026-01-01T00:00:00Z", "response": words, "done": False, **fields}


GENERATE = by_dialect(
    "ollama.generate",
    [
        ("the context of the last line is not text", [
            generates("Hel"), generates("lo"), {**generates(done=True, done_reason="stop", context=[1, 2, 3]), **COUNTS}],
            {"text": "Hello", "usage.input_tokens": 9, "usage.output_tokens": 4, "finish": ("stop", "stop")}),
        ("thinking is reasoning", [generates(thinking="hm"), generates("so"), generates(done=True, done_reason="stop")],
            {"reasoning": "hm", "text": "so"}),
        ("an answer without its last line was cut off", [generates("a")], {"text": "a", "outcome": "truncated"}),
        ("loading or unloading a model makes an empty answer", [generates(done=True, done_reason="unload")],
            {"text": "", "finish.1": "unload"}),
    ],
)  # fmt: skip
