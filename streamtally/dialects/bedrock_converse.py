"""`bedrock.converse`: the events of Amazon Bedrock's ConverseStream, each a mapping of its name to its fields.

An answer is a list of content blocks that stream by index. Blocks of text and of reasoning have no start event.

Terminal rule: `metadata`, after `messageStop`. Usage rule: one report, in `metadata`; its input excludes the cache.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..chunks import Chunk, Delta, DetailDelta, FinishDelta, ImageDelta, ItemDelta, TextDelta, ToolCallDelta, joined
from ..errors import RETRYABLE_STATUS
from ..json_readers import (
    count_at,
    count_of,
    is_list,
    json_text,
    mapping_of,
    mappings_of,
    name_of,
    parsed_json,
    said,
    text_of,
    unnamed,
)
from ..json_values import Json, json_value
from ..records import FinishReason, StreamRecord, StreamType, Usage
from .base import Dialect, Item, ItemRules
from .openai_common import error_fields, total_of

FINISH_REASONS: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}

_STATUS = {
    "validationexception": 400,
    "accessdeniedexception": 403,
    "resourcenotfoundexception": 404,
    "modeltimeoutexception": 408,
    "modelerrorexception": 424,
    "modelstreamerrorexception": 424,
    "throttlingexception": 429,
    "modelnotreadyexception": 429,
    "internalserverexception": 500,
    "serviceunavailableexception": 503,
}
"""The HTTP status that each exception has in a response."""

PADDING = frozenset({"p"})
"""Padding that hides the length of an event."""

METRICS = "amazon-bedrock-invocationMetrics"
"""The field that InvokeModel adds to the last payload of a model."""

_EVENT_FIELDS = frozenset({"role", "contentBlockIndex", "start", "delta", "stopReason", "usage", "output"}) | PADDING


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event; a payload may have several."""
    if is_list(mapping_of(mapping_of(payload.get("output")).get("message")).get("content")):
        return _whole(payload)
    return joined(_event(str(name), value) for name, value in payload.items())


def _event(name: str, value: Any) -> Chunk:
    if name in _EVENTS and isinstance(value, Mapping):
        found = _EVENTS[name](value)
        return found if value.keys() <= _EVENT_FIELDS else found._replace(extras=unnamed(value, _EVENT_FIELDS))
    if name == "error" and value:
        return exception(None, value)
    if name.endswith("Exception"):
        return exception(name, value)
    return Chunk(extras={} if name in PADDING or value is None else {name: json_value(value)})


def exception(name: str | None, value: Any) -> Chunk:
    """An exception inside the stream."""
    fields = error_fields(value or {})
    kind = name or fields["type"]
    status = fields.get("status") or _STATUS.get(str(kind).lower())
    return Chunk(
        error={
            **fields,
            "type": kind,
            "message": fields["message"] or name_of(mapping_of(value).get("originalMessage")),
            "status": status,
            "retryable": None if status is None else status in RETRYABLE_STATUS,
        }
    )


def _message_start(event: Mapping[str, Any]) -> Chunk:
    role = name_of(event.get("role"))
    return Chunk((DetailDelta("role", role),) if role else ())


def _block_start(event: Mapping[str, Any]) -> Chunk:
    index = count_of(event.get("contentBlockIndex"))
    kinds = mapping_of(event.get("start")).items()
    return Chunk(tuple(delta for kind, fields in kinds for delta in _opened(index, str(kind), fields)))


def _opened(index: int | None, kind: str, fields: Any) -> Iterator[Delta]:
    """A block as it starts: its ID and name, and the fields that it has even if no piece follows."""
    named = json_value(mapping_of(fields))
    yield ItemDelta("add", None, index, (kind,), {**named, **_FIRST.get(kind, {})}, "other")
    if kind == "image":
        yield ImageDelta(index, fields={"mime_type": _mime_type(named)})


_FIRST: Mapping[str, Mapping[str, Json]] = {"toolUse": {"input": {}}, "toolResult": {"content": []}}
"""The fields that kinds of blocks have before their first piece."""


def _mime_type(image: Mapping[str, Any]) -> str | None:
    name = name_of(image.get("format"))
    return f"image/{name}" if name else None


def _block_delta(event: Mapping[str, Any]) -> Chunk:
    index, delta = count_of(event.get("contentBlockIndex")), mapping_of(event.get("delta"))
    words = delta.get("text")
    if isinstance(words, str) and len(delta) == 1:
        return Chunk((ItemDelta("append", None, index, ("text",), words, "text"),))
    return Chunk(tuple(piece for kind, value in delta.items() for piece in _pieces(index, str(kind), value)))


