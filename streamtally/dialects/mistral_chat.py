"""`mistral.chat`: Mistral's chat, FIM and agents completions, in the format of OpenAI's chat.

Terminal rule and usage rule are those of `openai.chat`; the only report is on the last chunk, beside its choice.
The SDK returns events with the chunk as `data`, and wraps content parts of unknown type. Only such an event can be distinguished
from a payload of OpenAI.

Source: https://docs.mistral.ai/api/#tag/chat
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import Chunk
from ..json_readers import is_list, mapping_of, mappings_of, number_of
from ..json_values import Json
from ..records import Choice, StreamRecord, StreamType
from . import openai_chat
from .base import Dialect
from .openai_chat_charges import CHARGES
from .openai_chat_response import response as chat_response
from .openai_common import FINISH_REASONS
from .openai_usage import usage_fields


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One completion chunk, or an event of the SDK with one."""
    fields = mapping_of(payload.get("data")) or payload
    if not is_list(fields.get("choices")):
        return openai_chat.chunk(fields)
    return openai_chat.chunk({**fields, "choices": [_unwrapped(choice) for choice in mappings_of(fields["choices"])]})


def _unwrapped(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """The choice with its content parts as the server sent them."""
    delta = mapping_of(choice.get("delta"))
    if not is_list(delta.get("content")):
        return choice
    content = [mapping_of(mapping_of(part).get("raw")) or part for part in delta["content"]]
    return {**choice, "delta": {**delta, "content": content}}


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """The report as fields of a `Usage`; Mistral reports audio input in seconds."""
    seconds = number_of(report.get("prompt_audio_seconds"))
    return {**usage_fields(report), **({"seconds": seconds} if seconds is not None else {})}


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as the object that the API returns without streaming."""
    whole = chat_response(record)
    choices = [
        {**shape, "message": _response_message(shape["message"], choice), "finish_reason": choice.finish_reason_raw or "error"}
        for choice, shape in zip(record.choices, whole["choices"], strict=True)
    ]
    return {**whole, "choices": choices, "usage": whole.get("usage", {})}


def _response_message(shape: Mapping[str, Json], choice: Choice) -> dict[str, Json]:
    """The message with its reasoning as a content part before the text, as Mistral has it."""
    message = {name: value for name, value in shape.items() if name in ("role", "content", "tool_calls")}
    if choice.reasoning is None:
        return message
    marks = next((detail for detail in choice.reasoning_details if detail.get("type") == "thinking"), {})
    thinking = {**marks, "type": "thinking", "thinking": [{"type": "text", "text": choice.reasoning}]}
    return {**message, "content": [thinking, *([{"type": "text", "text": choice.text}] if choice.text else [])]}


def _is_event(payload: Mapping[str, Any]) -> bool:
    return openai_chat.has_deltas(mapping_of(payload.get("data")))


DIALECT = Dialect(
    "mistral.chat",
    StreamType.CHAT,
    chunk,
    usage,
    FINISH_REASONS,
    provider="mistral",
    response=response,
    recognises=_is_event,
    charges=CHARGES,
)

DIALECTS = (DIALECT,)
