"""Quirks of OpenAI's APIs and of compatible servers.

Most are tested beside their dialect (README.md lists where); here are those of whole streams, and one body of each type.
"""

from __future__ import annotations

from tests.dialects.wire import Payload, call, calls, chat, choice, envelope, event, numbered, stops, texts
from tests.quirks.quirk import by_dialect

USED = chat(usage={"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13})
FAILED = {"error": {"message": "gone", "type": "server_error", "code": 502}}

CHAT = by_dialect(
    "openai.chat",
    [
        ("the finish, then usage, then the end", [
        chat(choice(role="assistant", content="")), *texts("Hel", "lo"), stops(), USED],
            {"text": "Hello", "usage.input_tokens": 9, "usage.output_tokens": 4, "finish": ("stop", "stop")}),
        ("as OpenRouter sends it", [
            *texts("some"), chat(choice(0, "error", content=""), **FAILED, usage={"prompt_tokens": 9, "completion_tokens": 1})],
            {"text": "some", "outcome": "error", "error.status": 502, "usage.input_tokens": 9, "finish": ("error", "error")}),
        ("a chunk may lack them where others have them", [
            *texts("a"), {key: value for key, value in chat(usage=None).items() if key != "choices"}, stops()], {"text": "a"}),
        ("what comes after usage does not take it away", [*texts("a"), stops(), USED, chat(usage=None)],
            {"usage.input_tokens": 9, "usage.output_tokens": 4}),
        ("the legacy form of a call", [
            chat(choice(role="assistant", content=None, function_call={"name": "f", "arguments": ""})),
            chat(choice(function_call={"arguments": '{"a": '})), chat(choice(function_call={"arguments": "1}"})),
            stops("function_call")],
            {"calls": [(None, "f", {"a": 1})], "finish": ("tool_calls", "function_call")}),
        ("an id that comes with each piece is one id", [
            *(calls(call(0, "f", piece, id="0")) for piece in ('{"a"', ": ", "1}")), stops("tool_calls")],
            {"calls": [("0", "f", {"a": 1})]}),
        ("whole calls that all have index 0 are distinguished by their IDs", [
            *(calls(call(0, "f", f'{{"a": {number}}}', id=f"c{number}")) for number in range(15)), stops("tool_calls")],
            {"calls": [(f"c{number}", "f", {"a": number}) for number in range(15)]}),
        ("two choices in turns, with calls", [
            chat(choice(0, tool_calls=[call(0, "f", "", id="a")]), choice(1, tool_calls=[call(0, "g", "", id="b")])),
            chat(choice(1, tool_calls=[call(0, None, "[1]")])), chat(choice(0, tool_calls=[call(0, None, "[0]")])),
            stops("tool_calls"), chat(choice(1, "tool_calls"))],
            {"choices.0.tool_calls.0.arguments": "[0]", "choices.1.tool_calls.0.arguments": "[1]"}),
        ("the end marker without a reason is no finish", texts("a"), {"text": "a", "outcome": "truncated"}),
        ("an error after good chunks keeps the text", [*texts("some", "words"), FAILED],
            {"text": "somewords", "outcome": "error", "error.status": 502, "error.retryable": True}),
    ],
)  # fmt: skip

COMPLETIONS = by_dialect(
    "openai.completions",
    [
        ("text, not delta", [
            {"id": "c", "object": "text_completion", "model": "m",
            "choices": [{"index": 0, "text": "Hel", "finish_reason": None}]},
            {"id": "c", "object": "text_completion", "model": "m",
            "choices": [{"index": 0, "text": "lo", "finish_reason": "length"}]},
            {"id": "c", "object": "text_completion", "model": "m", "choices": [],
            "usage": {"prompt_tokens": 9, "completion_tokens": 4}}],
            {"text": "Hello", "usage.input_tokens": 9, "finish": ("length", "length")}),
    ],
)  # fmt: skip

MESSAGE = {"id": "m1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
CALL = {"id": "f1", "type": "function_call", "call_id": "c1", "name": "f", "arguments": ""}
RESPONSES_USED = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}


def answers(*words: str, at: int = 0) -> list[Payload]:
    """The events of a message."""
    where = {"item_id": "m1", "output_index": at, "content_index": 0}
    return [
        event("output_item.added", output_index=at, item=MESSAGE),
        event("content_part.added", **where, part={"type": "output_text", "text": "", "annotations": []}),
        *(event("output_text.delta", **where, delta=word) for word in words),
        event("output_text.done", **where, text="".join(words)),
    ]


RESPONSES = by_dialect(
    "openai.responses",
    [
        ("a message and a call, item by item", numbered(
            envelope("created"), *answers("Hel", "lo"), event("output_item.added", output_index=1, item=CALL),
            event("function_call_arguments.delta", item_id="f1", output_index=1, delta='{"a": '),
            event("function_call_arguments.delta", item_id="f1", output_index=1, delta="1}"),
            envelope("completed", usage=RESPONSES_USED)),
            {"text": "Hello", "calls": [("c1", "f", {"a": 1})], "usage.input_tokens": 9, "finish.0": "tool_calls"}),
        ("as LM Studio sends them", numbered(
            envelope("created"), event("output_item.added", output_index=0, item=CALL),
            event("function_call_arguments.done", item_id="f1", output_index=0, arguments='{"a": 1}'), envelope("completed")),
            {"calls": [("c1", "f", {"a": 1})]}),
        ("incomplete is a length", numbered(
            envelope("created"), *answers("Hel"),
            envelope("incomplete", incomplete_details={"reason": "max_output_tokens"}, usage=RESPONSES_USED)),
            {"text": "Hel", "finish.0": "length", "usage.output_tokens": 4}),
        ("an error, and then a failed response", numbered(
            envelope("created"), *answers("Hel"), {"type": "error", "code": "server_error", "message": "gone"},
            envelope("failed", error={"code": "server_error", "message": "gone"})),
            {"text": "Hel", "outcome": "error", "error.type": "server_error"}),
        ("a stream without its last event was cut off", numbered(envelope("created"), *answers("Hel", "lo")),
            {"text": "Hello", "outcome": "truncated"}),
    ],
)  # fmt: skip

SPEECH = by_dialect(
    "openai.speech",
    [
        ("pieces of sound that are not cut at whole bytes", [
            {"type": "speech.audio.delta", "audio": "aGVs"}, {"type": "speech.audio.delta", "audio": "bG8="},
            {"type": "speech.audio.done", "usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}}],
            {"audio.data": b"hello", "usage.input_tokens": 9}),
    ],
)  # fmt: skip

TRANSCRIPTION = by_dialect(
    "openai.transcription",
    [
        ("deltas, and then the whole of it", [
            {"type": "transcript.text.delta", "delta": "Hel"}, {"type": "transcript.text.delta", "delta": "lo"},
            {"type": "transcript.text.done", "text": "Hello", "usage": {"type": "duration", "seconds": 3}}],
            {"text": "Hello", "usage.seconds": 3.0}),
        ("who spoke when, and then the whole of it", [
            {"type": "transcript.text.segment", "id": "s0", "start": 0.0, "end": 1.0, "speaker": "A", "text": " Hello"},
            {"type": "transcript.text.done", "text": "Hello"}],
            {"text": "Hello", "transcript.segments.0.speaker": "A"}),
    ],
)  # fmt: skip

IMAGES = by_dialect(
    "openai.images",
    [
        ("a preview is replaced by the image", [
            {"type": "image_generation.partial_image", "b64_json": "cHJl", "partial_image_index": 0, "output_format": "png"},
            {"type": "image_generation.completed", "b64_json": "aW1n", "output_format": "png",
            "usage": {"input_tokens": 9, "output_tokens": 4}}],
            {"images.0.data": b"img", "images.0.partials": 1, "usage.input_tokens": 9}),
    ],
)  # fmt: skip

QUIRKS = [*CHAT, *COMPLETIONS, *RESPONSES, *SPEECH, *TRANSCRIPTION, *IMAGES]
