"""Request parameters as span attributes: which of them are exported, and under which names.

Exported are numbers, words from closed lists, and the ID of a previous response: any other parameter may be text that the
user wrote.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping

from ..json_values import Json
from . import names

NUMBER_PARAMETERS: Mapping[str, str] = {
    "max_completion_tokens": names.MAX_TOKENS,
    "max_output_tokens": names.MAX_TOKENS,
    "max_tokens": names.MAX_TOKENS,
    "max_tokens_to_sample": names.MAX_TOKENS,
    "maxOutputTokens": names.MAX_TOKENS,
    "maxTokens": names.MAX_TOKENS,
    "num_predict": names.MAX_TOKENS,
    "temperature": names.TEMPERATURE,
    "top_p": names.TOP_P,
    "topP": names.TOP_P,
    "p": names.TOP_P,
    "top_k": names.TOP_K,
    "topK": names.TOP_K,
    "k": names.TOP_K,
    "frequency_penalty": names.FREQUENCY_PENALTY,
    "frequencyPenalty": names.FREQUENCY_PENALTY,
    "presence_penalty": names.PRESENCE_PENALTY,
    "presencePenalty": names.PRESENCE_PENALTY,
    "seed": names.SEED,
    "random_seed": names.SEED,
    "n": names.REQUEST_CHOICE_COUNT,
    "candidate_count": names.REQUEST_CHOICE_COUNT,
    "candidateCount": names.REQUEST_CHOICE_COUNT,
    "num_generations": names.REQUEST_CHOICE_COUNT,
}
"""The attributes of request parameters that are numbers, by the names that the providers use."""

STOP_PARAMETERS = ("stop", "stop_sequences", "stopSequences")
"""The names of the parameter with the stop sequences."""

NESTED_PARAMETERS = ("generation_config", "generationConfig", "config", "inferenceConfig", "options")
"""Objects within a request that hold its parameters, of Gemini, Bedrock and Ollama."""

REASONING_LEVELS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
SERVICE_TIERS = frozenset({"auto", "default", "flex", "priority", "scale", "standard_only"})

MAX_CHOICES = 128
"""The largest number of choices that is believed: the maximum of OpenAI's API."""

_OUTPUT_TYPES = {"json_object": "json", "json_schema": "json", "text": "text"}
"""`gen_ai.output.type` by the type of a requested response format."""

Value = str | int | float


def parameter_attributes(params: Mapping[str, Json], whole_numbers: Container[str]) -> Iterator[tuple[str, Value]]:
    """The attributes of a request's parameters.

    Args:
        params: the parameters of the request.
        whole_numbers: attributes whose values are integers; the values of all others are doubles.
    """
    for attribute, number in _numbers(params):
        if attribute != names.REQUEST_CHOICE_COUNT:
            yield attribute, int(number) if attribute in whole_numbers else float(number)
    if (count := requested_choices(params)) != 1:
        yield names.REQUEST_CHOICE_COUNT, count
    if (level := _reasoning_level(params)) in REASONING_LEVELS:
        yield names.REQUEST_REASONING_LEVEL, level
    if previous := _text(params.get("previous_response_id")):
        yield names.REQUEST_PREVIOUS_RESPONSE_ID, previous


def requested_choices(params: Mapping[str, Json]) -> int:
    """The number of choices that the request asks for, from 1 to `MAX_CHOICES`."""
    count = dict(_numbers(params)).get(names.REQUEST_CHOICE_COUNT, 1)
    return min(int(count), MAX_CHOICES) if count > 1 else 1


def requested_service_tier(params: Mapping[str, Json]) -> str | None:
    """The service tier that the request asks for, if it is one of `SERVICE_TIERS`."""
    tier = _text(params.get("service_tier"))
    return tier if tier in SERVICE_TIERS else None


def requested_output_type(params: Mapping[str, Json]) -> str | None:
    """The kind of output that the request asks for: "json", "text" or "speech"."""
    text = params.get("text")
    for response_format in (params.get("response_format"), text.get("format") if isinstance(text, dict) else None):
        kind = response_format.get("type") if isinstance(response_format, dict) else None
        if isinstance(kind, str) and kind in _OUTPUT_TYPES:
            return _OUTPUT_TYPES[kind]
    modalities = params.get("modalities")
    return "speech" if isinstance(modalities, list) and "audio" in modalities else None


def _numbers(params: Mapping[str, Json]) -> Iterator[tuple[str, int | float]]:
    """The attributes and values of all parameters that are numbers, nested ones included."""
    for name, value in params.items():
        if name in NUMBER_PARAMETERS:
            if _is_number(value):
                yield NUMBER_PARAMETERS[name], value
        elif name in NESTED_PARAMETERS and isinstance(value, dict):
            yield from _numbers({inner: number for inner, number in value.items() if _is_number(number)})


def _reasoning_level(params: Mapping[str, Json]) -> str:
    for holder in (params, params.get("reasoning"), params.get("output_config")):
        if isinstance(holder, dict) and (level := _text(holder.get("reasoning_effort") or holder.get("effort"))):
            return level
    return ""


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
