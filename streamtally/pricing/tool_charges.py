"""Charges of a request besides its own tokens: searches, containers, calls of other models.

Providers charge their tools per call, but few report the number of calls. Where the usage report lacks a count, it is computed
from the content of the record; counts of tools that the answer does not show stay as reported.

Pure functions of the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ..dialects import dialect_named
from ..json_readers import count_of, mapping_of, mappings_of, name_of
from ..records import Outcome, StreamRecord, Usage

Counts = Iterator[tuple[str, Any]]
"""Pairs of a `Usage` field and its value; None means no count, and the field keeps its reported value."""

_SEARCH_MODELS = re.compile(r"(^|/)gpt-[\w.]+(-mini)?-search-(preview|api)\b")
"""Models of OpenAI's chat API that search the web once per answer without reporting it
(https://developers.openai.com/api/docs/guides/tools-web-search)."""

_GATEWAY_FIELDS = frozenset({"citation_tokens", "server_tool_use_details", "server_side_tool_usage_details", "num_sources_used"})
"""Usage fields about tools that compatible servers add to OpenAI's chat format."""


def usage_with_tools(record: StreamRecord) -> Usage | None:
    """The record's usage with the counts of tool calls added; None if neither usage nor tool calls are known."""
    fields = {name: value for name, value in _tool_counts(record) if value is not None}
    if not fields:
        return record.usage
    return Usage(**fields) if record.usage is None else record.usage.model_copy(update=fields)


def billed_usage(usage: Usage | None) -> Usage | None:
    """The usage that the provider bills, where it bills less than the model processed; else `usage` unchanged.

    Cohere reports both: `tokens` are all tokens processed, Cohere's own instructions included; `billed_units` are those charged
    (https://docs.cohere.com/docs/how-does-cohere-pricing-work).
    """
    if usage is None or "billed_units" not in usage.raw:
        return usage
    billed = mapping_of(usage.raw["billed_units"])
    counts = {name: count_of(billed.get(name)) for name in ("input_tokens", "output_tokens")}
    if None in counts.values():
        return usage
    parts = dict.fromkeys(("total_tokens", "cache_read_tokens", "image_input_tokens", "reasoning_tokens"))
    return usage.model_copy(update={**parts, **counts})


class SubCall(NamedTuple):
    """A model call that the provider made inside the request, with a usage of its own."""

    model: str | None
    usage: Usage


def sub_calls(record: StreamRecord) -> Iterator[SubCall]:
    """The calls inside the request whose usage is not part of the record's usage."""
    usage = record.usage
    if usage is not None and "iterations" in usage.raw:
        yield from _iterations(record, usage)
    if record.dialect == "openai.responses":
        yield from _generated_images(record)


def _tool_counts(record: StreamRecord) -> Counts:
    raw = {} if record.usage is None else record.usage.raw
    if "search_context_size" in raw or "web_search_options" in record.params:
        yield "search_context", _search_context(record, raw)
    yield from _TOOLS.get(record.dialect, _openai_chat)(record, raw)


def _search_context(record: StreamRecord, raw: Mapping[str, Any]) -> str | None:
    """The size of the search context, on which the price of a search depends: as reported, else as requested."""
    if stated := name_of(raw.get("search_context_size")):
        return stated
    return name_of(mapping_of(record.params.get("web_search_options")).get("search_context_size"))


def _openai_chat(record: StreamRecord, raw: Mapping[str, Any]) -> Counts:
    """OpenAI's chat format: counts that compatible servers add to the report, and models that search for every answer."""
    if not _GATEWAY_FIELDS.isdisjoint(raw):
        yield "citation_tokens", count_of(raw.get("citation_tokens"))
        yield "searches", count_of(mapping_of(raw.get("server_tool_use_details")).get("web_search_requests"))
        yield from _separate_reasoning(raw)
        yield from _xai(raw)
    if "-search-" in (record.model or "") and _SEARCH_MODELS.search(record.model or "") and (raw or record.text):
        yield "searches", 1


def _separate_reasoning(raw: Mapping[str, Any]) -> Counts:
    """Perplexity's deep research reports reasoning outside `completion_tokens` and charges for both."""
    reasoning, completion = count_of(raw.get("reasoning_tokens")), count_of(raw.get("completion_tokens"))
    if reasoning and completion is not None and "citation_tokens" in raw:
        yield "output_tokens", completion + reasoning


def _xai(raw: Mapping[str, Any]) -> Counts:
    """xAI's server-side tools (https://docs.x.ai/docs/guides/tools/overview), and the sources of its earlier live search."""
    tools = mapping_of(raw.get("server_side_tool_usage_details"))
    searched = [count_of(tools.get(f"{name}_calls")) or 0 for name in ("web_search", "x_search")]
    filed = [count_of(tools.get(f"{name}_calls")) or 0 for name in ("file_search", "document_search")]
    yield "searches", sum(searched) or count_of(raw.get("num_sources_used")) or None
    yield "file_searches", sum(filed) or None
    yield "code_sessions", count_of(tools.get("code_interpreter_calls")) or None


def _responses(record: StreamRecord, raw: Mapping[str, Any]) -> Counts:
    """Tool calls among the output items. Opening a page and finding text in it are not searches; failed calls are free."""
    calls = [item for item in record.output_items if item.get("status") != "failed"]
    kinds = [item.get("type") for item in calls]
    searches = [item for item in calls if item.get("type") == "web_search_call"]
    yield "searches", sum(mapping_of(item.get("action")).get("type", "search") == "search" for item in searches) or None
    yield "file_searches", kinds.count("file_search_call") or None
    containers = {str(item.get("container_id")) for item in calls if item.get("type") == "code_interpreter_call"}
    yield "code_sessions", len(containers) or None
    if "server_side_tool_usage_details" in raw:
        yield from _xai(raw)


def _anthropic(record: StreamRecord, raw: Mapping[str, Any]) -> Counts:
    """Failed searches are not charged (https://docs.claude.com/en/docs/agents-and-tools/tool-use/web-search-tool).

    Whether the report includes them is not documented; those that the answer shows are subtracted.
    """
    requests = count_of(mapping_of(raw.get("server_tool_use")).get("web_search_requests"))
    if requests:
        results = [item.get("content") for item in record.output_items if item.get("type") == "web_search_tool_result"]
        failed = sum(isinstance(content, Mapping) for content in results)
        yield "searches", max(requests - failed, min(requests, len(results) - failed))


def _gemini(record: StreamRecord, _: Mapping[str, Any]) -> Counts:
    """Grounding with Google Maps, charged once if it returned a source. Searches are in the report; reading a URL is free."""
    sources = [note for choice in record.choices for note in choice.annotations if note.get("type") == "grounding_chunk"]
    yield "maps_queries", 1 if any("maps" in note for note in sources) else None


def _cohere(_: StreamRecord, raw: Mapping[str, Any]) -> Counts:
    """Cohere's billed units of search and reranking."""
    yield "search_units", count_of(mapping_of(raw.get("billed_units")).get("search_units"))


_TOOLS: Mapping[str, Callable[[StreamRecord, Mapping[str, Any]], Counts]] = {
    "openai.responses": _responses,
    "anthropic.messages": _anthropic,
    "gemini": _gemini,
    "cohere.v1": _cohere,
    "cohere.v2": _cohere,
}


def _iterations(record: StreamRecord, usage: Usage) -> Iterator[SubCall]:
    """Anthropic: the totals exclude compactions, advisor calls, and models that declined before another model answered.

    https://docs.claude.com/en/build-with-claude/compaction, https://docs.claude.com/en/agents-and-tools/tool-use/advisor-tool.
    A model that declined without any output is not charged.
    """
    read = dialect_named(record.dialect).usage
    for call in mappings_of(usage.raw["iterations"]):
        model = name_of(call.get("model")) or record.model
        declined = call.get("type") == "message" and model != record.model and count_of(call.get("output_tokens"))
        if call.get("type") in ("compaction", "advisor_message") or declined:
            yield SubCall(model, Usage(**read(call)))


def _generated_images(record: StreamRecord) -> Iterator[SubCall]:
    """Responses: the image generation tool calls an image model, whose tokens are reported apart from the answer's."""
    calls = (item for item in record.output_items if item.get("type") == "image_generation_call")
    ended = record.outcome is Outcome.COMPLETED
    made = [item for item in calls if item.get("status") != "failed" and (ended or _has_image(item))]
    if not made:
        return
    tool = next((tool for tool in mappings_of(record.extras.get("tools")) if tool.get("type") == "image_generation"), {})
    report = mapping_of(mapping_of(record.extras.get("tool_usage")).get("image_gen"))
    model = name_of(tool.get("model"))
    if count_of(report.get("total_tokens")):
        yield SubCall(model, Usage(**dialect_named("openai.images").usage(report)))
        return
    for item in made:
        yield SubCall(model, Usage(images=1, image_size=name_of(item.get("size")), image_quality=name_of(item.get("quality"))))


def _has_image(item: Mapping[str, Any]) -> bool:
    """Whether an image call delivered its image; some finished calls keep the status "generating"."""
    return bool(item.get("result")) or item.get("status") == "completed"
