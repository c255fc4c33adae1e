"""The generated content as a span may carry it when the user asks for it: pure.

One message for each choice, made of parts, in JSON: the schema of `gen_ai.output.messages` in the conventions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from ..jsonish import Json
from ..records import Choice, Outcome, StreamRecord, ToolCall
from . import names

MAX_TEXT = 65_536
"""Characters of one text; the rest is cut off. Our own choice: a span of a few such texts still fits a collector's limits."""

_FINISH_REASONS = {"tool_calls": "tool_call"}


def content_attributes(record: StreamRecord) -> dict[str, str | Sequence[str]]:
    """The attributes that hold content, as far as the record has any. Bytes of sound and pictures are left out."""
    found: dict[str, str | Sequence[str]] = {}
    if messages := output_messages(record):
        found[names.OUTPUT_MESSAGES] = json.dumps(messages, ensure_ascii=False, separators=(",", ":"))
    stop = record.params.get("stop", record.params.get("stop_sequences"))
    stops = [stop] if isinstance(stop, str) else stop
    if isinstance(stops, list) and stops and all(isinstance(one, str) for one in stops):
        found[names.REQUEST_STOP_SEQUENCES] = stops
    return found


def output_messages(record: StreamRecord) -> list[Json]:
    """One message for each choice; what a stream without choices brought is one message too."""
    unfinished = "stop" if record.outcome is Outcome.COMPLETED else "error"
    messages = [_message(one.role, _choice_parts(one), one.finish_reason or unfinished) for one in record.choices]
    if media := list(_media_parts(record)):
        if messages:
            messages[0]["parts"].extend(media)
        else:
            messages.append(_message(None, media, unfinished))
    return messages


def _message(role: str | None, parts: Iterable[Json], finish_reason: str) -> Json:
    return {
        "role": role or "assistant",
        "parts": list(parts),
        "finish_reason": _FINISH_REASONS.get(finish_reason, finish_reason),
    }


def _choice_parts(choice: Choice) -> Iterator[Json]:
    if choice.reasoning:
        yield {"type": "reasoning", "content": _cut(choice.reasoning)}
    if choice.text:
        yield {"type": "text", "content": _cut(choice.text)}
    if choice.refusal:
        yield {"type": "refusal", "content": _cut(choice.refusal)}
    yield from map(_tool_call, choice.tool_calls)


def _tool_call(call: ToolCall) -> Json:
    parsed = call.arguments_json if len(call.arguments) <= MAX_TEXT else None
    arguments = _cut(call.arguments) if parsed is None else parsed
    return {"type": "tool_call", "id": call.id, "name": call.name or "", "arguments": arguments}


def _media_parts(record: StreamRecord) -> Iterator[Json]:
    if record.transcript is not None and record.transcript.text:
        yield {"type": "text", "content": _cut(record.transcript.text)}
    if record.audio is not None:
        if record.audio.transcript:
            yield {"type": "text", "content": _cut(record.audio.transcript)}
        yield {"type": "audio", "mime_type": record.audio.mime_type, "size": record.audio.size}
    for image in record.images:
        if image.url and not image.url.startswith("data:"):
            yield {"type": "uri", "modality": "image", "uri": image.url, "mime_type": image.mime_type}
        else:
            yield {"type": "image", "mime_type": image.mime_type, "size": len(image.data or b"")}


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT]
