"""How reports that compatible servers and gateways send are read: names of one count, parts and wholes, and who states them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally import replay
from streamtally.dialects.openai_usage import usage_fields
from tests.dialects.wire import Payload, chat, read, stops, texts

READ_BESIDE = (
    "cached_tokens",
    "cache_read_input_tokens",
    "cache_read_tokens",
    "prompt_cache_hit_tokens",
    "precached_prompt_tokens",
)
DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details", "prompt_token_details")


def report(prompt: int = 900, completion: int = 40, /, **fields: Any) -> Payload:
    """A report whose total is that of prompt and completion."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **fields}


def counts(usage: Payload) -> tuple[Any, ...]:
    """Input, output, cache reads and cache writes."""
    fields = usage_fields(usage)
    return tuple(fields.get(name) for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"))


@pytest.mark.parametrize("nothing", [0, None])
@pytest.mark.parametrize("name", READ_BESIDE)
@pytest.mark.parametrize("details", DETAILS)
def test_the_name_that_says_something_wins(name: str, details: str, nothing: int | None) -> None:
    """A count that stands beside the details, and one inside them, are the same count: 0 and null say nothing beside a number."""
    for inside, beside in ((nothing, 700), (700, nothing), (700, 700)):
        assert counts({**report(), details: {"cached_tokens": inside}, name: beside}) == (900, 40, 700, None)


@given(st.permutations(DETAILS), st.integers(1, 900), st.lists(st.sampled_from([0, None]), min_size=3, max_size=3))
def test_details_under_several_names(names: list[str], read: int, others: list[int | None]) -> None:
    """Wherever the one count stands that says something, it is found, and it is not added to another."""
    fields = {name: {"cached_tokens": count} for name, count in zip(names, [read, *others], strict=True)}
    assert counts({**report(), **fields}) == (900, 40, read, None)


WRITTEN: dict[str, Payload] = {
    "in the details": {"prompt_tokens_details": {"cache_write_tokens": 500}},
    "by another name": {"prompt_tokens_details": {"cache_creation_tokens": 500}},
    "by both names": {"prompt_tokens_details": {"cache_write_tokens": 500, "cache_creation_tokens": 500}},
    "beside 0 in the details": {"prompt_tokens_details": {"cache_creation_tokens": 0}, "cache_creation_input_tokens": 500},
    "beside null in the details": {"prompt_tokens_details": {"cache_write_tokens": None}, "cache_creation_input_tokens": 500},
    "by lifetime": {
        "prompt_tokens_details": {
            "cache_creation_tokens": 0,
            "cache_creation_token_details": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 300},
        }
    },
    "in all ways": {
        "prompt_tokens_details": {
            "cache_write_tokens": 500,
            "cache_creation_tokens": 500,
            "cache_creation_token_details": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 0},
        },
        "cache_creation_input_tokens": 500,
    },
    "OpenAI's lifetimes": {
        "input_tokens_details": {"cache_write_tokens_details": {"ttl_30m_tokens": 100, "ttl_12h_tokens": 400}},
    },
}


@pytest.mark.parametrize("way", WRITTEN)
def test_tokens_written_to_a_cache(way: str) -> None:
    """They are one count, part of the prompt, whatever its name, and however many names it has."""
    assert counts(report(**WRITTEN[way])) == (900, 40, None, 500)


def test_lifetimes_of_what_was_written() -> None:
    """The longer lifetimes have counts of their own."""
    of_litellm = usage_fields(report(**WRITTEN["by lifetime"]))
    assert (of_litellm["cache_write_1h_tokens"], of_litellm.get("cache_write_12h_tokens")) == (300, None)
    of_openai = usage_fields(report(**WRITTEN["OpenAI's lifetimes"]))
    assert (of_openai["cache_write_12h_tokens"], of_openai.get("cache_write_1h_tokens")) == (400, None)


BESIDE: dict[str, tuple[Payload, tuple[Any, ...]]] = {
    "cached tokens that exceed the prompt": (report(20, cached_tokens=300), (320, 40, 300, None)),
    "the same in the details": (
        report(20, prompt_tokens_details={"text_tokens": 20, "cached_tokens": 300}),
        (320, 40, 300, None),
    ),
    "read and written, of which one exceeds it": (
        report(20, cache_read_input_tokens=300, cache_creation_input_tokens=10),
        (330, 40, 300, 10),
    ),
    "cached tokens that the total counts": ({**report(500, cached_tokens=300), "total_tokens": 840}, (800, 40, 300, None)),
    "what GigaChat's total leaves out": ({**report(500, precached_prompt_tokens=300), "total_tokens": 240}, (500, 40, 300, None)),
    "cached tokens within": (report(500, cached_tokens=300), (500, 40, 300, None)),
    "all of the prompt": (report(500, cached_tokens=500), (500, 40, 500, None)),
    "a prompt of hits and misses alone": (
        {"completion_tokens": 40, "prompt_cache_hit_tokens": 300, "prompt_cache_miss_tokens": 20},
        (320, 40, 300, None),
    ),
    "a prompt that says nothing": (
        {**report(0), "prompt_cache_hit_tokens": 300, "prompt_cache_miss_tokens": 20},
        (320, 40, 300, None),
    ),
}


