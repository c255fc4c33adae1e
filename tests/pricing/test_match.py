from fnmatch import fnmatchcase
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
        ("gpt-4o-2099-01-01", "openai", ("openai", "gpt-4o", "inferred")),
        ("gpt-4o-20240806", "openai", ("openai", "gpt-4o", "date + alias")),
        ("gpt-3.5-turbo-instruct:20230824-v2", "openai", ("openai", "gpt-3.5-turbo-instruct", "inferred")),
        ("anthropic.claude-3-haiku-20240307-v1", "aws", ("aws", "anthropic.claude-3-haiku-20240307-v1:0", "version")),
        ("openai/gpt-4o", "openai", ("openai", "gpt-4o", "wrapper")),
        ("openai/gpt-4o", None, ("openai", "gpt-4o", "first party: wrapper")),
        ("openai/gpt-4o", "openrouter", ("openrouter", "openai/gpt-4o", "exact")),
        ("openrouter/openai/gpt-4o", None, ("openrouter", "openai/gpt-4o", "wrapper")),
        ("groq/llama-3.3-70b-versatile", None, ("groq", "llama-3.3-70b-versatile", "wrapper")),
        ("gpt-4o", None, ("openai", "gpt-4o", "first party: exact")),
        ("gpt-4o", "my-gateway", ("openai", "gpt-4o", "first party: exact")),
        ("claude-haiku-4-5", None, ("anthropic", "claude-haiku-4-5", "first party: exact")),
        ("claude-sonnet-4-5-20250929", "anthropic", ("anthropic", "claude-sonnet-4-5", "alias")),
        ("claude-sonnet-4.5", "anthropic", ("anthropic", "claude-sonnet-4-5", "alias")),
        ("claude-haiku-5.5-20991231", "anthropic", ("anthropic", "claude-haiku-5-5", "inferred + alias")),
        ("claude-sonnet-4-20250514", "anthropic", ("anthropic", "claude-sonnet-4-0", "inferred + alias")),
        ("claude-mythos-5.2", "anthropic", ("anthropic", "claude-mythos-5-2", "claude")),
        ("models/gemini-2.5-pro", "google", ("google", "gemini-2.5-pro", "wrapper")),
        ("publishers/google/models/gemini-2.5-pro", "vertex_ai", ("google", "gemini-2.5-pro", "wrapper")),
        ("projects/p/locations/l/publishers/google/models/gemini-2.5-pro", "google", ("google", "gemini-2.5-pro", "wrapper")),
        ("claude-sonnet-4-5@20250929", "gcp.vertex_ai", ("google", "claude-sonnet-4-5", "alias")),
        ("google/claude-haiku-4-5", None, ("anthropic", "claude-haiku-4-5", "first party: wrapper")),
        ("deepseek-v4-pro", None, ("deepseek", "deepseek-v4-pro", "first party: exact")),
        ("qwen3-max", None, ("alibaba", "qwen3-max", "first party: exact")),
        ("mistral-large-2411", None, ("mistral", "mistral-large", "first party: alias")),
        ("openai/gpt-4o", "vercel", ("openai", "gpt-4o", "resold: wrapper")),
        ("openai/gpt-oss-120b:groq", "huggingface", ("huggingface", "openai/gpt-oss-120b:groq", "exact")),
        ("claude-3-7-sonnet-latest@default", "google", ("anthropic", "claude-3-7-sonnet-latest", "resold: version")),
        ("chatgpt-4o-latest", "azure", ("openai", "chatgpt-4o-latest", "resold: exact")),
        ("o4-mini", "azure", ("azure", "o4-mini", "exact")),
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "bedrock",
            ("aws", "anthropic.claude-sonnet-4-5-20250929-v1:0", "region"),
        ),
        (
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws.bedrock",
            ("aws", "anthropic.claude-sonnet-4-5-20250929-v1:0", "region"),
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
    """A name matches the expected model, and the cost states the rule."""
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
        ("gpt-oss-120b", None),
        ("openai/gpt-oss-120b", None),
        ("gemma-3-27b-it", None),
        ("azure/my-deployment", None),
        ("openai/gpt-oss-120b", "vercel"),
        ("openai/gpt-oss-120b", "huggingface"),
        ("kimi-k3", "venice"),
        ("/", None),
        ("openai/", None),
        ("", "openai"),
        (None, "openai"),
    ],
)
def test_nothing_matches_by_resemblance(bundled: ModelCatalog, name: str | None, provider: str | None) -> None:
    """A name that only resembles a model has no price."""
    cost = bundled.price(name, USAGE, provider=provider)
    assert (cost.usd, cost.status, cost.complete, cost.model_matched) == (None, "unknown_model", False, None)
    assert cost.catalog_revision == bundled.revision


