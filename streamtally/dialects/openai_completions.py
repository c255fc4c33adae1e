"""`openai.completions`: legacy text completions, with text in `choices[].text`.

Terminal rule and usage rule are those of `openai.chat`. But llama.cpp's server, which is known by the `timings` beside the
report, reports the usage of each choice with the end of that choice. Two servers complete texts without choices: Writer
(`value`) and Cloudflare (`response`).

Source: https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import Chunk, TextDelta, UsageDelta
from ..json_readers import count_of, is_list, mappings_of, text_of
from ..json_values import Json
from ..records import StreamRecord, StreamType
from . import openai_chat
from .base import Dialect
from .openai_chat_charges import CHARGES
from .openai_chat_response import response as chat_response
from .openai_common import FINISH_REASONS
from .openai_usage import gateway_fields, usage_fields

_BARE_FIELDS = ("value", "response")
_ALONE_FIELDS = frozenset({*_BARE_FIELDS, "tool_calls", "usage", "p"})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One text completion chunk: a chat chunk with its text beside the delta, not in it."""
    if not is_list(payload.get("choices")) and any(isinstance(payload.get(name), str) for name in _BARE_FIELDS):
        return _bare(payload)
    rest = openai_chat.chunk(payload)
    words = []
    for position, choice in enumerate(mappings_of(payload.get("choices"))):
        index = count_of(choice.get("index"))
        words.append(TextDelta(text_of(choice.get("text")), "text", position if index is None else index))
    others = (delta for delta in rest.deltas if not (isinstance(delta, TextDelta) and delta.channel == "text"))
    found = rest._replace(deltas=(*words, *others))
    if found.usage and len(words) == 1 and isinstance(payload.get("timings"), Mapping):
        return found._replace(deltas=(*found.deltas, UsageDelta(found.usage, str(words[0].choice))), usage=None)
    return found


def _bare(payload: Mapping[str, Any]) -> Chunk:
    """A chunk without choices."""
    rest = openai_chat.chunk({name: value for name, value in payload.items() if name not in _BARE_FIELDS})
    words = next(text for name in _BARE_FIELDS if isinstance(text := payload.get(name), str))
    return rest._replace(deltas=(TextDelta(words),))


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
    return payload.get("object") == "text_completion"


def _may_be_completion(payload: Mapping[str, Any]) -> bool:
    """Servers that omit `object` still send choices with `text`; those without choices send few other fields."""
    if payload.keys() <= _ALONE_FIELDS and payload.keys() & {"response", "value"}:
        return True
    choice = next(mappings_of(payload.get("choices")), {})
    return payload.get("object") is None and "text" in choice and "delta" not in choice


DIALECT = Dialect(
    "openai.completions",
    StreamType.TEXT,
    chunk,
    usage_fields,
    FINISH_REASONS,
    response=response,
    recognises=_is_completion,
    resembles=_may_be_completion,
    charges=CHARGES,
    adjust=gateway_fields,
)

DIALECTS = (DIALECT,)
