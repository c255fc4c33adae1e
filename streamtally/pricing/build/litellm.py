"""Converts LiteLLM's price map: keys give model, region, quality and size; field names give unit, tier and context length.

Prices that the map states as factors (data residency at Anthropic and OpenAI, Vertex's regional endpoints) become rates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from .check import is_plausible
from .rate_tables import STANDARD, Condition, Entry, Rates, RateTable, rate_text, scaled

PROVIDERS = {
    **dict.fromkeys(("openai", "text-completion-openai"), "openai"),
    "anthropic": "anthropic",
    "gemini": "google",
    **dict.fromkeys(("azure", "azure_text", "azure_ai"), "azure"),
    **dict.fromkeys(("bedrock", "bedrock_converse", "bedrock_mantle"), "aws"),
    **dict.fromkeys(("mistral", "codestral", "text-completion-codestral"), "mistral"),
    "xai": "x-ai",
    **dict.fromkeys(("cohere", "cohere_chat"), "cohere"),
    "deepseek": "deepseek",
    "moonshot": "moonshotai",
    "minimax": "minimax",
    "zai": "zai",
    "perplexity": "perplexity",
    "voyage": "voyageai",
    "elevenlabs": "elevenlabs",
    "meta": "meta",
    "dashscope": "alibaba",
    "deepgram": "deepgram",
    "assemblyai": "assemblyai",
    "black_forest_labs": "black-forest-labs",
    "stability": "stability",
    "runwayml": "runway",
    "recraft": "recraft",
    "groq": "groq",
    "together_ai": "together",
    **dict.fromkeys(("fireworks_ai", "fireworks_ai-embedding-models"), "fireworks"),
    "cerebras": "cerebras",
    "deepinfra": "deepinfra",
    "databricks": "databricks",
    "nebius": "nebius",
    "sambanova": "sambanova",
    "fal_ai": "fal",
    "replicate": "replicate",
    "watsonx": "watsonx",
    "oci": "oci",
    "ai21": "ai21",
    "crusoe": "crusoe",
    "snowflake": "snowflake",
    "tencent": "tencent",
    "volcengine": "volcengine",
}
"""The providers that are taken from the map, by its label: makers of models, large clouds, and hosts of many makers' models.

All others are left out, such as gateways that pass on a maker's price, subscriptions and search engines. Labels that start with
`vertex_ai` are Google's.
"""

MILLION, THOUSAND, HOUR = Decimal(1_000_000), Decimal(1_000), Decimal(3_600)


class Field(NamedTuple):
    """The unit that a field of the map prices, and how many of the field's items the published unit contains."""

    unit: str
    per: Decimal


TOKENS = {
    "input_cost_per_token": "input",
    "input_cost_per_token_cache_hit": "cache_read",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "input_cost_per_audio_token": "input_audio",
    "cache_read_input_audio_token_cost": "cache_audio_read",
    "cache_creation_input_audio_token_cost": "cache_audio_write",
    "input_cost_per_image_token": "input_image",
    "cache_read_input_image_token_cost": "cache_image_read",
    "input_cost_per_video_token": "input_video",
    "output_cost_per_token": "output",
    "output_cost_per_audio_token": "output_audio",
    "output_cost_per_image_token": "output_image",
    "output_cost_per_video_token": "output_video",
    "output_cost_per_reasoning_token": "reasoning",
    "citation_cost_per_token": "citations",
}
FIELDS = {
    **{field: Field(unit, MILLION) for field, unit in TOKENS.items()},
    "input_cost_per_audio_per_second": Field("seconds", HOUR),
    "input_cost_per_video_per_second": Field("input_video_seconds", Decimal(1)),
    "output_cost_per_video_per_second": Field("video_seconds", Decimal(1)),
    "output_cost_per_image": Field("images", Decimal(1)),
    "input_cost_per_image": Field("input_images", Decimal(1)),
    "output_cost_per_pixel": Field("megapixels", MILLION),
    "input_cost_per_request": Field("requests", THOUSAND),
    "google_maps_grounding_cost_per_query": Field("maps_queries", THOUSAND),
    "ocr_cost_per_page": Field("pages", THOUSAND),
    "annotation_cost_per_page": Field("annotated_pages", THOUSAND),
    "code_interpreter_cost_per_session": Field("code_sessions", Decimal(1)),
}
"""Fields with the same meaning for every model."""

