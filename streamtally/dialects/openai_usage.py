"""Usage reports of the OpenAI family, as fields of a `Usage`: of OpenAI, of compatible servers, and of gateways.

Of several names for one count the one that says something wins: a 0 beside a number says nothing. A count that is larger than
what it should be part of stands beside that, and so does one by which the total exceeds the others:

| count | in the details, or beside the totals | is part of |
| --- | --- | --- |
| cache reads | `cached_tokens`; LiteLLM `cache_read_input_tokens`, DeepSeek `prompt_cache_hit_tokens`, GigaChat \
`precached_prompt_tokens` | the prompt; not so Grok on Azure |
| cache writes | `cache_write_tokens`, `cache_creation_tokens`, `cache_creation_input_tokens`; by lifetime | the prompt |
| reasoning | `reasoning_tokens` | the completion; not so xAI, and Google's models through Vercel's gateway |

GitHub Copilot states four classes that do not overlap, for some models nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..json_readers import count_at, count_of, mapping_of, mappings_of, number_of, said, sum_at
from ..json_values import Json, json_value
from .stated_costs import cost_fields

_INPUTS = ("prompt_tokens_details", "input_tokens_details", "input_token_details", "prompt_token_details")
_OUTPUTS = ("completion_tokens_details", "output_tokens_details", "output_token_details", "completion_token_details")
_PROMPT = ("prompt_tokens", "input_tokens")
_COMPLETION = ("completion_tokens", "output_tokens")
_READ = (
    "cached_tokens",
    "cache_read_tokens",
    "cache_read_input_tokens",
    "prompt_cache_hit_tokens",
    "precached_prompt_tokens",
    "num_cached_tokens",
)
_WRITTEN = ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens")


def usage_fields(report: Mapping[str, Json]) -> dict[str, Any]:
    """A report in either vocabulary: prompt and completion (chat), or input and output (Responses, audio, images)."""
    copilot = mapping_of(report.get("copilot_usage"))
    if copilot and not count_at(report, *_PROMPT, *_COMPLETION):
        return _copilot_fields(copilot)
    inputs, outputs = _details(report, _INPUTS), _details(report, _OUTPUTS)
    hour, half_day, written = _written(report, inputs)
    read = said(count_at(inputs, *_READ), count_at(report, *_READ))
    reasoning = said(count_at(outputs, "reasoning_tokens"), count_at(report, "reasoning_tokens"))
    prompt = said(count_at(report, *_PROMPT), sum_at(report, "prompt_cache_hit_tokens", "prompt_cache_miss_tokens"))
    completion, total = count_at(report, *_COMPLETION), count_of(report.get("total_tokens"))
    if prompt is not None and completion is not None:
        rest = 0 if total is None else total - prompt - completion
        thoughts = reasoning or 0 if rest == reasoning else 0
        completion, rest = completion + thoughts, rest - thoughts
        prompt += _beside(prompt, rest, read or 0, written or 0)
    cached = _details({**report, **inputs}, ("cached_tokens_details",))
    fields: dict[str, Any] = {
        "input_tokens": prompt,
        "output_tokens": completion,
        "total_tokens": total,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": hour,
        "cache_write_12h_tokens": half_day,
        "reasoning_tokens": reasoning,
        "text_input_tokens": count_of(inputs.get("text_tokens")),
        "text_output_tokens": count_of(outputs.get("text_tokens")),
        "audio_input_tokens": count_of(inputs.get("audio_tokens")),
        "audio_output_tokens": count_of(outputs.get("audio_tokens")),
        "image_input_tokens": count_of(inputs.get("image_tokens")),
        "image_output_tokens": count_of(outputs.get("image_tokens")),
        "video_input_tokens": count_of(inputs.get("video_tokens")),
        "video_output_tokens": count_of(outputs.get("video_tokens")),
        "cache_read_audio_tokens": count_of(cached.get("audio_tokens")),
        "cache_read_image_tokens": count_of(cached.get("image_tokens")),
        "cache_read_video_tokens": count_of(cached.get("video_tokens")),
        "accepted_prediction_tokens": count_of(outputs.get("accepted_prediction_tokens")),
        "rejected_prediction_tokens": count_of(outputs.get("rejected_prediction_tokens")),
        "seconds": number_of(report.get("seconds")),
        "searches": count_of(report.get("num_search_queries")),
        **cost_fields(report),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _beside(prompt: int, rest: int, read: int, written: int) -> int:
    """The cached tokens that the prompt does not include; `rest` is by how much the total exceeds prompt and completion."""
    for cached in (read + written, read, written):
        if cached and cached == rest:
            return cached
    return read + written if max(read, written) > prompt else 0


def report_in(payload: Mapping[str, Any], *reports: Any) -> dict[str, Json] | None:
    """The usage report of a payload: the first of these that has a count, else GitHub Copilot's, which is beside the answer."""
    found = [report for report in reports if isinstance(report, Mapping) and report]
    counted = [report for report in found if count_at(report, *_PROMPT, *_COMPLETION)]
    beside = mapping_of(payload.get("copilot_usage"))
    if beside.get("token_details") and not counted:
        return {"copilot_usage": json_value(beside)}
    return next((dict(json_value(report)) for report in (*counted, *found)), None)


