"""LiteLLM's map in our form: its keys give model, region, quality and size; its field names give unit, tier and context.

What the map writes as a factor (Anthropic's and OpenAI's data residency, Vertex's regional endpoints) is worked out
here, once, and stored as rates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from .check import believable
from .sheets import STANDARD, Condition, Entry, Rates, Sheets, text_of, times

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
}
"""What is taken of the map: makers of models, the large clouds, and hosts that serve models of many makers.

Not taken: gateways that pass a maker's price on, subscriptions, search engines, and whoever is none of these.
Every `vertex_ai…` label is Google's.
"""

MILLION, THOUSAND, HOUR = Decimal(1_000_000), Decimal(1_000), Decimal(3_600)


class Field(NamedTuple):
    """The unit that a field of the map prices, and how many of what it counts the published unit holds."""

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
"""Fields that mean the same for every model."""

BY_MODE = {
    ("audio_transcription", "input_cost_per_second"): Field("seconds", HOUR),
    ("audio_transcription", "output_cost_per_second"): Field("seconds", HOUR),
    ("realtime", "input_cost_per_second"): Field("seconds", HOUR),
    ("audio_speech", "output_cost_per_second"): Field("seconds", HOUR),
    ("video_generation", "output_cost_per_second"): Field("video_seconds", Decimal(1)),
    ("audio_speech", "input_cost_per_character"): Field("characters", MILLION),
    ("rerank", "input_cost_per_query"): Field("search_units", THOUSAND),
}
"""Fields whose meaning hangs on the kind of model. A price of audio in both directions is one price, given twice."""

FROM_LIMIT = ("x-ai",)
"""Who charges a longer context from its limit on, and not only above it."""

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
    """Every entry of the map that is taken and says a price that we can hold.

    Args:
        source: the map.
        left_out: counts, by reason, what is not taken.
    """
    for key, facts in source.items():
        provider = provider_of(facts.get("litellm_provider") or "")
        place = where(provider, key) if provider else None
        if provider is None or place is None:
            left_out["not taken: " + (facts.get("litellm_provider") or key)] += 1
            continue
        if facts.get("off_peak_pricing"):
            left_out["price by the hour"] += 1  # its hours know no holidays; ours are in overrides.json
            continue
        name, condition, area = place
        sheets = {_under(found, condition): rates for found, rates in sheets_of(facts, area, left_out).items()}
        if provider in FROM_LIMIT:
            sheets = {found._replace(above=max(found.above - 1, 0)): rates for found, rates in sheets.items()}
        if any(amount != "0" for rates in sheets.values() for amount in rates.values()):
            yield Entry(provider, name, key, sheets, regions_of(facts))
        else:
            left_out["no price"] += 1


def provider_of(label: str) -> str | None:
    """Our name of the provider that the map calls `label`, or None where it is not taken."""
    return "google" if label.startswith("vertex_ai") else PROVIDERS.get(label)


def _under(found: Condition, place: Condition) -> Condition:
    return found._replace(
        region=place.region or found.region, words=tuple(sorted({**dict(found.words), **dict(place.words)}.items()))
    )


Place = tuple[str, Condition, int]


def where(provider: str, key: str) -> Place | None:
    """A key's model, the region, quality and size that it names, and the area in pixels; None for what is no model.

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
        return None  # the same image again without its quality
    words = (("quality", quality), ("size", f"{width}x{height}"))
    return model, condition._replace(words=words), int(width) * int(height)


def _aws(key: str) -> Place | None:
    """Bedrock writes a region before the slash or a geography before the dot."""
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


def sheets_of(facts: Mapping[str, Any], area: int, left_out: Counter[str]) -> Sheets:
    """An entry's rates by tier, context length and words."""
    sheets: Sheets = {}
    for name, value in sorted(facts.items()):
        for condition, unit, amount in _priced(name, value, facts, area):
            if amount:  # the map says 0 also where nothing is known; what is free is said elsewhere
                _state(sheets.setdefault(condition, {}), unit, text_of(amount), left_out)
    _ranges(sheets, facts.get("tiered_pricing") or ())
    _faster(sheets, facts)
    return {condition: rates for condition, rates in sheets.items() if rates}


def _state(rates: Rates, unit: str, text: str, left_out: Counter[str]) -> None:
    if not believable(unit, text):
        left_out[f"beyond belief: {unit}"] += 1
    elif rates.setdefault(unit, text) != text:
        left_out[f"two rates for {unit}"] += 1


Stated = tuple[Condition, str, Decimal]


def _priced(name: str, value: Any, facts: Mapping[str, Any], area: int) -> Iterator[Stated]:
    """What one field says: mostly one rate, for a search fee one by size of its context."""
    if name == "search_context_cost_per_query":
        yield from _search_fees(value, facts)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        stated = _rate(name, Decimal(repr(value)), facts, area)
        if stated is not None:
            yield stated


