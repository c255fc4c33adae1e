"""Quirks of Anthropic's Messages API (https://platform.claude.com/docs/en/build-with-claude/streaming)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect

PING: Payload = {"type": "ping"}
STOP: Payload = {"type": "message_stop"}


def start(usage: Mapping[str, Any] | None = None, **fields: Any) -> Payload:
    """The event that opens a message, with the count of its input and a placeholder for that of its output."""
    counts = {"input_tokens": 25, "output_tokens": 1} if usage is None else usage
    message: Payload = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-1",
        "content": [],
        "stop_reason": None,
    }
    return {"type": "message_start", "message": {**message, "stop_sequence": None, "usage": counts, **fields}}


def opened(index: int, kind: str, **fields: Any) -> Payload:
    """A block begins."""
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def grows(index: int, kind: str, **fields: Any) -> Payload:
    """A delta of a block."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def closed(index: int) -> Payload:
    """A block ends."""
    return {"type": "content_block_stop", "index": index}


def texts(*words: str, index: int = 0) -> list[Payload]:
    """A whole block of text."""
    pieces = [grows(index, "text_delta", text=word) for word in words]
    return [opened(index, "text", text=""), *pieces, closed(index)]


def calls(index: int, call_id: str, name: str, *pieces: str, kind: str = "tool_use") -> list[Payload]:
    """A whole block with a tool call."""
    deltas = [grows(index, "input_json_delta", partial_json=piece) for piece in pieces]
    return [opened(index, kind, id=call_id, name=name, input={}), *deltas, closed(index)]


def thinking(*words: str, index: int = 0, signature: str = "sig==") -> list[Payload]:
    """A whole block of thinking, with its signature."""
    pieces = [grows(index, "thinking_delta", thinking=word) for word in words]
    signed = grows(index, "signature_delta", signature=signature)
    return [opened(index, "thinking", thinking="", signature=""), *pieces, signed, closed(index)]


def ends(reason: str | None = "end_turn", output: int = 15, **usage: Any) -> list[Payload]:
    """The events that close a message: its reason, and the cumulative count of its output."""
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [{"type": "message_delta", "delta": delta, "usage": {"output_tokens": output, **usage}}, STOP]


def fails(kind: str = "overloaded_error", message: str = "Overloaded") -> Payload:
    """An error inside a stream with HTTP status 200."""
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


CACHED = {
    "input_tokens": 5,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 50,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
    "output_tokens": 1,
}
CITATION = {"type": "char_location", "cited_text": "so", "document_index": 0, "start_char_index": 0, "end_char_index": 2}
FOUND = {"type": "web_search_result", "title": "T", "url": "https://a.test", "encrypted_content": "xyz", "page_age": None}

