"""The record of an interaction as the object that the API returns without streaming."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..json_readers import is_list
from ..json_values import Json
from ..records import Outcome, StreamRecord

_STATUS = {
    None: "in_progress",
    Outcome.COMPLETED: "completed",
    Outcome.CANCELLED: "cancelled",
    Outcome.ABANDONED: "cancelled",
    Outcome.ERROR: "failed",
}
"""The status for an outcome, where the provider stated none: any other one is "incomplete"."""


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as an `Interaction`."""
    stated = record.choices[0].finish_reason_raw if record.choices else None
    found = {
        **record.extras,
        "id": record.response_id or record.request_id,
        "object": "interaction",
        "status": stated or _STATUS.get(record.outcome, "incomplete"),
        "model": record.model or (None if "agent" in record.extras else record.requested_model),
        "service_tier": record.service_tier,
        "steps": [_step(step, record) for step in record.output_items],
        "usage": record.usage.raw if record.usage and record.usage.raw else None,
        "errors": _errors(record),
    }
    return {name: value for name, value in found.items() if value is not None}


def _step(step: Mapping[str, Json], record: StreamRecord) -> dict[str, Json]:
    """A step with its sound, which the record has apart."""
    whole = {name: value for name, value in step.items() if name not in ("partial_arguments", "step_usage")}
    if whole.get("type") == "function_call":
        whole.setdefault("arguments", {})
    if is_list(whole.get("content")):
        whole["content"] = [_with_sound(part, record) for part in whole["content"]]
    return whole


def _with_sound(part: Any, record: StreamRecord) -> Json:
    is_apart = isinstance(part, Mapping) and part.get("type") == "audio" and not ({"data", "uri"} & part.keys())
    if not is_apart or record.audio is None or record.audio.data is None:
        return part
    return {**part, "data": base64.b64encode(record.audio.data).decode()}


def _errors(record: StreamRecord) -> Json:
    if record.error is None:
        return None
    return [{"code": record.error.code or record.error.type, "message": record.error.message}]
