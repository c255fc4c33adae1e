"""The record of a chat stream as the object that the API returns without streaming."""

from __future__ import annotations

from collections.abc import Mapping

from ..json_readers import count_of, mapping_of, mappings_of
from ..json_values import Json, json_value
from ..records import Choice, Image, StreamRecord, ToolCall, Usage
from .openai_common import response_usage, total_of

_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast"})
"""The service tiers that the SDK's response type allows; some servers have others."""


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as a `chat.completion` object."""
    return {
        **record.extras,
        "id": record.response_id or record.request_id,
        "object": "chat.completion",
        "created": count_of(record.extras.get("created")) or 0,
        "model": record.model or record.requested_model or "",
        "choices": [_response_choice(choice, record) for choice in record.choices],
        **_response_usage(record.usage),
        **({"service_tier": record.service_tier} if record.service_tier in _TIERS else {}),
        **({"system_fingerprint": record.system_fingerprint} if record.system_fingerprint else {}),
    }


def _response_usage(usage: Usage | None) -> dict[str, Json]:
    prompt, completion = (usage.input_tokens or 0, usage.output_tokens or 0) if usage else (0, 0)
    shape = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total_of(usage)}
    return response_usage(usage, shape)


def _response_choice(choice: Choice, record: StreamRecord) -> dict[str, Json]:
    finish = choice.finish_reason_raw if choice.finish_reason_raw == "function_call" else choice.finish_reason
    return {
        **choice.extras,
        "index": choice.index,
        "message": _response_message(choice, record, legacy=finish == "function_call"),
        # the API's only word for an answer that was cut short
        "finish_reason": "length" if finish in (None, "error") else finish,
        "logprobs": _response_logprobs(choice.logprobs),
    }


def _response_logprobs(logprobs: Json) -> Json:
    """Log probabilities in OpenAI's form, or None for those of servers with another form."""
    found = mapping_of(logprobs)
    lists = {name: list(mappings_of(found.get(name))) for name in ("content", "refusal")}
    if not any(lists.values()) or not all(_is_token(entry) for entries in lists.values() for entry in entries):
        return None
    return {name: [{"top_logprobs": [], **entry} for entry in entries] or None for name, entries in lists.items()}


def _is_token(entry: Mapping[str, Json]) -> bool:
    return entry.keys() >= {"token", "logprob"}


def _response_message(choice: Choice, record: StreamRecord, *, legacy: bool) -> dict[str, Json]:
    message: dict[str, Json] = {"role": "assistant", "content": choice.text or None, "refusal": choice.refusal}
    if choice.tool_calls and legacy:
        message["function_call"] = _response_call(choice.tool_calls[0])["function"]
    elif choice.tool_calls:
        message["tool_calls"] = [_response_call(call) for call in choice.tool_calls]
    if choice.reasoning is not None:
        message["reasoning_content"] = choice.reasoning
    if choice.reasoning_details:
        message["reasoning_details"] = list(choice.reasoning_details)
    if citations := [note for note in choice.annotations if _is_citation(note)]:
        message["annotations"] = citations
    return {**message, **_response_media(record)}


def _is_citation(note: Mapping[str, Json]) -> bool:
    """Whether an annotation is of the only kind that the SDK's response type has."""
    fields = mapping_of(note.get("url_citation"))
    return note.get("type") == "url_citation" and fields.keys() >= {"start_index", "end_index", "title", "url"}


def _response_media(record: StreamRecord) -> dict[str, Json]:
    message: dict[str, Json] = {}
    if record.images:
        message["images"] = [_response_image(image) for image in record.images]
    if record.audio is not None and record.audio.data is not None:
        message["audio"] = {
            "id": record.audio.id or "",
            "data": json_value(record.audio.data),
            "transcript": record.audio.transcript or "",
            "expires_at": record.audio.extras.get("expires_at", 0),
        }
    return message


def _response_image(image: Image) -> dict[str, Json]:
    url = image.url if image.data is None else f"data:{image.mime_type or ''};base64,{json_value(image.data)}"
    return {"type": "image_url", "image_url": {"url": url}, "index": image.index}


def _response_call(call: ToolCall) -> dict[str, Json]:
    if call.type == "custom":
        body: dict[str, Json] = {"type": "custom", "custom": {"name": call.name or "", "input": call.arguments}}
    else:
        body = {"type": "function", "function": {"name": call.name or "", "arguments": call.arguments}}
    return {**call.extras, "id": call.id or "", **body}
