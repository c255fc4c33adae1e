"""The cost of a golden case by each installed price library, through its documented functions.

A case is a mapping of `tests/pricing/golden.json`. A case that a library's functions cannot express raises `Unsupported`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from streamtally.pricing import ModelCatalog
from streamtally.records import Usage

Case = Mapping[str, Any]
PriceFunction = Callable[[Case], Decimal | None]


class Unsupported(Exception):
    """The library has no parameter for a condition or unit of the case."""


def streamtally() -> PriceFunction:
    """This package's catalog; an incomplete cost counts as none."""
    catalog = ModelCatalog.bundled()

    def ask(case: Case) -> Decimal | None:
        at = datetime.fromisoformat(case["at"])
        usage = Usage(**case["usage"])
        options = {"provider": case["provider"], "at": at, "tier": case.get("tier"), "region": case.get("region")}
        cost = catalog.price(case["model"], usage, **options)
        return cost.usd if cost.complete else None

    return ask


# ------------------------------------------------------------------------------------------------------- genai-prices

GENAI_FIELDS = {
    "input_tokens": "input_tokens", "output_tokens": "output_tokens", "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens", "cache_write_1h_tokens": "cache_write_1h_tokens",
    "audio_input_tokens": "input_audio_tokens", "image_input_tokens": "input_image_tokens",
    "audio_output_tokens": "output_audio_tokens", "image_output_tokens": "output_image_tokens",
    "cache_read_audio_tokens": "cache_audio_read_tokens", "reasoning_tokens": "output_reasoning_tokens",
    "citation_tokens": "output_citation_tokens", "characters": "input_characters", "pages": "input_document_pages",
    "annotated_pages": "input_annotated_document_pages", "searches": "web_searches", "grounded_prompts": "web_searches",
    "grounded_queries": "web_searches", "file_searches": "storage_searches", "seconds": "input_audio_seconds",
}  # fmt: skip
GENAI_SILENT = frozenset({"text_input_tokens", "text_output_tokens", "images", "image_quality", "image_size", "search_context"})
GENAI_TIERS = {"batch": {"processing": "batch"}, "fast": {"speed": "fast"}}


