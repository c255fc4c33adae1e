"""Converts all forms of a Gemini payload to that of the REST API: camelCase names, enums as words, bytes as base64.

The google-genai SDK's objects have snake_case names, enum members, bytes and datetimes. With `enum-encoding=int`
servers write enums as numbers. Names and numbers in data that a user defined (arguments, results) are not converted.

Sources of the numbers: google/ai/generativelanguage/v1beta and google/cloud/aiplatform/v1 in
https://github.com/googleapis/googleapis
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from ..json_values import MAX_DEPTH, Json, json_value

_USER_DATA = frozenset({"args", "response", "partMetadata", "structValue"})
"""Fields with data that a user or a tool defined, which are not converted."""

_BYTES = frozenset({"data", "thoughtSignature", "continuationToken"})
_ALPHABET = str.maketrans("-_", "+/")
"""Converts the base64 alphabet of the SDK's JSON to that of the API."""

_SDK_FIELDS = frozenset({"automaticFunctionCallingHistory", "parsed"})
"""Fields that the SDK adds to an answer: the user's messages, and the answer in another form."""

_LEVELS = ("NEGLIGIBLE", "LOW", "MEDIUM", "HIGH")

_SHARED: Mapping[str, tuple[str, ...]] = {
    "modality": ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT"),
    "trafficType": (
        "TRAFFIC_TYPE_UNSPECIFIED",
        "ON_DEMAND",
        "PROVISIONED_THROUGHPUT",
        "ON_DEMAND_PRIORITY",
        "ON_DEMAND_FLEX",
    ),
    "probability": ("HARM_PROBABILITY_UNSPECIFIED", *_LEVELS),
    "severity": ("HARM_SEVERITY_UNSPECIFIED", *(f"HARM_SEVERITY_{level}" for level in _LEVELS)),
    "language": ("LANGUAGE_UNSPECIFIED", "PYTHON"),
    "outcome": ("OUTCOME_UNSPECIFIED", "OUTCOME_OK", "OUTCOME_FAILED", "OUTCOME_DEADLINE_EXCEEDED"),
    "urlRetrievalStatus": tuple(
        f"URL_RETRIEVAL_STATUS_{word}" for word in ("UNSPECIFIED", "SUCCESS", "ERROR", "PAYWALL", "UNSAFE")
    ),
}

_STUDIO: Mapping[str, tuple[str, ...]] = {
    **_SHARED,
    "finishReason": (
        "FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "LANGUAGE", "BLOCKLIST",
        "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY", "UNEXPECTED_TOOL_CALL",
    ),
    "blockReason": ("BLOCKED_REASON_UNSPECIFIED", "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY"),
    "category": tuple(
        f"HARM_CATEGORY_{word}"
        for word in (
            "UNSPECIFIED", "DEROGATORY", "TOXICITY", "VIOLENCE", "SEXUAL", "MEDICAL", "DANGEROUS", "HARASSMENT",
            "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY",
        )
    ),
}  # fmt: skip
"""The numbers of the Gemini API."""

_VERTEX: Mapping[str, tuple[str, ...]] = {
    **_SHARED,
    "finishReason": (
        "FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "BLOCKLIST",
        "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "MODEL_ARMOR", "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER", "UNEXPECTED_TOOL_CALL", "NO_IMAGE",
    ),
    "blockReason": (
        "BLOCKED_REASON_UNSPECIFIED", "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "MODEL_ARMOR", "JAILBREAK",
    ),
    "category": tuple(
        f"HARM_CATEGORY_{word}"
        for word in (
            "UNSPECIFIED", "HATE_SPEECH", "DANGEROUS_CONTENT", "HARASSMENT", "SEXUALLY_EXPLICIT", "CIVIC_INTEGRITY",
            "JAILBREAK",
        )
    ),
}  # fmt: skip
"""The numbers of Vertex AI, which differ from the sixth finish reason on."""


def spelled(payload: Mapping[str, Any]) -> dict[str, Json]:
    """A copy of a payload in the form of the REST API, without nulls and without the fields that the SDK adds.

    >>> spelled({"response_id": "r", "candidates": [{"finish_reason": 1}]})
    {'responseId': 'r', 'candidates': [{'finishReason': 'STOP'}]}
    """
    words = _VERTEX if _is_of_vertex(payload) else _STUDIO
    return {name: value for name, value in _fields(payload, words, 0).items() if name not in _SDK_FIELDS}


def _is_of_vertex(payload: Mapping[str, Any]) -> bool:
    """Whether a payload has a field that only Vertex AI sends."""
    usage = payload.get("usageMetadata") or payload.get("usage_metadata")
    return "createTime" in payload or "create_time" in payload or (isinstance(usage, Mapping) and "trafficType" in usage)


def _fields(fields: Mapping[str, Any], words: Mapping[str, tuple[str, ...]], depth: int) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in fields.items():
        name = _camel(key) if "_" in key else key
        if type(value) is str:
            is_respelled = name in _BYTES and (key != name or name == "data")  # a signature of the wire stays as it came
            found[name] = value.translate(_ALPHABET) if is_respelled else value
        elif value is not None:
            found[name] = json_value(value) if name in _USER_DATA else _value(name, value, words, depth + 1)
    return found


def _value(name: str, value: Any, words: Mapping[str, tuple[str, ...]], depth: int) -> Json:
    if depth > MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return _fields(value, words, depth)
    if isinstance(value, list | tuple):
        return [item if type(item) is str else _value(name, item, words, depth + 1) for item in value]
    if type(value) is int:
        known = words.get(name, ())
        return known[value] if 0 <= value < len(known) else value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.value if isinstance(value, str) and isinstance(value, Enum) else json_value(value)


@lru_cache(maxsize=1024)
def _camel(name: str) -> str:
    """A name in camelCase.

    >>> _camel("prompt_token_count")
    'promptTokenCount'
    """
    return re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda found: found[1].upper(), name)
