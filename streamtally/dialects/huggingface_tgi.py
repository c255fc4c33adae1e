"""`huggingface.tgi`: the `generate_stream` API of Hugging Face's text-generation-inference, one token in each event.

Terminal rule: the last event has `details`, with the finish reason; there is no end marker. Its `generated_text` is the whole
text, which the tokens have brought already. Special tokens, such as the end of the sequence, are no text.
Usage rule: one report, in `details`.
An error is an event with `error` and `error_type`, with HTTP status 200.

Source: https://huggingface.github.io/text-generation-inference/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import Chunk, Delta, DetailDelta, FinishDelta, TextDelta
from ..json_readers import count_of, is_list, mapping_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import Choice, StreamRecord, StreamType
from .base import Dialect
from .openai_common import FINISH_REASONS, error_chunk

_NAMED = frozenset({"index", "token", "top_tokens", "generated_text", "details"})
_COUNTS = ("input_length", "generated_tokens")
_LISTS = ("tokens", "top_tokens")
_DETAILS = frozenset({"finish_reason", *_COUNTS, *_LISTS})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event, or the answer of the API without streaming."""
    if found := error_chunk(payload):
        return found
    details = mapping_of(payload.get("details"))
    return Chunk(
        tuple(_deltas(payload, details)),
        extras={**unnamed(payload, _NAMED), **unnamed(details, _DETAILS)},
        usage={name: json_value(details[name]) for name in _COUNTS if details.get(name) is not None} or None,
        terminal=bool(details),
    )


def _deltas(event: Mapping[str, Any], details: Mapping[str, Any]) -> Iterator[Delta]:
    token = mapping_of(event.get("token"))
    lists = {name: json_value(details[name]) for name in _LISTS if is_list(details.get(name))}
    if token:
        yield TextDelta("" if token.get("special") is True else text_of(token.get("text")))
        top = {"top_tokens": [json_value(event["top_tokens"])]} if is_list(event.get("top_tokens")) else {}
        lists = {"tokens": [json_value(token)], **top}
    elif text := text_of(event.get("generated_text")):
        yield TextDelta(text, whole=True)
    if any(lists.values()):
        yield DetailDelta("logprobs", lists)
    if finish := name_of(details.get("finish_reason")):
        yield FinishDelta(finish)


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """The counts as fields of a `Usage`."""
    fields = {
        "input_tokens": count_of(report.get("input_length")),
        "output_tokens": count_of(report.get("generated_tokens")),
    }
    return {name: value for name, value in fields.items() if value is not None}


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as the object that the API returns without streaming."""
    choice = record.choices[0] if record.choices else Choice(finish_reason=None)
    details = {
        **record.extras,
        "prefill": [],
        "tokens": [],
        **mapping_of(choice.logprobs),
        **(record.usage.raw if record.usage else {}),
    }
    if choice.finish_reason_raw is not None:
        details["finish_reason"] = choice.finish_reason_raw
    return {"generated_text": choice.text, "details": details}


def _is_event(payload: Mapping[str, Any]) -> bool:
    token = mapping_of(payload.get("token"))
    return isinstance(token.get("text"), str) and ("special" in token or "logprob" in token)


def _may_be_whole(payload: Mapping[str, Any]) -> bool:
    return isinstance(payload.get("generated_text"), str) and isinstance(payload.get("details"), Mapping)


DIALECT = Dialect(
    "huggingface.tgi",
    StreamType.TEXT,
    chunk,
    usage,
    FINISH_REASONS,
    response=response,
    recognises=_is_event,
    resembles=_may_be_whole,
)

DIALECTS = (DIALECT,)
