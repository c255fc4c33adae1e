"""Haystack: chunks that are given to a callback, or yielded by a streaming run.

They have no ID of the answer to which they belong: text that comes after a finish reason begins the next one. Results of tools
are chunks of the same class.

Source: https://docs.haystack.deepset.ai/reference/data-classes-api
"""

from __future__ import annotations

from typing import Any

from ..chunks import Chunk
from ..json_readers import mapping_of
from ..json_values import deep_fields
from .base import Row, Source
from .extract import Extract
from .extracted import extracted


def _calls(chunk: Any) -> list[dict[str, Any]]:
    return [{**fields, "name": fields.get("tool_name")} for call in chunk.tool_calls or () if (fields := deep_fields(call))]


_FIELDS = Extract(
    text="content",
    reasoning="reasoning.reasoning_text",
    tool_calls=_calls,
    finish="finish_reason",
    usage="meta.usage",
    model="meta.model",
    cumulative=False,
)


def _chunk(chunk: Any) -> Chunk:
    if chunk.tool_call_result is not None or chunk.finish_reason == "tool_call_results":
        return Chunk()
    found = extracted(chunk, _FIELDS).chunk
    beside = mapping_of(chunk.meta)
    named = {name: beside[name] for name in ("system_fingerprint", "service_tier") if isinstance(beside.get(name), str)}
    return found._replace(meta={**found.meta, **named}, starts=bool(found.flags))


SOURCE = Source("haystack", rows={"StreamingChunk": Row(chunk=_chunk)}, is_framework=True)
