"""Quirks of Gemini's Interactions API (https://ai.google.dev/api/interactions-api)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect


def created(**fields: Any) -> Payload:
    """The first event."""
    return event("interaction.created", interaction=_interaction("in_progress", **fields))


def ends(status: str = "completed", **fields: Any) -> Payload:
    """The last event."""
    return event("interaction.completed", interaction=_interaction(status, **fields))


def _interaction(status: str, **fields: Any) -> Payload:
    return {"id": "v1_1", "object": "interaction", "status": status, "model": "gemini-1", **fields}


def event(kind: str, **fields: Any) -> Payload:
    """One event."""
    return {"event_type": kind, **fields}


def step(index: int, kind: str, *deltas: Mapping[str, Any], **fields: Any) -> list[Payload]:
    """The events of one step; `fields` are those with which it starts."""
    return [
        event("step.start", index=index, step={"type": kind, **fields}),
        *(event("step.delta", index=index, delta=delta) for delta in deltas),
        event("step.stop", index=index),
    ]


def says(*words: str, index: int = 0, **fields: Any) -> list[Payload]:
    """A step of text."""
    return step(index, "model_output", *({"type": "text", "text": word} for word in words), **fields)


def thinks(*words: str, index: int = 0, **fields: Any) -> list[Payload]:
    """A step of thoughts."""
    return step(index, "thought", *(summary(word) for word in words), **fields)


def summary(word: str) -> Payload:
    """A piece of the summary of thoughts."""
    return {"type": "thought_summary", "content": {"type": "text", "text": word}}


def calls(index: int, call_id: str, name: str, *pieces: str, **fields: Any) -> list[Payload]:
    """A step that calls a function."""
    deltas = [{"type": "arguments_delta", "arguments": piece} for piece in pieces]
    return step(index, "function_call", *deltas, id=call_id, name=name, **{"arguments": {}, **fields})


def used(inputs: int = 9, output: int = 4, thoughts: int = 0, **fields: Any) -> Payload:
    """A usage report."""
    counts = {"total_input_tokens": inputs, "total_output_tokens": output, "total_thought_tokens": thoughts}
    whole = {**counts, "total_cached_tokens": 0, "total_tool_use_tokens": 0, **fields}
    return {**whole, "total_tokens": inputs + output + thoughts + int(whole["total_tool_use_tokens"])}


def first_beta(*parts: tuple[Payload, Sequence[Payload]], **last: Any) -> list[Payload]:
    """A stream in the first form of the API: contents, and the deltas of each."""
    events = [event("interaction.start", interaction={"id": "v1_1", "status": "in_progress", "model": "gemini-1"})]
    for index, (content, deltas) in enumerate(parts):
        events += [event("content.start", index=index, content=content)]
        events += [event("content.delta", index=index, delta=delta) for delta in deltas]
        events += [event("content.stop", index=index)]
    return [*events, event("interaction.complete", interaction={"id": "v1_1", "status": "completed", **last})]


def _of(modality: str, tokens: int) -> Payload:
    return {"modality": modality, "tokens": tokens}


ECHO = event("step.start", index=0, step={"type": "user_input", "content": [{"type": "text", "text": "hi"}]})
URL = {"type": "url_citation", "url": "https://a.test", "start_index": 0, "end_index": 2}
SEARCHED = [{"type": "google_search_call", "arguments": {"queries": ["a", "b"]}, "signature": "c2ln"}]

QUIRKS = by_dialect(
    "gemini.interactions",
    [
        ("thoughts are beside the output, and what tools read is beside the input", [
            created(), *thinks("hm"), *says("a", index=1), ends(usage=used(22, 5, 20, total_tool_use_tokens=198))],
            {"reasoning": "hm", "text": "a", "usage.input_tokens": 220, "usage.output_tokens": 25, "usage.reasoning_tokens": 20,
             "usage.total_tokens": 245, "finish": ("stop", "completed"), "model": "gemini-1", "response_id": "v1_1"}),
        ("each modality is counted, for what tools read too", [
            created(), *says("a"), ends(usage=used(30, 5, total_tool_use_tokens=4, total_cached_tokens=8,
                input_tokens_by_modality=[_of("text", 10), _of("audio", 20)], tool_use_tokens_by_modality=[_of("text", 4)],
                output_tokens_by_modality=[_of("image", 5)], cached_tokens_by_modality=[_of("audio", 8)]))],
            {"usage.text_input_tokens": 14, "usage.audio_input_tokens": 20, "usage.image_output_tokens": 5,
             "usage.cache_read_tokens": 8, "usage.cache_read_audio_tokens": 8, "usage.video_input_tokens": None}),
        ("grounding is counted by requests", [
            created(), *step(0, "google_search_call", *SEARCHED, id="s1"), *says("a", index=1),
            ends(usage=used(grounding_tool_count=[{"type": "google_search", "count": 3}, {"type": "google_maps", "count": 1}]))],
            {"usage.searches": 3, "usage.maps_queries": 1, "output_items.0.arguments": {"queries": ["a", "b"]},
             "output_items.0.id": "s1", "output_items.0.signature": "c2ln", "calls": []}),
        ("searches that the report does not count are counted by their queries", [
            created(), *step(0, "google_search_call", *SEARCHED, id="s1"), *says("a", index=1), ends(usage=used())],
            {"usage.searches": 2}),
        ("the last report is the count", [
            created(), event("interaction.status_update", interaction_id="v1_1", status="in_progress", usage=used(9, 1)),
            event("step.start", index=0, step={"type": "model_output"}),
            event("step.delta", index=0, delta={"type": "text", "text": "a"}, metadata={"total_usage": used(9, 2)}),
            event("step.stop", index=0, usage=used(9, 3), step_usage=used(0, 3)), ends(usage=used(9, 4))],
            {"usage.output_tokens": 4, "output_items.0.step_usage": used(0, 3)}),
        ("a number that is in no total is no input", [created(), *says("a"), ends(usage=used(33, 2, raw_prompt_token=64))],
            {"usage.input_tokens": 33, "usage.raw": used(33, 2, raw_prompt_token=64)}),
        ("a placeholder is no beginning of the arguments", [
            created(), *calls(0, "c1", "f", '{"a"', ": 1}"), *calls(1, "c2", "g"), ends("requires_action")],
            {"calls": [("c1", "f", {"a": 1}), ("c2", "g", {})], "finish": ("tool_calls", "requires_action"),
             "output_items.0.arguments": {"a": 1}}),
        ("arguments of the start count if none follow", [
            created(), *calls(0, "c1", "f", arguments={"a": 1}), *calls(1, "c2", "g", '{"b": 2}', arguments={"b": 0}), ends()],
            {"calls": [("c1", "f", {"a": 1}), ("c2", "g", {"b": 2})], "finish": ("tool_calls", "completed")}),
        ("a call that was cut is not complete", [created(), *calls(0, "c1", "f", '{"a"')[:-1]],
            {"unfinished": ["f"], "output_items.0.partial_arguments": '{"a"', "outcome": "truncated"}),
        ("a function that the server ran is not to be run", [
            created(), *calls(0, "c1", "f", "{}"),
            *step(1, "function_result", {"type": "function_result", "result": "42", "is_error": False}, call_id="c1"),
            *says("a", index=2), ends()],
            {"calls": [], "finish": ("stop", "completed"), "output_items.1.result": "42", "output_items.1.call_id": "c1"}),
        ("a start may have content", [
            created(), *thinks("llo", index=0, signature="", summary=[{"type": "text", "text": "He"}]),
            *says("c", index=1, content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b", "annotations": [URL]}]),
            ends()],
            {"reasoning": "Hello", "text": "abc", "annotations": [URL], "details": [],
             "output_items.1.content": [
                 {"type": "text", "text": "a"}, {"type": "text", "text": "bc", "annotations": [URL]}]}),
        ("a first delta that repeats the start adds nothing", [
            created(), *thinks("He", "llo", summary=[{"type": "text", "text": "He"}]),
            *says("a", "a", "b", index=1, content=[{"type": "text", "text": "a"}]), ends()],
            {"reasoning": "Hello", "text": "aab"}),
        ("signatures belong to their steps", [
            created(), *step(0, "thought", summary("hm"), {"type": "thought_signature", "signature": "c2ln"}, signature=""),
            *calls(1, "c1", "f", "{}", signature="ZmM="), ends("requires_action")],
            {"details": [{"type": "thought", "signature": "c2ln", "summary": [{"type": "text", "text": "hm"}]}],
             "choices.0.tool_calls.0.extras": {"signature": "ZmM="}, "output_items.1.signature": "ZmM="}),
        ("texts and images keep their order", [
            created(), *step(0, "model_output", {"type": "text", "text": "a"}, {"type": "image", "data": "YWFh"},
                {"type": "image", "uri": "https://a.test/i.png", "mime_type": "image/png"}, {"type": "text", "text": "b"},
                {"type": "text_annotation_delta", "annotations": [URL]}, {"type": "text", "text": "c"}), ends()],
            {"text": "abc", "annotations": [URL], "images.0.data": b"aaa", "images.1.url": "https://a.test/i.png",
             "images.1.mime_type": "image/png", "output_items.0.content": [
                 {"type": "text", "text": "a"}, {"type": "image", "data": "YWFh"},
                 {"type": "image", "uri": "https://a.test/i.png", "mime_type": "image/png"},
                 {"type": "text", "text": "bc", "annotations": [URL]}]}),
        ("sound comes in pieces", [
            created(), *step(0, "model_output", *(
                {"type": "audio", "data": data, "mime_type": "audio/l16", "sample_rate": 24_000} for data in ("YWFh", "YmI="))),
            ends()],
            {"audio.data": b"aaabb", "audio.mime_type": "audio/l16",
             "output_items.0.content": [{"type": "audio", "mime_type": "audio/l16", "sample_rate": 24_000}]}),
        ("an image in a summary is a draft", [
            created(), *step(0, "thought", {"type": "thought_summary", "content": {"type": "image", "data": "YWFh"}}),
            *step(1, "model_output", {"type": "image", "data": "YmJi"}, {"type": "video", "uri": "https://a.test/v"}), ends()],
            {"images.0.data": b"bbb", "images.0.partials": 1, "images.1": None, "output_items.0.summary": [
                {"type": "image", "data": "YWFh"}], "output_items.1.content.1": {"type": "video", "uri": "https://a.test/v"}}),
        ("results of tools are texts, lists or objects", [
            created(), *step(0, "code_execution_call", {"type": "code_execution_call", "arguments": {"code": "1"}}, id="x"),
            *step(1, "code_execution_result", {"type": "code_execution_result", "result": "1\n"}, call_id="x"),
            *step(2, "url_context_result", {"type": "url_context_result", "result": [{"url": "https://a.test"}]}),
            *says("a", index=3), ends()],
            {"text": "a", "output_items.0.arguments": {"code": "1"}, "output_items.1.result": "1\n",
             "output_items.2.result": [{"url": "https://a.test"}]}),
        ("steps at the end complete those that streamed", [
            created(), *says("a"), ends(steps=[
                {"type": "user_input", "content": [{"type": "text", "text": "hi"}]},
                {"type": "model_output", "content": [{"type": "text", "text": "a", "annotations": [URL]}]},
                {"type": "function_call", "id": "c", "name": "f", "arguments": {}}])],
            {"text": "a", "annotations": [URL], "calls": [("c", "f", {})], "output_items.2": None}),
        ("the input may be echoed, and is no answer", [
            created(), ECHO, *says("a", index=1), ends()],
            {"text": "a", "output_items.1": None, "extras.events": {"step.start": [ECHO]}}),
        *((f"{status} is a {reason}", [created(), *says("a"), ends(status)], {"text": "a", "finish": (reason, status)})
          for status, reason in {"incomplete": "length", "budget_exceeded": "length", "requires_continuation": "length"}.items()),
        ("a failed one is an error", [created(), *says("a"), ends("failed")],
            {"text": "a", "finish": ("error", "failed"), "outcome": "error", "error.type": "failed"}),
        ("a failed one may say why", [created(), ends("failed", errors=[{"code": "DEADLINE_EXCEEDED", "message": "late"}])],
            {"outcome": "error", "error.type": "DEADLINE_EXCEEDED", "error.message": "late"}),
        ("a cancelled one has no finish reason", [created(), *says("a"), ends("cancelled", usage=used())],
            {"text": "a", "finish": (None, "cancelled"), "outcome": "cancelled", "usage.partial": False}),
        ("a status that is not known finishes too", [created(), *says("a"), ends("paused")],
            {"text": "a", "finish": (None, "paused")}),
        ("an agent has no model", [
            event("interaction.created", interaction={"id": "v1_1", "status": "in_progress", "agent": "researcher"}),
            *says("a"), event("interaction.completed", interaction={"id": "v1_1", "status": "completed", "agent": "researcher"})],
            {"model": None, "extras.agent": "researcher"}),
        ("a token to continue is kept, and so is the tier", [
            created(), *says("a"), ends("requires_continuation", continuation_token="t", service_tier="flex")],
            {"extras.continuation_token": "t", "service_tier": "flex"}),
        ("a resumed stream begins anywhere", [
            event("step.delta", index=3, event_id="e9", delta={"type": "text", "text": "lo"}),
            *step(4, "thought", {"type": "thought_signature", "signature": "c2ln"})[1:],
            *calls(5, "c", "f", "{}")[1:], ends()],
            {"text": "lo", "output_items.0.type": "model_output", "output_items.1.type": "thought",
             "output_items.2.type": "function_call"}),
        ("an error ends it", [created(), *says("a"), event("error", error={"code": "503", "message": "gone"})],
            {"text": "a", "outcome": "error", "error.type": "503", "error.status": 503, "error.retryable": True,
             "error.message": "gone"}),
        ("an error may say nothing", [created(), event("error")], {"outcome": "error"}),
        ("an event that is not known changes nothing", [created(), *says("a"), event("safety.note", level=1), ends()],
            {"text": "a", "extras.events": {"safety.note": [{"event_type": "safety.note", "level": 1}]}}),
        ("a delta that is not known belongs to its step", [
            created(), *step(0, "model_output", {"type": "text", "text": "a"}, {"type": "beam", "hue": "re", "at": 1},
                             {"type": "beam", "hue": "d", "at": 2}), ends()],
            {"text": "a", "output_items.0.hue": "red", "output_items.0.at": 2}),
        ("the first beta has contents in place of steps", first_beta(
            ({"type": "thought"}, [summary("hm"), {"type": "thought_signature", "signature": "c2ln"}]),
            ({"type": "text", "text": ""}, [
                {"type": "text", "text": "Hel"}, {"type": "text", "text": "lo", "annotations": [URL]}]),
            ({"type": "function_call"}, [{"type": "function_call", "id": "c", "name": "f", "arguments": {"a": 1}}]),
            outputs=[{"type": "thought"}, {"type": "text", "text": "Hello"}],
            usage={"total_input_tokens": 3, "total_output_tokens": 2, "total_reasoning_tokens": 1, "total_tokens": 6}),
            {"reasoning": "hm", "text": "Hello", "annotations": [URL], "calls": [("c", "f", {"a": 1})], "usage.output_tokens": 3,
             "output_items.1.content.0.text": "Hello", "finish": ("tool_calls", "completed"), "model": "gemini-1"}),
        ("null fields are ignored", [
            created(usage=None, service_tier=None), *says("a", content=None), ends(steps=None, usage=None)],
            {"text": "a", "usage": None}),
        ("it was cut off", [created(), *says("a")[:-1]], {"text": "a", "outcome": "truncated"}),
    ],
)  # fmt: skip
