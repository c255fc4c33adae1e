"""LlamaIndex: responses with the new text, all of the message so far, and the provider's chunk.

What the chunk is depends on the integration. An object of the provider's SDK is the whole chunk, and is read in its place.
Mappings may lack what the integration did not need (events of Anthropic's that begin something): they give the finish reason, the
usage and the model alone.

Source: https://docs.llamaindex.ai/en/stable/module_guides/models/llms/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import Chunk, Delta, DetailDelta, FinishDelta, TextDelta, ToolCallDelta
from ..dialects.registry import recognised
from ..json_readers import json_text, mapping_of, name_of
from ..json_values import deep_fields, json_value, stated
from .base import Row, Source
from .extract import Extract
from .readable import is_readable, no_content


def _chunk_inside(response: Any) -> Any:
    raw = getattr(response, "raw", None)
    return None if isinstance(raw, Mapping) or not is_readable(raw) else raw


def _chunk(response: Any) -> Chunk:
    """The chunk of a response by its own fields, and by those of the mapping inside."""
    message = getattr(response, "message", response)
    beside = mapping_of(getattr(response, "additional_kwargs", None))
    inside = {**mapping_of(getattr(message, "additional_kwargs", None)), **beside}
    deltas = [*_words(response, message), *_calls(message, inside)]
    if thoughts := getattr(response, "thinking_delta", None) or inside.get("thinking_delta"):
        deltas.append(TextDelta(str(thoughts), "reasoning", whole=False))
    raw = json_value(mapping_of(getattr(response, "raw", None)))
    of_raw = _of_raw(raw)
    finish = name_of(inside.get("stop_reason"))
    ends = [*_ends(of_raw), *([FinishDelta(finish)] if finish else [])]
    usage = of_raw.usage or _counts(inside) or _counts(mapping_of(inside.get("usage"))) or _counts(mapping_of(raw.get("usage")))
    return Chunk((*deltas, *ends), of_raw.meta, of_raw.extras, usage=usage, error=of_raw.error)


def _words(response: Any, message: Any) -> Iterator[Delta]:
    """The new text; all of it so far, where the new one is not stated."""
    delta, so_far = getattr(response, "delta", None), getattr(message, "content", getattr(response, "text", None))
    if isinstance(delta, str):
        yield TextDelta(delta, whole=False)
    elif isinstance(so_far, str):
        yield TextDelta(so_far, whole=True)


def _calls(message: Any, beside: Mapping[str, Any]) -> Iterator[Delta]:
    """The calls so far: in blocks of the message, in older releases beside it."""
    blocks = [block for block in getattr(message, "blocks", None) or () if getattr(block, "tool_name", None)]
    if blocks:
        for position, block in enumerate(blocks):
            arguments, name = json_text(block.tool_kwargs), name_of(block.tool_name)
            yield ToolCallDelta(arguments, position, name_of(block.tool_call_id), name, final=True)
        return
    found = [deep_fields(call) or {} for call in beside.get("tool_calls") or ()]
    for position, call in enumerate(found):
        function = mapping_of(call.get("function"))
        arguments, name = json_text(function.get("arguments")), name_of(function.get("name"))
        yield ToolCallDelta(arguments, position, name_of(call.get("id")), name, final=True)


def _of_raw(raw: Mapping[str, Any]) -> Chunk:
    """The chunk of a mapping in a dialect that is certain, with its usage by the names of `Usage`."""
    dialect, certain = recognised(raw)
    if not certain:
        model = name_of(raw.get("model"))
        return Chunk(meta={"model": model} if model else {})
    found = dialect.chunk(raw)
    usage = json_value(stated(dialect.usage(found.usage))) if found.usage else None
    provider = {} if dialect.provider is None else {"provider": dialect.provider}
    return found._replace(meta={**provider, **found.meta}, usage=usage)


def _ends(chunk: Chunk) -> Iterator[Delta]:
    return (
        one for one in chunk.deltas if isinstance(one, FinishDelta) or (isinstance(one, DetailDelta) and one.field == "logprobs")
    )


def _counts(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    names = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens")
    return json_value({name: fields[name] for name in names if fields.get(name) is not None}) or None


_RESPONSE = Row(extract=Extract(unwrap=_chunk_inside), chunk=_chunk)
_NOTHING = Row(chunk=no_content)

SOURCE = Source(
    "llama_index",
    rows={
        "ChatResponse": _RESPONSE,
        "CompletionResponse": _RESPONSE,
        "AgentStream": _RESPONSE,
        "AgentInput": _NOTHING,
        "AgentOutput": _NOTHING,
        "StopEvent": _NOTHING,
        "ToolCall": _NOTHING,
    },
    is_framework=True,
)
"""The events of an agent's run repeat its answers, except for `AgentStream`."""
