"""`bedrock.invoke`: Bedrock's InvokeModelWithResponseStream, whose chunks wrap the payloads of each vendor's model.

Each payload is read in the dialect that recognises it; the formats that only models on Bedrock have (Titan, Llama, older models
of Cohere and Mistral) are read here.

Terminal rule: the chunk with `amazon-bedrock-invocationMetrics`, or the end that the vendor's dialect has.
Usage rule: the vendor's report; counts that it lacks are taken from the metrics.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeGuard

from ..chunks import Chunk, Delta, FinishDelta, ItemDelta, TextDelta, joined
from ..json_readers import completed, count_of, mapping_of, mappings_of, name_of, parsed_json, text_of, unnamed
from ..json_values import Json, json_value
from ..records import FinishReason, StreamRecord, StreamType
from ..usage_reports import merged_usage
from . import anthropic_completions, anthropic_messages, bedrock_converse, cohere, openai_common, openai_usage
from .anthropic_messages_charges import charge_rules
from .base import Dialect, Item, ItemRules
from .bedrock_converse import METRICS, metrics_fields
from .openai_chat_response import response as chat_response
from .registry import detected

_GUARDRAIL = "amazon-bedrock-guardrailAction"

FINISH_REASONS: Mapping[str, FinishReason | None] = {
    **openai_common.FINISH_REASONS,
    **cohere.FINISH_REASONS,
    **bedrock_converse.FINISH_REASONS,
    **anthropic_messages.FINISH_REASONS,
    "finish": "stop",
    "finished": "stop",
    "intervened": "content_filter",
}
"""The finish reasons of all vendors, of Titan and of Bedrock's guardrails."""


def _text(field: str, reason: str, *counts: str) -> Callable[[Mapping[str, Any]], Chunk]:
    """The reader of a format with text in one field, the finish reason in another, and cumulative counts."""

    def read(payload: Mapping[str, Any]) -> Chunk:
        deltas: list[Delta] = [TextDelta(text_of(payload.get(field)))]
        if word := name_of(payload.get(reason)) or _intervened(payload, reason):
            deltas.append(FinishDelta(word))
        usage = {name: json_value(payload[name]) for name in counts if payload.get(name) is not None}
        return Chunk(tuple(deltas), extras=unnamed(payload, frozenset({"index", field, reason, *counts})), usage=usage or None)

    return read


def _intervened(payload: Mapping[str, Any], reason: str) -> str | None:
    """The word for the end of a guardrail's message, which has no field for the finish reason."""
    return "INTERVENED" if reason not in payload and payload.get(_GUARDRAIL) == "INTERVENED" else None


def _completion(payload: Mapping[str, Any]) -> Chunk:
    """Older models of Anthropic: their own format, which has no type in old versions."""
    found = anthropic_completions.chunk(payload)
    word = _intervened(payload, "stop_reason")
    return found._replace(deltas=(*found.deltas, FinishDelta(word))) if word else found


def _list_of_answers(field: str) -> Callable[[Mapping[str, Any]], Chunk]:
    """The reader of a format with a list of answers, each with its text and its finish reason."""

    def read(payload: Mapping[str, Any]) -> Chunk:
        return Chunk(tuple(_answers(payload.get(field))), extras=unnamed(payload, frozenset({field})))

    return read


def _answers(answers: Any) -> Iterator[Delta]:
    for index, answer in enumerate(mappings_of(answers)):
        yield TextDelta(text_of(answer.get("text")), choice=index)
        if word := name_of(answer.get("stop_reason")) or name_of(answer.get("finish_reason")):
            yield FinishDelta(word, index)


_OWN: Mapping[str, Callable[[Mapping[str, Any]], Chunk]] = {
    "outputText": _text("outputText", "completionReason", "inputTextTokenCount", "totalOutputTextTokenCount"),
    "generation": _text("generation", "stop_reason", "prompt_token_count", "generation_token_count"),
    "completion": _completion,
    "generations": _list_of_answers("generations"),
    "outputs": _list_of_answers("outputs"),
}
"""The readers of formats that only models on Bedrock have, by a field that identifies the format."""

