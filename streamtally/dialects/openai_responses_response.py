"""The record of a Responses stream as the object that the API returns without streaming."""

from __future__ import annotations

from ..json_readers import mappings_of, name_of
from ..json_values import Json
from ..records import StreamRecord, Usage
from .openai_common import response_usage, total_of

_TOOLS = frozenset(
    {"function", "file_search", "computer", "computer_use_preview", "web_search", "web_search_2025_08_26", "mcp",
     "web_search_preview", "web_search_preview_2025_03_11", "code_interpreter", "programmatic_tool_calling",
     "image_generation", "local_shell", "shell", "custom", "namespace", "tool_search", "apply_patch"}
)  # fmt: skip
"""The tools that the SDK's response type allows; some servers have others."""


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as a `response` object."""
    return {
        "created_at": 0,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        **record.extras,
        "tools": [tool for tool in mappings_of(record.extras.get("tools")) if name_of(tool.get("type")) in _TOOLS],
        "id": record.response_id or record.request_id,
        "object": "response",
        "model": record.model or record.requested_model or "",
        "output": list(record.output_items),
        "error": _response_error(record),
        **_response_usage(record.usage),
        **({"service_tier": record.service_tier} if record.service_tier else {}),
    }


def _response_usage(usage: Usage | None) -> dict[str, Json]:
    read, written, reasoning = (
        (usage.cache_read_tokens or 0, usage.cache_write_tokens or 0, usage.reasoning_tokens or 0) if usage else (0, 0, 0)
    )
    shape = {
        "input_tokens": usage.input_tokens or 0 if usage else 0,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "output_tokens": usage.output_tokens or 0 if usage else 0,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": total_of(usage),
    }
    return response_usage(usage, shape)


def _response_error(record: StreamRecord) -> Json:
    if record.error is None:
        return None
    return {"code": record.error.code or "server_error", "message": record.error.message or record.error.type}
