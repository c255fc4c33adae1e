"""Reads the usage of an interaction: the fields of a `Usage`, and what is charged besides tokens.

Source: https://ai.google.dev/api/interactions-api#Resource:Interaction
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..json_readers import count_at, count_of, is_list, mapping_of, mappings_of, name_of, sum_at
from ..json_values import Json
from ..records import StreamRecord
from .charges import ChargeRules, Counts, raw_usage

_INPUT = ("input_tokens_by_modality", "tool_use_tokens_by_modality")
_OUTPUT = ("output_tokens_by_modality",)
_CACHED = ("cached_tokens_by_modality",)

_MODALITIES: Mapping[str, tuple[tuple[str, ...], str]] = {
    **{f"{modality}_input_tokens": (_INPUT, modality) for modality in ("text", "audio", "image", "video")},
    **{f"{modality}_output_tokens": (_OUTPUT, modality) for modality in ("text", "audio", "image", "video")},
    **{f"cache_read_{modality}_tokens": (_CACHED, modality) for modality in ("audio", "image", "video")},
}
"""Fields of a `Usage`: the lists of the report that have the count, and the modality there."""


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """A report as fields of a `Usage`.

    The report's input excludes what tools put into the prompt, and includes what was cached; its output excludes thoughts.
    """
    thoughts = count_at(report, "total_thought_tokens", "total_reasoning_tokens")  # the second in the first beta
    output = count_of(report.get("total_output_tokens"))
    fields: dict[str, Any] = {
        "input_tokens": sum_at(report, "total_input_tokens", "total_tool_use_tokens"),
        "output_tokens": thoughts if output is None else output + (thoughts or 0),
        "total_tokens": count_of(report.get("total_tokens")),
        "cache_read_tokens": count_of(report.get("total_cached_tokens")),
        "reasoning_tokens": thoughts,
        "searches": _counted(mappings_of(report.get("grounding_tool_count")), "type", "google_search", "count"),
        "maps_queries": _counted(mappings_of(report.get("grounding_tool_count")), "type", "google_maps", "count"),
        **{name: _of_modality(report, *where) for name, where in _MODALITIES.items()},
    }
    return {name: value for name, value in fields.items() if value is not None}


def _of_modality(report: Mapping[str, Json], lists: tuple[str, ...], modality: str) -> int | None:
    entries = (entry for name in lists for entry in mappings_of(report.get(name)))
    return _counted(entries, "modality", modality, "tokens")


def _counted(entries: Iterable[Mapping[str, Json]], key: str, word: str, count: str) -> int | None:
    """The sum of the counts of entries with this word; None if there is none."""
    counts = [count_of(entry.get(count)) or 0 for entry in entries if (name_of(entry.get(key)) or "").lower() == word]
    return sum(counts) if counts else None


def _tool_counts(record: StreamRecord) -> Counts:
    """The searches that the steps show, where the report does not count them."""
    if not is_list(raw_usage(record).get("grounding_tool_count")):
        calls = [step for step in record.output_items if step.get("type") == "google_search_call"]
        yield "searches", sum(map(_queries, calls)) or None


def _queries(call: Mapping[str, Json]) -> int:
    queries = mapping_of(call.get("arguments")).get("queries")
    return len(queries) if isinstance(queries, list | tuple) else 1


CHARGES = ChargeRules(_tool_counts, picture_tools=frozenset({"code_execution_call", "code_execution_result"}))