BY_MODE = {
    ("audio_transcription", "input_cost_per_second"): Field("seconds", HOUR),
    ("audio_transcription", "output_cost_per_second"): Field("seconds", HOUR),
    ("realtime", "input_cost_per_second"): Field("seconds", HOUR),
    ("audio_speech", "output_cost_per_second"): Field("seconds", HOUR),
    ("video_generation", "output_cost_per_second"): Field("video_seconds", Decimal(1)),
    ("audio_speech", "input_cost_per_character"): Field("characters", MILLION),
    ("rerank", "input_cost_per_query"): Field("search_units", THOUSAND),
}
"""Fields whose meaning depends on the mode of the model. Both fields for seconds of audio state the same price."""

FROM_LIMIT = ("x-ai",)
"""Providers whose long-context rates apply from the limit on, not only above it."""

IMAGES = ("image_generation", "image_edit")
LIFETIMES = {"_above_1hr": "cache_write_1h", "_above_12hr": "cache_write_12h"}
TIERS = {"_batches": "batch", "_flex": "flex", "_priority": "priority", "_ultrafast": "ultrafast"}
SUFFIXES = re.compile(r"(_above_1hr|_above_12hr)?(?:_above_(\d+)k_tokens)?(_batches|_flex|_priority|_ultrafast)?$")
RESOLUTION = re.compile(r"output_cost_per_(second|image)_(\d+p|\d+(?:\.\d+)?[kK])$")
IMAGE_KEY = re.compile(r"(?:([a-z]+)/)?(\d+)-x-(\d+)/(.+)$")

REGIONS = r"global|us|eu|apac|jp|au|in|us-gov"
AWS_KEY = re.compile(rf"(?:([a-z]{{2}}(?:-[a-z]+)+-\d)/)?(?:({REGIONS})\.(?=[a-z0-9-]+\.))?([^/]+)$")
AZURE_KEY = re.compile(rf"(?:({REGIONS}|global-standard)/)?(.+)$")
SEARCH_SIZES = {f"search_context_size_{size}": size for size in ("low", "medium", "high")}


def entries(source: Mapping[str, Mapping[str, Any]], left_out: Counter[str]) -> Iterator[Entry]:
    """The entries of the map that belong to a known provider and have a price.

    Args:
        source: the map.
        left_out: counter of what is left out, by reason.
    """
    for key, fields in source.items():
        provider = provider_of(fields.get("litellm_provider") or "")
        place = parse_key(provider, key) if provider else None
        if provider is None or place is None:
            left_out["not taken: " + (fields.get("litellm_provider") or key)] += 1
            continue
        if fields.get("off_peak_pricing"):
            left_out["price by the hour"] += 1  # the map's hours lack holidays; overrides.json has them
            continue
        name, condition, area = place
        table = {_merge_condition(found, condition): rates for found, rates in table_of(fields, area, left_out).items()}
        if provider in FROM_LIMIT:
            table = {found._replace(above=max(found.above - 1, 0)): rates for found, rates in table.items()}
        if any(amount != "0" for rates in table.values() for amount in rates.values()):
            yield Entry(provider, name, key, table, regions_of(fields))
        else:
            left_out["no price"] += 1


def provider_of(label: str) -> str | None:
    """The catalog's name of the provider that the map calls `label`, or None if it is left out."""
    return "google" if label.startswith("vertex_ai") else PROVIDERS.get(label)


def _merge_condition(found: Condition, place: Condition) -> Condition:
    return found._replace(
        region=place.region or found.region, words=tuple(sorted({**dict(found.words), **dict(place.words)}.items()))
    )


Place = tuple[str, Condition, int]


