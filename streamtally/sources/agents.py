"""The OpenAI Agents SDK: events of the Responses API inside events of a run, which repeat them as items.

Over chat it makes events of the Responses API itself, in which the response and all its items have the ID "__fake_id__". It calls
each of these responses completed, also if the answer was cut or filtered: how it ended is not known then.

Source: https://openai.github.io/openai-agents-python/streaming/
"""

from __future__ import annotations

from typing import Any

from ..dialects import openai_responses
from ..json_readers import mapping_of
from ..json_values import deep_fields
from .base import Row, Source
from .extract import Extract, value_at
from .readable import no_content

_MADE_ID = "__fake_id__"
_COMPLETED = "response.completed"


def _event(item: Any) -> Any:
    """The event inside. A response of chat is read without the ID that was made up, and with the type of its last event as its
    status: a word that is no finish reason."""
    event = item.data
    if value_at(event, "response.id") != _MADE_ID:
        return event
    fields = deep_fields(event) or {}
    ended = {"status": _COMPLETED} if fields.get("type") == _COMPLETED else {}
    return {**fields, "response": {**mapping_of(fields.get("response")), "id": None, **ended}}


_RESPONSES = openai_responses.DIALECT.name
_NOTHING = Row(_RESPONSES, chunk=no_content)

SOURCE = Source(
    "agents",
    rows={
        "RawResponsesStreamEvent": Row(_RESPONSES, Extract(unwrap=_event)),
        "RunItemStreamEvent": _NOTHING,
        "AgentUpdatedStreamEvent": _NOTHING,
    },
    is_framework=True,
)
"""It states no provider: models of any can be used."""
