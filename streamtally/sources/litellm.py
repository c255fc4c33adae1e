"""LiteLLM: converts the answers of many providers to OpenAI's formats, and names the provider on its streams and chunks.

It writes its own estimate of the cost into the usage of the last chunk where the provider stated none, and keeps what the
provider stated outside of the fields; older releases keep the estimate there too.
Source: https://github.com/BerriAI/litellm/pull/39069
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dialects.stated_costs import GATEWAY, STATED_BY
from ..json_readers import mapping_of, name_of, number_of
from .base import Row, Source

_UPSTREAM = "upstream_usage_cost"
"""What the provider stated, or None; absent where LiteLLM has written nothing into the usage."""


def _provider(thing: Any) -> str | None:
    """The provider: of a stream its log has it, of a chunk a hidden parameter.

    A stream's own attribute has the client that LiteLLM reads with: "openai" for many, "cached_response" for none.
    """
    details = mapping_of(getattr(getattr(thing, "logging_obj", None), "model_call_details", None))
    attribute = getattr(thing, "custom_llm_provider", None)
    stated = (details.get("custom_llm_provider"), attribute, _hidden(thing).get("custom_llm_provider"))
    return next(filter(None, map(name_of, stated)), None)


def _hidden(thing: Any) -> Mapping[str, Any]:
    return mapping_of(getattr(thing, "_hidden_params", None))


def with_estimate(item: Any, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of a chunk or an answer, in which a cost is marked that LiteLLM itself has estimated.

    Args:
        item: a chunk, a whole answer, or the last event of Responses, which holds one.
        fields: its fields.
    """
    if isinstance(inside := fields.get("response"), Mapping):
        return {**fields, "response": with_estimate(getattr(item, "response", None), inside)}
    usage, hidden = fields.get("usage"), _hidden(item)
    if not isinstance(usage, Mapping) or number_of(hidden.get(_UPSTREAM)) is not None:
        return fields
    stated = number_of(usage.get("cost"))
    estimate = number_of(hidden.get("response_cost")) if stated is None else stated if _UPSTREAM in hidden else None
    return fields if estimate is None else {**fields, "usage": {**usage, "cost": estimate, STATED_BY: GATEWAY}}


_ANSWER = Row(amend=with_estimate)

SOURCE = Source(
    "litellm",
    rows={
        "ModelResponseStream": _ANSWER,
        "ModelResponse": _ANSWER,
        "TextCompletionResponse": _ANSWER,
        "ResponseCompletedEvent": _ANSWER,
        "ResponseIncompleteEvent": _ANSWER,
        "ResponseFailedEvent": _ANSWER,
    },
    stated_provider=_provider,
    closes="completion_stream",
    private={"_hidden_params": "litellm 1.109 to 1.110"},
)
"""Streams of older releases have no `close`, but `completion_stream` has."""