def parse_key(provider: str, key: str) -> Place | None:
    """The model of a key, the condition that it states, and the image area in pixels (or 0); None if it names no model.

    >>> where("openai", "high/1024-x-1536/gpt-image-1.5")[1].words
    (('quality', 'high'), ('size', '1024x1536'))
    >>> where("aws", "us-gov.anthropic.claude-opus-5")[:2]
    ('anthropic.claude-opus-5', Condition(tier='', region='us-gov', words=(), above=0))
    """
    return KEYS.get(provider, _plain)(key)


def _plain(key: str) -> Place | None:
    head, _, rest = key.partition("/")
    name = rest if rest and head in PREFIXES else key
    return _sized(name, STANDARD)


def _sized(name: str, condition: Condition) -> Place | None:
    found = IMAGE_KEY.match(name)
    if found is None:
        return name, condition, 0
    quality, width, height, model = found.groups()
    if quality is None:
        return None  # repeats other keys without their quality
    words = (("quality", quality), ("size", f"{width}x{height}"))
    return model, condition._replace(words=words), int(width) * int(height)


def _aws(key: str) -> Place | None:
    """Bedrock keys have a region before the slash or a geography before the dot."""
    name = key.removeprefix("bedrock_mantle/").removeprefix("bedrock/").removeprefix("invoke/")
    found = AWS_KEY.match(name)
    if found is None:
        return None
    region, geography, model = found.groups()
    place = "us-gov" if (region or "").startswith("us-gov") else region or geography or ""
    return model, Condition(region=place), 0


def _azure(key: str) -> Place | None:
    name = key.removeprefix("azure_ai/").removeprefix("azure/")
    found = AZURE_KEY.match(name)
    region, model = found.groups() if found else (None, name)
    return _sized(model, Condition(region=(region or "").removesuffix("-standard")))


def _google(key: str) -> Place | None:
    return key.removeprefix("gemini/").removeprefix("vertex_ai/"), STANDARD, 0


KEYS: dict[str, Callable[[str], Place | None]] = {"aws": _aws, "azure": _azure, "google": _google}
PREFIXES = {*PROVIDERS, "codestral", "text-completion-codestral"} - {"azure", "azure_ai", "bedrock"}


def table_of(fields: Mapping[str, Any], area: int, left_out: Counter[str]) -> RateTable:
    """The rate table of an entry."""
    table: RateTable = {}
    for name, value in sorted(fields.items()):
        for condition, unit, amount in _priced(name, value, fields, area):
            if amount:  # 0 may mean unknown in the map; free models come from other sources
                _add_rate(table.setdefault(condition, {}), unit, rate_text(amount), left_out)
    _add_ranges(table, fields.get("tiered_pricing") or ())
    _add_fast_tier(table, fields)
    return {condition: rates for condition, rates in table.items() if rates}


def _add_rate(rates: Rates, unit: str, text: str, left_out: Counter[str]) -> None:
    if not is_plausible(unit, text):
        left_out[f"implausible: {unit}"] += 1
    elif rates.setdefault(unit, text) != text:
        left_out[f"two rates for {unit}"] += 1


PricedUnit = tuple[Condition, str, Decimal]


def _priced(name: str, value: Any, fields: Mapping[str, Any], area: int) -> Iterator[PricedUnit]:
    """The rates of one field: one rate, or for a search fee one rate per context size."""
    if name == "search_context_cost_per_query":
        yield from _search_fees(value, fields)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        stated = _rate(name, Decimal(repr(value)), fields, area)
        if stated is not None:
            yield stated


def _rate(name: str, amount: Decimal, fields: Mapping[str, Any], area: int) -> PricedUnit | None:
    mode = str(fields.get("mode"))
    if found := RESOLUTION.match(name):
        unit = "video_seconds" if found[1] == "second" else "images"
        return Condition(words=(("size", found[2].lower()),)), unit, amount
    if area and name in ("input_cost_per_image", "input_cost_per_pixel"):
        per_image = name == "input_cost_per_image"
        return STANDARD, "images", amount if per_image else round(amount * area, 3)
    suffix = SUFFIXES.search(name)
    base = name[: suffix.start()] if suffix else name
    field = BY_MODE.get((mode, base)) or _general(base, fields)
    if field is None or suffix is None:
        return None
    lifetime, thousands, tier = suffix.groups()
    unit = LIFETIMES[lifetime] if lifetime else field.unit
    rate = hourly(amount) if field.per == HOUR else amount * field.per
    return Condition(tier=TIERS.get(tier, ""), above=int(thousands or 0) * 1000), unit, rate