def _rate(name: str, amount: Decimal, facts: Mapping[str, Any], area: int) -> Stated | None:
    mode = str(facts.get("mode"))
    if found := RESOLUTION.match(name):
        unit = "video_seconds" if found[1] == "second" else "images"
        return Condition(words=(("size", found[2].lower()),)), unit, amount
    if area and name in ("input_cost_per_image", "input_cost_per_pixel"):
        per_image = name == "input_cost_per_image"
        return STANDARD, "images", amount if per_image else round(amount * area, 3)
    suffix = SUFFIXES.search(name)
    base = name[: suffix.start()] if suffix else name
    field = BY_MODE.get((mode, base)) or _general(base, facts)
    if field is None or suffix is None:
        return None
    lifetime, thousands, tier = suffix.groups()
    unit = LIFETIMES[lifetime] if lifetime else field.unit
    rate = hourly(amount) if field.per == HOUR else amount * field.per
    return Condition(tier=TIERS.get(tier, ""), above=int(thousands or 0) * 1000), unit, rate


def hourly(second: Decimal) -> Decimal:
    """The price of an hour, of which that of a second is given, often rounded: then the tenth of a cent it came from.

    >>> hourly(Decimal("0.00003083")), hourly(Decimal("0.0001"))
    (Decimal('0.111'), Decimal('0.360'))
    """
    hour = second * HOUR
    tidy = round(hour, 3)
    return tidy if round(tidy / HOUR, -int(second.as_tuple().exponent)) == second else hour


def _general(base: str, facts: Mapping[str, Any]) -> Field | None:
    """A field's meaning; of an image model without a price of its output, that of its input is the output's."""
    mode = facts.get("mode")
    if base == "input_cost_per_image" and mode == "image_generation":
        generated = {"output_cost_per_image", "output_cost_per_image_token"} & facts.keys()
        return None if generated else FIELDS["output_cost_per_image"]
    if base == "output_cost_per_image" and mode not in IMAGES:
        return None  # of a song, or an average of what tokens say
    return FIELDS.get(base)


def _search_fees(value: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[Stated]:
    """A fee per search, by the size of the context that is asked for where that matters."""
    unit = _search_unit(facts)
    fees = {SEARCH_SIZES[size]: Decimal(repr(fee)) * THOUSAND for size, fee in value.items() if size in SEARCH_SIZES and fee}
    if len(set(fees.values())) == 1:
        yield STANDARD, unit, next(iter(fees.values()))
        return
    for size, fee in sorted(fees.items()):
        yield Condition(words=(("search", size),)), unit, fee


def _search_unit(facts: Mapping[str, Any]) -> str:
    """What the fee is charged for: Perplexity charges it for every request, Gemini by prompt or by query."""
    label = str(facts.get("litellm_provider"))
    if label == "perplexity":
        return "requests"
    if label in ("gemini", "vertex_ai", "vertex_ai-language-models"):
        return "grounded_queries" if facts.get("web_search_billing_unit") == "per_query" else "grounded_prompts"
    return "web_searches"


def _ranges(sheets: Sheets, ranges: Any) -> None:
    """Rates by range of input tokens, as Alibaba publishes them."""
    for item in ranges:
        if not isinstance(item.get("range"), list):
            continue
        above = int(item["range"][0])
        stated = (_rate(name, Decimal(repr(value)), {}, 0) for name, value in item.items() if name != "range")
        rates = {unit: text_of(amount) for found in stated if found is not None for _, unit, amount in [found]}
        sheets.setdefault(Condition(above=above), {}).update(rates)


def _faster(sheets: Sheets, facts: Mapping[str, Any]) -> None:
    """A faster service, which the map gives as a factor on the rates of tokens."""
    factor = (facts.get("provider_specific_entry") or {}).get("fast")
    for condition, rates in list(sheets.items()) if factor else ():
        if not condition.tier and (scaled := times(rates, Decimal(repr(factor)))):
            sheets[condition._replace(tier="fast")] = scaled


def regions_of(facts: Mapping[str, Any]) -> dict[str, Decimal]:
    """What the map gives as a factor on the rates of tokens: data residency, and Vertex's regional endpoints."""
    elsewhere = facts.get("regional_endpoint_uplift_multiplier")
    home = (facts.get("provider_specific_entry") or {}).get("us")
    factors = {
        "us": home or facts.get("regional_processing_uplift_multiplier_us") or elsewhere,
        "eu": facts.get("regional_processing_uplift_multiplier_eu") or elsewhere,
        "regional": elsewhere,
    }
    return {region: Decimal(repr(factor)) for region, factor in factors.items() if factor}