def test_unknown_provider(bundled: ModelCatalog) -> None:
    """An unknown model of an unknown provider has the status "unknown_provider"."""
    assert bundled.price("no-such-model", USAGE, provider="nobody").status == "unknown_provider"


def makers(**makes: list[str]) -> ModelCatalog:
    """A catalog of providers that all have the model "m", and make the models of these patterns."""
    providers = {
        name: {
            "models": {"m": {"rows": [{"rates": {"input": "1"}}]}},
            "makes": {"models": patterns, "source": "https://a.example"},
        }
        for name, patterns in makes.items()
    }
    providers["host"] = {"models": {"m": {"rows": [{"rates": {"input": "2"}}]}}, "fallbacks": list(makes)}
    return ModelCatalog({"revision": "r", "generated_at": "2026-01-01", "providers": providers})


@pytest.mark.parametrize(
    ("catalog", "expected"),
    [
        (makers(one=["m"], other=["o*"]), "one"),
        (makers(one=["a", "[lm]"], other=[]), "one"),
        (makers(one=["m"], other=["m*"]), None),
        (makers(one=["n"], other=["mm"]), None),
        (makers(), None),
    ],
)
def test_without_a_provider_the_only_first_party_counts(catalog: ModelCatalog, expected: str | None) -> None:
    """Exactly one provider that makes the model: more than one, or hosts alone, leave the price unknown."""
    found = catalog.price("M", USAGE)
    assert (found.provider_matched, found.usd) == (expected, None if expected is None else 1)
    assert found.match_rule == (None if expected is None else "first party: exact")
    assert catalog.price("host/m", USAGE).usd == 2


def test_a_gateway_passes_on_what_makers_make() -> None:
    """A provider without the model has the price of the first it resells that makes it."""
    content = {**makers(one=["n"], other=["m"]).content}
    content["providers"] = {**content["providers"], "gateway": {"models": {}, "fallbacks": ["one", "other"]}}
    found = ModelCatalog(content).price("m", USAGE, provider="gateway")
    assert (found.provider_matched, found.match_rule) == ("other", "resold: exact")


def test_every_first_party_states_its_source(bundled: ModelCatalog) -> None:
    """What a provider makes comes from a page, is a part of what it has, and no model has two makers."""
    owners: dict[str, str] = {}
    for provider, entry in bundled.content["providers"].items():
        makes = entry.get("makes", {"models": [], "source": "https://"})
        assert makes["source"].startswith("https://")
        made = [
            name.casefold() for name in entry["models"] if any(fnmatchcase(name.casefold(), glob) for glob in makes["models"])
        ]
        for name in made:
            assert owners.setdefault(name, provider) == provider
    assert {"azure", "aws", "groq", "openrouter", "together", "fireworks", "vercel"}.isdisjoint(owners.values())


def test_a_small_model_is_not_its_large_namesake(bundled: ModelCatalog) -> None:
    """Model sizes that share a prefix have different prices."""
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
    """The unchanged name is the first spelling."""
    forms = spellings("openai/claude-sonnet-4.5-20250929", frozenset({"openai"}))
    counts = [len(rules.split(" + ")) if rules else 0 for rules in forms.values()]
    assert next(iter(forms)) == "openai/claude-sonnet-4.5-20250929"
    assert counts == sorted(counts)
    assert forms["claude-sonnet-4-5"] == "wrapper + claude + inferred"