def hourly(second: Decimal) -> Decimal:
    """The price of an hour from the price of a second; a rounded second is restored to the tenth of a cent it came from.

    >>> hourly(Decimal("0.00003083")), hourly(Decimal("0.0001"))
    (Decimal('0.111'), Decimal('0.360'))
    """
    hour = second * HOUR
    tidy = round(hour, 3)
    return tidy if round(tidy / HOUR, -int(second.as_tuple().exponent)) == second else hour


def _general(base: str, fields: Mapping[str, Any]) -> Field | None:
    """The meaning of a field without a mode; an image model without an output price has it under its input field."""
    mode = fields.get("mode")
    if base == "input_cost_per_image" and mode == "image_generation":
        generated = {"output_cost_per_image", "output_cost_per_image_token"} & fields.keys()
        return None if generated else FIELDS["output_cost_per_image"]
    if base == "output_cost_per_image" and mode not in IMAGES:
        return None  # the price of a song, or an average of token prices
    return FIELDS.get(base)


def _search_fees(value: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[PricedUnit]:
    """The fee per search, by search context size if it depends on it."""
    unit = _search_unit(fields)
    fees = {SEARCH_SIZES[size]: Decimal(repr(fee)) * THOUSAND for size, fee in value.items() if size in SEARCH_SIZES and fee}
    if len(set(fees.values())) == 1:
        yield STANDARD, unit, next(iter(fees.values()))
        return
    for size, fee in sorted(fees.items()):
        yield Condition(words=(("search", size),)), unit, fee


def _search_unit(fields: Mapping[str, Any]) -> str:
    """The unit of the search fee: Perplexity charges it per request, Gemini per prompt or per query."""
    label = str(fields.get("litellm_provider"))
    if label == "perplexity":
        return "requests"
    if label in ("gemini", "vertex_ai", "vertex_ai-language-models"):
        return "grounded_queries" if fields.get("web_search_billing_unit") == "per_query" else "grounded_prompts"
    return "web_searches"


def _add_ranges(table: RateTable, ranges: Any) -> None:
    """Add rates by range of input tokens, as Alibaba publishes them."""
    for item in ranges:
        if not isinstance(item.get("range"), list):
            continue
        above = int(item["range"][0])
        stated = (_rate(name, Decimal(repr(value)), {}, 0) for name, value in item.items() if name != "range")
        rates = {unit: rate_text(amount) for found in stated if found is not None for _, unit, amount in [found]}
        table.setdefault(Condition(above=above), {}).update(rates)


def _add_fast_tier(table: RateTable, fields: Mapping[str, Any]) -> None:
    """Add the tier "fast", which the map states as a factor on token rates."""
    factor = (fields.get("provider_specific_entry") or {}).get("fast")
    for condition, rates in list(table.items()) if factor else ():
        if not condition.tier and (faster := scaled(rates, Decimal(repr(factor)))):
            table[condition._replace(tier="fast")] = faster


def regions_of(fields: Mapping[str, Any]) -> dict[str, Decimal]:
    """The factors on token rates by region: data residency, and Vertex's regional endpoints."""
    factor_rows = fields.get("regional_endpoint_uplift_multiplier")
    home = (fields.get("provider_specific_entry") or {}).get("us")
    factors = {
        "us": home or fields.get("regional_processing_uplift_multiplier_us") or factor_rows,
        "eu": fields.get("regional_processing_uplift_multiplier_eu") or factor_rows,
        "regional": factor_rows,
    }
    return {region: Decimal(repr(factor)) for region, factor in factors.items() if factor}
