"""Quirks of Realtime sessions of OpenAI, Azure and xAI (https://platform.openai.com/docs/api-reference/realtime-server-events)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect

_numbers = count()


def event(kind: str, **fields: Any) -> Payload:
    """One server event."""
    return {"type": kind, "event_id": f"event_{next(_numbers)}", **fields}


def session(**fields: Any) -> Payload:
    """The first event of a session."""
    whole = {"type": "realtime", "object": "realtime.session", "id": "sess_1", "model": "gpt-realtime-1", **fields}
    return event("session.created", session=whole)


def created(response_id: str = "resp_1") -> Payload:
    """The event that begins a response."""
    whole: Payload = {"status": "in_progress", "status_details": None, "output": [], "usage": None}
    return event("response.created", response={"object": "realtime.response", "id": response_id, **whole})


def done(response_id: str = "resp_1", status: str | None = "completed", **fields: Any) -> Payload:
    """The event that ends a response."""
    whole: Payload = {"object": "realtime.response", "id": response_id, "status": status, "status_details": None, "output": []}
    return event("response.done", response={**whole, "usage": None, **fields})


def within(kind: str, at: int = 0, response_id: str = "resp_1", **fields: Any) -> Payload:
    """An event of an item of a response."""
    place = {"response_id": response_id, "item_id": f"{response_id}_{at}", "output_index": at}
    return event(f"response.{kind}", **place, **fields)


def _added(item: Mapping[str, Any], at: int, response_id: str, kind: str = "added") -> Payload:
    whole = {"id": f"{response_id}_{at}", "object": "realtime.item", **item}
    return event(f"response.output_item.{kind}", response_id=response_id, output_index=at, item=whole)


MESSAGE: Mapping[str, Any] = {"type": "message", "role": "assistant", "content": []}


def says(*words: str, at: int = 0, response_id: str = "resp_1", family: str = "output_text") -> list[Payload]:
    """The events of a message of text."""
    place: Payload = {"content_index": 0, "response_id": response_id}
    return [
        _added(MESSAGE, at, response_id),
        within("content_part.added", at, part={"type": "text", "text": ""}, **place),
        *(within(f"{family}.delta", at, delta=word, **place) for word in words),
        within(f"{family}.done", at, text="".join(words), **place),
    ]


def speaks(
    *pieces: tuple[str, str], response_id: str = "resp_1", sound: str = "output_audio", words: str = "output_audio_transcript"
) -> list[Payload]:
    """The events of a message of sound: pairs of a piece of the transcript and one of the sound, in base64."""
    place: Payload = {"content_index": 0, "response_id": response_id}
    events = [_added(MESSAGE, 0, response_id), within("content_part.added", part={"type": "audio", "transcript": ""}, **place)]
    for word, data in pieces:
        events += [within(f"{words}.delta", delta=word, **place), within(f"{sound}.delta", delta=data, **place)]
    whole = "".join(word for word, _ in pieces)
    return [*events, within(f"{sound}.done", **place), within(f"{words}.done", transcript=whole, **place)]


def calls(at: int, name: str, *pieces: str, response_id: str = "resp_1") -> list[Payload]:
    """The events of a function call."""
    call = {"type": "function_call", "call_id": f"c{at}", "name": name, "arguments": ""}
    whole = "".join(pieces)
    deltas = [within("function_call_arguments.delta", at, response_id, call_id=f"c{at}", delta=piece) for piece in pieces]
    return [
        _added(call, at, response_id),
        *deltas,
        within("function_call_arguments.done", at, response_id, call_id=f"c{at}", name=name, arguments=whole),
        _added({**call, "arguments": whole, "status": "completed"}, at, response_id, "done"),
    ]


def used(inputs: int = 9, output: int = 4, **fields: Any) -> Payload:
    """A usage report."""
    return {"total_tokens": inputs + output, "input_tokens": inputs, "output_tokens": output, **fields}


def heard(kind: str, item_id: str = "user_1", **fields: Any) -> Payload:
    """An event of the transcription of what the user said."""
    return event(f"conversation.item.input_audio_transcription.{kind}", item_id=item_id, content_index=0, **fields)


SPLIT = used(41, 27, input_token_details={
    "text_tokens": 21, "audio_tokens": 20, "image_tokens": 0, "cached_tokens": 12,
    "cached_tokens_details": {"text_tokens": 4, "audio_tokens": 8, "image_tokens": 0}},
    output_token_details={"text_tokens": 7, "audio_tokens": 20})  # fmt: skip
USER = {"id": "user_1", "type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": None}]}
XAI = {"input_tokens": 30, "input_token_details": {"text_tokens": 10, "audio_tokens": 20, "grok_tokens": 0},
       "output_tokens": 12, "total_tokens": 42, "output_audio_seconds": 2.5, "billable_audio_seconds": 4.5}  # fmt: skip

QUIRKS = by_dialect(
    "openai.realtime",
    [
        ("sound, and the words that go with it", [
            session(), created(), *speaks(("Hel", "YWFh"), ("lo", "YmI=")), done(usage=SPLIT)],
            {"audio.data": b"aaabb", "audio.transcript": "Hello", "text": "", "finish": ("stop", "completed"),
             "output_items.0.content": [{"type": "output_audio", "transcript": "Hello"}], "model": "gpt-realtime-1",
             "response_id": "resp_1", "parts": ()}),
        ("counts by modality, with what of each was cached", [session(), created(), *says("a"), done(usage=SPLIT)],
            {"usage.input_tokens": 41, "usage.output_tokens": 27, "usage.cache_read_tokens": 12,
             "usage.audio_input_tokens": 20, "usage.cache_read_audio_tokens": 8, "usage.audio_output_tokens": 20,
             "usage.text_output_tokens": 7}),
        ("text in pieces and as a whole", [session(), created(), *says("Hel", "lo"), done(output=[
            {"id": "resp_1_0", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hello"}]}])],
            {"text": "Hello", "output_items.1": None, "choices.0.role": "assistant"}),
        ("calls end in completed too", [
            session(), created(), *calls(0, "f", '{"a"', ": 1}\n"), *calls(1, "g", '{"b": 2}'), done()],
            {"calls": [("c0", "f", {"a": 1}), ("c1", "g", {"b": 2})], "finish": ("tool_calls", "completed")}),
        ("a call of which only the last event came", [
            created(), within("function_call_arguments.done", call_id="c9", name="f", arguments="{}"), done()],
            {"calls": [("c9", "f", {})]}),
        ("each response is a part", [
            session(), created(), *says("a"), done(usage=used(9, 4)),
            created("resp_2"), *says("b", response_id="resp_2"), done("resp_2", usage=used(20, 5))],
            {"text": "ab", "usage.input_tokens": 29, "usage.output_tokens": 9, "response_id": "resp_2",
             "parts.0.usage.input_tokens": 9, "parts.1.usage.output_tokens": 5, "parts.1.model": "gpt-realtime-1",
             "output_items.1.id": "resp_2_0"}),
        ("two responses at once", [
            session(), created(), created("resp_2"), *says("a"), *says("b", response_id="resp_2"), done(usage=used(9, 4)),
            done("resp_2", usage=used(20, 5)), created("resp_3"), *says("c", response_id="resp_3"), done("resp_3")],
            {"text": "abc", "usage.input_tokens": 29, "usage.output_tokens": 9, "parts.0.usage.input_tokens": 9,
             "parts.1.usage.input_tokens": 20, "parts.2.response_id": "resp_3", "parts.2.usage": None}),
        ("an end comes among the events of the other", [
            session(), created(), *says("a"), created("resp_2"), *says("b", response_id="resp_2")[:2], done(usage=used(9, 4)),
            *says("b", response_id="resp_2")[2:], done("resp_2", usage=used(20, 5))],
            {"text": "ab", "usage.input_tokens": 29, "parts.0.usage.input_tokens": 9, "parts.1.usage.output_tokens": 5}),
        ("the user interrupts", [
            session(), created(), *says("Hel"), done(status="cancelled", usage=used(9, 1),
                status_details={"type": "cancelled", "reason": "turn_detected"})],
            {"text": "Hel", "outcome": "cancelled", "finish": (None, "cancelled"), "usage.partial": False,
             "choices.0.extras": {"status_details": {"type": "cancelled", "reason": "turn_detected"}}}),
        ("an interruption is not the end of the session", [
            session(), created(), *says("Hel"), done(status="cancelled"),
            created("resp_2"), *says("lo", response_id="resp_2"), done("resp_2")],
            {"text": "Hello", "finish": ("stop", "completed"), "parts.0.finish_reason": None}),
        *((f"incomplete by {reason}", [session(), created(), *says("a"), done(
            status="incomplete", status_details={"type": "incomplete", "reason": reason})], {"finish": (meaning, reason)})
          for reason, meaning in {"max_output_tokens": "length", "content_filter": "content_filter"}.items()),
        ("incomplete without a reason", [session(), created(), done(status="incomplete")],
            {"finish": ("length", "incomplete")}),
        ("a response that failed", [session(), created(), done(status="failed", status_details={
            "type": "failed", "error": {"type": "server_error", "code": "overloaded", "message": "later"}})],
            {"outcome": "error", "finish": ("error", "failed"), "error.type": "server_error", "error.message": "later"}),
        ("an error is not the end", [
            session(), event("error", error={"type": "invalid_request_error", "code": "x", "message": "no"}),
            created(), *says("a"), done()], {"text": "a", "error.code": "x"}),
        ("what the user said is another model's", [
            session(), event("conversation.item.added", previous_item_id=None, item=USER), heard("delta", delta="Hi"),
            heard("delta", delta=" you"), heard("completed", transcript="Hi you", usage={"type": "tokens", **used(50, 5)}),
            created(), *says("a"), done(usage=used(9, 4))],
            {"text": "a", "usage.input_tokens": 9, "transcript": None,
             "input": {"input.user_1": {"item": USER, "transcription": {
                 "content_index": 0, "transcript": "Hi you", "usage": {"type": "tokens", **used(50, 5)}}}}}),
        ("what the user said is charged by time, or was not understood", [
            session(), heard("completed", "u1", transcript="Hi", usage={"type": "duration", "seconds": 3}),
            heard("failed", "u2", error={"type": "transcription_error", "message": "noise"}), created(), *says("a"), done()],
            {"usage": None, "error": None, "input": {
                "input.u1": {"transcription": {
                    "content_index": 0, "transcript": "Hi", "usage": {"type": "duration", "seconds": 3}}},
                "input.u2": {"transcription": {
                    "content_index": 0, "error": {"type": "transcription_error", "message": "noise"}}}}}),
        ("items of the assistant are those of its response", [
            session(), created(), *says("a"), event("conversation.item.done", item={**MESSAGE, "id": "resp_1_0"}),
            event("conversation.item.done", item={"type": "function_call", "id": "x"}), done(),
            event("conversation.item.truncated", item_id="resp_1_0", content_index=0, audio_end_ms=1)],
            {"text": "a", "input": {}, "output_items.1": None}),
        ("states of buffers and limits change nothing", [
            session(), event("input_audio_buffer.speech_started", audio_start_ms=1, item_id="u"), created(), *says("a"), done(),
            event("rate_limits.updated", rate_limits=[{"name": "tokens", "remaining": 1}]),
            event("output_audio_buffer.stopped", response_id="resp_1")], {"text": "a", "finish": ("stop", "completed")}),
        ("a session without a response is complete", [session(), event("conversation.created", conversation={"id": "c"})],
            {"choices": (), "usage": None}),
        ("a session that ends within a response was cut off", [session(), created(), *says("a")],
            {"text": "a", "outcome": "truncated"}),
        ("the names of the beta", [
            created(), *speaks(("Hel", "YWFh"), ("lo", "YmI="), sound="audio", words="audio_transcript"),
            *says("so", at=1, family="text"), done()],
            {"audio.data": b"aaabb", "audio.transcript": "Hello", "text": "so"}),
        ("a part of which only the pieces came", [
            created(), within("output_audio_transcript.delta", delta="Hi", content_index=0), done()],
            {"output_items.0.content": [{"type": "output_audio", "transcript": "Hi"}], "audio.transcript": "Hi"}),
        ("reasoning of Voice Live is counted", [
            created(), *says("a"), done(usage=used(9, 14, output_token_details={"text_tokens": 4, "reasoning_tokens": 10}))],
            {"usage.output_tokens": 14, "usage.reasoning_tokens": 10}),
        ("xAI reports beside the response, and says why in words", [
            event("conversation.created", conversation={"id": "c"}), created(), *says("a"),
            {**done(status="cancelled", usage={}, status_details="interrupted"), "usage": XAI}],
            {"text": "a", "usage.input_tokens": 30, "usage.output_tokens": 12, "usage.audio_input_tokens": 20,
             "usage.seconds": 4.5, "outcome": "cancelled", "choices.0.extras": {"status_details": "interrupted"}}),
        ("xAI updates what the user said", [
            event("conversation.created", conversation={"id": "c"}), heard("updated", transcript="Hi"),
            heard("updated", transcript="Hi you"), created(), *says("a"), done()],
            {"input": {"input.user_1": {"transcription": {"content_index": 0, "transcript": "Hi you"}}}}),
        ("a server's tool", [
            created(), within("mcp_call_arguments.delta", delta='{"a": 1}', obfuscation="x"), within("mcp_call.completed"),
            event("mcp_list_tools.completed", item_id="l"), done()],
            {"output_items.0.arguments": '{"a": 1}', "output_items.0.type": "mcp_call", "output_items.0.status": "completed",
             "calls": []}),
        ("an event that is not known is kept", [
            created(), within("animation.delta", delta=[1, 2]), event("response.odd", response_id="resp_1"), *says("a", at=1),
            done()],
            {"text": "a", "output_items.0.animation": [1, 2]}),
        ("null fields are ignored", [
            session(model=None), created(), *says("a"), done(output=None, usage=None, status=None, status_details=None)],
            {"text": "a", "usage": None, "model": None, "finish": ("stop", "completed")}),
    ],
)  # fmt: skip
