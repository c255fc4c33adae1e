"""Content as attributes of a span or an event, for users who ask for it: pure functions.

There is one message for each choice, and it consists of parts: the schemas of `gen_ai.output.messages` and
`gen_ai.input.messages` in the conventions. A part whose type the schema does not list (refusal, audio, image) is its generic
part. Of audio and images only the size is included. Every text is cut to `MAX_TEXT` before it becomes JSON, so that the JSON
is complete.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..json_values import Json
from ..records import Choice, FinishReason, Outcome, StreamRecord, ToolCall
from . import names
from .parameters import STOP_PARAMETERS

MAX_TEXT = 65_536
"""Characters of one text; the rest is cut off. Our own choice: a span with a few such texts is within a collector's limits."""

Part = dict[str, Json]
Redact = Callable[[Part], Part | None]
"""Takes a part; returns the part to export, or None for no part."""

FINISH_REASONS: Mapping[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_call",
    "content_filter": "content_filter",
    "error": "error",
}
"""The finish reason of a message, by that of the choice."""

_CLIENT_TOOLS = frozenset({"function_call", "custom_tool_call"})
"""Types of items that are calls of tools which the client runs."""


def content_attributes(record: StreamRecord, redact: Redact | None = None, *, finish_reason: bool = True) -> dict[str, Json]:
    """The attributes that hold content, structured. Those without a value are absent.

    Args:
        record: the record.
        redact: changes or removes each part.
        finish_reason: whether each output message has its finish reason, as version 1.41 requires.
    """
    params = record.params
    attributes = {
        names.SYSTEM_INSTRUCTIONS: _redacted(_instructions(params), redact),
        names.INPUT_MESSAGES: _messages(_input_messages(params), redact),
        names.OUTPUT_MESSAGES: _messages(output_messages(record, finish_reason=finish_reason), redact),
        names.TOOL_DEFINITIONS: _redacted(_tools(params), redact),
        names.REQUEST_STOP_SEQUENCES: _stops(params),
    }
    return {name: value for name, value in attributes.items() if value}


def as_json(attributes: Mapping[str, Json]) -> dict[str, str | Sequence[str]]:
    """The same attributes for a span, whose values have no structure: JSON texts, except for the stop sequences."""
    return {
        name: value if name == names.REQUEST_STOP_SEQUENCES else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for name, value in attributes.items()
    }


def output_messages(record: StreamRecord, *, finish_reason: bool = True) -> list[Json]:
    """One message for each choice. The output of a stream without choices is one message."""
    unfinished: FinishReason = "stop" if record.outcome is Outcome.COMPLETED else "error"
    messages = [_message(one.role, _choice_parts(one), one.finish_reason or unfinished) for one in record.choices]
    if media := [*_item_parts(record.output_items), *_media_parts(record)]:
        if messages:
            messages[0]["parts"].extend(media)
        else:
            messages.append(_message(None, media, unfinished))
    if not finish_reason:
        for message in messages:
            del message["finish_reason"]
    return messages


def _message(role: str | None, parts: Iterable[Json], finish_reason: FinishReason) -> Json:
    return {
        "role": role or "assistant",
        "parts": list(parts),
        "finish_reason": FINISH_REASONS[finish_reason],
    }


def _messages(messages: list[Json], redact: Redact | None) -> list[Json]:
    for message in messages:
        message["parts"] = _redacted(message["parts"], redact)
    return messages


def _redacted(parts: Iterable[Part], redact: Redact | None) -> list[Part]:
    return list(parts) if redact is None else [left for part in parts if (left := redact(part)) is not None]


# ------------------------------------------------------------------------------------------------------------- output


def _choice_parts(choice: Choice) -> Iterator[Part]:
    if choice.reasoning:
        yield {"type": "reasoning", "content": _cut(choice.reasoning)}
    if choice.text:
        yield {"type": "text", "content": _cut(choice.text)}
    if choice.refusal:
        yield {"type": "refusal", "content": _cut(choice.refusal)}
    yield from map(_tool_call, choice.tool_calls)


def _tool_call(call: ToolCall) -> Part:
    parsed = call.arguments_json if len(call.arguments) <= MAX_TEXT else None
    arguments = _cut(call.arguments) if parsed is None else parsed
    return {"type": "tool_call", "id": call.id, "name": call.name or "", "arguments": arguments}


