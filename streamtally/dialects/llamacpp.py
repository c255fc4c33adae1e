"""`llamacpp`: the native completion API of llama.cpp's server, with `content` and `stop` in each event.

Terminal rule: `stop` is true; `stop_type`, or flags in old releases, is the finish reason. With several prompts each of them,
told by `index`, has such an event, and no event states that it is the last of all.
Usage rule: counts are cumulative, for each prompt by itself. `tokens_evaluated` is the whole prompt; of it `timings.cache_n`
came from the cache. `tokens_cached` is what the server keeps for the next request, and no count of this one.

The last event repeats the prompt and the settings of the request: they are `extras` of the record, as all that has no name
there, and as such are neither kept with `keep="counts"` nor exported unless content is.

Source: https://github.com/ggml-org/llama.cpp/tree/master/tools/server
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import Chunk, Delta, DetailDelta, FinishDelta, TextDelta, UsageDelta
from ..json_readers import count_of, is_list, mapping_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import Choice, FinishReason, StreamRecord, StreamType
from .base import Dialect
from .openai_common import error_chunk

_FINISH_REASONS: Mapping[str, FinishReason | None] = {"eos": "stop", "word": "stop", "limit": "length", "stop": "stop"}
_FLAGS: Mapping[str, str] = {"stopped_eos": "eos", "stopped_word": "word", "stopped_limit": "limit"}
"""What old releases have in place of `stop_type`; without either the word is "stop"."""
_LISTS = ("tokens", "completion_probabilities")
_COUNTS = ("tokens_evaluated", "tokens_predicted")
_NAMED = frozenset({"index", "content", "stop", "stop_type", "model", *_FLAGS, *_LISTS, *_COUNTS})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event."""
    if found := error_chunk(payload):
        return found
    return Chunk(
        tuple(_deltas(payload, count_of(payload.get("index")) or 0)),
        meta={"model": name_of(payload.get("model"))},
        extras=unnamed(payload, _NAMED),
    )


def _deltas(event: Mapping[str, Any], index: int) -> Iterator[Delta]:
    yield TextDelta(text_of(event.get("content")), choice=index)
    lists = {name: json_value(event[name]) for name in _LISTS if is_list(event.get(name)) and event[name]}
    if lists and "prompt_progress" not in event:  # which comes with a placeholder for a token
        yield DetailDelta("logprobs", lists, index)
    if report := _report(event):
        yield UsageDelta(report, str(index))
    if event.get("stop") is True:
        flag = next((word for name, word in _FLAGS.items() if event.get(name) is True), "stop")
        yield FinishDelta(name_of(event.get("stop_type")) or flag, index)


def _report(event: Mapping[str, Any]) -> dict[str, Json]:
    cached = mapping_of(event.get("timings")).get("cache_n")
    counts = {name: json_value(event[name]) for name in _COUNTS if event.get(name) is not None}
    return counts if cached is None else {**counts, "timings": {"cache_n": json_value(cached)}}


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """The counts as fields of a `Usage`."""
    fields = {
        "input_tokens": count_of(report.get("tokens_evaluated")),
        "output_tokens": count_of(report.get("tokens_predicted")),
        "cache_read_tokens": count_of(mapping_of(report.get("timings")).get("cache_n")),
    }
    return {name: value for name, value in fields.items() if value is not None}


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as the object that the API returns without streaming, of the first choice."""
    choice = record.choices[0] if record.choices else Choice(finish_reason=None)
    return {
        **record.extras,
        **mapping_of(choice.logprobs),
        "index": choice.index,
        "content": choice.text,
        "model": record.model or record.requested_model or "",
        "stop": True,
        "stop_type": choice.finish_reason_raw or "none",
        **(record.usage.raw if record.usage else {}),
    }


def _is_event(payload: Mapping[str, Any]) -> bool:
    return isinstance(payload.get("content"), str) and isinstance(payload.get("stop"), bool)


DIALECT = Dialect(
    "llamacpp",
    StreamType.TEXT,
    chunk,
    usage,
    _FINISH_REASONS,
    response=response,
    recognises=_is_event,
)

DIALECTS = (DIALECT,)
