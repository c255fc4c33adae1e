"""What a record used that costs money beside its tokens: searches, containers, calls of other models.

A provider's tools are charged by the call, and few providers put a count of the calls into their usage report. So they are
counted here, in what the record holds of the answer. A kind of tool that was not used is left as the report has it.

Pure: a function of the record and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ..dialects import dialect_named
from ..json_readers import count_of, mapping_of, mappings_of, name_of
from ..records import Outcome, StreamRecord, Usage

Counted = Iterator[tuple[str, Any]]
"""Fields of a `Usage` with what was counted for them; None where there was nothing to count."""

_ALWAYS_SEARCHES = re.compile(r"(^|/)gpt-[\w.]+(-mini)?-search-(preview|api)\b")
"""Models of OpenAI's chat API that search the web for every answer, and report none of it
(https://developers.openai.com/api/docs/guides/tools-web-search)."""


_ADDED = frozenset({"citation_tokens", "server_tool_use_details", "server_side_tool_usage_details", "num_sources_used"})
"""What servers add to a report of OpenAI's chat about tools."""


def used(record: StreamRecord) -> Usage | None:
    """The record's usage, with the tools that it used: None where neither is known."""
    fields = {name: value for name, value in _counted(record) if value is not None}
    if not fields:
        return record.usage
    return Usage(**fields) if record.usage is None else record.usage.model_copy(update=fields)


def charged(usage: Usage | None) -> Usage | None:
    """The usage as it is charged, where a provider charges for less than it used.

    Cohere states both: `tokens` are what the model read and wrote, with Cohere's own instructions; `billed_units` are paid for
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


class Aside(NamedTuple):
    """What another model, or the same in another call, used while the provider made the answer."""

    model: str | None
    usage: Usage


def asides(record: StreamRecord) -> Iterator[Aside]:
    """The calls within the request that its usage does not include."""
    usage = record.usage
    if usage is not None and "iterations" in usage.raw:
        yield from _iterations(record, usage)
    if record.dialect == "openai.responses":
        yield from _generated_images(record)


def _counted(record: StreamRecord) -> Counted:
    raw = {} if record.usage is None else record.usage.raw
    if "search_context_size" in raw or "web_search_options" in record.params:
        yield "search_context", _search_context(record, raw)
    yield from _TOOLS.get(record.dialect, _reported)(record, raw)


def _search_context(record: StreamRecord, raw: Mapping[str, Any]) -> str | None:
    """How much of the web a search may bring, which decides its price: as reported, else as asked for."""
    if stated := name_of(raw.get("search_context_size")):
        return stated
    return name_of(mapping_of(record.params.get("web_search_options")).get("search_context_size"))


def _reported(record: StreamRecord, raw: Mapping[str, Any]) -> Counted:
    """Chat in OpenAI's format: counts that other servers add to the report, and models that search every time."""
    if not _ADDED.isdisjoint(raw):
        yield "citation_tokens", count_of(raw.get("citation_tokens"))
        yield "searches", count_of(mapping_of(raw.get("server_tool_use_details")).get("web_search_requests"))
        yield from _reasoning_apart(raw)
        yield from _xai(raw)
    if "-search-" in (record.model or "") and _ALWAYS_SEARCHES.search(record.model or "") and (raw or record.text):
        yield "searches", 1


def _reasoning_apart(raw: Mapping[str, Any]) -> Counted:
    """Perplexity's deep research states reasoning beside the completion, and charges for both."""
    reasoning, completion = count_of(raw.get("reasoning_tokens")), count_of(raw.get("completion_tokens"))
    if reasoning and completion is not None and "citation_tokens" in raw:
        yield "output_tokens", completion + reasoning


def _xai(raw: Mapping[str, Any]) -> Counted:
    """The tools of xAI's servers (https://docs.x.ai/docs/guides/tools/overview), and the sources of its earlier live search."""
    tools = mapping_of(raw.get("server_side_tool_usage_details"))
    searched = [count_of(tools.get(f"{name}_calls")) or 0 for name in ("web_search", "x_search")]
    filed = [count_of(tools.get(f"{name}_calls")) or 0 for name in ("file_search", "document_search")]
    yield "searches", sum(searched) or count_of(raw.get("num_sources_used")) or None
    yield "file_searches", sum(filed) or None
    yield "code_sessions", count_of(tools.get("code_interpreter_calls")) or None


def _responses(record: StreamRecord, raw: Mapping[str, Any]) -> Counted:
    """The calls among the output items. Opening a page and finding something in it are no searches; failures are free."""
    calls = [item for item in record.output_items if item.get("status") != "failed"]
    kinds = [item.get("type") for item in calls]
    searches = [item for item in calls if item.get("type") == "web_search_call"]
    yield "searches", sum(mapping_of(item.get("action")).get("type", "search") == "search" for item in searches) or None
    yield "file_searches", kinds.count("file_search_call") or None
    containers = {str(item.get("container_id")) for item in calls if item.get("type") == "code_interpreter_call"}
    yield "code_sessions", len(containers) or None
    if "server_side_tool_usage_details" in raw:
        yield from _xai(raw)


def _anthropic(record: StreamRecord, raw: Mapping[str, Any]) -> Counted:
    """Searches that failed are not charged (https://docs.claude.com/en/docs/agents-and-tools/tool-use/web-search-tool).

    Whether the report counts them is not documented; where the answer shows them, they are taken out of it.
    """
    requests = count_of(mapping_of(raw.get("server_tool_use")).get("web_search_requests"))
    if requests:
        results = [item.get("content") for item in record.output_items if item.get("type") == "web_search_tool_result"]
        failed = sum(isinstance(content, Mapping) for content in results)
        yield "searches", max(requests - failed, min(requests, len(results) - failed))


def _gemini(record: StreamRecord, _: Mapping[str, Any]) -> Counted:
    """Grounding with Google Maps, charged where it brought anything. Searches the report counts; reading a URL is no search."""
    sources = [note for choice in record.choices for note in choice.annotations if note.get("type") == "grounding_chunk"]
    yield "maps_queries", 1 if any("maps" in note for note in sources) else None


def _cohere(_: StreamRecord, raw: Mapping[str, Any]) -> Counted:
    """Units of search and reranking."""
    yield "search_units", count_of(mapping_of(raw.get("billed_units")).get("search_units"))


_TOOLS: Mapping[str, Callable[[StreamRecord, Mapping[str, Any]], Counted]] = {
    "openai.responses": _responses,
    "anthropic.messages": _anthropic,
    "gemini": _gemini,
    "cohere.v1": _cohere,
    "cohere.v2": _cohere,
}


def _iterations(record: StreamRecord, usage: Usage) -> Iterator[Aside]:
    """Anthropic: a compaction, an advisor, and a model that fell silent before another answered stand beside the totals.

    https://docs.claude.com/en/build-with-claude/compaction, https://docs.claude.com/en/agents-and-tools/tool-use/advisor-tool.
    A model that declined before it wrote anything is not charged.
    """
    read = dialect_named(record.dialect).usage
    for call in mappings_of(usage.raw["iterations"]):
        model = name_of(call.get("model")) or record.model
        declined = call.get("type") == "message" and model != record.model and count_of(call.get("output_tokens"))
        if call.get("type") in ("compaction", "advisor_message") or declined:
            yield Aside(model, Usage(**read(call)))


def _generated_images(record: StreamRecord) -> Iterator[Aside]:
    """Responses: a tool that makes images is an image model, whose tokens are reported beside the answer's."""
    calls = (item for item in record.output_items if item.get("type") == "image_generation_call")
    ended = record.outcome is Outcome.COMPLETED
    made = [item for item in calls if item.get("status") != "failed" and (ended or _is_there(item))]
    if not made:
        return
    tool = next((tool for tool in mappings_of(record.extras.get("tools")) if tool.get("type") == "image_generation"), {})
    report = mapping_of(mapping_of(record.extras.get("tool_usage")).get("image_gen"))
    model = name_of(tool.get("model"))
    if count_of(report.get("total_tokens")):
        yield Aside(model, Usage(**dialect_named("openai.images").usage(report)))
        return
    for item in made:
        yield Aside(model, Usage(images=1, image_size=name_of(item.get("size")), image_quality=name_of(item.get("quality"))))


def _is_there(item: Mapping[str, Any]) -> bool:
    """Whether a call has brought its image; some keep the status "generating"."""
    return bool(item.get("result")) or item.get("status") == "completed"
