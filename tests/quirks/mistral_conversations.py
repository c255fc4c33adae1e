"""Quirks of Mistral's Conversations API (https://docs.mistral.ai/api/endpoint/beta/conversations)."""

from __future__ import annotations

from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect


def event(kind: str, **fields: Any) -> Payload:
    """One event."""
    return {"type": kind, "created_at": "2026-11-30T12:00:00Z", **fields}


STARTED = event("conversation.response.started", conversation_id="conv_1")


def done(prompt: int = 9, completion: int = 4, total: int | None = None, **fields: Any) -> Payload:
    """The event that ends an answer."""
    counts = {"prompt_tokens": prompt, "completion_tokens": completion}
    whole = {**counts, "total_tokens": prompt + completion if total is None else total, **fields}
    return event("conversation.response.done", usage=whole)


def says(content: Any, message: str = "msg_1", index: int | None = 0, **fields: Any) -> Payload:
    """A piece of a message."""
    place = {} if index is None else {"content_index": index}
    whole = {"id": message, "output_index": 0, **place, "model": "mistral-1", "role": "assistant", **fields}
    return event("message.output.delta", content=content, **whole)


def calls(arguments: str, name: str = "f", call: str = "call_1", at: int = 0) -> Payload:
    """A piece of a function call."""
    return event("function.call.delta", id=f"fc_{call}", name=name, tool_call_id=call, arguments=arguments, output_index=at)


def runs(stage: str, tool: str = "web_search", **fields: Any) -> Payload:
    """An event of a tool that the server runs."""
    return event(f"tool.execution.{stage}", id="tool_1", name=tool, output_index=0, **fields)


def thinking(words: str, **fields: Any) -> Payload:
    """A part of the content that is reasoning."""
    return {"type": "thinking", "thinking": [{"type": "text", "text": words}], **fields}


SOURCE = {"type": "tool_reference", "tool": "web_search", "title": "A", "url": "https://a.test"}

QUIRKS = by_dialect(
    "mistral.conversations",
    [
        ("there is no finish reason but the end", [STARTED, says("Hel"), says("lo"), done()],
            {"text": "Hello", "finish": ("stop", "done"), "usage.input_tokens": 9, "usage.output_tokens": 4,
             "model": "mistral-1", "extras.conversation_id": "conv_1", "choices.0.role": "assistant"}),
        ("what connectors read is beside the prompt", [
            STARTED, runs("started", arguments=""), runs("delta", arguments='{"query": '), runs("delta", arguments='"q"}'),
            runs("done", info={"n": 1}), says("so", output_index=1),
            done(188, 55, 7_355, connector_tokens=7_112, connectors={"web_search": 2})],
            {"usage.input_tokens": 7_300, "usage.output_tokens": 55, "usage.total_tokens": 7_355, "usage.searches": 2,
             "calls": [], "text": "so", "output_items.0": {
                 "type": "tool.execution", "id": "tool_1", "name": "web_search", "arguments": '{"query": "q"}',
                 "info": {"n": 1}, "created_at": "2026-11-30T12:00:00Z", "completed_at": "2026-11-30T12:00:00Z"}}),
        ("a total without what connectors read denies it", [STARTED, says("a"), done(10, 8, 18, connector_tokens=4)],
            {"usage.input_tokens": 10}),
        ("no total denies nothing", [
            STARTED, says("a"), event("conversation.response.done", usage={"prompt_tokens": 10, "connector_tokens": 4})],
            {"usage.input_tokens": 14, "usage.output_tokens": None}),
        ("calls stream by their ID", [
            STARTED, calls('{"a"'), calls('{"b": ', "g", "call_2", at=1), calls(": 1}", ""), calls("2}", "g", "call_2", at=1),
            done()],
            {"calls": [("call_1", "f", {"a": 1}), ("call_2", "g", {"b": 2})], "finish": ("tool_calls", "done")}),
        ("a call that was cut is not complete", [STARTED, calls('{"a"')], {"unfinished": ["f"], "outcome": "truncated"}),
        ("content may be parts, which have positions", [
            STARTED, says(thinking("let ")), says(thinking("me", signature="sig")), says("so ", index=1), says(SOURCE, index=2),
            says({"type": "text", "text": "it"}, index=3), says(" is", index=3), done()],
            {"reasoning": "let me", "text": "so it is", "annotations": [SOURCE],
             "details": [thinking("let me", signature="sig")],
             "output_items.0.content": [
                 thinking("let me", signature="sig"), {"type": "text", "text": "so "}, SOURCE,
                 {"type": "text", "text": "it is"}]}),
        ("parts may be without positions", [
            STARTED, says("a", index=None), says(SOURCE, index=None), says(SOURCE, index=None), says("b", index=None),
            says("c", index=None), done()],
            {"text": "abc", "output_items.0.content": [
                {"type": "text", "text": "a"}, SOURCE, SOURCE, {"type": "text", "text": "bc"}]}),
        ("parts may have the same position", [
            STARTED, says(thinking("hm")), says("a"), says(SOURCE), says(SOURCE), says("b"), done()],
            {"reasoning": "hm", "text": "ab", "output_items.0.content": [
                thinking("hm"), {"type": "text", "text": "ab"}, SOURCE, SOURCE]}),
        ("an image is a part, and an image of the record", [
            STARTED, says({"type": "image_url", "image_url": {"url": "https://a.test/i"}}),
            says({"type": "tool_file", "tool": "image_generation", "file_id": "f"}, index=1), done()],
            {"images.0.url": "https://a.test/i", "text": "", "output_items.0.content.1.file_id": "f"}),
        ("agents hand over, and each has its messages", [
            STARTED, says("I ask. ", "msg_1", agent_id="ag_1"),
            event("agent.handoff.started", id="h1", previous_agent_id="ag_1", previous_agent_name="one", output_index=0),
            event("agent.handoff.done", id="h1", next_agent_id="ag_2", next_agent_name="two", output_index=0),
            says("I answer.", "msg_2", model="mistral-2", agent_id="ag_2"), done()],
            {"text": "I ask. I answer.", "model": "mistral-2", "output_items.0.agent_id": "ag_1",
             "output_items.1.type": "agent.handoff", "output_items.1.next_agent_name": "two",
             "output_items.1.previous_agent_id": "ag_1", "output_items.2.model": "mistral-2"}),
        ("outputs may be without an ID", [
            STARTED, says("a", "", output_index=0), says("b", "", output_index=0), says("c", "", output_index=1), done()],
            {"text": "abc", "output_items.1.content": [{"type": "text", "text": "c"}]}),
        ("an error ends it", [STARTED, says("a"), event("conversation.response.error", message="gone", code=503)],
            {"text": "a", "outcome": "error", "error.message": "gone", "error.status": 503, "error.type": "503"}),
        ("an error of a gateway", [STARTED, says("a"), {"object": "error", "type": "invalid_request", "message": "no"}],
            {"outcome": "error", "error.type": "invalid_request"}),
        ("an event that is not known is kept", [STARTED, event("agent.note", text="x"), says("a"), done()],
            {"text": "a", "extras.events": {"agent.note": [event("agent.note", text="x")]}}),
        ("null fields are ignored", [STARTED, says("a", model=None, agent_id=None), done(connector_tokens=None, connectors=None)],
            {"text": "a", "model": None, "usage.input_tokens": 9}),
        ("it was cut off", [STARTED, says("a")], {"text": "a", "outcome": "truncated", "usage": None}),
    ],
)  # fmt: skip
