"""The OpenAI Agents SDK: events of the Responses API inside events of a run, which repeat them as items.

Over chat it makes events of the Responses API itself, in which all items have the ID "__fake_id__".

Source: https://openai.github.io/openai-agents-python/streaming/
"""

from __future__ import annotations

from ..dialects import openai_responses
from .base import Row, Source
from .extract import Extract
from .readable import no_content

_RESPONSES = openai_responses.DIALECT.name
_NOTHING = Row(_RESPONSES, chunk=no_content)

SOURCE = Source(
    "agents",
    rows={
        "RawResponsesStreamEvent": Row(_RESPONSES, Extract(unwrap="data")),
        "RunItemStreamEvent": _NOTHING,
        "AgentUpdatedStreamEvent": _NOTHING,
    },
    is_framework=True,
)
"""It states no provider: models of any can be used."""
