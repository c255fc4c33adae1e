"""`langchain`: LangChain's messages, and its events around them.

| payload | read as |
| --- | --- |
| an `AIMessageChunk` (`stream`), as an object or a mapping | pieces |
| an `AIMessage`, which a model gives that does not stream | pieces, of which each call is whole |
| `on_chat_model_stream`, `on_llm_stream` (`astream_events`) | the chunk inside, of the answer of its `run_id` |
| `on_chat_model_end`, `on_llm_end` | the whole message once more, or for the first time if the model does not stream |
| `on_chat_model_start`, `on_llm_start` | the model and the provider of a run |
| any other event, or a message that no model wrote | nothing: chains, tools and parsers repeat what models said |

Terminal rule: none; the end of the source. Usage rule: reports of pieces are increments, as LangChain adds chunks; totals include
what the details count. The counts of a service tier have its name before theirs.

Source: https://docs.langchain.com/oss/python/langchain/messages
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..chunks import (
    AudioDelta,
    Channel,
    Chunk,
    Delta,
    DetailDelta,
    FinishDelta,
    ImageDelta,
    TextDelta,
    ToolCallDelta,
    UsageDelta,
)
from ..json_readers import (
    count_of,
    data_url,
    is_list,
    json_text,
    mapping_of,
    mappings_of,
    name_of,
    said,
    sum_at,
    text_of,
    unnamed,
)
from ..json_values import Json, deep_fields, json_value, stated
from ..records import FinishReason, StreamType
from . import anthropic_messages, bedrock_converse, cohere, gemini, openai_common
from .base import Dialect
from .providers import provider_named
from .stated_costs import cost_fields

FINISH_REASONS: Mapping[str, FinishReason | None] = {
    **gemini.FINISH_REASONS,
    **cohere.FINISH_REASONS,
    **bedrock_converse.FINISH_REASONS,
    **anthropic_messages.FINISH_REASONS,
    **openai_common.FINISH_REASONS,
}
"""The words of all providers: LangChain hands them on as they are."""

_OF_A_MODEL = frozenset({None, "ai", "AIMessageChunk"})
"""The types of messages that a model wrote; None where it is not stated."""

_STREAM_EVENTS = frozenset({"on_chat_model_stream", "on_llm_stream"})
_END_EVENTS = frozenset({"on_chat_model_end", "on_llm_end"})
_START_EVENTS = frozenset({"on_chat_model_start", "on_llm_start"})

_FINISHES = ("finish_reason", "stop_reason", "stopReason", "finishReason", "done_reason")
_MODELS = ("model_name", "model", "model_id", "ls_model_name")
_REASONING = ("thinking", "reasoning", "reasoning_content", "summary", "content", "text")
"""Where the words of a block of reasoning lie, in the order in which they are looked for."""

_CALL_BLOCKS = frozenset(
    {"tool_use", "input_json_delta", "function_call", "tool_call", "tool_call_chunk", "invalid_tool_call"}
)  # fmt: skip
"""Blocks that repeat what `tool_call_chunks` or `tool_calls` state."""

_NAMED_METADATA = frozenset(
    {*_FINISHES, *_MODELS, "model_provider", "id", "service_tier", "system_fingerprint", "logprobs", "token_usage", "usage",
     "cost", "cost_details"}
)  # fmt: skip
_NAMED_KWARGS = frozenset(
    {"reasoning_content", "reasoning", "reasoning_details", "refusal", "tool_calls", "function_call", "audio"}
)


class _Form(NamedTuple):
    """How a message is read: as a piece, or as all of an answer that may have come in pieces, whose name may be known."""

    whole: bool = False
    answer: str | None = None


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """A message, or an event."""
    event = payload.get("event")
    return _of_message(payload, _Form()) if not isinstance(event, str) else _of_event(event, payload)


def _of_event(event: str, payload: Mapping[str, Any]) -> Chunk:
    data, run = _fields(payload.get("data")), name_of(payload.get("run_id"))
    metadata = mapping_of(payload.get("metadata"))
    if event in _START_EVENTS:
        return Chunk(meta=_meta(metadata), answer=run)
    if event in _STREAM_EVENTS:
        found = _of_message(_fields(data.get("chunk")), _Form(answer=run))
        return found._replace(meta={**_meta(metadata), **found.meta})
    return _of_message(_message_of(data.get("output")), _Form(whole=True, answer=run)) if event in _END_EVENTS else Chunk()


def _message_of(output: Any) -> Mapping[str, Any]:
    """The message in the output of a run: itself, or in a list of generations."""
    fields = _fields(output)
    first = fields.get("generations")
    while is_list(first) and first:
        first = first[0]
    if first is None:
        return fields
    generation = _fields(first)
    return _fields(generation.get("message")) or {**generation, "response_metadata": _fields(fields.get("llm_output"))}


def _meta(metadata: Mapping[str, Any]) -> dict[str, Json]:
    """What the metadata of an event or a message state of the answer."""
    return stated(
        {
            "model": next(filter(None, (name_of(metadata.get(name)) for name in _MODELS)), None),
            "provider": provider_named(metadata.get("model_provider") or metadata.get("ls_provider")),
            "service_tier": name_of(metadata.get("service_tier")),
            "system_fingerprint": name_of(metadata.get("system_fingerprint")),
        }
    )


def _fields(value: Any) -> Mapping[str, Any]:
    return {} if value is None else deep_fields(value) or {}


def _of_message(message: Mapping[str, Any], form: _Form) -> Chunk:
    """The chunk of a message; that of a generation of text, which has `text` and `generation_info`, too."""
    if not (message.get("type") in _OF_A_MODEL or "generation_info" in message) or "tool_call_id" in message:
        return Chunk(answer=form.answer)
    metadata = mapping_of(message.get("response_metadata") or message.get("generation_info"))
    kwargs = mapping_of(message.get("additional_kwargs"))
    deltas = [*_content(message, form), *_of_kwargs(kwargs, form), *_calls(message), *_end(metadata, form)]
    report = _report(message, metadata)
    if report and not form.whole:
        deltas.append(UsageDelta(report, "+"))
    answer, response_id = form.answer, _response_id(message.get("id"))
    if answer is None and (deltas or report):
        answer = name_of(message.get("id"))
    blocks = {text_of(block.get("type")): json_value(block) for block in _others(message)}
    rest = {
        "content_blocks": blocks,
        "additional_kwargs": unnamed(kwargs, _NAMED_KWARGS),
        "response_metadata": unnamed(metadata, _NAMED_METADATA),
    }
    return Chunk(
        tuple(deltas),
        {**_meta(metadata), **({"response_id": response_id} if response_id else {})},
        {name: found for name, found in rest.items() if found},
        usage=report if form.whole else None,
        answer=answer,
        starts=answer is None and response_id is not None and metadata.get("id") == response_id,
    )


def _response_id(value: Any) -> str | None:
    """The provider's ID of an answer; LangChain's own begin with "lc_", or "run-"."""
    name = name_of(value)
    return None if name is None or name.startswith(("lc_", "run-")) else name


def _blocks(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    content = message.get("content", message.get("text"))
    for block in content if is_list(content) else [content]:
        yield {"type": "text", "text": block} if isinstance(block, str) else mapping_of(block)


def _content(message: Mapping[str, Any], form: _Form) -> Iterator[Delta]:
    """Text and reasoning in the order in which they came; as a whole each channel once."""
    texts: dict[Channel, list[str]] = {}
    for block in _blocks(message):
        channel, words = _words(block)
        if channel is not None and words:
            texts.setdefault(channel, []).append(words)
        yield from _notes(block)
        if not form.whole:
            yield from _media(block)
    if form.whole:
        yield from (TextDelta("".join(words), channel, whole=True) for channel, words in texts.items())
    else:
        yield from (TextDelta(text, channel, whole=False) for channel, words in texts.items() for text in words)


def _words(block: Mapping[str, Any]) -> tuple[Channel | None, str]:
    """The words of a block, and what they are; None for a block without words."""
    kind = block.get("type")
    if kind == "refusal":
        return "refusal", text_of(block.get("refusal"))
    if kind in ("thinking", "reasoning", "reasoning_content"):
        return "reasoning", _thoughts(block)
    if kind in ("text", "text_delta", "output_text") or (kind is None and isinstance(block.get("text"), str)):
        return "text", text_of(block.get("text"))
    return None, ""


def _thoughts(value: Any) -> str:
    """The words in a block of reasoning, or in a list of its parts."""
    if isinstance(value, str):
        return value
    if is_list(value):
        return "".join(map(_thoughts, value))
    fields = mapping_of(value)
    return next(filter(None, (_thoughts(fields[name]) for name in _REASONING if fields.get(name) is not None)), "")


def _notes(block: Mapping[str, Any]) -> Iterator[Delta]:
    for name in ("annotations", "citations"):
        if notes := list(mappings_of(block.get(name))):
            yield DetailDelta("annotations", json_value(notes))
    signature = block.get("signature") or mapping_of(block.get("reasoning_content")).get("signature")
    if signature and block.get("type") in ("thinking", "reasoning_content"):
        yield DetailDelta("reasoning_details", [{"type": "thinking", "signature": json_value(signature)}])


def _media(block: Mapping[str, Any]) -> Iterator[Delta]:
    kind = block.get("type")
    if kind == "image_url":
        url = block.get("image_url")
        yield _image(text_of(mapping_of(url).get("url") or url), None, None)
    elif kind == "image":
        yield _image(text_of(block.get("url")), block.get("base64"), name_of(block.get("mime_type")))
    elif kind == "audio" and isinstance(block.get("base64"), str):
        yield AudioDelta(block["base64"], fields={"mime_type": name_of(block.get("mime_type"))})


def _image(url: str, data: Any, mime_type: str | None) -> ImageDelta:
    if inside := data_url(url):
        mime_type, data = inside
        url = ""
    return ImageDelta(data=text_of(data) or None, fields=stated({"url": url or None, "mime_type": mime_type}))


def _others(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The blocks that are neither words, nor media, nor calls: those of tools that the provider runs."""
    for block in _blocks(message):
        if block and _words(block)[0] is None and block.get("type") not in _CALL_BLOCKS and not any(_media(block)):
            yield block


