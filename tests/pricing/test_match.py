from typing import Any

import pytest

from streamtally.pricing import ModelCatalog
from streamtally.pricing.match import spellings
from streamtally.records import Usage

USAGE = Usage(input_tokens=1_000_000)


@pytest.fixture(scope="module")
def bundled() -> ModelCatalog:
    """The catalog that ships with the package."""
    return ModelCatalog.bundled()


@pytest.mark.parametrize(
    ("name", "provider", "expected"),
    [
        ("gpt-4o", "openai", ("openai", "gpt-4o", "exact")),
        ("GPT-4o", "OpenAI", ("openai", "gpt-4o", "exact")),
        (" gpt-4o\n", "openai", ("openai", "gpt-4o", "exact")),
        ("gpt-4o-2024-08-06", "openai", ("openai", "gpt-4o", "alias")),
        ("gpt-4o-2024-05-13", "openai", ("openai", "gpt-4o-2024-05-13", "exact")),
        ("gpt-4o-2099-01-01", "openai", ("openai", "gpt-4o", "date")),
        ("gpt-4o-20240806", "openai", ("openai", "gpt-4o", "date + alias")),
        ("openai/gpt-4o", "openai", ("openai", "gpt-4o", "wrapper")),
        ("openai/gpt-4o", None, ("openai", "gpt-4o", "wrapper")),
        ("openai/gpt-4o", "openrouter", ("openrouter", "openai/gpt-4o", "exact")),
        ("openrouter/openai/gpt-4o", None, ("openrouter", "openai/gpt-4o", "wrapper")),
        ("groq/llama-3.3-70b-versatile", None, ("groq", "llama-3.3-70b-versatile", "wrapper")),
        ("gpt-4o", None, ("openai", "gpt-4o", "first party: exact")),
        ("gpt-4o", "my-gateway", ("openai", "gpt-4o", "first party: exact")),
        ("claude-haiku-4-5", None, ("anthropic", "claude-haiku-4-5", "first party: exact")),
        ("claude-sonnet-4-5-20250929", "anthropic", ("anthropic", "claude-sonnet-4-5", "date")),
        ("claude-sonnet-4.5", "anthropic", ("anthropic", "claude-sonnet-4-5", "alias")),
        ("claude-haiku-5.5-20260101", "anthropic", ("anthropic", "claude-haiku-5-5", "date + alias")),
        ("claude-sonnet-4-20250514", "anthropic", ("anthropic", "claude-sonnet-4-0", "date + alias")),
        ("claude-mythos-5.2", "anthropic", ("anthropic", "claude-mythos-5-2", "claude")),
        ("models/gemini-2.5-pro", "google", ("google", "gemini-2.5-pro", "wrapper")),
        ("publishers/google/models/gemini-2.5-pro", "vertex_ai", ("google", "gemini-2.5-pro", "wrapper")),
        ("projects/p/locations/l/publishers/google/models/gemini-2.5-pro", "google", ("google", "gemini-2.5-pro", "wrapper")),
        ("claude-sonnet-4-5@20250929", "gcp.vertex_ai", ("google", "claude-sonnet-4-5", "date")),
        ("claude-sonnet-5@default", "google", ("anthropic", "claude-sonnet-5", "resold: version")),
        ("gpt-4o", "azure", ("openai", "gpt-4o", "resold: exact")),
        ("o4-mini", "azure", ("azure", "o4-mini", "exact")),
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "bedrock",
            ("aws", "regional.anthropic.claude-sonnet-4-5-20250929-v1:0", "region + alias"),
        ),
        (
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws.bedrock",
            ("aws", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "exact"),
        ),
        (
            "arn:aws:bedrock:us-east-1:123:inference-profile/us.amazon.nova-lite-v1:0",
            "aws",
            ("aws", "amazon.nova-lite-v1:0", "wrapper + region"),
        ),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "openai", ("openai", "ft:gpt-4o-mini", "fine-tune + alias")),
        ("ft:gpt-4.1-2025-04-14:acme:name:abc", "openai", ("openai", "ft:gpt-4.1-2025-04-14", "fine-tune")),
    ],
)
def test_match(bundled: ModelCatalog, name: str, provider: str | None, expected: tuple[str, str, str]) -> None:
    """The row that a name means, and the rule that says so."""
    cost = bundled.price(name, USAGE, provider=provider)
    assert (cost.provider_matched, cost.model_matched, cost.match_rule) == expected


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("gpt-5.7", "openai"),
        ("gpt-5.4-micro", "openai"),
        ("gpt-4o-mini-turbo", "openai"),
        ("gpt-4", "anthropic"),
        ("claude-opus-9", "anthropic"),
        ("command-a-plus", "cohere"),
        ("glm-4.77", "zai"),
        ("ft:gpt-6-sol:acme::abc", "openai"),
        ("us-gov.anthropic.claude-opus-4-1-20250805-v1:0", "aws"),
        ("my-deployment", "azure"),
        ("llama-3.3-70b-versatile", None),
        ("/", None),
        ("openai/", None),
        ("", "openai"),
        (None, "openai"),
    ],
)
def test_nothing_matches_by_resemblance(bundled: ModelCatalog, name: str | None, provider: str | None) -> None:
    """An unknown model has no price, never another's and never zero."""
    cost = bundled.price(name, USAGE, provider=provider)
    assert (cost.usd, cost.status, cost.complete, cost.model_matched) == (None, "unknown_model", False, None)
    assert cost.catalog_revision == bundled.revision


def test_unknown_provider(bundled: ModelCatalog) -> None:
    """A provider and a model that nobody knows."""
    assert bundled.price("no-such-model", USAGE, provider="nobody").status == "unknown_provider"


def test_a_small_model_is_not_its_large_namesake(bundled: ModelCatalog) -> None:
    """Sizes that share a prefix have prices of their own."""
    prices = {
        name: bundled.price(name, USAGE, provider=provider).usd
        for name, provider in (
            ("gpt-5.4", "openai"),
            ("gpt-5.4-mini", "openai"),
            ("gpt-5.4-nano", "openai"),
            ("gpt-5.4-pro", "openai"),
            ("gemini-1.5-flash-8b", "google"),
            ("gemini-1.5-flash", "google"),
        )
    }
    assert len(set(prices.values())) == len(prices)


def test_spellings_are_ordered_by_how_much_they_change() -> None:
    """The name itself comes first."""
    forms = spellings("openai/claude-sonnet-4.5-20250929", frozenset({"openai"}))
    counts = [len(rules.split(" + ")) if rules else 0 for rules in forms.values()]
    assert next(iter(forms)) == "openai/claude-sonnet-4.5-20250929"
    assert counts == sorted(counts)
    assert forms["claude-sonnet-4-5"] == "wrapper + claude + date"


def test_an_exact_name_wins_over_an_alias() -> None:
    """The catalog's own model is never hidden by another's alias."""
    models: dict[str, Any] = {
        "a": {"rows": [{"rates": {"input": "1"}}], "aliases": ["b", "c"]},
        "b": {"rows": [{"rates": {"input": "2"}}]},
    }
    catalog = ModelCatalog({"revision": "r", "generated_at": "2026-01-01", "providers": {"p": {"models": models}}})
    assert [catalog.price(name, USAGE, provider="p").usd for name in "abc"] == [1, 2, 1]
