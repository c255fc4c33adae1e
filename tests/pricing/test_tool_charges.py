from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally import Choice, Outcome, StreamRecord, StreamType, Tally, Usage, replay
from streamtally.dialects import SubCall, dialect_named
from streamtally.pricing.tool_charges import billed_usage, sub_calls, usage_with_tools

TOKENS = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}


def record(dialect: str = "openai.responses", raw: Mapping[str, Any] | None = None, **fields: Any) -> StreamRecord:
    """A record with the usage that its dialect reads from a report."""
    reader = dialect_named(dialect)
    usage = None if raw is None else Usage(**reader.usage(raw), raw=dict(raw))
    return StreamRecord(request_id="r1", dialect=dialect, stream_type=reader.stream_type, usage=usage, **fields)


def item(kind: str, **fields: Any) -> dict[str, Any]:
    """An output item."""
    return {"type": kind, "status": "completed", **fields}


def counts(of: StreamRecord) -> dict[str, Any]:
    """The fields that the tool counts change in the usage that the dialect read."""
    usage, before = usage_with_tools(of), of.usage or Usage()
    assert usage is not None
    return {name: value for name, value in usage if value != getattr(before, name)}


# Responses


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([item("web_search_call", action={"type": "search", "query": "q"})] * 2, {"searches": 2}),
        ([item("web_search_call", action={"type": "search"}), item("web_search_call", action={"type": "open_page"}),
          item("web_search_call", action={"type": "find_in_page"})], {"searches": 1}),
        ([item("web_search_call")], {"searches": 1}),
        ([item("file_search_call"), item("file_search_call", status="failed")], {"file_searches": 1}),
        ([item("code_interpreter_call", container_id=name) for name in ("c1", "c1", "c2")], {"code_sessions": 2}),
        ([item("message"), item("function_call", name="web_search_call")], {}),
    ],
)  # fmt: skip
def test_calls_among_output_items(items: list[dict[str, Any]], expected: dict[str, int]) -> None:
    """Searches count but opened pages do not; containers count once; failed calls do not count."""
    assert counts(record(raw={"input_tokens": 1, "output_tokens": 1}, output_items=tuple(items))) == expected


def test_a_search_without_a_usage_report_is_counted() -> None:
    """A cut stream without usage gets a count of its searches; without searches it has no usage."""
    cut = record(output_items=(item("web_search_call", action={"type": "search"}),))
    assert usage_with_tools(cut) == Usage(searches=1)
    assert usage_with_tools(record()) is None


def test_usage_without_tools_is_left_alone() -> None:
    """Usage without tool calls is returned as the same object."""
    plain = record("openai.chat", TOKENS, model="gpt-4o")
    assert usage_with_tools(plain) is plain.usage
    assert billed_usage(plain) is plain.usage
    assert list(sub_calls(plain)) == []
    assert billed_usage(record("cohere.v2")) is None


