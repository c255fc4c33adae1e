"""`openai.responses`: the typed events of the Responses API.

Terminal rule: `response.completed`, `.incomplete`, `.failed` or `.cancelled`; there is no `[DONE]`.
Usage rule: final, once, inside the terminal event's response.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import AudioDelta, Chunk, Delta, FinishDelta, ImageDelta, ItemDelta
from ..jsonish import Json, json_value
from ..records import FinishReason, StreamRecord, StreamType
from .base import Dialect
from .openai_common import FINISH_REASONS, error_chunk, error_fields, usage_fields
from .values import count_of, is_list, mapping_of, mappings_of, name_of, text_of, unnamed

_TEXTS: Mapping[str, tuple[str, str | None, str | None]] = {
    "output_text": ("content", "content_index", "output_text"),
    "refusal": ("content", "content_index", "refusal"),
    "reasoning_text": ("content", "content_index", "reasoning_text"),
    "reasoning_summary_text": ("summary", "summary_index", "summary_text"),
    "function_call_arguments": ("arguments", None, None),
    "mcp_call_arguments": ("arguments", None, None),
    "mcp_call.arguments": ("arguments", None, None),
    "custom_tool_call_input": ("input", None, None),
    "code_interpreter_call_code": ("code", None, None),
    "shell_call_command": ("commands", "command_index", "command"),
}
"""Families of text events: the item's field, the event's index into it, and the type of the part there."""

_PARTS = {"content_part": ("content", "content_index"), "reasoning_summary_part": ("summary", "summary_index")}
"""Families of part events: the item's list field, and the event's index into it."""

_ENVELOPE = frozenset({"created", "queued", "in_progress", "completed", "incomplete", "failed", "cancelled"})
_TERMINAL = frozenset({"completed", "incomplete", "failed", "cancelled"})
_RESPONSE_FIELDS = frozenset({"id", "object", "model", "output", "usage", "error", "service_tier"})
_WORDS: Mapping[str, FinishReason] = {**FINISH_REASONS, "completed": "stop", "incomplete": "length"}


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event of a response stream."""
    kind = text_of(payload.get("type"))
    family, _, stage = kind.removeprefix("response.").rpartition(".")
    if not kind.startswith("response."):
        found = error_chunk(payload) or Chunk(extras={kind or "event": json_value(payload)})
    elif stage in _ENVELOPE and not family and isinstance(payload.get("response"), Mapping):
        found = _envelope(payload["response"], stage)
    else:
        deltas = tuple(_deltas(payload, family, stage))
        found = Chunk(deltas) if deltas else Chunk(extras={} if _is_known(family, stage) else {kind: json_value(payload)})
    return found._replace(sequence=count_of(payload.get("sequence_number")))


def _is_known(family: str, stage: str) -> bool:
    """Whether an event that brought nothing is one that may bring nothing."""
    return family in _TEXTS or family in _PARTS or family.startswith("audio") or stage == "done"


def _envelope(response: Mapping[str, Any], stage: str) -> Chunk:
    """An event about the whole response; the last one says how it ended, and lists all items once more."""
    terminal = stage in _TERMINAL
    deltas: list[Delta] = []
    if terminal:
        if is_list(response.get("output")) and response["output"]:
            deltas.append(ItemDelta("replace", None, None, (), json_value(list(mappings_of(response["output"])))))
        incomplete = name_of(mapping_of(response.get("incomplete_details")).get("reason"))
        deltas.append(FinishDelta(incomplete or name_of(response.get("status")) or stage))
    error = response.get("error")
    if error is None and stage == "failed":
        error = {"type": "response_failed", "message": None}
    return Chunk(
        tuple(deltas),
        meta={
            "response_id": name_of(response.get("id")),
            "model": name_of(response.get("model")),
            "service_tier": name_of(response.get("service_tier")),
        },
        extras=unnamed(response, _RESPONSE_FIELDS),
        usage=json_value(response["usage"]) if isinstance(response.get("usage"), Mapping) else None,
        error=None if error is None else error_fields(error),
        terminal=terminal,
    )


