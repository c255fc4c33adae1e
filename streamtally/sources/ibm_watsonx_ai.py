"""The ibm-watsonx-ai SDK: chat in OpenAI's format, and results of text generation, read in the form of OpenAI's completions.

All of them are mappings; without `raw_response` text generation yields pieces of text, without usage or finish reason.

Source: https://cloud.ibm.com/apidocs/watsonx-ai#text-generation-stream
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..json_readers import count_of, mappings_of
from .base import Row, Source
from .extract import Extract

_OF_RESULT = ("generated_text", "stop_reason", "input_token_count", "generated_token_count")
_RUNNING = "not_finished"
"""The finish reason until the end."""


def _unwrap(payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Results of text generation as choices; None for what has no results."""
    results = list(mappings_of(payload.get("results")))
    if not results:
        return None
    others = {name: value for name, value in payload.items() if name not in ("results", "model_id")}
    choices = [_choice(index, result) for index, result in enumerate(results)]
    return {**others, "object": "text_completion", "model": payload.get("model_id"), "choices": choices, "usage": _usage(results)}


def _choice(index: int, result: Mapping[str, Any]) -> dict[str, Any]:
    stop = result.get("stop_reason")
    others = {name: value for name, value in result.items() if name not in _OF_RESULT}
    return {
        **others,
        "index": index,
        "text": result.get("generated_text"),
        "finish_reason": None if stop == _RUNNING else stop,
    }


def _usage(results: list[Mapping[str, Any]]) -> dict[str, int] | None:
    """The counts that are stated: those of the input come with the first result, and 0 with the others."""
    named = {"prompt_tokens": "input_token_count", "completion_tokens": "generated_token_count"}
    counts = {ours: sum(count_of(result.get(theirs)) or 0 for result in results) for ours, theirs in named.items()}
    return {name: count for name, count in counts.items() if count} or None


SOURCE = Source("ibm_watsonx_ai", provider="watsonx", mappings=Row(extract=Extract(unwrap=_unwrap)))
