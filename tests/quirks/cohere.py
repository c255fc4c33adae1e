"""Quirks of Cohere's Chat API, version 2 and version 1 (https://docs.cohere.com/docs/streaming)."""

from __future__ import annotations

from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect

START: Payload = {
    "id": "msg_1",
    "type": "message-start",
    "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}},
}
COUNTS = {"billed_units": {"input_tokens": 5, "output_tokens": 3}, "tokens": {"input_tokens": 9, "output_tokens": 4}}


def texts(*words: str, index: int = 0, kind: str = "text") -> list[Payload]:
    """A whole block of text, or of thinking."""
    pieces = [{"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: word}}}} for word in words]
    first = {"type": "content-start", "index": index, "delta": {"message": {"content": {"type": kind, kind: ""}}}}
    return [first, *pieces, {"type": "content-end", "index": index}]


def plans(*words: str) -> list[Payload]:
    """The plan that a model writes before it calls tools."""
    return [{"type": "tool-plan-delta", "delta": {"message": {"tool_plan": word}}} for word in words]


def opened(index: int, call_id: str, name: str) -> Payload:
    """A call begins."""
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
    return {"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": call}}}


def grows(index: int, piece: str) -> Payload:
    """A delta of a tool call."""
    return {"type": "tool-call-delta", "index": index, "delta": {"message": {"tool_calls": {"function": {"arguments": piece}}}}}


def calls(index: int, call_id: str, name: str, *pieces: str) -> list[Payload]:
    """A whole call."""
    return [opened(index, call_id, name), *(grows(index, piece) for piece in pieces), {"type": "tool-call-end", "index": index}]


def cites(index: int = 0) -> list[Payload]:
    """A citation."""
    citation = {"start": 0, "end": 2, "text": "so", "type": "TEXT_CONTENT", "content_index": 0,
                "sources": [{"type": "document", "id": "doc:0", "document": {"id": "doc:0", "title": "T"}}]}  # fmt: skip
    return [
        {"type": "citation-start", "index": index, "delta": {"message": {"citations": citation}}},
        {"type": "citation-end", "index": index},
    ]


def ends(reason: str = "COMPLETE", **fields: Any) -> Payload:
    """The last event."""
    return {"id": "msg_1", "type": "message-end", "delta": {"finish_reason": reason, "usage": COUNTS, **fields}}


QUIRKS = by_dialect(
    "cohere.v2",
    [
        ("tokens are what was read and written, billed units what is paid for", [START, *texts("Hel", "lo"), ends()],
            {"text": "Hello", "finish": ("stop", "COMPLETE"), "usage.input_tokens": 9, "usage.output_tokens": 4,
             "usage.raw.billed_units.input_tokens": 5, "response_id": "msg_1"}),
        ("what was cached is a part of the input", [
            START, *texts("a"), ends(usage={**COUNTS, "cached_tokens": 8})],
            {"usage.input_tokens": 9, "usage.cache_read_tokens": 8}),
        ("parallel calls by index", [
            START, opened(0, "f_1", "f"), opened(1, "g_1", "g"), grows(1, '{"b": 2}'), grows(0, '{"a": 1}'), ends("TOOL_CALL")],
            {"calls": [("f_1", "f", {"a": 1}), ("g_1", "g", {"b": 2})], "finish": ("tool_calls", "TOOL_CALL")}),
        ("a call without arguments is one with an empty object", [
            START, *calls(0, "f_1", "f"), ends("TOOL_CALL")], {"calls": [("f_1", "f", {})]}),
        ("a block of thinking is reasoning", [
            START, *texts("hm", kind="thinking"), *texts("so", index=1), ends()], {"reasoning": "hm", "text": "so"}),
        ("a plan is not part of the text", [
            START, *plans("I will ", "look"), *calls(0, "f_1", "f", "{}"), ends("TOOL_CALL")],
            {"text": "", "calls": [("f_1", "f", {})]}),
        ("citations are annotations", [START, *texts("so"), *cites(), ends()],
            {"text": "so", "annotations.0.text": "so", "annotations.1": None}),
        ("a full answer has the length as its reason", [START, *texts("a"), ends("MAX_TOKENS")],
            {"finish": ("length", "MAX_TOKENS")}),
        ("an answer may end with an error as its reason", [START, *texts("a"), ends("ERROR", error="broken")],
            {"text": "a", "finish.0": "error", "outcome": "error", "error.message": "broken"}),
        ("an answer without its last event was cut off", [START, *texts("a")],
            {"text": "a", "outcome": "truncated", "usage": None}),
        ("unknown events are ignored", [
            START, {"type": "content-hologram", "index": 0}, *texts("a"), {"type": "debug", "prompt": "p"}, ends()],
            {"text": "a"}),
    ],
)  # fmt: skip


def v1(kind: str, *, finished: bool = False, **fields: Any) -> Payload:
    """One event of version 1."""
    return {"is_finished": finished, "event_type": kind, **fields}


def v1_end(text: str, reason: str = "COMPLETE", **fields: Any) -> Payload:
    """The last event of version 1, which repeats the whole answer."""
    tokens = {"billed_units": {"input_tokens": 5, "output_tokens": 3}, "tokens": {"input_tokens": 9, "output_tokens": 4}}
    response = {"response_id": "res_1", "text": text, "generation_id": "gen_1", "chat_history": [], "finish_reason": reason,
                "meta": {"api_version": {"version": "1"}, **tokens}, **fields}  # fmt: skip
    return v1("stream-end", finished=True, response=response, finish_reason=reason)


V1_START = v1("stream-start", generation_id="gen_1")
V1_CALL = {"name": "f", "parameters": {"a": 1}}
V1_CITATION = {"start": 0, "end": 2, "text": "so", "document_ids": ["doc_0"]}

V1 = by_dialect(
    "cohere.v1",
    [
        ("the last event repeats the whole text, which is read once", [
            V1_START, v1("text-generation", text="Hel"), v1("text-generation", text="lo"), v1_end("Hello")],
            {"text": "Hello", "finish": ("stop", "COMPLETE"), "usage.input_tokens": 5, "usage.output_tokens": 3}),
        ("calls come in pieces, then whole, then once more", [
            V1_START, v1("tool-calls-chunk", tool_call_delta={"index": 0, "name": "f"}),
            v1("tool-calls-chunk", tool_call_delta={"index": 0, "parameters": '{"a": '}),
            v1("tool-calls-chunk", tool_call_delta={"index": 0, "parameters": "1}"}),
            v1("tool-calls-generation", tool_calls=[V1_CALL]), v1_end("", tool_calls=[V1_CALL])],
            {"calls": [(None, "f", {"a": 1})]}),
        ("citations are annotations", [
            V1_START, v1("text-generation", text="so"), v1("citation-generation", citations=[V1_CITATION]),
            v1_end("so", citations=[V1_CITATION])],
            {"text": "so", "annotations.0.text": "so", "annotations.1": None}),
        ("an answer may end with an error as its reason", [
            V1_START, v1("text-generation", text="a"), v1_end("a", "ERROR_TOXIC")], {"finish.0": "content_filter"}),
        ("an answer without its last event was cut off", [V1_START, v1("text-generation", text="a")],
            {"text": "a", "outcome": "truncated", "usage": None}),
    ],
)  # fmt: skip