def _pieces(index: int | None, kind: str, value: Any) -> Iterator[Delta]:
    """The changes of one delta to its block. In an unknown kind, texts are appended, and other values replace earlier ones."""
    if kind == "citation":
        yield ItemDelta("push", None, index, ("citationsContent", "citations"), json_value(value))
    elif kind == "toolResult":
        for part in mappings_of(value if is_list(value) else [value]):
            yield ItemDelta("push", None, index, ("toolResult", "content"), json_value(part), "other")
    elif isinstance(value, Mapping):
        for name, more in value.items():
            yield _piece(index, kind, str(name), more)
        if data := mapping_of(value.get("source")).get("bytes"):
            yield ImageDelta(index, text_of(json_value(data)))
    elif value is not None:
        yield _grown(index, (kind,), value, "text" if kind == "text" else "other")


def _piece(index: int | None, kind: str, name: str, value: Any) -> ItemDelta:
    if kind == "reasoningContent" and name in ("text", "signature"):
        return _grown(index, (kind, "reasoningText", name), value, "reasoning" if name == "text" else None)
    if kind == "toolUse" and name == "input":
        return _grown(index, (kind, name), json_text(value), "other")
    return _grown(index, (kind, name), value, "other")


def _grown(index: int | None, path: tuple[str, ...], value: Any, channel: Any) -> ItemDelta:
    value = value if isinstance(value, str) else json_value(value)
    return ItemDelta("append" if isinstance(value, str) else "set", None, index, path, value, channel)


def _message_stop(event: Mapping[str, Any]) -> Chunk:
    reason = name_of(event.get("stopReason"))
    return Chunk((FinishDelta(reason),) if reason else ())


def _metadata(event: Mapping[str, Any]) -> Chunk:
    return Chunk(
        meta={"service_tier": name_of(mapping_of(event.get("serviceTier")).get("type"))},
        usage=json_value(mapping_of(event.get("usage"))) or None,
        terminal=True,
    )


def _whole(answer: Mapping[str, Any]) -> Chunk:
    """The answer to a Converse request without streaming."""
    message = mapping_of(mapping_of(answer.get("output")).get("message"))
    blocks = (ItemDelta("add", None, index, (), json_value(block), "other") for index, block in _blocks(message))
    parts = [_message_start(message), Chunk(tuple(blocks)), _message_stop(answer), _metadata(answer)]
    return joined(parts)._replace(extras=unnamed(answer, _EVENT_FIELDS | {"ResponseMetadata"}))


def _blocks(message: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return enumerate(mappings_of(message.get("content")))


_EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Chunk]] = {
    "messageStart": _message_start,
    "contentBlockStart": _block_start,
    "contentBlockDelta": _block_delta,
    "contentBlockStop": lambda _: Chunk(),
    "messageStop": _message_stop,
    "metadata": _metadata,
}