@pytest.mark.parametrize("case", BESIDE)
def test_a_part_does_not_exceed_its_whole(case: str) -> None:
    """What is larger than the prompt stands beside it, and so does what the total counts beside it."""
    usage, expected = BESIDE[case]
    assert counts(usage) == expected


@given(
    prompt=st.integers(0, 5000),
    completion=st.integers(0, 5000),
    read=st.integers(0, 5000),
    written=st.integers(0, 5000),
    total=st.none() | st.integers(0, 20000),
)
def test_the_input_includes_what_was_cached(prompt: int, completion: int, read: int, written: int, total: int | None) -> None:
    """Whatever is reported, no cached count exceeds the input, and the input is the prompt alone or with what was cached."""
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
    }
    fields = usage_fields(usage)
    assert fields["input_tokens"] - prompt in (0, read, written, read + written)
    assert max(read, written) <= fields["input_tokens"]


@pytest.mark.parametrize(
    ("total", "output"),
    [(None, 4), (13, 4), (38, 29), (40, 4)],
    ids=["no total", "total without", "total with", "a total that tells neither"],
)
def test_reasoning_beside_the_completion(total: int | None, output: int) -> None:
    """The total tells whether reasoning is part of the completion."""
    details = {"completion_tokens_details": {"reasoning_tokens": 25}}
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": total, **details}
    assert usage_fields(usage)["output_tokens"] == output


def test_reasoning_at_the_top() -> None:
    """Gateways state it there; a 0 in the details says nothing."""
    usage = report(reasoning_tokens=30, completion_tokens_details={"reasoning_tokens": 0})
    assert (usage_fields(usage)["output_tokens"], usage_fields(usage)["reasoning_tokens"]) == (40, 30)


def test_parts_of_what_was_read_from_a_cache() -> None:
    """The modalities of cached tokens, in the details or beside them."""
    parts = {"cached_tokens_details": {"text_tokens": 10, "audio_tokens": 60, "image_tokens": 30}}
    for usage in (report(input_token_details={"cached_tokens": 100, **parts}), report(cached_tokens=100, **parts)):
        fields = usage_fields(usage)
        read = [fields[f"cache_read_{kind}tokens"] for kind in ("", "audio_", "image_")]
        assert read == [100, 60, 30]


def entry(kind: str, count: int) -> Payload:
    """One class of tokens as GitHub Copilot bills them."""
    return {"token_type": kind, "token_count": count, "batch_size": 1_000_000, "cost_per_batch": 1}


COPILOT = {
    "token_details": [entry("input", 10), entry("cache_read", 200), entry("cache_write", 30), entry("output", 7)],
    "total_nano_aiu": 5,
}


@pytest.mark.parametrize("usage", [None, {}, report(0, 0)])
def test_copilots_counts(usage: Payload | None) -> None:
    """Its classes do not overlap; they are read where no other report says anything, and they are kept."""
    record = read([*texts("a"), stops(), chat(usage=usage, copilot_usage=COPILOT)])
    found = record.usage
    assert found is not None
    assert (found.input_tokens, found.output_tokens, found.cache_read_tokens, found.cache_write_tokens) == (240, 7, 200, 30)
    assert record.extras["copilot_usage"] == COPILOT


def test_copilots_counts_beside_another_report() -> None:
    """A report with counts is the report."""
    record = read([*texts("a"), stops(), chat(usage=report(), copilot_usage=COPILOT)])
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.cache_read_tokens) == (900, 40, None)


GEMINI = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13, "completion_tokens_details": {"reasoning_tokens": 25}}


@pytest.mark.parametrize(
    ("provider", "model", "output"),
    [
        ("vercel", "google/gemini-2.5-flash", 29),
        ("vercel", "openai/gpt-5", 4),
        ("openrouter", "google/gemini-2.5-flash", 4),
        (None, "google/gemini-2.5-flash", 4),
    ],
)
def test_reasoning_of_googles_models_through_vercel(provider: str | None, model: str, output: int) -> None:
    """That gateway counts it beside the completion, and the total is silent about it; others are not read so."""
    chunks = [*texts("a", model=model), stops(model=model), chat(usage=GEMINI, model=model)]
    usage = replay(chunks, params={"provider": provider} if provider else {}).usage
    assert usage is not None
    assert (usage.output_tokens, usage.reasoning_tokens, usage.input_tokens) == (output, 25, 9)


def test_reasoning_through_vercel_that_the_total_tells() -> None:
    """It is not added a second time."""
    model = "google/gemini-2.5-flash"
    usage = replay(
        [*texts("a", model=model), stops(model=model), chat(usage={**GEMINI, "total_tokens": 38}, model=model)],
        params={"provider": "vercel"},
    ).usage
    assert usage is not None
    assert usage.output_tokens == 29
