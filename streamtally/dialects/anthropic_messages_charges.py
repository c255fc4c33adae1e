"""What Anthropic charges besides the tokens of an answer: web searches, and model calls inside the request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..json_readers import count_of, mapping_of, mappings_of, name_of
from ..json_values import Json
from ..records import StreamRecord, Usage
from .charges import ChargeRules, Counts, Served, SubCall, raw_usage

_NO_GEOGRAPHY = "not_available"
"""The `inference_geo` of models that do not offer a choice of geography."""


def tool_counts(record: StreamRecord) -> Counts:
    """Failed searches are not charged (https://docs.claude.com/en/docs/agents-and-tools/tool-use/web-search-tool).

    Whether the report includes them is not documented; those that the answer shows are subtracted.
    """
    requests = count_of(mapping_of(raw_usage(record).get("server_tool_use")).get("web_search_requests"))
    if requests:
        results = [item.get("content") for item in record.output_items if item.get("type") == "web_search_tool_result"]
        failed = sum(isinstance(content, Mapping) for content in results)
        yield "searches", max(requests - failed, min(requests, len(results) - failed))


def served(report: Mapping[str, Json]) -> Served:
    """The geography that served the request, and the fast mode, which has prices of its own, as the tier "fast"."""
    place = name_of(report.get("inference_geo"))
    return Served("fast" if report.get("speed") == "fast" else None, "" if place == _NO_GEOGRAPHY else place)


def charge_rules(usage_fields: Callable[[Mapping[str, Json]], dict[str, Any]]) -> ChargeRules:
    """The rules of a dialect that carries Anthropic's usage report, which `usage_fields` reads."""

    def sub_calls(record: StreamRecord) -> Iterator[SubCall]:
        """The totals exclude compactions, advisor calls, and models that declined before another model answered.

        https://docs.claude.com/en/build-with-claude/compaction,
        https://docs.claude.com/en/agents-and-tools/tool-use/advisor-tool.
        A model that declined without any output is not charged.
        """
        for call in mappings_of(raw_usage(record).get("iterations")):
            model = name_of(call.get("model")) or record.model
            declined = call.get("type") == "message" and model != record.model and count_of(call.get("output_tokens"))
            if call.get("type") in ("compaction", "advisor_message") or declined:
                yield SubCall(model, Usage(**usage_fields(call)))

    return ChargeRules(tool_counts, sub_calls=sub_calls, served=served)
