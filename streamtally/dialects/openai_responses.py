"""`openai.responses`: the typed events of the Responses API.

Terminal rule: `response.completed`, `.incomplete`, `.failed` or `.cancelled`; there is no `[DONE]`.
Usage rule: one final report, in the response of the terminal event.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from ..chunks import AudioDelta, Channel, Chunk, Delta, DetailDelta, FinishDelta, ImageDelta, ItemDelta, TextDelta, ToolCallDelta
from ..json_readers import count_of, is_list, json_text, mapping_of, mappings_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import StreamRecord, StreamType, Usage
from .base import Dialect, Item, ItemRules, Vocabulary
from .openai_common import FINISH_REASONS, error_chunk, error_fields, response_usage, total_of, unknown_event
from .openai_responses_charges import CHARGES
from .openai_usage import report_in, usage_fields

_TEXTS: Mapping[str, tuple[tuple[str, ...], str | None, str | None, Channel | Literal["other"]]] = {
    "output_text": (("content",), "content_index", "output_text", "text"),
    "refusal": (("content",), "content_index", "refusal", "refusal"),
    "reasoning_text": (("content",), "content_index", "reasoning_text", "reasoning"),
    "reasoning": (("content",), "content_index", "reasoning_text", "reasoning"),
    "reasoning_summary_text": (("summary",), "summary_index", "summary_text", "reasoning"),
    "function_call_arguments": (("arguments",), None, None, "other"),
    "mcp_call_arguments": (("arguments",), None, None, "other"),
    "mcp_call.arguments": (("arguments",), None, None, "other"),
    "custom_tool_call_input": (("input",), None, None, "other"),
    "code_interpreter_call_code": (("code",), None, None, "other"),
    "shell_call_command": (("action", "commands"), "command_index", None, "other"),
    "apply_patch_call_operation_diff": (("operation", "diff"), None, None, "other"),
}
"""Families of text events: the field of the item, the event's index into it, the type of the part there, and the channel."""

_ITEM_TYPES: Mapping[str, str] = {
    "mcp_call_arguments": "mcp_call",
    "mcp_call.arguments": "mcp_call",
    "shell_call_command": "shell_call",
    "shell_call_output_content": "shell_call_output",
    "apply_patch_call_operation_diff": "apply_patch_call",
}
"""The item type of families where neither the name of the family nor the field determines it."""

_NAMES = {"shell_call_command": "command"}
"""The name of an event's text, where it is neither the type of a part nor the field of the item."""

_SILENT = frozenset({"audio.done", "audio.transcript.done"})
"""Events without new content."""

_PARTS = {
    "content_part": ("content", "content_index"),
    "reasoning_part": ("content", "content_index"),
    "reasoning_summary_part": ("summary", "summary_index"),
}
"""Families of part events: the item's list field, and the event's index into it."""

_TOOLS = frozenset(
    {"function", "file_search", "computer", "computer_use_preview", "web_search", "web_search_2025_08_26", "mcp",
     "web_search_preview", "web_search_preview_2025_03_11", "code_interpreter", "programmatic_tool_calling",
     "image_generation", "local_shell", "shell", "custom", "namespace", "tool_search", "apply_patch"}
)  # fmt: skip
"""The tools that the SDK's response type allows; some servers have others."""

_ENVELOPE = frozenset({"created", "queued", "in_progress", "completed", "incomplete", "failed", "cancelled"})
_ENVELOPE_FIELDS = frozenset({"type", "response", "sequence_number"})
_TERMINAL = frozenset({"completed", "incomplete", "failed", "cancelled"})
_PARTIAL_FIELDS = frozenset(
    {"type", "item_id", "output_index", "sequence_number", "partial_image_index", "partial_image_b64", "output_format"}
)
_RESPONSE_FIELDS = frozenset({"id", "object", "model", "output", "usage", "error", "service_tier"})
_WORDS: Vocabulary = {**FINISH_REASONS, "completed": None, "incomplete": "length", "cancelled": "cancelled"}

_KIND_OF_FIELD = {
    "arguments": "function_call",
    "input": "custom_tool_call",
    "code": "code_interpreter_call",
    "summary": "reasoning",
}
"""The type of an item whose `added` event is missing, by a field that its pieces have."""

