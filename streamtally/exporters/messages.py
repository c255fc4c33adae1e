"""Content as a span or an event may carry it when the user asks for it: pure.

One message for each choice, made of parts: the schemas of `gen_ai.output.messages` and `gen_ai.input.messages` in the
conventions. A part whose type the schema does not list (refusal, audio, image) is its generic part. Bytes of sound and
pictures are told by their size. Every text is cut to `MAX_TEXT` before JSON is made of it, so the JSON is always whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..json_values import Json
from ..records import Choice, Outcome, StreamRecord, ToolCall
from . import names

MAX_TEXT = 65_536
"""Characters of one text; the rest is cut off. Our own choice: a span of a few such texts still fits a collector's limits."""

Part = dict[str, Json]
Redact = Callable[[Part], Part | None]
"""Takes a part, returns what may go out of it, or None for a part that may not."""

_FINISH_REASONS = {"tool_calls": "tool_call"}
_OWN_TOOLS = frozenset({"function_call", "custom_tool_call"})


def content_attributes(record: StreamRecord, redact: Redact | None = None, *, finish_reason: bool = True) -> dict[str, Json]:
    """The attributes that hold content, structured, as far as the record has any.

    Args:
        record: what the stream was.
        redact: what each part passes through.
        finish_reason: whether each output message states why it ended, as 1.41 has it.
    """
    given = record.params
    found = {
        names.SYSTEM_INSTRUCTIONS: _redacted(_instructions(given), redact),
        names.INPUT_MESSAGES: _messages(_input_messages(given), redact),
        names.OUTPUT_MESSAGES: _messages(output_messages(record, finish_reason=finish_reason), redact),
        names.TOOL_DEFINITIONS: _redacted(_tools(given), redact),
        names.REQUEST_STOP_SEQUENCES: _stops(given),
    }
    return {name: value for name, value in found.items() if value}


def as_json(attributes: Mapping[str, Json]) -> dict[str, str | Sequence[str]]:
    """The same for a span, whose attributes have no structure: each is a JSON text, but for stop sequences."""
    return {
        name: value if name == names.REQUEST_STOP_SEQUENCES else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for name, value in attributes.items()
    }


def output_messages(record: StreamRecord, *, finish_reason: bool = True) -> list[Json]:
    """One message for each choice; what a stream without choices brought is one message too."""
    unfinished = "stop" if record.outcome is Outcome.COMPLETED else "error"
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


def _message(role: str | None, parts: Iterable[Json], finish_reason: str) -> Json:
    return {
        "role": role or "assistant",
        "parts": list(parts),
        "finish_reason": _FINISH_REASONS.get(finish_reason, finish_reason),
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
    """What the provider's own tools did, and where it compacted the conversation."""
    for item in items:
        kind = str(item.get("type") or "")
        if kind == "server_tool_use" or (kind.endswith("_call") and kind not in _OWN_TOOLS):
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
    given = next((params[name] for name in names.STOP_PARAMETERS if name in params), None)
    stops = [given] if isinstance(given, str) else given
    return stops if isinstance(stops, list) and all(isinstance(one, str) for one in stops) else []


def _instructions(params: Mapping[str, Json]) -> list[Part]:
    return _parts(params.get("instructions") or params.get("system"))


def _input_messages(params: Mapping[str, Json]) -> list[Json]:
    """What the user wrote, where the record has it: with `keep="content+input"`."""
    given = params.get("messages") or params.get("input") or params.get("contents") or params.get("prompt")
    messages = [given] if isinstance(given, str | dict) else given if isinstance(given, list) else []
    return [_input_message(one) for one in messages]


def _input_message(message: Json) -> Json:
    if not isinstance(message, dict):
        return {"role": "user", "parts": _parts(message)}
    said = message.get("content", message.get("parts"))
    parts = _parts(said) if "role" in message else [_part(message)]
    if isinstance(calls := message.get("tool_calls"), list):
        parts.extend(_part({"type": "function", **call}) for call in calls if isinstance(call, dict))
    if message.get("role") == "tool":
        parts = [{"type": "tool_call_response", "id": message.get("tool_call_id"), "response": _cut_json(said)}]
    return {"role": str(message.get("role") or "user"), "parts": parts}


def _parts(said: Json) -> list[Part]:
    if said is None:
        return []
    return [_part(one) for one in (said if isinstance(said, list) else [said])]


def _part(said: Json) -> Part:
    """One piece of what was said to the model, by the kinds that the providers have for it."""
    if not isinstance(said, dict):
        return {"type": "text", "content": _cut(str(said))}
    if isinstance(text := said.get("text"), str):
        return {"type": "text", "content": _cut(text)}
    kind = str(said.get("type") or "")
    if kind in ("function", "function_call", "tool_use"):
        function = said["function"] if isinstance(said.get("function"), dict) else said
        arguments = function.get("arguments", function.get("input"))
        identity = said.get("call_id") or said.get("id")
        return {"type": "tool_call", "id": identity, "name": str(function.get("name") or ""), "arguments": _cut_json(arguments)}
    if kind in ("function_call_output", "tool_result"):
        response = said.get("output", said.get("content"))
        identity = said.get("call_id") or said.get("tool_use_id")
        return {"type": "tool_call_response", "id": identity, "response": _cut_json(response)}
    if isinstance(uri := _uri(said), str) and not uri.startswith("data:"):
        return {"type": "uri", "modality": "image", "uri": _cut(uri)}
    return {"type": kind or "generic", "size": len(json.dumps(said))}


def _uri(said: Mapping[str, Json]) -> Json:
    held = said.get("image_url") or said.get("source")
    return held.get("url") if isinstance(held, dict) else held


def _tools(params: Mapping[str, Json]) -> list[Part]:
    tools = params.get("tools")
    return [_definition(one) for one in tools if isinstance(one, dict)] if isinstance(tools, list) else []


def _definition(tool: Mapping[str, Json]) -> Part:
    function = tool["function"] if isinstance(tool.get("function"), dict) else tool
    found = {
        "type": str(tool.get("type") or "function"),
        "name": function.get("name"),
        "description": _cut_json(function.get("description")),
        "parameters": _cut_json(function.get("parameters", function.get("input_schema"))),
    }
    return {name: value for name, value in found.items() if value is not None}


# ------------------------------------------------------------------------------------------------------------ cutting


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT]


def _cut_json(value: Json) -> Json:
    """A value as it is; one that is too long as the beginning of its JSON, in a text."""
    if value is None or isinstance(value, str):
        return value and _cut(value)
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= MAX_TEXT else _cut(text)