_USAGES: Sequence[Callable[[Mapping[str, Json]], dict[str, Any]]] = (
    anthropic_messages.usage_fields,
    bedrock_converse.usage_fields,
    cohere.usage,
    openai_usage.usage_fields,
)


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event: a chunk of the model, or an exception."""
    if "chunk" not in payload:
        return bedrock_converse.chunk(payload) if payload.keys() == {"error"} else _native(payload)
    rest = {name: value for name, value in payload.items() if name != "chunk"}
    wrapped = mapping_of(payload["chunk"])
    beside = Chunk(extras=unnamed(wrapped, bedrock_converse.PADDING | {"bytes"}))
    return joined([_native(_unwrapped(wrapped.get("bytes"))), beside, *([bedrock_converse.chunk(rest)] if rest else [])])


def _native(payload: Any) -> Chunk:
    """The model's payload, read in its vendor's format, with the metrics that Bedrock adds to it."""
    if not isinstance(payload, Mapping):
        return Chunk((TextDelta(payload),)) if isinstance(payload, str) else Chunk()
    metrics = mapping_of(payload.get(METRICS))
    fields = {name: value for name, value in payload.items() if name != METRICS}
    found = _vendor(fields) if fields else Chunk()
    if not metrics:
        return found
    return found._replace(usage=merged_usage(found.usage, {METRICS: json_value(metrics)}), terminal=True)


def _vendor(payload: Mapping[str, Any]) -> Chunk:
    """The payload in the format that only Bedrock has, else in the dialect that recognises it."""
    own = next((read for name, read in _OWN.items() if name in payload), None)
    if own is not None:
        return own(payload)
    payload = _with_finish_reasons(payload)
    dialect = detected(payload)
    found = dialect.chunk(payload)
    return _in_one_block(found) if dialect is bedrock_converse.DIALECT else found


def _in_one_block(found: Chunk) -> Chunk:
    """Nova numbers each piece of its text as a block of its own; they are joined to one, as they are without streaming."""
    deltas = (delta._replace(id="text") if _is_text(delta) else delta for delta in found.deltas)
    return found._replace(deltas=tuple(deltas))


def _is_text(delta: Delta) -> TypeGuard[ItemDelta]:
    return isinstance(delta, ItemDelta) and delta.channel == "text"


def _with_finish_reasons(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Mistral's and DeepSeek's choices with `stop_reason` renamed to OpenAI's `finish_reason`."""
    choices = list(mappings_of(payload.get("choices")))
    if not any("stop_reason" in choice and "finish_reason" not in choice for choice in choices):
        return payload
    renamed = [
        {("finish_reason" if name == "stop_reason" else name): value for name, value in choice.items()} for choice in choices
    ]
    return {**payload, "choices": renamed}


def _unwrapped(data: Any) -> Any:
    """The content of a chunk's bytes, which are base64 on the wire and bytes in boto3: a JSON object, or else a text."""
    if isinstance(data, str) and not data.lstrip().startswith("{"):
        try:
            data = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            return data
    text = bytes(data).decode("utf-8", "replace") if isinstance(data, bytes | bytearray | memoryview) else data
    found = parsed_json(text) if isinstance(text, str) else text
    return found if isinstance(found, Mapping) else text


def usage_fields(report: Mapping[str, Json]) -> dict[str, Any]:
    """The vendor's report as fields of a `Usage`; counts that it lacks are taken from Bedrock's metrics."""
    stated = next((fields for read in _USAGES if (fields := read(report))), _own_usage(report))
    return completed(stated, metrics_fields(mapping_of(report.get(METRICS))))


def _own_usage(report: Mapping[str, Json]) -> dict[str, Any]:
    names = {
        "input_tokens": ("prompt_token_count", "inputTextTokenCount"),
        "output_tokens": ("generation_token_count", "totalOutputTextTokenCount"),
    }
    counts = {name: next((count_of(report[key]) for key in keys if key in report), None) for name, keys in names.items()}
    return {name: count for name, count in counts.items() if count is not None}


def _rules_of(blocks: Sequence[Item]) -> ItemRules:
    """The rules by which blocks are read: Anthropic's if they have a `type`, else those of Converse."""
    of_anthropic = any("type" in block for block in blocks)
    items = (anthropic_messages.DIALECT if of_anthropic else bedrock_converse.DIALECT).items
    assert items is not None
    return items


def response(record: StreamRecord) -> dict[str, Json]:
    """The record in the non-streaming form of Anthropic or Converse; if it has no blocks, as a chat completion."""
    if not record.output_items:
        return chat_response(record)
    of_anthropic = any("type" in block for block in record.output_items)
    return anthropic_messages.response(record) if of_anthropic else bedrock_converse.response(record)


def _is_chunk(payload: Mapping[str, Any]) -> bool:
    return "bytes" in mapping_of(payload.get("chunk"))


DIALECT = Dialect(
    "bedrock.invoke",
    StreamType.CHAT,
    chunk,
    usage_fields,
    FINISH_REASONS,
    provider="aws",
    response=response,
    recognises=_is_chunk,
    items=ItemRules(
        lambda blocks: _rules_of(blocks).to_deltas(blocks),
        lambda block: _rules_of([block]).assemble(block),
        lambda block: _rules_of([block]).present(block),
    ),
    charges=replace(charge_rules(usage_fields), billed=cohere.billed),
)

DIALECTS = (DIALECT,)
