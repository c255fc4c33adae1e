"""Reads `usageMetadata` of Gemini: the fields of a `Usage`, and the service tier.

Sources: https://ai.google.dev/api/generate-content#UsageMetadata, and for the tiers
https://ai.google.dev/gemini-api/docs/flex-inference and
https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse#TrafficType
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..json_readers import count_of, mapping_of, mappings_of, name_of, sum_at
from ..json_values import Json

SEARCHES = "webSearchQueries"
"""The key under which the number of searches is added to a report: candidates list their queries."""

_INPUT = ("promptTokensDetails", "toolUsePromptTokensDetails")
_OUTPUT = ("candidatesTokensDetails",)
_CACHED = ("cacheTokensDetails",)

_MODALITIES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "text_input_tokens": (_INPUT, "TEXT"),
    "audio_input_tokens": (_INPUT, "AUDIO"),
    "image_input_tokens": (_INPUT, "IMAGE"),
    "video_input_tokens": (_INPUT, "VIDEO"),
    "text_output_tokens": (_OUTPUT, "TEXT"),
    "audio_output_tokens": (_OUTPUT, "AUDIO"),
    "image_output_tokens": (_OUTPUT, "IMAGE"),
    "video_output_tokens": (_OUTPUT, "VIDEO"),
    "cache_read_audio_tokens": (_CACHED, "AUDIO"),
    "cache_read_image_tokens": (_CACHED, "IMAGE"),
}
"""Fields of a `Usage`: the lists of the report that have the count, and the modality there."""

_MEANT: Mapping[str | None, str] = {None: "TEXT", "MODALITY_UNSPECIFIED": "TEXT"}


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """A report as fields of a `Usage`.

    The report's count of the prompt includes cache reads and excludes input from tools; that of the candidates excludes thoughts.
    """
    fields: dict[str, Any] = {
        "input_tokens": sum_at(report, "promptTokenCount", "toolUsePromptTokenCount"),
        "output_tokens": sum_at(report, "candidatesTokenCount", "thoughtsTokenCount"),
        "total_tokens": count_of(report.get("totalTokenCount")),
        "cache_read_tokens": count_of(report.get("cachedContentTokenCount")),
        "reasoning_tokens": count_of(report.get("thoughtsTokenCount")),
        "searches": count_of(report.get(SEARCHES)),
        **{name: _of_modality(report, lists, modality) for name, (lists, modality) in _MODALITIES.items()},
    }
    return {name: value for name, value in fields.items() if value is not None}


def _of_modality(report: Mapping[str, Json], lists: tuple[str, ...], modality: str) -> int | None:
    """The tokens of one modality in all lists; None if no entry has it. An entry without a modality counts as text."""
    counts = [
        count_of(entry.get("tokenCount")) or 0
        for name in lists
        for entry in mappings_of(report.get(name))
        if _MEANT.get(word := name_of(entry.get("modality")), word) == modality
    ]
    return sum(counts) if counts else None


def tier_of(report: Mapping[str, Json], http: Mapping[str, Json]) -> str | None:
    """The service tier, as the Gemini API (for its SDK in a header) or Vertex AI states it; None if it does not.

    >>> tier_of({"trafficType": "ON_DEMAND_PRIORITY"}, {})
    'priority'
    """
    stated = name_of(report.get("serviceTier")) or name_of(mapping_of(http.get("headers")).get("x-gemini-service-tier"))
    if stated:
        return None if stated.lower() == "unspecified" else stated.lower()
    traffic = name_of(report.get("trafficType"))
    return traffic.lower().removeprefix("on_demand_") if traffic and traffic != "TRAFFIC_TYPE_UNSPECIFIED" else None
