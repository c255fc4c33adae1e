"""LangGraph's stream items around LangChain's messages: what `stream` yields in mode "messages", alone or among other modes.

| item | yielded with |
| --- | --- |
| `(message, metadata)` | one mode |
| `(mode, data)` | a list of modes |
| `(namespace, data)`, `(namespace, mode, data)` | `subgraphs=True` |
| `{"type": mode, "ns": namespace, "data": data}` | `version="v2"` |

Other modes repeat what the messages said, as states and updates of the graph.

Source: https://docs.langchain.com/oss/python/langgraph/streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MODES = frozenset({"messages", "updates", "values", "custom", "debug", "tasks", "checkpoints"})
_OF_A_MODEL = ("ai", "AIMessageChunk")


def is_item(payload: Any) -> bool:
    """Whether a payload is one of the items above: a tuple that holds a message or names a mode, or a mapping with both."""
    return _message(payload) is not None or _mode(payload) is not None


def event_in(payload: Any) -> dict[str, Any] | None:
    """A message of a model as an event of `astream_events`, which has the same parts; None for any other item."""
    found = _message(payload)
    if found is None or getattr(found[0], "type", None) not in _OF_A_MODEL:
        return None
    return {"event": "on_chat_model_stream", "data": {"chunk": found[0]}, "metadata": found[1], "run_id": None, "name": None}


def _mode(payload: Any) -> str | None:
    if isinstance(payload, Mapping):
        return payload.get("type") if "ns" in payload and payload.get("type") in _MODES else None
    names = [one for one in payload[:-1] if isinstance(one, str)] if isinstance(payload, tuple) else []
    return names[0] if len(names) == 1 and names[0] in _MODES and len(payload) in (2, 3) else None


def _message(payload: Any) -> tuple[Any, Mapping[str, Any]] | None:
    """The message and its metadata in an item."""
    if isinstance(payload, Mapping):
        return _message(payload.get("data")) if _mode(payload) == "messages" else None
    if not isinstance(payload, tuple) or not payload:
        return None
    *before, last = payload
    if len(before) == 1 and isinstance(last, Mapping) and "langgraph_node" in last:
        return before[0], last
    outside = len(before) in (1, 2) and all(isinstance(one, tuple) or one == "messages" for one in before)
    return _message(last) if outside else None
