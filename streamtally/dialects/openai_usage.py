"""Usage reports of the OpenAI family, as fields of a `Usage`: of OpenAI, of compatible servers, and of gateways.

Of several names for one count the one that says something wins: a 0 beside a number says nothing. What is part of another count:

| count | beside or in its details | is part of |
| --- | --- | --- |
| cache reads | `cached_tokens`; beside: LiteLLM `cache_read_input_tokens`, DeepSeek `prompt_cache_hit_tokens`, GigaChat \
`precached_prompt_tokens` | the prompt, if it is not larger (Grok on Azure), nor beside prompt and completion in the total |
| cache writes | `cache_write_tokens`, `cache_creation_tokens`; beside: `cache_creation_input_tokens`; by lifetime | the prompt |
| reasoning | `reasoning_tokens` | the completion, unless it is beside prompt and completion in the total (xAI) |

GitHub Copilot states four classes that do not overlap, for some models nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..json_readers import count_of, mapping_of, mappings_of, number_of
from ..json_values import Json, json_value
from .stated_costs import cost_fields

_INPUTS = ("prompt_tokens_details", "input_tokens_details", "input_token_details", "prompt_token_details")
_OUTPUTS = ("completion_tokens_details", "output_tokens_details", "output_token_details", "completion_token_details")
_READ_INSIDE = ("cached_tokens", "cache_read_tokens", "cache_read_input_tokens")
_READ_BESIDE = (
    "cache_read_input_tokens",
    "prompt_cache_hit_tokens",
    "cached_tokens",
    "precached_prompt_tokens",
    "cache_read_tokens",
)
_WRITTEN_INSIDE = ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens")
_WRITTEN_BESIDE = ("cache_creation_input_tokens", "cache_write_tokens")


def usage_fields(report: Mapping[str, Json]) -> dict[str, Any]:
    """A report in either vocabulary: prompt and completion (chat), or input and output (Responses, audio, images)."""
    if "copilot_usage" in report and "prompt_tokens" not in report and "input_tokens" not in report:
        return _copilot_fields(report["copilot_usage"])
    inputs, outputs = _details(report, _INPUTS), _details(report, _OUTPUTS)
    prompt, completion = _best(report, "prompt_tokens", "input_tokens"), _best(report, "completion_tokens", "output_tokens")
    total = count_of(report.get("total_tokens"))
    reasoning = _larger(_best(outputs, "reasoning_tokens"), _best(report, "reasoning_tokens"))
    read = _larger(_best(inputs, *_READ_INSIDE), _best(report, *_READ_BESIDE))
    if prompt is not None and completion is not None:
        if reasoning and total == prompt + completion + reasoning:
            completion += reasoning
        elif read and (read > prompt or total == prompt + completion + read):
            prompt += read
    written = _written(report, inputs)
    cached = mapping_of(inputs.get("cached_tokens_details") or report.get("cached_tokens_details"))
    fields: dict[str, Any] = {
        "input_tokens": prompt,
        "output_tokens": completion,
        "total_tokens": total,
        "cache_read_tokens": read,
        **written,
        "reasoning_tokens": reasoning,
        "text_input_tokens": _best(inputs, "text_tokens"),
        "text_output_tokens": _best(outputs, "text_tokens"),
        "audio_input_tokens": _best(inputs, "audio_tokens"),
        "audio_output_tokens": _best(outputs, "audio_tokens"),
        "image_input_tokens": _best(inputs, "image_tokens"),
        "image_output_tokens": _best(outputs, "image_tokens"),
        "cache_read_audio_tokens": _best(cached, "audio_tokens"),
        "cache_read_image_tokens": _best(cached, "image_tokens"),
        "accepted_prediction_tokens": _best(outputs, "accepted_prediction_tokens"),
        "rejected_prediction_tokens": _best(outputs, "rejected_prediction_tokens"),
        "seconds": number_of(report.get("seconds")),
        "searches": _best(report, "num_search_queries"),
        **cost_fields(report),
    }
    return {name: value for name, value in fields.items() if value is not None}


def copilot_report(payload: Mapping[str, Any]) -> dict[str, Json] | None:
    """The usage report of GitHub Copilot that stands beside the answer, or None."""
    usage = payload.get("copilot_usage")
    return {"copilot_usage": json_value(usage)} if isinstance(usage, Mapping) and usage.get("token_details") else None


def _copilot_fields(usage: Any) -> dict[str, Any]:
    entries = list(mappings_of(mapping_of(usage).get("token_details")))
    counts = {str(entry.get("token_type")): count_of(entry.get("token_count")) or 0 for entry in entries}
    read, written = counts.get("cache_read"), counts.get("cache_write")
    return {
        "input_tokens": counts.get("input", 0) + (read or 0) + (written or 0),
        "output_tokens": counts.get("output", 0),
        **({} if read is None else {"cache_read_tokens": read}),
        **({} if written is None else {"cache_write_tokens": written}),
    }


def gateway_fields(fields: dict[str, Any], _: Mapping[str, Json], model: str | None, provider: str | None) -> dict[str, Any]:
    """The fields, with the reasoning of Google's models through Vercel's gateway, which counts it beside the completion.

    A recorded bill shows it: 9 prompt, 2 completion and 25 reasoning tokens of gemini-2.5-flash cost what 9 and 27 cost.
    """
    completion, reasoning = fields.get("output_tokens"), fields.get("reasoning_tokens")
    if provider == "vercel" and (model or "").startswith("google/") and completion is not None and reasoning:
        return {**fields, "output_tokens": completion + reasoning} if reasoning > completion else fields
    return fields


def _details(report: Mapping[str, Json], names: tuple[str, ...]) -> Mapping[str, Json]:
    return mapping_of(next((report[name] for name in names if report.get(name)), None))


def _best(report: Mapping[str, Json], *names: str) -> int | None:
    """Of the counts under these names the first that is not 0; else 0 if there is one."""
    counts = [count for name in names if (count := count_of(report.get(name))) is not None]
    return next(filter(None, counts), counts[0] if counts else None)


def _larger(one: int | None, other: int | None) -> int | None:
    return one or other or (0 if one == 0 or other == 0 else None)


def _written(report: Mapping[str, Json], inputs: Mapping[str, Json]) -> dict[str, int | None]:
    """The tokens written to a cache: all, and those of the longer lifetimes."""
    created = mapping_of(inputs.get("cache_creation_token_details") or report.get("cache_creation"))
    lasting = mapping_of(inputs.get("cache_write_tokens_details"))
    by_lifetime = [
        count_of(counts.get(name))
        for counts, name in (
            (created, "ephemeral_5m_input_tokens"),
            (created, "ephemeral_1h_input_tokens"),
            (lasting, "ttl_30m_tokens"),
            (lasting, "ttl_12h_tokens"),
        )
    ]
    known = [count for count in by_lifetime if count is not None]
    stated = _larger(_best(inputs, *_WRITTEN_INSIDE), _best(report, *_WRITTEN_BESIDE))
    return {
        "cache_write_tokens": _larger(stated, sum(known) if known else None),
        "cache_write_1h_tokens": by_lifetime[1],
        "cache_write_12h_tokens": by_lifetime[3],
    }