def _copilot_fields(usage: Mapping[str, Any]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for entry in mappings_of(usage.get("token_details")):
        kind = str(entry.get("token_type"))
        counts[kind] = counts.get(kind, 0) + (count_of(entry.get("token_count")) or 0)
    read, written = counts.get("cache_read"), counts.get("cache_write")
    return {
        "input_tokens": counts.get("input", 0) + (read or 0) + (written or 0),
        "output_tokens": counts.get("output", 0),
        **({} if read is None else {"cache_read_tokens": read}),
        **({} if written is None else {"cache_write_tokens": written}),
    }


def gateway_fields(fields: dict[str, Any], report: Mapping[str, Json], model: str | None, provider: str | None) -> dict[str, Any]:
    """The fields, with the reasoning of Google's models through Vercel's gateway, which counts it beside the completion.

    A recorded bill shows it: 9 prompt, 2 completion and 25 reasoning tokens of gemini-2.5-flash cost what 9 and 27 cost.
    """
    completion, reasoning = fields.get("output_tokens"), fields.get("reasoning_tokens")
    if provider != "vercel" or not (model or "").startswith("google/") or completion is None or not reasoning:
        return fields
    stated = count_at(report, *_COMPLETION)
    is_beside = reasoning > completion if stated is None else stated == completion  # else it is added already
    return {**fields, "output_tokens": completion + reasoning} if is_beside else fields


def _details(report: Mapping[str, Json], names: tuple[str, ...]) -> dict[str, Json]:
    """The fields under all of these names as one; of one that several have the value that says something."""
    found: dict[str, Json] = {}
    for name in names:
        for field, value in mapping_of(report.get(name)).items():
            if value is not None and not found.get(field):
                found[field] = value
    return found


def _written(report: Mapping[str, Json], inputs: Mapping[str, Json]) -> tuple[int | None, int | None, int | None]:
    """The tokens written to a cache: those kept for an hour, for twelve hours, and all."""
    created = _details({**report, **inputs}, ("cache_creation", "cache_creation_token_details"))
    lasting = mapping_of(inputs.get("cache_write_tokens_details"))
    by_lifetime = said(
        sum_at(created, "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
        sum_at(lasting, "ttl_30m_tokens", "ttl_12h_tokens"),
    )
    written = said(count_at(inputs, *_WRITTEN), count_at(report, *_WRITTEN), by_lifetime)
    return count_of(created.get("ephemeral_1h_input_tokens")), count_of(lasting.get("ttl_12h_tokens")), written