def _item_parts(items: Iterable[Mapping[str, Json]]) -> Iterator[Part]:
    """Calls and results of tools that the provider runs, and compactions of the conversation."""
    for item in items:
        kind = str(item.get("type") or "")
        if kind == "server_tool_use" or (kind.endswith("_call") and kind not in _CLIENT_TOOLS):
            name = item.get("name") or kind.removesuffix("_call")
            yield {"type": "server_tool_call", "id": item.get("id"), "name": name, "server_tool_call": _cut_json(item)}
        elif kind.endswith("_tool_result"):
            yield {
                "type": "server_tool_call_response",
                "id": item.get("tool_use_id"),
                "server_tool_call_response": _cut_json(item),
            }
        elif kind == "compaction":
            yield {"type": "compaction", "id": item.get("id"), "content": _cut_json(item.get("content"))}


def _media_parts(record: StreamRecord) -> Iterator[Part]:
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


# -------------------------------------------------------------------------------------------------------------- input


def _stops(params: Mapping[str, Json]) -> list[str]:
    given = next((params[name] for name in STOP_PARAMETERS if name in params), None)
    stops = [given] if isinstance(given, str) else given
    return stops if isinstance(stops, list) and all(isinstance(one, str) for one in stops) else []


def _instructions(params: Mapping[str, Json]) -> list[Part]:
    return _parts(params.get("instructions") or params.get("system"))


def _input_messages(params: Mapping[str, Json]) -> list[Json]:
    """The messages of the request, if the record has them: with `keep="content+input"`."""
    given = params.get("messages") or params.get("input") or params.get("contents") or params.get("prompt")
    messages = [given] if isinstance(given, str | dict) else given if isinstance(given, list) else []
    return [_input_message(one) for one in messages]


def _input_message(message: Json) -> Json:
    if not isinstance(message, dict):
        return {"role": "user", "parts": _parts(message)}
    content = message.get("content", message.get("parts"))
    parts = _parts(content) if "role" in message else [_part(message)]
    if isinstance(calls := message.get("tool_calls"), list):
        parts.extend(_part({"type": "function", **call}) for call in calls if isinstance(call, dict))
    if message.get("role") == "tool":
        parts = [{"type": "tool_call_response", "id": message.get("tool_call_id"), "response": _cut_json(content)}]
    return {"role": str(message.get("role") or "user"), "parts": parts}


def _parts(content: Json) -> list[Part]:
    if content is None:
        return []
    return [_part(one) for one in (content if isinstance(content, list) else [content])]


def _part(given: Json) -> Part:
    """One part of a request message, from any of the shapes that providers have."""
    if not isinstance(given, dict):
        return {"type": "text", "content": _cut(str(given))}
    if isinstance(text := given.get("text"), str):
        return {"type": "text", "content": _cut(text)}
    kind = str(given.get("type") or "")
    if kind in ("function", "function_call", "tool_use"):
        function = given["function"] if isinstance(given.get("function"), dict) else given
        arguments = function.get("arguments", function.get("input"))
        identity = given.get("call_id") or given.get("id")
        return {"type": "tool_call", "id": identity, "name": str(function.get("name") or ""), "arguments": _cut_json(arguments)}
    if kind in ("function_call_output", "tool_result"):
        response = given.get("output", given.get("content"))
        identity = given.get("call_id") or given.get("tool_use_id")
        return {"type": "tool_call_response", "id": identity, "response": _cut_json(response)}
    if isinstance(uri := _uri(given), str) and not uri.startswith("data:"):
        return {"type": "uri", "modality": "image", "uri": _cut(uri)}
    return {"type": kind or "generic", "size": len(json.dumps(given))}


def _uri(part: Mapping[str, Json]) -> Json:
    source = part.get("image_url") or part.get("source")
    return source.get("url") if isinstance(source, dict) else source


def _tools(params: Mapping[str, Json]) -> list[Part]:
    tools = params.get("tools")
    return [_definition(one) for one in tools if isinstance(one, dict)] if isinstance(tools, list) else []


def _definition(tool: Mapping[str, Json]) -> Part:
    function = tool["function"] if isinstance(tool.get("function"), dict) else tool
    attributes = {
        "type": str(tool.get("type") or "function"),
        "name": function.get("name"),
        "description": _cut_json(function.get("description")),
        "parameters": _cut_json(function.get("parameters", function.get("input_schema"))),
    }
    return {name: value for name, value in attributes.items() if value is not None}


# ------------------------------------------------------------------------------------------------------------ cutting


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT]


def _cut_json(value: Json) -> Json:
    """A value as it is, or the beginning of its JSON as a text if that is too long."""
    if value is None or isinstance(value, str):
        return value and _cut(value)
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= MAX_TEXT else _cut(text)