def test_a_whole_stream_is_counted() -> None:
    """A replayed Responses body with a search has the search in usage and cost."""
    events = [
        {"type": "response.created", "response": {"id": "x", "model": "gpt-5.2", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": {"id": "w", "type": "web_search_call"}},
        {"type": "response.output_item.done", "output_index": 0,
         "item": {"id": "w", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}}},
        {"type": "response.completed", "response": {"id": "x", "model": "gpt-5.2", "status": "completed",
         "usage": {"input_tokens": 1_000_000, "output_tokens": 0, "total_tokens": 1_000_000}}},
    ]  # fmt: skip
    whole = replay(events)
    assert whole.usage is not None
    assert whole.usage.searches == 1
    assert whole.cost.breakdown[-1].unit == "web_searches"
    assert whole.cost.breakdown[-1].usd == Decimal("0.01")


# Chat


@pytest.mark.parametrize("model", ["gpt-4o-search-preview", "gpt-4o-mini-search-preview-2025-03-11", "openai/gpt-5-search-api"])
def test_search_models_search_for_every_answer(model: str) -> None:
    """A search model counts one search per answer; a request without answer and usage counts none."""
    assert counts(record("openai.chat", TOKENS, model=model)) == {"searches": 1}
    assert usage_with_tools(record("openai.chat", model=model)) is None


@pytest.mark.parametrize("model", ["gpt-4o", "my-search-preview", "gpt-4o-research-preview", "gpt-4o-search-previews"])
def test_other_models_do_not(model: str) -> None:
    """A model whose name only contains "search" counts no search."""
    assert counts(record("openai.chat", TOKENS, model=model)) == {}


def test_the_size_of_a_search_context_is_as_reported_else_as_asked_for() -> None:
    """The reported size of the search context wins over the requested one."""
    params = {"web_search_options": {"search_context_size": "high"}}
    assert counts(record("openai.chat", TOKENS, params=params)) == {"search_context": "high"}
    reported = {**TOKENS, "search_context_size": "low"}
    assert counts(record("openai.chat", reported, params=params)) == {"search_context": "low"}


def test_deep_research_states_its_parts_beside_one_another() -> None:
    """Perplexity's citations and searches are counted, and its separate reasoning is added to the output."""
    raw = {**TOKENS, "citation_tokens": 7, "num_search_queries": 4, "reasoning_tokens": 100}
    counted = usage_with_tools(record("openai.chat", raw, model="sonar-deep-research"))
    assert counted is not None
    assert (counted.citation_tokens, counted.searches, counted.output_tokens, counted.reasoning_tokens) == (7, 4, 103, 100)


def test_counts_that_gateways_add() -> None:
    """OpenRouter's searches and the sources of xAI's live search count as searches."""
    assert counts(record("openai.chat", {**TOKENS, "server_tool_use_details": {"web_search_requests": 2}})) == {"searches": 2}
    assert counts(record("openai.chat", {**TOKENS, "num_sources_used": 5})) == {"searches": 5}
    assert counts(record("openai.chat", {**TOKENS, "num_sources_used": 0})) == {}


def test_tools_of_xai() -> None:
    """xAI's own count, which includes searches on X, wins over the count of items."""
    details = {"web_search_calls": 1, "x_search_calls": 2, "file_search_calls": 1, "document_search_calls": 1,
               "code_interpreter_calls": 0}  # fmt: skip
    raw = {"input_tokens": 1, "output_tokens": 1, "server_side_tool_usage_details": details}
    items = (item("web_search_call", action={"type": "search"}),)
    assert counts(record(raw=raw, output_items=items)) == {"searches": 3, "file_searches": 2}


# Others

FOUND: dict[str, Any] = {"type": "web_search_tool_result", "content": [{"type": "web_search_result"}]}
FAILED: dict[str, Any] = {
    "type": "web_search_tool_result", "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("requests", "results", "expected"),
    [(2, [FOUND, FOUND], 2), (2, [FOUND, FAILED], 1), (1, [FOUND, FAILED], 1), (3, [], 3), (1, [FAILED], 0), (0, [], 0)],
)
def test_searches_that_failed_are_not_charged(requests: int, results: list[dict[str, Any]], expected: int) -> None:
    """Failed searches are subtracted whether or not the report counts them; searches without a result block stay counted."""
    raw = {"input_tokens": 1, "output_tokens": 1, "server_tool_use": {"web_search_requests": requests}}
    counted = usage_with_tools(record("anthropic.messages", raw, output_items=tuple(results)))
    assert counted is not None
    assert counted.searches == expected


def test_grounding_with_maps() -> None:
    """A maps query is charged once if it returned a source."""
    raw = {"promptTokenCount": 1, "candidatesTokenCount": 1}
    kinds = [{"maps": {"uri": "u"}}, {"maps": {"uri": "v"}}, {"web": {"uri": "w"}}]
    notes = tuple({"type": "grounding_chunk", **kind} for kind in kinds)
    assert counts(record("gemini", raw, choices=(Choice(annotations=notes, finish_reason=None),))) == {"maps_queries": 1}
    assert counts(record("gemini", raw, choices=(Choice(annotations=notes[2:], finish_reason=None),))) == {}


def test_cohere_charges_for_less_than_it_used() -> None:
    """The record's usage has all tokens; the billed usage has those that Cohere charges."""
    raw = {"tokens": {"input_tokens": 507, "output_tokens": 36}, "billed_units": {"input_tokens": 12, "output_tokens": 36},
           "cached_tokens": 448}  # fmt: skip
    reported = record("cohere.v2", raw)
    usage = usage_with_tools(reported)
    assert usage is not None
    assert (usage.input_tokens, usage.cache_read_tokens) == (507, 448)
    billed = billed_usage(reported)
    assert billed is not None
    assert (billed.input_tokens, billed.output_tokens, billed.cache_read_tokens) == (12, 36, None)


def test_a_dialect_that_is_not_registered_is_charged_by_its_tokens() -> None:
    """A record of another process may name any dialect: nothing is added to its usage, and nothing raises."""
    raw = {"iterations": [{"type": "compaction", "input_tokens": 1}], "billed_units": {"input_tokens": 1, "output_tokens": 1}}
    usage = Usage(input_tokens=5, output_tokens=2, raw=raw)
    other = StreamRecord(request_id="r1", dialect="elsewhere", stream_type=StreamType.CHAT, usage=usage)
    assert (usage_with_tools(other), billed_usage(other), list(sub_calls(other))) == (usage, usage, [])


def test_units_of_reranking() -> None:
    """Cohere's search units are counted in `search_units`."""
    assert counts(record("cohere.v2", {"billed_units": {"search_units": 3}}))["search_units"] == 3


# Calls within the request


def test_an_advisor_and_a_compaction_are_calls_of_their_own() -> None:
    """Each is a call with its model; iterations that the totals include are not counted again."""
    raw = {
        "input_tokens": 20, "output_tokens": 5,
        "iterations": [
            {"type": "compaction", "input_tokens": 100, "output_tokens": 30, "cache_read_input_tokens": 1000},
            {"type": "message", "input_tokens": 20, "output_tokens": 5},
            {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 7, "output_tokens": 8},
        ],
    }  # fmt: skip
    within = list(sub_calls(record("anthropic.messages", raw, model="claude-sonnet-5")))
    assert within == [
        SubCall("claude-sonnet-5", Usage(input_tokens=1100, output_tokens=30, cache_read_tokens=1000)),
        SubCall("claude-opus-4-8", Usage(input_tokens=7, output_tokens=8)),
    ]


def test_a_model_that_declined_is_charged_for_what_it_wrote() -> None:
    """A model that declined without output is not charged; one that wrote something is."""
    raw = {"input_tokens": 4, "output_tokens": 2, "iterations": [
        {"type": "message", "model": "claude-fable-5", "input_tokens": 4, "output_tokens": 0},
        {"type": "message", "model": "claude-fable-5", "input_tokens": 4, "output_tokens": 1},
        {"type": "fallback_message", "model": "claude-opus-4-8", "input_tokens": 4, "output_tokens": 2},
    ]}  # fmt: skip
    (within,) = sub_calls(record("anthropic.messages", raw, model="claude-opus-4-8"))
    assert within == SubCall("claude-fable-5", Usage(input_tokens=4, output_tokens=1))


TOOLS = {"tools": [{"type": "web_search"}, {"type": "image_generation", "model": "gpt-image-1"}]}
CALL = item("image_generation_call", result="iVBO", size="1024x1024", quality="high")


def test_the_image_tool_is_a_call_of_an_image_model() -> None:
    """The image tool is priced by tokens if they are reported, else by images; a call without an image only if completed."""
    by_image = record(extras=TOOLS, output_items=(CALL, item("image_generation_call", status="in_progress")))
    assert list(sub_calls(by_image)) == [SubCall("gpt-image-1", Usage(images=1, image_size="1024x1024", image_quality="high"))]
    report = {"image_gen": {"input_tokens": 50, "output_tokens": 272, "total_tokens": 322}}
    (by_token,) = sub_calls(record(extras={**TOOLS, "tool_usage": report}, output_items=(CALL,)))
    assert (by_token.model, by_token.usage.input_tokens, by_token.usage.output_tokens) == ("gpt-image-1", 50, 272)
    assert [sub_call.model for sub_call in sub_calls(record(output_items=(CALL,)))] == [None]
    not_retained = item("image_generation_call", status="generating")
    assert len(list(sub_calls(record(output_items=(not_retained,), outcome=Outcome.COMPLETED)))) == 1
    assert list(sub_calls(record(output_items=(not_retained,)))) == []


def test_tools_are_counted_without_retained_content() -> None:
    """With `keep="counts"` opened pages are still not searches, and two containers still count as two."""
    items = [
        {"id": "a", **item("web_search_call", action={"type": "search", "query": "secret"})},
        {"id": "b", **item("web_search_call", action={"type": "open_page", "url": "secret"})},
        {"id": "c", **item("code_interpreter_call", container_id="c1", code="secret")},
        {"id": "d", **item("code_interpreter_call", container_id="c2", code="secret")},
    ]
    done = {
        "id": "x",
        "model": "gpt-5.2",
        "status": "completed",
        "output": items,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    with Tally(keep="counts").wrap([{"type": "response.completed", "response": done}]) as stream:
        list(stream)
    assert stream.record.usage is not None
    assert (stream.record.usage.searches, stream.record.usage.code_sessions) == (1, 2)
    assert "secret" not in stream.record.model_dump_json()


# Any input

json = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**12) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    ["server_tool_use", "server_tool_use_details", "server_side_tool_usage_details", "iterations", "billed_units",
     "search_context_size", "num_sources_used", "citation_tokens", "reasoning_tokens", "completion_tokens", "web_search_calls",
     "web_search_requests", "type", "action", "content", "container_id", "model", "status", "input_tokens", "output_tokens"]
)  # fmt: skip
objects = st.dictionaries(names, json | st.dictionaries(names, json, max_size=4), max_size=6)
DIALECTS = ["openai.chat", "openai.responses", "anthropic.messages", "gemini", "cohere.v1", "cohere.v2", "text"]


@given(st.sampled_from(DIALECTS), objects, st.lists(objects, max_size=3), objects)
def test_any_report_is_counted_without_error(
    dialect: str, raw: dict[str, Any], items: list[dict[str, Any]], extras: dict[str, Any]
) -> None:
    """For any report nothing raises, no count is negative, and reported counts stay."""
    usage = Usage(input_tokens=5, output_tokens=2, raw=raw)
    odd = StreamRecord(
        request_id="r", dialect=dialect, stream_type=StreamType.CHAT, usage=usage, output_items=tuple(items), extras=extras,
        model="gpt-4o-search-preview",
    )  # fmt: skip
    counted = usage_with_tools(odd)
    assert counted is not None
    assert (counted.input_tokens, counted.raw) == (usage.input_tokens, usage.raw)
    assert all(count is None or count >= 0 for count in (counted.searches, counted.code_sessions, counted.file_searches))
    assert billed_usage(odd.model_copy(update={"usage": counted})) is not None
    assert all(isinstance(sub_call.usage, Usage) for sub_call in sub_calls(odd))