_CALLS = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
"""Item types that call tools of the caller: the type of the `ToolCall`, and the field with the arguments. Calls of OpenAI's own
tools (also those that the caller runs, such as a patch or a shell) are output items, whose arguments are objects."""


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event of a response stream."""
    kind = text_of(payload.get("type"))
    family, _, stage = kind.removeprefix("response.").rpartition(".")
    if not kind.startswith("response.") or kind == "response.error":
        found = error_chunk(payload) or _unknown_event(payload, kind)
    elif stage in _ENVELOPE and not family and isinstance(payload.get("response"), Mapping):
        found = _envelope(payload["response"], stage)
        beside = unnamed(payload, _ENVELOPE_FIELDS)
        found = found._replace(extras={**found.extras, **beside}, usage=report_in(payload, found.usage))
    else:
        deltas = tuple(_deltas(payload, family, stage)) or tuple(_unknown_deltas(payload, family, stage))
        found = Chunk(deltas) if deltas or f"{family}.{stage}" in _SILENT else unknown_event(kind, payload)
    return found._replace(sequence=count_of(payload.get("sequence_number")))


def _unknown_event(payload: Mapping[str, Any], kind: str) -> Chunk:
    """An error with its fields in the event, or an event of unknown type."""
    if kind == "response.error":
        return Chunk(error={**error_fields({**payload, "type": None}), "body": json_value(payload)})
    return unknown_event(kind, payload)


def _unknown_deltas(payload: Mapping[str, Any], family: str, stage: str) -> Iterator[Delta]:
    """The deltas of a family that is not known: what belongs to an item is kept in it, under the name of the family."""
    item_id, index = _item_id(payload), count_of(payload.get("output_index"))
    delta = payload.get("delta")
    if stage != "delta" or not family or delta is None or (item_id is None and index is None):
        return
    for name, value in delta.items() if isinstance(delta, Mapping) else [(None, delta)]:
        path = (family,) if name is None else (family, str(name))
        if isinstance(value, str):
            yield ItemDelta("append", item_id, index, path, value, "other")
        else:
            yield ItemDelta("push", item_id, index, path, json_value(value), "other")


def _item_id(payload: Mapping[str, Any]) -> str | None:
    """What names the item: its ID, or (of some converters) the ID of its call."""
    return name_of(payload.get("item_id")) or name_of(payload.get("call_id"))


def _envelope(response: Mapping[str, Any], stage: str) -> Chunk:
    """An event with the whole response; the last one has its status, and all items again."""
    terminal = stage in _TERMINAL
    deltas: list[Delta] = []
    if terminal:
        if is_list(response.get("output")) and response["output"]:
            deltas.append(ItemDelta("replace", None, None, (), json_value(list(mappings_of(response["output"])))))
        incomplete = name_of(mapping_of(response.get("incomplete_details")).get("reason"))
        status = name_of(response.get("status")) or stage
        deltas.append(FinishDelta("cancelled" if "cancelled" in (stage, status) else incomplete or status))
    error = response.get("error")
    if error is None and stage == "failed":
        error = {}
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
        starts=not terminal,
    )


def _deltas(payload: Mapping[str, Any], family: str, stage: str) -> Iterator[Delta]:
    """The deltas of an event about one item."""
    item_id, index = _item_id(payload), count_of(payload.get("output_index"))
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
        fields = {**unnamed(payload, _PARTIAL_FIELDS), "mime_type": _mime_type(payload.get("output_format"))}
        yield ImageDelta(index or 0, text_of(payload.get("partial_image_b64")), partial=True, fields=fields)
    elif family.endswith("_call") or family in ("mcp_list_tools", "compaction"):
        yield ItemDelta("set", item_id, index, ("type",), family)
        yield ItemDelta("set", item_id, index, ("status",), stage)


def _item_deltas(payload: Mapping[str, Any], index: int | None, stage: str) -> Iterator[Delta]:
    item = mapping_of(payload.get("item"))
    said = any(part.get("text") or part.get("refusal") for part in mappings_of(item.get("content")))
    generates = text_of(item.get("type")).endswith("_call") or said
    op: Literal["done", "add"] = "done" if stage == "done" else "add"
    yield ItemDelta(op, name_of(item.get("id")), index, (), json_value(item), "other" if generates else None)
    if stage == "done" and item.get("type") == "image_generation_call" and text_of(item.get("result")):
        fields = {"revised_prompt": name_of(item.get("revised_prompt")), "mime_type": _mime_type(item.get("output_format"))}
        yield ImageDelta(index or 0, item["result"], fields=fields)


def _mime_type(output_format: Any) -> str | None:
    name = name_of(output_format)
    return f"image/{name}" if name else None


def _text_deltas(payload: Mapping[str, Any], item_id: str | None, index: int | None, family: str, stage: str) -> Iterator[Delta]:
    field, position, part, channel = _TEXTS[family]
    place = () if position is None else (count_of(payload.get(position)) or 0,)
    path = (*field, *place, *(() if part is None else (part,)))
    name, delta = part or _NAMES.get(family, field[-1]), payload.get("delta")
    if family in _ITEM_TYPES:
        yield ItemDelta("set", item_id, index, ("type",), _ITEM_TYPES[family])
    if stage in ("delta", "added"):
        words = delta if isinstance(delta, str) else text_of(payload.get(name))
        yield ItemDelta("append", item_id, index, path, words, channel)
        if is_list(payload.get("logprobs")):
            for entry in payload["logprobs"]:
                yield ItemDelta("push", item_id, index, (*path[:2], "logprobs"), json_value(entry))
    elif stage == "done":
        words = text_of(payload.get("text")) or text_of(payload.get(name)) or text_of(payload.get(field[-1]))
        yield ItemDelta("text", item_id, index, path, words, channel)


def _shell_deltas(payload: Mapping[str, Any], item_id: str | None, index: int | None, stage: str) -> Iterator[Delta]:
    position = count_of(payload.get("command_index")) or 0
    yield ItemDelta("set", item_id, index, ("type",), _ITEM_TYPES["shell_call_output_content"])
    if stage == "delta":
        for name, words in mapping_of(payload.get("delta")).items():
            if isinstance(words, str) and name in ("stdout", "stderr"):
                yield ItemDelta("append", item_id, index, ("output", position, name), words, "other")
    elif stage == "done":
        for name, value in _whole_output(list(mappings_of(payload.get("output")))).items():
            yield ItemDelta("set", item_id, index, ("output", position, name), value)


def _whole_output(entries: list[Mapping[str, Any]]) -> dict[str, Json]:
    """The output of one command as one entry; it may be sent in several."""
    whole: dict[str, Json] = {}
    for entry in entries:
        whole.update(unnamed(entry, frozenset({"stdout", "stderr"})))
    texts = {name: "".join(text_of(entry.get(name)) for entry in entries) for name in ("stdout", "stderr")}
    return {**whole, **texts} if entries else {}


def assemble(item: Item) -> Item:
    """An item assembled from pieces, with the types that were not sent."""
    whole = dict(item)
    for field in ("content", "summary"):
        if is_list(item.get(field)):
            whole[field] = [_formed_part(part) if isinstance(part, dict) else part for part in item[field]]
    if "type" not in whole:
        reasons = any(part.get("type") == "reasoning_text" for part in mappings_of(whole.get("content")))
        kind = next((kind for name, kind in _KIND_OF_FIELD.items() if name in whole), "reasoning" if reasons else "message")
        whole["type"] = kind
    return whole


def _formed_part(part: Item) -> Item:
    """A part in the API's form, from one whose text is under the name of its type."""
    kind = next((name for name in ("output_text", "reasoning_text", "summary_text", "refusal") if name in part), None)
    if kind is None:
        return part
    whole = {"type": kind, **part}
    if kind != "refusal":
        words = whole.pop(kind)
        whole["text"] = whole.get("text") or words
    return whole