def _deltas(payload: Mapping[str, Any], family: str, stage: str) -> Iterator[Delta]:
    """What one event says of one item."""
    item_id, index = name_of(payload.get("item_id")), count_of(payload.get("output_index"))
    if family == "output_item":
        yield from _item_deltas(payload, index, stage)
    elif family in _TEXTS:
        yield from _text_deltas(payload, item_id, index, family, stage)
    elif family in _PARTS and isinstance(payload.get("part"), Mapping):
        field, position = _PARTS[family]
        yield ItemDelta("set", item_id, index, (field, count_of(payload.get(position)) or 0), json_value(payload["part"]))
    elif family == "output_text.annotation" and payload.get("annotation") is not None:
        path = ("content", count_of(payload.get("content_index")) or 0, "annotations")
        yield ItemDelta("push", item_id, index, path, json_value(payload["annotation"]))
    elif family == "audio" and stage == "delta":
        yield AudioDelta(text_of(payload.get("delta")))
    elif family == "audio.transcript" and stage == "delta":
        yield AudioDelta(transcript=text_of(payload.get("delta")))
    elif family == "shell_call_output_content":
        yield from _shell_deltas(payload, item_id, index, stage)
    elif stage == "partial_image":
        yield ImageDelta(index or 0, text_of(payload.get("partial_image_b64")), partial=True)
    elif "_call" in family or family in ("mcp_list_tools", "compaction"):
        yield ItemDelta("set", item_id, index, ("status",), stage)


def _item_deltas(payload: Mapping[str, Any], index: int | None, stage: str) -> Iterator[Delta]:
    item = mapping_of(payload.get("item"))
    op = "done" if stage == "done" else "add"
    yield ItemDelta(op, name_of(item.get("id")), index, (), json_value(item))  # type: ignore[arg-type]
    if stage == "done" and item.get("type") == "image_generation_call" and text_of(item.get("result")):
        fields = {"revised_prompt": name_of(item.get("revised_prompt")), "mime_type": _mime_type(item.get("output_format"))}
        yield ImageDelta(index or 0, item["result"], fields=fields)


def _mime_type(output_format: Any) -> str | None:
    name = name_of(output_format)
    return f"image/{name}" if name else None


def _text_deltas(payload: Mapping[str, Any], item_id: str | None, index: int | None, family: str, stage: str) -> Iterator[Delta]:
    field, position, part = _TEXTS[family]
    path: tuple[str | int, ...] = (
        (field,) if position is None or part is None else (field, count_of(payload.get(position)) or 0, part)
    )
    delta = payload.get("delta")
    if stage in ("delta", "added"):
        words = delta if isinstance(delta, str) else text_of(payload.get(str(path[-1])))
        yield ItemDelta("append", item_id, index, path, words)
        if is_list(payload.get("logprobs")):
            for entry in payload["logprobs"]:
                yield ItemDelta("push", item_id, index, (*path[:2], "logprobs"), json_value(entry))
    elif stage == "done":
        words = text_of(payload.get("text")) or text_of(payload.get(str(path[-1]))) or text_of(payload.get(field))
        yield ItemDelta("text", item_id, index, path, words)


def _shell_deltas(payload: Mapping[str, Any], item_id: str | None, index: int | None, stage: str) -> Iterator[Delta]:
    position = count_of(payload.get("command_index")) or 0
    if stage == "delta":
        for name, words in mapping_of(payload.get("delta")).items():
            if isinstance(words, str) and name in ("stdout", "stderr"):
                yield ItemDelta("append", item_id, index, ("output", position, name), words)
    elif stage == "done":
        yield ItemDelta("set", item_id, index, ("output",), json_value(payload.get("output")))


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as a `response` object."""
    return {
        "created_at": 0,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        **record.extras,
        "id": record.response_id or record.request_id,
        "object": "response",
        "model": record.model or record.requested_model or "",
        "output": list(record.output_items),
        "error": _response_error(record),
        **({"usage": record.usage.raw} if record.usage else {}),
        **({"service_tier": record.service_tier} if record.service_tier else {}),
    }


def _response_error(record: StreamRecord) -> Json:
    if record.error is None:
        return None
    return {"code": record.error.code or "server_error", "message": record.error.message or record.error.type}


DIALECT = Dialect("openai.responses", StreamType.RESPONSES, chunk, usage_fields, _WORDS, provider="openai", response=response)