def test_an_exact_name_wins_over_an_alias() -> None:
    """A model's own name wins over another model's alias."""
    models: dict[str, Any] = {
        "a": {"rows": [{"rates": {"input": "1"}}], "aliases": ["b", "c"]},
        "b": {"rows": [{"rates": {"input": "2"}}]},
    }
    catalog = ModelCatalog({"revision": "r", "generated_at": "2026-01-01", "providers": {"p": {"models": models}}})
    assert [catalog.price(name, USAGE, provider="p").usd for name in "abc"] == [1, 2, 1]


REGIONAL = {
    "aws": {
        "regions": ["us", "eu", "jp"],
        "aliases": ["bedrock"],
        "models": {
            "maker.m-v1:0": {
                "rows": [
                    {"rates": {"input": "11"}},
                    {"when": {"region": "global"}, "rates": {"input": "10"}},
                    {"when": {"region": "us-gov"}, "rates": {"input": "12"}},
                ]
            },
            "maker.plain-v1:0": {"rows": [{"rates": {"input": "1"}}]},
        },
    },
    "azure": {
        "models": {
            "o9": {"rows": [{"rates": {"input": "10"}}, {"when": {"region": ["us", "eu"]}, "rates": {"input": "11"}}]},
            "gpt-9": {"rows": [{"rates": {"input": "4"}}]},
        }
    },
}


@pytest.mark.parametrize(
    ("name", "provider", "expected"),
    [
        ("maker.m-v1:0", "bedrock", 11),
        ("us.maker.m-v1:0", "bedrock", 11),
        ("global.maker.m-v1:0", "bedrock", 10),
        ("us-gov.maker.m-v1:0", "bedrock", 12),
        ("bedrock/global.maker.m-v1:0", None, 10),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/global.maker.m-v1:0", "bedrock", 10),
        ("arn:aws:bedrock:eu-west-1::foundation-model/maker.m-v1:0", "bedrock", 11),
        ("arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/maker.m-v1:0", "bedrock", 12),
        ("us.maker.plain-v1:0", "bedrock", 1),
        ("global.maker.plain-v1:0", "bedrock", None),
        ("us-gov.maker.plain-v1:0", "bedrock", None),
        ("arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/maker.plain-v1:0", "bedrock", None),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x1y2", "bedrock", None),
        ("o9", "azure", 10),
        ("eu/o9", "azure", 11),
        ("azure/eu/o9", None, 11),
        ("jp/gpt-9", "azure", 4),
        ("my-deployment", "azure", None),
    ],
)
def test_the_region_in_a_name(name: str, provider: str | None, expected: int | None) -> None:
    """A region in the name selects the region's row; without one, a region with prices of its own has no price."""
    catalog = ModelCatalog({"revision": "r", "generated_at": "2026-01-01", "providers": REGIONAL})
    assert catalog.price(name, USAGE, provider=provider).usd == expected


def test_a_region_in_the_call_wins_over_one_in_the_name() -> None:
    """The `region` argument wins over the region in the name."""
    catalog = ModelCatalog({"revision": "r", "generated_at": "2026-01-01", "providers": REGIONAL})
    assert catalog.price("us.maker.m-v1:0", USAGE, provider="bedrock", region="global").usd == 10


@pytest.mark.parametrize("name", ["gpt-4o-2024-08-06", "gpt-4o-20240806", "gpt-4o@2024-08-06"])
def test_a_dated_name_of_the_catalog_is_not_inferred(bundled: ModelCatalog, name: str) -> None:
    """A dated name of the catalog matches in any spelling of the date; another is marked "inferred"."""
    assert "inferred" not in (bundled.price(name, USAGE, provider="openai").match_rule or "")
    assert bundled.price("gpt-4o-2031-01-01", USAGE, provider="openai").match_rule == "inferred"