def genai_prices() -> PriceFunction:
    """The library genai-prices, by `calc_price` with the provider's name and the time of the request.

    Raises:
        ImportError: it is not installed.
    """
    from genai_prices import calc_price
    from genai_prices.types import Usage as GenaiUsage

    def ask(case: Case) -> Decimal | None:
        usage = case["usage"]
        if "images" in usage and len({"images", "image_quality", "image_size"} | usage.keys()) == 3:
            raise Unsupported("no price per image")
        if unknown := usage.keys() - GENAI_FIELDS.keys() - GENAI_SILENT:
            raise Unsupported(f"no unit for {', '.join(sorted(unknown))}")
        counts = {GENAI_FIELDS[field]: value for field, value in usage.items() if field in GENAI_FIELDS}
        if "seconds" in usage:
            counts["audio_seconds"] = usage["seconds"]  # some of its prices are of the one, some of the other
        if "citation_tokens" in usage:
            counts["output_tokens"] += usage["citation_tokens"]  # its output contains them
        context = GENAI_TIERS.get(case.get("tier", ""), {"service_tier": case["tier"]} if case.get("tier") else None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = calc_price(
                GenaiUsage(**counts),
                case["model"],
                provider_id=case["provider"],
                genai_request_timestamp=datetime.fromisoformat(case["at"]),
                price_context=context,
            )
        return Decimal(result.total_price)

    return ask


# ------------------------------------------------------------------------------------------------------------ LiteLLM

LITELLM_PROVIDERS = {
    "x-ai": "xai", "moonshotai": "moonshot", "together": "together_ai", "alibaba": "dashscope", "voyageai": "voyage",
    "black-forest-labs": "black_forest_labs", "runway": "runwayml", "fireworks": "fireworks_ai", "aws": "bedrock",
    "google": "gemini",
}  # fmt: skip
LITELLM_UNTOLD = frozenset({"pages", "annotated_pages", "file_searches", "code_sessions", "maps_queries"})


def litellm() -> PriceFunction:
    """LiteLLM's cost calculator with the map of its release; nothing is fetched.

    Raises:
        ImportError: it is not installed.
    """
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    from litellm import completion_cost, cost_calculator, cost_per_token, types  # type: ignore[import-not-found,unused-ignore]

    def ask(case: Case) -> Decimal | None:
        usage, place = case["usage"], _litellm_place(case)
        if unavailable := usage.keys() & LITELLM_UNTOLD:
            raise Unsupported(f"counted from a whole response only: {', '.join(sorted(unavailable))}")
        if "seconds" in usage:
            return _sum(cost_per_token(**place, call_type="atranscription", audio_transcription_file_duration=usage["seconds"]))
        if "characters" in usage:
            return _sum(cost_per_token(**place, call_type="aspeech", prompt_characters=usage["characters"]))
        if "search_units" in usage:
            units = {"search_units": usage["search_units"]}
            return _sum(cost_per_token(**place, call_type="arerank", rerank_billed_units=units))
        if "video_seconds" in usage:
            return _one(cost_calculator.default_video_cost_calculator(
                duration_seconds=usage["video_seconds"], video_resolution=usage.get("video_size"), **place
            ))  # fmt: skip
        if "images" in usage and "input_tokens" not in usage:
            size = usage.get("image_size", "1024x1024").replace("x", "-x-")
            if place["custom_llm_provider"] != "openai":
                place["model"] = f"{place['custom_llm_provider']}/{case['model']}"
            return _one(cost_calculator.default_image_cost_calculator(
                quality=usage.get("image_quality"), size=size, n=usage["images"], **place
            ))  # fmt: skip
        reported = _litellm_usage(usage, case, types.utils)
        if case.get("tier") == "batch":
            return _sum(cost_calculator.batch_cost_calculator(reported, **place))
        response = types.utils.ModelResponse(model=place["model"], usage=reported)
        return _one(completion_cost(response, **place, **_litellm_options(case, types.utils)))

    return ask


def _litellm_place(case: Case) -> dict[str, Any]:
    provider, region = case["provider"], case.get("region")
    name = LITELLM_PROVIDERS.get(provider, provider)
    model = case["model"]
    if provider == "google" and model.startswith("claude"):
        name = "vertex_ai"
    elif provider == "azure":
        name = "azure" if model.startswith(("gpt", "o4")) else "azure_ai"
        model = f"{name}/{region}/{model}" if region else f"{name}/{model}"
    elif provider == "cohere" and model.startswith("command"):
        name = "cohere_chat"
    return {"model": model, "custom_llm_provider": name}


def _litellm_options(case: Case, types: Any) -> dict[str, Any]:
    region, usage = case.get("region"), case["usage"]
    search = {"search_context_size": usage.get("search_context", "medium")}
    tools = types.StandardBuiltInToolsParams(web_search_options=search) if {"search_context", "searches"} & usage.keys() else None
    return {
        "service_tier": case.get("tier"),
        "data_residency": region if case["provider"] == "openai" else None,
        "vertex_location": region if case["id"].startswith("vertex") else None,
        "standard_built_in_tools_params": tools,
    }


def _litellm_usage(usage: Mapping[str, Any], case: Case, types: Any) -> Any:
    written, hour = usage.get("cache_write_tokens"), usage.get("cache_write_1h_tokens")
    half_day = usage.get("cache_write_12h_tokens")
    lifetimes = types.CacheCreationTokenDetails(
        ephemeral_5m_input_tokens=(written or 0) - (hour or 0) - (half_day or 0),
        ephemeral_1h_input_tokens=hour,
        ephemeral_12h_input_tokens=half_day,
    )
    searches = usage.get("searches") or usage.get("grounded_queries") or usage.get("grounded_prompts")
    details = types.PromptTokensDetailsWrapper(
        cached_tokens=usage.get("cache_read_tokens"),
        audio_tokens=usage.get("audio_input_tokens"),
        image_tokens=usage.get("image_input_tokens"),
        text_tokens=usage.get("text_input_tokens"),
        cache_creation_tokens=written,
        cache_creation_token_details=lifetimes if written else None,
        web_search_requests=searches,
        **({"cached_tokens_details": _cached_kinds(usage)} if "cache_read_audio_tokens" in usage else {}),
    )
    produced = types.CompletionTokensDetailsWrapper(
        reasoning_tokens=usage.get("reasoning_tokens"),
        audio_tokens=usage.get("audio_output_tokens"),
        image_tokens=usage.get("image_output_tokens"),
        text_tokens=usage.get("text_output_tokens"),
    )
    extra: dict[str, Any] = {"cache_creation_input_tokens": written, "cache_read_input_tokens": usage.get("cache_read_tokens")}
    if case["provider"] == "anthropic":
        extra |= {"inference_geo": case.get("region"), "speed": case.get("tier")}
    if searches:
        extra["server_tool_use"] = types.ServerToolUse(web_search_requests=searches)
    if "citation_tokens" in usage:
        extra["citation_tokens"] = usage["citation_tokens"]
    given, made = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
    return types.Usage(
        prompt_tokens=given,
        completion_tokens=made,
        total_tokens=given + made,
        prompt_tokens_details=details,
        completion_tokens_details=produced,
        **{key: value for key, value in extra.items() if value is not None},
    )


def _cached_kinds(usage: Mapping[str, Any]) -> dict[str, int]:
    sound = usage["cache_read_audio_tokens"]
    return {"audio_tokens": sound, "text_tokens": usage["cache_read_tokens"] - sound}


def _sum(parts: tuple[float, float]) -> Decimal:
    return Decimal(repr(float(parts[0] + parts[1])))


def _one(amount: float) -> Decimal:
    return Decimal(repr(float(amount)))


PEERS: Mapping[str, Callable[[], PriceFunction]] = {"genai-prices": genai_prices, "litellm": litellm}