def to_deltas(items: Sequence[Item]) -> Iterator[Delta]:
    """The deltas of all items: text, reasoning (its summary if there is one), refusal, calls of the caller's tools."""
    if role := next((item["role"] for item in items if isinstance(item.get("role"), str)), None):
        yield DetailDelta("role", role)
    answer = list(_parts(items, "content", "output_text"))
    yield from (TextDelta(text_of(part.get("text"))) for part in answer)
    thoughts = _texts(items, "summary", "summary_text") or _texts(items, "content", "reasoning_text")
    yield from (TextDelta(words, "reasoning") for words in thoughts)
    yield from (TextDelta(text_of(part.get("refusal")), "refusal") for part in _parts(items, "content", "refusal"))
    yield DetailDelta("annotations", [note for part in answer for note in mappings_of(part.get("annotations"))])
    if logprobs := [entry for part in answer if is_list(part.get("logprobs")) for entry in part["logprobs"]]:
        yield DetailDelta("logprobs", {"content": logprobs})
    calls = (item for item in items if text_of(item.get("type")) in _CALLS)
    yield from (_call(item, position) for position, item in enumerate(calls))


def _parts(items: Sequence[Item], field: str, kind: str) -> Iterator[Mapping[str, Json]]:
    return (part for item in items for part in mappings_of(item.get(field)) if part.get("type", kind) == kind)


