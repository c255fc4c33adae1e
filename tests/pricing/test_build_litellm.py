from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from streamtally.pricing.build import litellm
from streamtally.pricing.build.rate_tables import STANDARD, Condition, RateTable

CHAT = {"mode": "chat", "litellm_provider": "openai"}


def table(facts: dict[str, Any], area: int = 0) -> RateTable:
    """The rate table of an entry with these fields."""
    return litellm.table_of({**CHAT, **facts}, area, Counter())


@pytest.mark.parametrize(
    ("provider", "key", "name", "when"),
    [
        ("openai", "gpt-5", "gpt-5", {}),
        ("openai", "openai/sora-2", "sora-2", {}),
        ("openai", "high/1024-x-1536/gpt-image-1.5", "gpt-image-1.5", {"quality": "high", "size": "1024x1536"}),
        ("azure", "azure/eu/o4-mini", "o4-mini", {"region": "eu"}),
        ("azure", "azure/global-standard/gpt-4o", "gpt-4o", {"region": "global"}),
        ("azure", "azure_ai/grok-4.3", "grok-4.3", {}),
        ("azure", "azure/hd/1024-x-1024/dall-e-3", "dall-e-3", {"quality": "hd", "size": "1024x1024"}),
        ("aws", "anthropic.claude-opus-5", "anthropic.claude-opus-5", {}),
        ("aws", "us-gov.anthropic.claude-opus-5", "anthropic.claude-opus-5", {"region": "us-gov"}),
        ("aws", "global.amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0", {"region": "global"}),
        ("aws", "bedrock/us-gov-west-1/amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0", {"region": "us-gov"}),
        ("aws", "bedrock/eu-west-2/deepseek.v3.2", "deepseek.v3.2", {"region": "eu-west-2"}),
        ("aws", "bedrock_mantle/openai.gpt-5.5", "openai.gpt-5.5", {}),
        ("google", "vertex_ai/claude-opus-5@default", "claude-opus-5@default", {}),
        ("google", "gemini/gemini-2.5-pro", "gemini-2.5-pro", {}),
        ("groq", "groq/openai/gpt-oss-120b", "openai/gpt-oss-120b", {}),
    ],
)
def test_a_key_names_a_model_and_a_condition(provider: str, key: str, name: str, when: dict[str, str]) -> None:
    """A key states the model, and region, quality and size."""
    place = litellm.parse_key(provider, key)
    assert place is not None
    assert (place[0], place[1].when) == (name, when)


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        ("openai", "1024-x-1024/gpt-image-1.5"),
        ("aws", "bedrock/us-east-1/1-month-commitment/anthropic.claude-v1"),
        ("aws", "1024-x-1024/50-steps/stability.stable-diffusion-xl-v1"),
        ("aws", "bedrock/claude_platform/claude-opus-5"),
    ],
)
def test_a_key_that_names_no_model(provider: str, key: str) -> None:
    """Keys of monthly commitments, images by steps and repeated images are left out."""
    assert litellm.parse_key(provider, key) is None


def test_fields_state_unit_tier_and_context() -> None:
    """Each suffix of a field name, and all together, give the unit, tier and context length."""
    rates = table(
        {
            "input_cost_per_token": 4e-06,
            "input_cost_per_token_batches": 2e-06,
            "cache_read_input_token_cost_above_272k_tokens_priority": 1.6e-06,
            "cache_creation_input_token_cost_above_1hr": 1e-05,
            "cache_creation_input_token_cost_above_12hr_above_272k_tokens_flex": 1e-05,
            "input_cost_per_token_ultrafast": 3e-05,
            "supports_vision": True,
            "rpm": 5,
        }
    )
    assert rates == {
        STANDARD: {"input": "4", "cache_write_1h": "10"},
        Condition(tier="batch"): {"input": "2"},
        Condition(tier="priority", above=272_000): {"cache_read": "1.6"},
        Condition(tier="flex", above=272_000): {"cache_write_12h": "10"},
        Condition(tier="ultrafast"): {"input": "30"},
    }


@pytest.mark.parametrize(
    ("facts", "area", "rates"),
    [
        (
            {"mode": "audio_transcription", "input_cost_per_second": 0.0001, "output_cost_per_second": 0.0001},
            0,
            {"seconds": "0.36"},
        ),
        ({"mode": "audio_speech", "input_cost_per_character": 1.5e-05}, 0, {"characters": "15"}),
        ({"mode": "video_generation", "output_cost_per_second": 0.4}, 0, {"video_seconds": "0.4"}),
        ({"mode": "rerank", "input_cost_per_query": 0.002}, 0, {"search_units": "2"}),
        (
            {"mode": "ocr", "ocr_cost_per_page": 0.004, "annotation_cost_per_page": 0.005},
            0,
            {"pages": "4", "annotated_pages": "5"},
        ),
        ({"mode": "image_generation", "output_cost_per_image": 0.04}, 0, {"images": "0.04"}),
        ({"mode": "image_generation", "input_cost_per_image": 0.02}, 0, {"images": "0.02"}),
        ({"mode": "image_generation", "input_cost_per_image": 0.01, "output_cost_per_image": 0.04}, 0, {"images": "0.04"}),
        ({"mode": "image_generation", "input_cost_per_image": 0.167}, 1024 * 1024, {"images": "0.167"}),
        ({"mode": "image_generation", "input_cost_per_pixel": 3.81469e-08}, 1024 * 1024, {"images": "0.04"}),
        ({"mode": "image_generation", "output_cost_per_pixel": 1.9e-08}, 0, {"megapixels": "0.019"}),
        ({"mode": "video_generation", "input_cost_per_image": 0.01}, 0, {"input_images": "0.01"}),
        ({"mode": "audio_speech", "output_cost_per_image": 0.06}, 0, None),
        ({"code_interpreter_cost_per_session": 0.03}, 0, {"code_sessions": "0.03"}),
        ({"google_maps_grounding_cost_per_query": 0.025}, 0, {"maps_queries": "25"}),
        ({"mode": "embedding", "input_cost_per_video_per_second": 0.0007}, 0, {"input_video_seconds": "0.0007"}),
        ({"input_cost_per_token": 0.0, "output_cost_per_token": 0}, 0, None),
        ({"input_cost_per_token": 0.0032}, 0, None),
    ],
)
def test_a_field_depends_on_the_mode(facts: dict[str, Any], area: int, rates: dict[str, str] | None) -> None:
    """The mode of a model decides the unit; zeros and implausible rates are left out."""
    assert table(facts, area) == ({STANDARD: rates} if rates else {})


