"""The replicate SDK: events whose data is a piece of the output as plain text; URLs of files come as objects, one an item.

Source: https://replicate.com/docs/topics/predictions/streaming
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..chunks import Chunk, DetailDelta
from ..dialects import openai_completions
from ..json_readers import mapping_of
from ..json_values import json_value
from .base import Row, Source
from .extract import Extract


def _unwrap(event: Any) -> Any:
    """An event in the form of OpenAI's completions: a piece of the output, of the logs, or the end with the reason."""
    kind, data = json_value(event.event), event.data
    if kind == "output" and not isinstance(data, str):
        return Chunk((DetailDelta("annotations", [{"type": "file", "url": str(data)}]),))
    if kind == "output":
        return _completion(choices=[{"index": 0, "text": data}])
    if kind != "done":
        return _completion(choices=[], **{str(kind): json_value(data)})
    reason = mapping_of(_parsed(data)).get("reason")
    if reason is None:
        return _completion(choices=[{"index": 0, "text": "", "finish_reason": "stop"}])
    return _completion(choices=[], error={"code": reason, "message": f"the prediction ended: {reason}"})


def _completion(**fields: Any) -> Mapping[str, Any]:
    return {"object": "text_completion", **fields}


def _parsed(data: Any) -> Any:
    try:
        return json.loads(data)
    except (TypeError, ValueError):
        return None


SOURCE = Source(
    "replicate", provider="replicate", rows={"ServerSentEvent": Row(openai_completions.DIALECT.name, Extract(unwrap=_unwrap))}
)