def _texts(items: Sequence[Item], field: str, kind: str) -> list[str]:
    return [words for part in _parts(items, field, kind) if (words := text_of(part.get("text")))]


def _call(item: Item, position: int) -> ToolCallDelta:
    kind, field = _CALLS[item["type"]]
    call_id = name_of(item.get("call_id")) or name_of(item.get("id"))
    return ToolCallDelta(json_text(item.get(field)), position, call_id, name_of(item.get("name")), kind)


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as a `response` object."""
    return {
        "created_at": 0,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        **record.extras,
        "tools": [tool for tool in mappings_of(record.extras.get("tools")) if name_of(tool.get("type")) in _TOOLS],
        "id": record.response_id or record.request_id,
        "object": "response",
        "model": record.model or record.requested_model or "",
        "output": list(record.output_items),
        "error": _response_error(record),
        **_response_usage(record.usage),
        **({"service_tier": record.service_tier} if record.service_tier else {}),
    }


def _response_usage(usage: Usage | None) -> dict[str, Json]:
    read, written, reasoning = (
        (usage.cache_read_tokens or 0, usage.cache_write_tokens or 0, usage.reasoning_tokens or 0) if usage else (0, 0, 0)
    )
    shape = {
        "input_tokens": usage.input_tokens or 0 if usage else 0,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "output_tokens": usage.output_tokens or 0 if usage else 0,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": total_of(usage),
    }
    return response_usage(usage, shape)


def _response_error(record: StreamRecord) -> Json:
    if record.error is None:
        return None
    return {"code": record.error.code or "server_error", "message": record.error.message or record.error.type}


def is_of_session(payload: Mapping[str, Any]) -> bool:
    """Whether an event of a response is one of a Realtime session: those have an ID of their own, and no number."""
    if not isinstance(payload.get("event_id"), str) or "sequence_number" in payload:
        return False
    whole = payload.get("response")
    if isinstance(whole, Mapping):
        return bool(whole.get("object", "realtime.response") == "realtime.response")
    return isinstance(payload.get("response_id"), str) or isinstance(payload.get("item_id"), str)


def _is_response(payload: Mapping[str, Any]) -> bool:
    """An event that the API documents, with what it carries, or a whole response."""
    if is_of_session(payload):
        return False
    kind = text_of(payload.get("type"))
    family, _, stage = kind.removeprefix("response.").rpartition(".")
    if not kind.startswith("response."):
        return payload.get("object") == "response" and is_list(payload.get("output"))
    if not family:
        return stage in _ENVELOPE and isinstance(payload.get("response"), Mapping)
    carries = not _CARRIED.isdisjoint(payload)
    return carries and (family in _TEXTS or family in _PARTS or family == "output_item" or not _PLACES.isdisjoint(payload))


def _may_be_event(payload: Mapping[str, Any]) -> bool:
    kind = text_of(payload.get("type"))
    is_placed = kind == "response.error" or not _PLACES.isdisjoint(payload)
    return kind.startswith("response.") and is_placed and not is_of_session(payload)


_PLACES = frozenset({"sequence_number", "item_id", "output_index", "response_id"})
_CARRIED = frozenset({"delta", "text", "item", "part", "arguments", "annotation", "input", "code", "refusal", "command"})


DIALECT = Dialect(
    "openai.responses",
    StreamType.RESPONSES,
    chunk,
    usage_fields,
    _WORDS,
    response=response,
    recognises=_is_response,
    resembles=_may_be_event,
    items=ItemRules(to_deltas, assemble),
    charges=CHARGES,
)

DIALECTS = (DIALECT,)
