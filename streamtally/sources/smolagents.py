"""smolagents: deltas of a model, and among them the steps of a run, which repeat what the deltas said.

Source: https://huggingface.co/docs/smolagents/reference/models
"""

from __future__ import annotations

from .base import Row, Source
from .extract import Extract
from .readable import no_content

_NOTHING = Row(chunk=no_content)

SOURCE = Source(
    "smolagents",
    rows={
        "ChatMessageStreamDelta": Row(
            extract=Extract(text="content", tool_calls="tool_calls", usage="token_usage", usage_adds=True, cumulative=False)
        ),
        "MemoryStep": _NOTHING,
        "ToolCall": _NOTHING,
        "ToolOutput": _NOTHING,
        "ActionOutput": _NOTHING,
    },
    is_framework=True,
)
"""A run calls its model several times, and each call states its usage once."""
