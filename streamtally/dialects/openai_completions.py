"""`openai.completions`: legacy text completions, whose words are in `choices[].text`.

Terminal rule and usage rule are those of `openai.chat`.

Source: https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import Chunk, TextDelta
from ..jsonish import Json
from ..records import StreamRecord, StreamType
from . import openai_chat
from .base import Dialect
from .openai_chat_response import response as chat_response
from .openai_common import FINISH_REASONS, usage_fields
from .values import count_of, mappings_of, text_of


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One text completion chunk: a chat chunk whose words stand beside the delta, not in it."""
    rest = openai_chat.chunk(payload)
    words = []
    for position, choice in enumerate(mappings_of(payload.get("choices"))):
        index = count_of(choice.get("index"))
        words.append(TextDelta(text_of(choice.get("text")), "text", position if index is None else index))
    others = (delta for delta in rest.deltas if not (isinstance(delta, TextDelta) and delta.channel == "text"))
    return rest._replace(deltas=(*words, *others))


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as a `text_completion` object."""
    whole = chat_response(record)
    choices = [
        {
            "index": choice.index,
            "text": choice.text,
            "finish_reason": choice.finish_reason if choice.finish_reason in ("stop", "content_filter") else "length",
            "logprobs": choice.logprobs if isinstance(choice.logprobs, Mapping) else None,
        }
        for choice in record.choices
    ]
    return {**whole, "object": "text_completion", "choices": choices}


def _is_completion(payload: Mapping[str, Any]) -> bool:
    """Servers that leave out `object` still have choices with a text."""
    choice = next(mappings_of(payload.get("choices")), {})
    return payload.get("object") == "text_completion" or (
        payload.get("object") is None and "text" in choice and "delta" not in choice
    )


DIALECT = Dialect(
    "openai.completions",
    StreamType.TEXT,
    chunk,
    usage_fields,
    FINISH_REASONS,
    provider="openai",
    response=response,
    recognises=_is_completion,
)