@pytest.mark.parametrize(
    ("label", "facts", "unit"),
    [
        ("openai", {}, "web_searches"),
        ("vertex_ai-anthropic_models", {}, "web_searches"),
        ("gemini", {}, "grounded_prompts"),
        ("gemini", {"web_search_billing_unit": "per_query"}, "grounded_queries"),
        ("perplexity", {}, "requests"),
    ],
)
def test_the_unit_of_a_search_fee(label: str, facts: dict[str, str], unit: str) -> None:
    """The provider decides the unit; the size of the context is a condition only if the fee depends on it."""
    fees = {f"search_context_size_{size}": 0.01 for size in ("low", "medium", "high")}
    fields = {"litellm_provider": label, **facts}
    assert table({**fields, "search_context_cost_per_query": fees}) == {STANDARD: {unit: "10"}}
    fees["search_context_size_high"] = 0.014
    assert table({**fields, "search_context_cost_per_query": fees})[Condition(words=(("search", "high"),))] == {unit: "14"}


def test_sizes_of_video_and_ranges_of_context() -> None:
    """Resolutions become condition words, ranges of tokens thresholds."""
    video = table({"mode": "video_generation", "output_cost_per_second_720p": 0.1, "output_cost_per_second_4k": 0.6})
    assert video == {
        Condition(words=(("size", "720p"),)): {"video_seconds": "0.1"},
        Condition(words=(("size", "4k"),)): {"video_seconds": "0.6"},
    }
    steps = [
        {"range": [0, 32000.0], "input_cost_per_token": 1.2e-06},
        {"range": [32000.0, 128000.0], "input_cost_per_token": 2.4e-06},
    ]
    assert table({"tiered_pricing": steps}) == {STANDARD: {"input": "1.2"}, Condition(above=32_000): {"input": "2.4"}}
    assert table({"tiered_pricing": [{"max_results": 5}]}) == {}


def test_factors() -> None:
    """The factor of a fast tier gives rates at once; the factors of regions are kept for the merge."""
    facts = {"input_cost_per_token": 5e-06, "provider_specific_entry": {"us": 1.1, "fast": 2.0}}
    assert table(facts)[Condition(tier="fast")] == {"input": "10"}
    assert litellm.regions_of(facts) == {"us": Decimal("1.1")}
    residency = {"regional_processing_uplift_multiplier_us": 1.1, "regional_processing_uplift_multiplier_eu": 1.2}
    assert litellm.regions_of(residency) == {"us": Decimal("1.1"), "eu": Decimal("1.2")}
    assert litellm.regions_of({"regional_endpoint_uplift_multiplier": 1.1}).keys() == {"us", "eu", "regional"}


def test_entries_that_are_taken() -> None:
    """Entries of known providers with a fixed price are taken; the others are counted."""
    rates = {"input_cost_per_token": 1e-06, "mode": "chat"}
    left: Counter[str] = Counter()
    found = list(
        litellm.entries(
            {
                "xai/grok-4.5": {**rates, "litellm_provider": "xai", "input_cost_per_token_above_200k_tokens": 2e-06},
                "some-gateway/gpt-5": {**rates, "litellm_provider": "some-gateway"},
                "free": {"litellm_provider": "openai", "input_cost_per_token": 0.0},
                "deepseek-flash": {**rates, "litellm_provider": "deepseek", "off_peak_pricing": {"windows": []}},
                "vertex_ai/x": {**rates, "litellm_provider": "vertex_ai-openai_models"},
                "eu/gpt-5": {**rates, "litellm_provider": "azure"},
                "mend": {**rates, "litellm_provider": None},
            },
            left,
        )
    )
    assert [(entry.provider, entry.name) for entry in found] == [("x-ai", "grok-4.5"), ("google", "x"), ("azure", "gpt-5")]
    assert found[0].table == {STANDARD: {"input": "1"}, Condition(above=199_999): {"input": "2"}}
    assert found[2].table == {Condition(region="eu"): {"input": "1"}}
    assert sum(left.values()) == 4


def test_contradicting_rates_are_counted() -> None:
    """Of two rates for one unit the first is kept and the second counted."""
    left: Counter[str] = Counter()
    rates = litellm.table_of(
        {"mode": "chat", "cache_read_input_token_cost": 1e-6, "input_cost_per_token_cache_hit": 2e-6}, 0, left
    )
    assert (rates, left) == ({STANDARD: {"cache_read": "1"}}, {"two rates for cache_read": 1})
