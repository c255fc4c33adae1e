"""Where and how often OpenAI and compatible servers report usage, and how a report is read."""

from decimal import Decimal
from typing import Any

import pytest

from streamtally import Usage, replay
from tests.dialects.wire import Payload, chat, choice, read, stops, texts

FINAL = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
TOTALS = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}


def _report(prompt: int, completion: int, **fields: Any) -> Payload:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **fields}


PLACES: dict[str, list[Payload]] = {
    "on a frame of its own": [*texts("a", "b"), stops(), chat(usage=FINAL)],
    "null on every chunk before": [*texts("a", "b", usage=None), stops(usage=None), chat(usage=FINAL)],
    "before the finish": [*texts("a", "b"), chat(usage=FINAL), stops()],
    "before everything": [chat(usage=FINAL), *texts("a", "b"), stops()],
    "with the finish": [*texts("a", "b"), stops(usage=FINAL)],
    "with the last words": [*texts("a"), chat(choice(content="b"), usage=FINAL), stops()],
    "with an empty choice": [*texts("a", "b"), stops(), chat(choice(content=""), usage=FINAL)],
    "then null": [*texts("a", "b"), stops(usage=FINAL), chat(usage=None)],
    "then an empty object": [*texts("a", "b"), stops(usage=FINAL), chat(usage={})],
    "then a trailer of zeros": [*texts("a", "b"), stops(usage=FINAL), chat(usage=_report(0, 0))],
    "repeated": [*texts("a", "b"), stops(usage=FINAL), chat(usage=FINAL), chat(usage=FINAL)],
    "cumulative": [chat(choice(content=word), usage=_report(9, n)) for n, word in enumerate("abcd", 1)] + [stops()],
    "cumulative with gaps": [
        chat(choice(content="a"), usage=_report(9, 0)),
        chat(choice(content="b"), usage=None),
        chat(choice(content="c"), usage=_report(9, 3)),
        stops(usage=None),
        chat(usage=FINAL),
    ],
    "under x_groq": [*texts("a", "b"), stops(x_groq={"id": "req", "usage": FINAL})],
    "under x_groq and beside it": [*texts("a", "b"), stops(x_groq={"id": "req", "usage": FINAL}), chat(usage=FINAL)],
    "in the choice": [*texts("a", "b"), chat(choice(0, "stop", beside={"usage": FINAL}))],
    "input and output by the other names": [
        *texts("a", "b"),
        stops(usage={"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}),
    ],
    "as floats": [*texts("a", "b"), stops(usage={"prompt_tokens": 9.0, "completion_tokens": 4.0, "total_tokens": 13.0})],
}


@pytest.mark.parametrize("place", PLACES)
def test_place(place: str) -> None:
    """For a report at any place, and repeated, the totals are those of the last one that is not empty."""
    record = read(PLACES[place])
    assert record.usage is not None
    assert record.usage.model_dump(exclude_defaults=True, exclude={"raw"}) == TOTALS
    assert record.outcome == "completed"


def test_no_report_is_no_usage() -> None:
    """Usage that is not reported is None, never zero."""
    assert read([*texts("a", usage=None), stops(usage={})]).usage is None


def test_a_report_of_zeros() -> None:
    """An explicit zero is a zero, but beside generated text it is a placeholder."""
    zeros = Usage(input_tokens=0, output_tokens=0, total_tokens=0, raw=_report(0, 0))
    assert read([stops(usage=_report(0, 0))]).usage == zeros
    assert read([*texts("a"), stops(usage=_report(0, 0))]).usage is None
    half = read([*texts("a"), stops(usage=_report(7, 0))]).usage
    assert half is not None
    assert (half.input_tokens, half.output_tokens, half.total_tokens) == (7, None, None)


def test_details_survive_a_poorer_report() -> None:
    """A later report without details, or with null, does not remove earlier ones."""
    details = {"prompt_tokens_details": {"cached_tokens": 6}, "completion_tokens_details": {"reasoning_tokens": 2}}
    later = {**FINAL, "prompt_tokens_details": None, "completion_tokens_details": {"reasoning_tokens": None}}
    record = read([*texts("a"), stops(usage=_report(9, 2, **details)), chat(usage=later)])
    assert record.usage is not None
    assert record.usage.model_dump(exclude_defaults=True) == {
        **TOTALS,
        "cache_read_tokens": 6,
        "reasoning_tokens": 2,
        "raw": {**FINAL, **details},
    }


def test_an_interrupted_stream_has_partial_usage() -> None:
    """Counts that were reported before the stream ended early are lower bounds."""
    usage = read([chat(choice(content="a"), usage=_report(9, 1))]).usage
    assert usage is not None
    assert (usage.output_tokens, usage.partial) == (1, True)


MEANINGS: dict[str, tuple[Payload, dict[str, Any]]] = {
    "all details": (
        {
            **FINAL,
            "prompt_tokens_details": {
                "cached_tokens": 6,
                "audio_tokens": 1,
                "cache_write_tokens": 2,
                "text_tokens": 8,
                "image_tokens": 0,
            },
            "completion_tokens_details": {
                "reasoning_tokens": 2,
                "audio_tokens": 3,
                "text_tokens": 1,
                "accepted_prediction_tokens": 1,
                "rejected_prediction_tokens": 0,
            },
        },
        {
            **TOTALS,
            "cache_read_tokens": 6,
            "cache_write_tokens": 2,
            "reasoning_tokens": 2,
            "text_input_tokens": 8,
            "text_output_tokens": 1,
            "audio_input_tokens": 1,
            "audio_output_tokens": 3,
            "image_input_tokens": 0,
            "accepted_prediction_tokens": 1,
            "rejected_prediction_tokens": 0,
        },
    ),
    "DeepSeek's cache": (
        {**FINAL, "prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 3},
        {**TOTALS, "cache_read_tokens": 6},
    ),
    "Moonshot's cache": ({**FINAL, "cached_tokens": 6}, {**TOTALS, "cache_read_tokens": 6}),
    "reasoning within the output": (
        {**FINAL, "completion_tokens_details": {"reasoning_tokens": 3}},
        {**TOTALS, "reasoning_tokens": 3},
    ),
    "reasoning beside the output (xAI)": (
        {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 113, "completion_tokens_details": {"reasoning_tokens": 100}},
        {"input_tokens": 9, "output_tokens": 104, "total_tokens": 113, "reasoning_tokens": 100},
    ),
    "a total that fits neither": (
        {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 100}},
        {"input_tokens": 9, "output_tokens": 4, "total_tokens": 50, "reasoning_tokens": 100},
    ),
    "no total": ({"prompt_tokens": 9, "completion_tokens": 4}, {"input_tokens": 9, "output_tokens": 4}),
    "a cost (OpenRouter)": ({**FINAL, "cost": 7.159e-05, "is_byok": False}, {**TOTALS, "cost_usd": Decimal("0.00007159")}),
    "a cost of nothing": ({**FINAL, "cost": 0}, {**TOTALS, "cost_usd": Decimal(0), "cost_stated_by": "gateway"}),
    "a cost with a key of one's own (OpenRouter)": (
        {**FINAL, "cost": 0.05, "is_byok": True, "cost_details": {"upstream_inference_cost": 1.01}},
        {**TOTALS, "cost_usd": Decimal("1.06")},
    ),
    "a cost in ticks (xAI)": ({**FINAL, "cost_in_usd_ticks": 37_756_000}, {**TOTALS, "cost_usd": Decimal("0.0037756")}),
    "a cost in parts (Perplexity)": (
        {**FINAL, "num_search_queries": 2, "cost": {"input_tokens_cost": 0.001, "request_cost": 0.005, "total_cost": 0.006}},
        {**TOTALS, "searches": 2, "cost_usd": Decimal("0.006")},
    ),
    "a cost that is none": ({**FINAL, "cost": None, "cost_in_usd_ticks": "?"}, TOTALS),
    "a cost below nothing": ({**FINAL, "cost": -1}, TOTALS),
    "counts that are none": ({"prompt_tokens": 9, "completion_tokens": "four", "total_tokens": -1}, {"input_tokens": 9}),
}


@pytest.mark.parametrize("meaning", MEANINGS)
def test_meaning(meaning: str) -> None:
    """Totals include their parts, parts go by one name, and a stated cost is exact."""
    report, expected = MEANINGS[meaning]
    record = read([*texts("a"), stops(), chat(usage=report)])
    assert record.usage is not None
    assert record.usage.model_dump(exclude_unset=True, exclude={"raw", "partial"}) == expected


def test_a_stated_cost_counts_where_no_price_is_known() -> None:
    """The amount that is stated is the cost of a model that the catalog lacks, and it is marked who stated it."""
    chunks = [*texts("a"), stops(), chat(usage={**FINAL, "cost": 0.25})]
    for params, source in (({}, "gateway"), ({"provider": "openrouter"}, "provider"), ({"provider": "vercel"}, "provider")):
        cost = replay(chunks, params=params).cost
        assert (cost.usd, cost.status, cost.source) == (Decimal("0.25"), "priced", source)


def test_an_estimate_of_a_gateway_stands_below_a_computed_cost() -> None:
    """Both are kept; a provider that bills what it states wins."""
    chunks = [*texts("a", model="gpt-4o"), stops(model="gpt-4o"), chat(usage={**FINAL, "cost": 0.25}, model="gpt-4o")]
    cost = replay(chunks).cost
    assert (cost.source, cost.gateway_usd, cost.provider_usd) == ("computed", Decimal("0.25"), None)
    assert cost.usd == cost.computed_usd != cost.gateway_usd
    billed = replay(chunks, params={"provider": "openrouter"}).cost
    assert (billed.source, billed.usd, billed.gateway_usd) == ("provider", Decimal("0.25"), None)