def _of_kwargs(kwargs: Mapping[str, Any], form: _Form) -> Iterator[Delta]:
    """What integrations put beside the content, which has none of it then."""
    whole = form.whole
    if thoughts := _thoughts(kwargs.get("reasoning_content") or kwargs.get("reasoning")):
        yield TextDelta(thoughts, "reasoning", whole=whole)
    if refusal := text_of(kwargs.get("refusal")):
        yield TextDelta(refusal, "refusal", whole=whole)
    if details := list(mappings_of(kwargs.get("reasoning_details"))):
        yield DetailDelta("reasoning_details", json_value(details), final=whole)
    audio = mapping_of(kwargs.get("audio"))
    if audio and not whole:
        yield AudioDelta(text_of(audio.get("data")), text_of(audio.get("transcript")))


def _calls(message: Mapping[str, Any]) -> Iterator[Delta]:
    if is_list(message.get("tool_call_chunks")):
        for piece in filter(stated, mappings_of(message["tool_call_chunks"])):
            yield ToolCallDelta(
                json_text(piece.get("args")), count_of(piece.get("index")), name_of(piece.get("id")), name_of(piece.get("name"))
            )
        return
    calls = [*mappings_of(message.get("tool_calls")), *mappings_of(message.get("invalid_tool_calls"))]
    for position, call in enumerate(filter(None, calls)):
        name = name_of(call.get("id"))
        yield ToolCallDelta(json_text(call.get("args")), None if name else position, name, name_of(call.get("name")), final=True)


