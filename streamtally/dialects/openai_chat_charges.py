"""What servers of OpenAI's chat format charge besides tokens: tools that they add to the usage report, or do not report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..json_readers import count_of, mapping_of
from ..records import StreamRecord
from .anthropic_messages_charges import served
from .charges import ChargeRules, Counts, raw_usage

_SEARCH_MODELS = re.compile(r"(^|/)gpt-[\w.]+(-mini)?-search-(preview|api)\b")
"""Models of OpenAI's chat API that search the web once per answer without reporting it
(https://developers.openai.com/api/docs/guides/tools-web-search)."""

_GATEWAY_FIELDS = frozenset({"citation_tokens", "server_tool_use_details", "server_side_tool_usage_details", "num_sources_used"})
"""Usage fields about tools that compatible servers add to OpenAI's chat format."""


def tool_counts(record: StreamRecord) -> Counts:
    """Counts that compatible servers add to the report, and one search for a model that searches for every answer."""
    raw = raw_usage(record)
    if not _GATEWAY_FIELDS.isdisjoint(raw):
        yield "citation_tokens", count_of(raw.get("citation_tokens"))
        yield "searches", count_of(mapping_of(raw.get("server_tool_use_details")).get("web_search_requests"))
        yield from _separate_reasoning(raw)
        yield from xai_tools(raw)
    if "-search-" in (record.model or "") and _SEARCH_MODELS.search(record.model or "") and (raw or record.text):
        yield "searches", 1


def _separate_reasoning(raw: Mapping[str, Any]) -> Counts:
    """Perplexity's deep research reports reasoning outside `completion_tokens` and charges for both."""
    reasoning, completion = count_of(raw.get("reasoning_tokens")), count_of(raw.get("completion_tokens"))
    if reasoning and completion is not None and "citation_tokens" in raw:
        yield "output_tokens", completion + reasoning


def xai_tools(raw: Mapping[str, Any]) -> Counts:
    """xAI's server-side tools (https://docs.x.ai/docs/guides/tools/overview), and the sources of its earlier live search."""
    tools = mapping_of(raw.get("server_side_tool_usage_details"))
    searched = [count_of(tools.get(f"{name}_calls")) or 0 for name in ("web_search", "x_search")]
    filed = [count_of(tools.get(f"{name}_calls")) or 0 for name in ("file_search", "document_search")]
    yield "searches", sum(searched) or count_of(raw.get("num_sources_used")) or None
    yield "file_searches", sum(filed) or None
    yield "code_sessions", count_of(tools.get("code_interpreter_calls")) or None


CHARGES = ChargeRules(tool_counts, served=served)
"""Gateways that translate Anthropic's answers into this format keep Anthropic's fields for tier and region in the report."""
