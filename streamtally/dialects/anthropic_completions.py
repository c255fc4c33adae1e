"""`anthropic.completions`: Anthropic's Text Completions, the API before Messages, with `completion` in each event.

Terminal rule: the event whose `stop_reason` is not null is the last one.
Usage rule: the API reports none; on Bedrock the last event has `amazon-bedrock-invocationMetrics`.
Before version 2023-06-01 of the API each `completion` is all of the text so far; no event states the version, and the fold
sees it from the texts.

Source: https://platform.claude.com/docs/en/api/completions/create
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import Chunk, Delta, FinishDelta, TextDelta
from ..json_readers import mapping_of, name_of, unnamed
from ..json_values import Json, json_value
from ..records import Choice, FinishReason, StreamRecord, StreamType
from .base import Dialect
from .bedrock_converse import METRICS, metrics_fields
from .openai_common import error_chunk

_FINISH_REASONS: Mapping[str, FinishReason | None] = {"stop_sequence": "stop", "max_tokens": "length"}
_NAMED = frozenset({"type", "id", "completion", "stop_reason", "model", METRICS})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event."""
    if found := error_chunk(payload):
        return found
    metrics = mapping_of(payload.get(METRICS))
    return Chunk(
        tuple(_deltas(payload)),
        meta={"response_id": name_of(payload.get("id")), "model": name_of(payload.get("model"))},
        extras=unnamed(payload, _NAMED),
        usage={METRICS: json_value(metrics)} if metrics else None,
        terminal=bool(metrics) or name_of(payload.get("stop_reason")) is not None,
    )


def _deltas(event: Mapping[str, Any]) -> Iterator[Delta]:
    if isinstance(event.get("completion"), str):
        yield TextDelta(event["completion"])
    if finish := name_of(event.get("stop_reason")):
        yield FinishDelta(finish)


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """Bedrock's metrics as fields of a `Usage`."""
    return metrics_fields(mapping_of(report.get(METRICS)))


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as the object that the API returns without streaming."""
    choice = record.choices[0] if record.choices else Choice(finish_reason=None)
    return {
        "stop": None,
        **record.extras,
        "type": "completion",
        "id": record.response_id or record.request_id,
        "completion": choice.text,
        "stop_reason": choice.finish_reason_raw,
        "model": record.model or record.requested_model or "",
    }


def _is_event(payload: Mapping[str, Any]) -> bool:
    """Events of old versions, and of Bedrock, have no type."""
    return isinstance(payload.get("completion"), str) and (payload.get("type") == "completion" or "stop_reason" in payload)


DIALECT = Dialect(
    "anthropic.completions",
    StreamType.TEXT,
    chunk,
    usage,
    _FINISH_REASONS,
    provider="anthropic",
    response=response,
    recognises=_is_event,
)

DIALECTS = (DIALECT,)