def _end(metadata: Mapping[str, Any], form: _Form) -> Iterator[Delta]:
    if mapping_of(metadata.get("logprobs")) or is_list(metadata.get("logprobs")):
        yield DetailDelta("logprobs", json_value(metadata["logprobs"]), final=form.whole)
    word = next(filter(None, (name_of(metadata.get(name)) for name in _FINISHES)), None)
    if word is None and metadata.get("object") == "response":
        reason = mapping_of(metadata.get("incomplete_details")).get("reason")
        word = name_of(reason) or name_of(metadata.get("status"))
    if word:
        yield FinishDelta(word)


def _report(message: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Json] | None:
    """The usage report of a message, with the cost that OpenRouter states beside it."""
    usage = message.get("usage_metadata")
    beside = {name: metadata[name] for name in ("cost", "cost_details") if metadata.get(name) is not None}
    report = json_value({**mapping_of(usage), **beside})
    return report or None


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """A report as fields of a `Usage`. An answer without input is none: 0 is a count that the provider did not state."""
    inputs, outputs = mapping_of(report.get("input_token_details")), mapping_of(report.get("output_token_details"))
    by_lifetime = sum_at(inputs, "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
    total = {name: count_of(report.get(name)) for name in ("input_tokens", "output_tokens", "total_tokens")}
    if total["input_tokens"] == 0:
        total = {"output_tokens": total["output_tokens"]}
    fields = {
        **total,
        "cache_read_tokens": _counted(inputs, "cache_read"),
        "cache_write_tokens": said(_counted(inputs, "cache_creation"), by_lifetime),
        "cache_write_1h_tokens": count_of(inputs.get("ephemeral_1h_input_tokens")),
        "reasoning_tokens": _counted(outputs, "reasoning"),
        "text_input_tokens": count_of(inputs.get("text")),
        "audio_input_tokens": count_of(inputs.get("audio")),
        "image_input_tokens": count_of(inputs.get("image")),
        "video_input_tokens": count_of(inputs.get("video")),
        "text_output_tokens": count_of(outputs.get("text")),
        "audio_output_tokens": count_of(outputs.get("audio")),
        "image_output_tokens": count_of(outputs.get("image")),
        **cost_fields(report),
    }
    return stated(fields)


def _counted(details: Mapping[str, Any], name: str) -> int | None:
    """A count of the details: under its name, and under those that have the name of a service tier before it."""
    counts = [count_of(value) for key, value in details.items() if key == name or key.endswith(f"_{name}")]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _recognises(payload: Mapping[str, Any]) -> bool:
    """An `AIMessageChunk` as a mapping, or an event of `astream_events`."""
    if payload.get("type") == "AIMessageChunk":
        return "content" in payload
    event = payload.get("event")
    return isinstance(event, str) and event.startswith("on_") and {"run_id", "data", "name"} <= payload.keys()


def _resembles(payload: Mapping[str, Any]) -> bool:
    """A message of any kind, as a mapping."""
    return {"content", "response_metadata"} <= payload.keys()


DIALECT = Dialect(
    "langchain",
    StreamType.CHAT,
    chunk,
    usage,
    FINISH_REASONS,
    states_finish=False,
    recognises=_recognises,
    resembles=_resembles,
)

DIALECTS = (DIALECT,)