QUIRKS = by_dialect(
    "anthropic.messages",
    [
        ("the input comes first, beside a placeholder of the output that the last report replaces", [
            start(), *texts("Hel", "lo"), *ends()],
            {"text": "Hello", "usage.input_tokens": 25, "usage.output_tokens": 15, "usage.partial": False,
             "response_id": "msg_1", "model": "claude-1", "finish": ("stop", "end_turn")}),
        ("output counts are cumulative: the last is the count, and none are added", [
            start(), *texts("a"), ends(None, 3)[0], ends(None, 9)[0], *ends("end_turn", 12)],
            {"usage.input_tokens": 25, "usage.output_tokens": 12}),
        ("the last report may correct the input", [
            start(), *texts("a"), *ends(input_tokens=30, cache_read_input_tokens=0)],
            {"usage.input_tokens": 30, "usage.output_tokens": 15}),
        ("input includes what was read from and written to the cache", [
            start(CACHED), *texts("a"), *ends()],
            {"usage.input_tokens": 155, "usage.cache_read_tokens": 100, "usage.cache_write_tokens": 50}),
        ("the lifetime of cache writes is only in the first report, and later ones keep it", [
            start(CACHED), *texts("a"), *ends(input_tokens=5, cache_read_input_tokens=100, cache_creation_input_tokens=50)],
            {"usage.cache_write_1h_tokens": 30, "usage.input_tokens": 155, "usage.output_tokens": 15}),
        ("cache writes are counted once", [
            start({"input_tokens": 6, "cache_creation_input_tokens": 159_217, "cache_read_input_tokens": 0, "output_tokens": 1}),
            *texts("a"), *ends(output=2745, input_tokens=6, cache_creation_input_tokens=159_217, cache_read_input_tokens=0)],
            {"usage.input_tokens": 159_223, "usage.cache_write_tokens": 159_217, "usage.output_tokens": 2745}),
        ("counts of server tools are searches", [
            start(), *texts("a"), *ends(server_tool_use={"web_search_requests": 2})],
            {"usage.searches": 2}),
        ("tier and cache counts of the start survive", [
            start({**CACHED, "service_tier": "priority"}), *texts("a"), *ends()],
            {"service_tier": "priority", "usage.cache_read_tokens": 100}),
        ("pings may come anywhere and are ignored", [
            PING, start(), PING, *texts("a", "b")[:2], PING, *texts("a", "b")[2:], PING, *ends(), PING],
            {"text": "ab"}),
        ("the empty input of a start is no prefix of the JSON", [
            start(), *calls(0, "toolu_1", "f", "", '{"a":', " 1}"), *ends("tool_use")],
            {"calls": [("toolu_1", "f", {"a": 1})], "finish": ("tool_calls", "tool_use")}),
        ("a call without any input is one with an empty object", [
            start(), *calls(0, "toolu_1", "f"), *ends("tool_use")],
            {"calls": [("toolu_1", "f", {})]}),
        ("the input may come whole with the start", [
            start(), opened(0, "tool_use", id="toolu_1", name="f", input={"a": 1}), closed(0), *ends("tool_use")],
            {"calls": [("toolu_1", "f", {"a": 1})]}),
        ("a call may come whole inside the first event", [
            start(content=[{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}], stop_reason="tool_use"), STOP],
            {"calls": [("toolu_1", "f", {"a": 1})], "finish": ("tool_calls", "tool_use")}),
        ("pieces of parallel calls go to the block that they name", [
            start(), opened(0, "tool_use", id="toolu_1", name="f", input={}),
            opened(1, "tool_use", id="toolu_2", name="g", input={}),
            grows(1, "input_json_delta", partial_json='{"b"'), grows(0, "input_json_delta", partial_json='{"a"'),
            grows(1, "input_json_delta", partial_json=": 2}"), grows(0, "input_json_delta", partial_json=": 1}"),
            closed(0), closed(1), *ends("tool_use")],
            {"calls": [("toolu_1", "f", {"a": 1}), ("toolu_2", "g", {"b": 2})]}),
        ("thinking, its signature, text and calls in the order of their blocks", [
            start(), *thinking("let ", "me"), *texts("so", index=1), *calls(2, "toolu_1", "f", "{}"), *ends("tool_use")],
            {"reasoning": "let me", "text": "so", "calls": [("toolu_1", "f", {})], "details.0.signature": "sig=="}),
        ("thinking may be withheld, and only its signature sent", [
            start(), *thinking(), *texts("so", index=1), *ends()],
            {"text": "so", "details.0.signature": "sig=="}),
        ("encrypted thinking is kept, and is not text", [
            start(), opened(0, "redacted_thinking", data="ENC"), closed(0), *texts("so", index=1), *ends()],
            {"text": "so", "reasoning": None, "details.0.data": "ENC"}),
        ("citations are annotations of the text", [
            start(), opened(0, "text", text="", citations=[]), grows(0, "text_delta", text="so"),
            grows(0, "citations_delta", citation=CITATION), closed(0), *ends()],
            {"text": "so", "annotations.0.cited_text": "so", "annotations.1": None}),
        ("what a server's tool was asked and found is no call of the caller's, and is kept", [
            start(), *calls(0, "srv_1", "web_search", '{"query": "q"}', kind="server_tool_use"),
            opened(1, "web_search_tool_result", tool_use_id="srv_1", content=[FOUND]), closed(1), *texts("so", index=2),
            *ends(server_tool_use={"web_search_requests": 1})],
            {"text": "so", "finish": ("stop", "end_turn"), "usage.searches": 1}),
        ("a call that was cut short is kept as text", [
            start(), opened(0, "tool_use", id="toolu_1", name="f", input={}), grows(0, "input_json_delta", partial_json='{"a": '),
            closed(0), *ends("max_tokens")],
            {"calls": [("toolu_1", "f", '{"a": ')], "unfinished": ["f"], "finish": ("length", "max_tokens")}),
        ("a refusal is a filtered answer", [
            start(), *texts("I "), *ends("refusal")], {"text": "I ", "finish": ("content_filter", "refusal")}),
        ("a turn that pauses has stopped", [
            start(), *texts("a"), *ends("pause_turn")], {"finish": ("stop", "pause_turn")}),
        ("which sequence stopped it is kept", [
            start(), *texts("a"),
            {"type": "message_delta", "delta": {"stop_reason": "stop_sequence", "stop_sequence": "END"},
            "usage": {"output_tokens": 2}},
            STOP],
            {"finish": ("stop", "stop_sequence"), "usage.output_tokens": 2}),
        ("an error inside has a status of its own, and takes nothing away", [
            start(), *texts("some ", "words")[:3], fails()],
            {"text": "some words", "outcome": "error", "error.type": "overloaded_error", "error.message": "Overloaded",
             "error.status": 529, "error.retryable": True, "usage.input_tokens": 25, "usage.partial": True}),
        ("an error may be the only event", [fails("rate_limit_error", "slow down")],
            {"outcome": "error", "error.type": "rate_limit_error", "error.status": 429, "error.retryable": True, "usage": None}),
        ("of an answer that was cut off the input is exact, the output a lower bound", [
            start(), *texts("some ", "words")[:3]],
            {"text": "some words", "outcome": "truncated",
            "usage.input_tokens": 25, "usage.partial": True, "finish": (None, None)}),
        ("a stop of a block is not the end of the message", [start(), *texts("a")],
            {"text": "a", "outcome": "truncated"}),
        ("a reason without the last event is enough", [start(), *texts("a"), ends()[0]],
            {"text": "a", "finish": ("stop", "end_turn"), "usage.output_tokens": 15}),
        ("a gateway that starts over does not double the text", [
            start(), start({"input_tokens": 27, "output_tokens": 1}), *texts("a"), *ends()],
            {"text": "a", "usage.input_tokens": 27, "usage.output_tokens": 15}),
        ("text may come for a block without a start", [
            start(), grows(0, "text_delta", text="Hel"), grows(0, "text_delta", text="lo"), closed(0), *ends()],
            {"text": "Hello"}),
        ("the start of a block may have its first text", [
            start(), opened(0, "text", text="Hel"), grows(0, "text_delta", text="lo"), closed(0), *ends()],
            {"text": "Hello"}),
        ("unknown events and blocks are kept, and change nothing", [
            start(), {"type": "content_block_hint", "index": 0, "hint": 1}, opened(0, "hologram", size=3),
            grows(0, "hologram_delta", part="x"), closed(0), *texts("a", index=1), *ends()],
            {"text": "a"}),
        ("input in many fragments is one text", [
            start(), *calls(0, "toolu_1", "f", "[", *["1, "] * 500, "1]"), *ends("tool_use")],
            {"calls": [("toolu_1", "f", [1] * 501)]}),
        ("after a fallback it is another model that answers", [
            start(), opened(0, "fallback", **{"from": {"model": "claude-1"}, "to": {"model": "claude-2"}}), closed(0),
            *texts("a", index=1), *ends()],
            {"text": "a", "model": "claude-2"}),
        ("an empty ID or name is ignored", [
            start(id=""), opened(0, "tool_use", id="toolu_1", name="f", input={}), closed(0), *ends("tool_use")],
            {"calls": [("toolu_1", "f", {})]}),
    ],
)  # fmt: skip