def usage_fields(report: Mapping[str, Json]) -> dict[str, Any]:
    """A usage report as fields of a `Usage`. `inputTokens` of the report excludes cache reads and writes."""
    by_lifetime = list(mappings_of(report.get("cacheDetails")))
    counts = [count_of(entry.get("inputTokens")) or 0 for entry in by_lifetime]
    lasting = [count for entry, count in zip(by_lifetime, counts, strict=True) if entry.get("ttl") == "1h"]
    read = count_at(report, "cacheReadInputTokens", "cacheReadInputTokenCount")
    written = said(count_at(report, "cacheWriteInputTokens", "cacheWriteInputTokenCount"), sum(counts) if counts else None)
    prompt = count_of(report.get("inputTokens"))
    fields = {
        "input_tokens": None if prompt is None else prompt + (read or 0) + (written or 0),
        "output_tokens": count_of(report.get("outputTokens")),
        "total_tokens": count_of(report.get("totalTokens")),
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": sum(lasting) if lasting else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def adjusted(fields: dict[str, Any], report: Mapping[str, Json], model: str | None, _: str | None) -> dict[str, Any]:
    """The fields: of OpenAI's models `inputTokens` includes what was read from and written to the cache.

    A report of ConverseStream shows it: 4,995 with 4,993 written, where the same request without streaming states 2. A total that
    counts the cache twice is none.
    """
    prompt = count_of(report.get("inputTokens"))
    cached = (fields.get("cache_read_tokens") or 0) + (fields.get("cache_write_tokens") or 0)
    if prompt is None or not cached or "openai." not in (model or "") or prompt < cached:
        return fields
    included = {**fields, "input_tokens": prompt}
    if fields.get("total_tokens") == prompt + cached + fields.get("output_tokens", 0):
        del included["total_tokens"]
    return included


def metrics_fields(metrics: Mapping[str, Json]) -> dict[str, Any]:
    """Bedrock's metrics of an invocation as fields of a `Usage`; as in Converse, the input excludes the cache."""
    named = {
        "inputTokens": metrics.get("inputTokenCount"),
        "outputTokens": metrics.get("outputTokenCount"),
        "cacheReadInputTokens": metrics.get("cacheReadInputTokenCount"),
        "cacheWriteInputTokens": metrics.get("cacheWriteInputTokenCount"),
    }
    return usage_fields(named)


def assemble(block: Item) -> Item:
    """A block in the API's form: without any piece an empty text; a text with citations is inside `citationsContent`."""
    if not block:
        return {"text": ""}
    cited = block.get("citationsContent")
    if not isinstance(cited, dict) or "text" not in block:
        return block
    others = {name: value for name, value in block.items() if name != "text"}
    return {**others, "citationsContent": {"content": [{"text": block["text"]}], **cited}}


def present(block: Item) -> Item:
    """A block with its input parsed; JSON that is cut short stays text."""
    call = mapping_of(block.get("toolUse"))
    parsed = parsed_json(text_of(call.get("input")))
    return block if parsed is None else {**block, "toolUse": {**call, "input": parsed}}


def to_deltas(blocks: Sequence[Item]) -> Iterator[Delta]:
    """The deltas of all blocks: text with its citations, reasoning with its signatures, and tool calls, also of the server."""
    thoughts: list[Json] = []
    for block in blocks:
        cited = mapping_of(block.get("citationsContent"))
        parts = [block, *mappings_of(cited.get("content"))]
        yield from (TextDelta(words) for part in parts if (words := text_of(part.get("text"))))
        reasoning = mapping_of(block.get("reasoningContent"))
        thought = mapping_of(reasoning.get("reasoningText"))
        if words := text_of(thought.get("text")):
            yield TextDelta(words, "reasoning")
        thoughts.extend(part for part in (thought, unnamed(reasoning, frozenset({"reasoningText"}))) if part)
    notes = (note for block in blocks for note in mappings_of(mapping_of(block.get("citationsContent")).get("citations")))
    yield DetailDelta("annotations", list(notes))
    yield DetailDelta("reasoning_details", thoughts)
    calls = (mapping_of(block.get("toolUse")) for block in blocks)
    yield from (_call(call, position) for position, call in enumerate(filter(None, calls)))


def _call(call: Mapping[str, Json], position: int) -> ToolCallDelta:
    kind = name_of(call.get("type"))
    return ToolCallDelta(
        json_text(call.get("input") or ""),
        position,
        name_of(call.get("toolUseId")),
        name_of(call.get("name")),
        "function" if kind in (None, "tool_use") else kind,
        unnamed(call, frozenset({"toolUseId", "name", "input", "type"})) or None,
    )


_COUNTS = frozenset({"inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "cacheDetails"})
"""The counts that the API's usage object has; models add others."""


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as the answer to a Converse request."""
    answer = record.choices[0] if record.choices else None
    return {
        "metrics": {"latencyMs": 0},
        **record.extras,
        "output": {"message": {"role": "assistant", "content": list(record.output_items)}},
        # the API's only word for an answer that was cut short
        "stopReason": (answer and answer.finish_reason_raw) or "max_tokens",
        "usage": _response_usage(record.usage),
    }


def _response_usage(usage: Usage | None) -> dict[str, Json]:
    raw = {name: value for name, value in (usage.raw if usage else {}).items() if name in _COUNTS}
    return {"inputTokens": 0, "outputTokens": 0, **raw, "totalTokens": total_of(usage)}


def is_event(payload: Mapping[str, Any]) -> bool:
    """Whether a payload is an event of ConverseStream, or a whole answer."""
    if isinstance(payload.get("output"), Mapping) and "stopReason" in payload:
        return True
    return any(not _SHAPES[name].isdisjoint(mapping_of(payload[name])) for name in _SHAPES.keys() & payload.keys()) or (
        "inputTokens" in mapping_of(mapping_of(payload.get("metadata")).get("usage"))
    )


def _may_be_event(payload: Mapping[str, Any]) -> bool:
    """An exception, which is alone in its payload, or an event of which nothing but the name is known."""
    for name, value in payload.items():
        fields = mapping_of(value)
        if len(payload) == 1 and str(name).endswith("Exception") and isinstance(fields.get("message"), str):
            return True
    return any(isinstance(payload.get(name), Mapping) for name in _SHAPES)


_SHAPES: Mapping[str, frozenset[str]] = {
    "messageStart": frozenset({"role"}),
    "contentBlockStart": frozenset({"contentBlockIndex", "start"}),
    "contentBlockDelta": frozenset({"contentBlockIndex", "delta"}),
    "contentBlockStop": frozenset({"contentBlockIndex"}),
    "messageStop": frozenset({"stopReason"}),
}
"""Events by which the format is recognised, and the fields of which each has at least one."""


DIALECT = Dialect(
    "bedrock.converse",
    StreamType.CHAT,
    chunk,
    usage_fields,
    FINISH_REASONS,
    provider="aws",
    response=response,
    recognises=is_event,
    resembles=_may_be_event,
    items=ItemRules(to_deltas, assemble, present),
    adjust=adjusted,
)

DIALECTS = (DIALECT,)
