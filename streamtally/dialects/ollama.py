"""`ollama.chat` and `ollama.generate`: JSON lines, of which the last has `done` and the counts.

Terminal rule: `done` is true; `done_reason`, which old servers omit, is the finish reason.
Usage rule: one report, on that line. `prompt_eval_count` is omitted if no input had to be evaluated, and is unknown then.
An error is a line too, with HTTP status 200. Tool calls are sent whole.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import Chunk, Delta, DetailDelta, FinishDelta, ImageDelta, TextDelta, ToolCallDelta
from ..json_readers import count_of, is_list, json_text, mapping_of, mappings_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import Choice, FinishReason, StreamRecord, StreamType, ToolCall
from .base import Dialect
from .openai_common import error_chunk

_FINISH_REASONS: Mapping[str, FinishReason | None] = {"stop": None, "load": "stop", "unload": "stop", "length": "length"}
_COUNTS = ("prompt_eval_count", "eval_count")
_LINE_FIELDS = frozenset(
    {"model", "message", "response", "thinking", "tool_calls", "image", "done", "done_reason", "logprobs", *_COUNTS}
)
_MESSAGE_FIELDS = frozenset({"role", "content", "thinking", "tool_calls", "images"})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One line of either API: generate has at the top what chat has in `message`."""
    if found := error_chunk(payload):
        return found
    done = payload.get("done") is True
    return Chunk(
        tuple(_deltas(payload, mapping_of(payload.get("message")), done)),
        meta={"model": name_of(payload.get("model"))},
        extras=unnamed(payload, _LINE_FIELDS),
        usage={name: json_value(payload[name]) for name in _COUNTS if payload.get(name) is not None} or None,
        terminal=done,
    )


def _deltas(line: Mapping[str, Any], message: Mapping[str, Any], done: bool) -> Iterator[Delta]:
    if role := name_of(message.get("role")):
        yield DetailDelta("role", role)
    for part in (line, message):
        if thinking := text_of(part.get("thinking")):
            yield TextDelta(thinking, "reasoning")
    yield TextDelta(text_of(message.get("content")) or text_of(line.get("response")))
    for part in (line, message):
        yield from map(_call, mappings_of(part.get("tool_calls")))
    yield from _images([line.get("image")])
    yield from _images(message.get("images"))
    if is_list(line.get("logprobs")):
        yield DetailDelta("logprobs", json_value(line["logprobs"]))
    if rest := unnamed(message, _MESSAGE_FIELDS):
        yield DetailDelta("extras", rest)
    if done:
        yield FinishDelta(name_of(line.get("done_reason")) or "stop")


def _images(images: Any) -> Iterator[Delta]:
    for image in images if is_list(images) else ():
        if data := text_of(image):
            yield ImageDelta(data=data)


def _call(call: Mapping[str, Any]) -> Delta:
    """A tool call, which is whole. Its index, if any, restarts on each line and is not used."""
    function = mapping_of(call.get("function"))
    return ToolCallDelta(
        json_text(function.get("arguments")),
        id=name_of(call.get("id")),
        name=name_of(function.get("name")),
        type=name_of(call.get("type")),
        extras=unnamed(call, frozenset({"id", "type", "function"})) or None,
    )


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """The counts as fields of a `Usage`."""
    fields = {"input_tokens": count_of(report.get("prompt_eval_count")), "output_tokens": count_of(report.get("eval_count"))}
    return {name: value for name, value in fields.items() if value is not None}


def chat_response(record: StreamRecord) -> dict[str, Json]:
    """The record as the object that the chat API returns without streaming."""
    choice = record.choices[0] if record.choices else Choice(finish_reason=None)
    message: dict[str, Json] = {**choice.extras, "role": choice.role or "assistant", "content": choice.text}
    if choice.reasoning is not None:
        message["thinking"] = choice.reasoning
    if choice.tool_calls:
        message["tool_calls"] = [_response_call(call) for call in choice.tool_calls]
    if images := _response_images(record):
        message["images"] = images
    return {**_response_line(record, choice), "message": message}


def generate_response(record: StreamRecord) -> dict[str, Json]:
    """The record as the object that the generate API returns without streaming."""
    choice = record.choices[0] if record.choices else Choice(finish_reason=None)
    images = _response_images(record)
    return {
        **_response_line(record, choice),
        "response": choice.text,
        **({"thinking": choice.reasoning} if choice.reasoning is not None else {}),
        **({"tool_calls": [_response_call(call) for call in choice.tool_calls]} if choice.tool_calls else {}),
        **({"image": images[-1]} if images else {}),
    }


def _response_line(record: StreamRecord, choice: Choice) -> dict[str, Json]:
    return {
        **record.extras,
        "model": record.model or record.requested_model or "",
        "done": choice.finish_reason_raw is not None,
        **({"done_reason": choice.finish_reason_raw} if choice.finish_reason_raw is not None else {}),
        **(record.usage.raw if record.usage else {}),
        **({"logprobs": choice.logprobs} if isinstance(choice.logprobs, list) else {}),
    }


def _response_call(call: ToolCall) -> dict[str, Json]:
    function = {"name": call.name or "", "arguments": dict(mapping_of(call.arguments_json))}
    return {**call.extras, **({"id": call.id} if call.id else {}), "function": function}


def _response_images(record: StreamRecord) -> list[Json]:
    return [json_value(image.data) for image in record.images if image.data is not None]


def _is_chat(payload: Mapping[str, Any]) -> bool:
    return _is_line(payload) and isinstance(payload.get("message"), Mapping)


def _is_generated(payload: Mapping[str, Any]) -> bool:
    return _is_line(payload) and not isinstance(payload.get("message"), Mapping)


def _is_line(payload: Mapping[str, Any]) -> bool:
    """Each line names the model, and states whether it is the last."""
    return isinstance(payload.get("done"), bool) and isinstance(payload.get("model"), str) and "created_at" in payload


def _may_be_chat(payload: Mapping[str, Any]) -> bool:
    return isinstance(payload.get("done"), bool) and isinstance(payload.get("message"), Mapping)


def _may_be_generated(payload: Mapping[str, Any]) -> bool:
    return isinstance(payload.get("done"), bool) and bool(payload.keys() & {"response", "created_at"})


CHAT = Dialect(
    "ollama.chat",
    StreamType.CHAT,
    chunk,
    usage,
    _FINISH_REASONS,
    provider="ollama",
    response=chat_response,
    recognises=_is_chat,
    resembles=_may_be_chat,
)
GENERATE = Dialect(
    "ollama.generate",
    StreamType.TEXT,
    chunk,
    usage,
    _FINISH_REASONS,
    provider="ollama",
    response=generate_response,
    recognises=_is_generated,
    resembles=_may_be_generated,
)

DIALECTS = (CHAT, GENERATE)
"""A line of chat has the fields by which generate is recognised, and a message: chat is asked first."""