def completes(text: str = "", reason: str | None = None, **fields: Any) -> Payload:
    """An event of Text Completions."""
    known = {"id": "compl_1", "stop": None, "model": "claude-2.1", "log_id": "compl_1"}
    return {"type": "completion", "completion": text, "stop_reason": reason, **known, **fields}


METRICS = {"inputTokenCount": 9, "outputTokenCount": 4, "invocationLatency": 5, "firstByteLatency": 1}


def _old(text: str, reason: str | None = None, **fields: Any) -> Payload:
    """An event of the versions before 2023-06-01, which has no type."""
    return {name: value for name, value in completes(text, reason, **fields).items() if name not in ("type", "id")}


COMPLETIONS = by_dialect(
    "anthropic.completions",
    [
        ("the last event has the reason and no text", [completes(" Hel"), PING, completes("lo"), completes("", "stop_sequence")],
            {"text": " Hello", "finish": ("stop", "stop_sequence"), "usage": None, "model": "claude-2.1",
             "response_id": "compl_1"}),
        ("the sequence at which it stopped is kept", [completes("a"), completes("", "stop_sequence", stop="\n\nHuman:")],
            {"text": "a", "extras.stop": "\n\nHuman:"}),
        ("the limit of tokens is the length", [completes("a"), completes("b", "max_tokens")],
            {"text": "ab", "finish": ("length", "max_tokens")}),
        ("a ping may come first", [PING, completes("a"), completes("", "stop_sequence")], {"text": "a"}),
        ("old versions send all of the text each time", [
            _old(" a"), _old(" a b"), _old(" a b c"), _old(" a b c", "stop_sequence", stop="\n\nHuman:", truncated=False)],
            {"text": " a b c", "finish": ("stop", "stop_sequence")}),
        ("Bedrock counts with the last event", [
            completes("a"), completes("", "stop_sequence", **{"amazon-bedrock-invocationMetrics": METRICS})],
            {"text": "a", "usage.input_tokens": 9, "usage.output_tokens": 4}),
        ("an error takes nothing away", [
            completes("a"), {"type": "error", "error": {"type": "overloaded_error", "message": "gone"}}],
            {"text": "a", "outcome": "error", "error.type": "overloaded_error", "error.message": "gone"}),
        ("an answer without a reason was cut off", [completes("a"), completes("b")],
            {"text": "ab", "outcome": "truncated", "finish": (None, None)}),
    ],
)  # fmt: skip
