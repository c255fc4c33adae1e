"""Comparison of a record with the reference of its recording: rules for every API, none for a single recording.

A reference is the official SDK's final object, the recording's own last event, or plain concatenation. Where the SDK's own
accumulator and concatenation disagree, `naive` has the result of the latter; a field may then have either value.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from streamtally import Choice, StreamRecord, ToolCall, to_response
from tests.recordings import Recording

RecordFields: TypeAlias = dict[str, Any]
Fields: TypeAlias = Mapping[str, Any]

_TEXTS = (("text", "content"), ("reasoning", "reasoning"), ("refusal", "refusal"))


def differences(recorded: Recording, record: StreamRecord) -> list[str]:
    """Return the fields in which the record differs from the reference; empty if there are none or no reference."""
    reference = recorded.reference
    if not reference:
        return []
    allowed = [expected_fields(recorded.api, reference)]
    if _calls_are_disputed(reference):
        allowed = [{name: value for name, value in allowed[0].items() if not _IN_DISPUTE.search(name)}]
    elif reference.get("naive_diff") and reference.get("naive"):
        allowed.append(expected_fields(recorded.api, reference["naive"]))
    found = record_fields(record)
    names = dict.fromkeys(name for each in allowed for name in each)
    values = {name: [each[name] for each in allowed if name in each] for name in names}
    return [
        f"{name}: {_short(found.get(name))}, not {' or '.join(map(_short, values[name]))}"
        for name in names
        if found.get(name) not in values[name]
    ]


def _calls_are_disputed(reference: Fields) -> bool:
    """Whether the SDK and concatenation find different numbers of calls, so that neither is a reference for calls."""
    lines = [str(line) for line in reference.get("naive_diff") or ()]
    counts = [re.fullmatch(r"tool_calls: sdk=(\d+) naive=(\d+)", line) for line in lines]
    return any(found and found[1] != found[2] for found in counts)


_IN_DISPUTE = re.compile(r"calls|id|blocks")


def _short(value: Any) -> str:
    return str(value)[:80]


def expected_fields(api: str, reference: Fields) -> RecordFields:
    """Return the expected fields of a record by name; fields that the reference lacks have no name."""
    if "audio_sha256" in reference:
        return {"audio": reference["audio_sha256"]}
    found: RecordFields = {}
    if api == "openai.images":
        found |= _expected_image(reference.get("b64_len") or 0)
    elif "choices" in reference:
        for position, choice in enumerate(reference["choices"]):
            found |= _expected_of_choice(choice.get("index") or position, choice)
    else:
        known = {name: value for name, value in reference.items() if value or name in ("content", "tool_calls")}
        found |= _expected_of_choice(0, known)
    found |= _expected_of_some(reference)
    return {**found, **_expected_usage(api, reference.get("usage"))}


def _expected_of_choice(index: int, choice: Fields) -> RecordFields:
    found = {f"{index} {name}": choice[key] or "" for name, key in _TEXTS if key in choice}
    if choice.get("finish_reason"):
        found[f"{index} finish"] = choice["finish_reason"]
    if "tool_calls" in choice:
        calls = choice["tool_calls"] or []
        found[f"{index} calls"] = [(call.get("name") or "", _parsed(call.get("arguments"))) for call in calls]
        found |= {f"{index} id {place}": call["id"] for place, call in enumerate(calls) if call.get("id")}
    return found


def _expected_image(size: int) -> RecordFields:
    """Return the size of an image in base64, unless documentation abbreviated the image to three dots."""
    return {"image sizes": size} if size and size % 4 == 0 else {}


def _expected_of_some(reference: Fields) -> RecordFields:
    """Return the expected fields that only some references have."""
    found: RecordFields = {}
    for name, key in (("items", "output_types"), ("blocks", "block_types"), ("segments", "segments"), ("partials", "partials")):
        if reference.get(key):
            found[name] = reference[key]
    found |= {name: reference[name] for name in ("id", "model") if reference.get(name)}
    if reference.get("annotations") or reference.get("citations"):
        found["annotations"] = reference.get("annotations") or reference["citations"]
    return found


def record_fields(record: StreamRecord) -> RecordFields:
    """Return the fields of a record, under the names that the expected fields have."""
    found: RecordFields = {}
    for choice in record.choices or (Choice(finish_reason=None),):
        found |= _choice_fields(choice)
    if record.transcript is not None:
        found |= {"0 text": record.transcript.text, "segments": len(record.transcript.segments)}
    data = record.audio.data if record.audio and record.audio.data else b""
    return {
        **found,
        "id": record.response_id,
        "model": record.model,
        "audio": hashlib.sha256(data).hexdigest(),
        "image sizes": sum(len(base64.b64encode(image.data or b"")) for image in record.images),
        "partials": sum(image.partials for image in record.images),
        "blocks": _blocks(record),
        "items": [item.get("type") for item in record.output_items],
        "annotations": sum(len(choice.annotations) for choice in record.choices),
        **_usage_fields(record),
    }


def _blocks(record: StreamRecord) -> list[Any]:
    """Return the types of the content blocks of an Anthropic message."""
    content = to_response(record).get("content") if record.dialect in _OF_BLOCKS else None
    return [block.get("type") for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []


_OF_BLOCKS = frozenset({"anthropic.messages", "bedrock.invoke"})


def _choice_fields(choice: Choice) -> RecordFields:
    at = choice.index
    return {
        f"{at} text": choice.text,
        f"{at} reasoning": choice.reasoning or "",
        f"{at} refusal": choice.refusal or "",
        f"{at} finish": choice.finish_reason_raw,
        f"{at} calls": [_call(call) for call in choice.tool_calls],
        **{f"{at} id {place}": call.id for place, call in enumerate(choice.tool_calls)},
    }


def _call(call: ToolCall) -> tuple[str, Any]:
    return call.name or "", _parsed(call.arguments)


def _parsed(arguments: Any) -> Any:
    """Return arguments as a value if they are JSON, because servers and SDKs write the same object in many ways."""
    if not isinstance(arguments, str):
        return {} if arguments is None else arguments
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


# --------------------------------------------------------------------------------------------------------------- usage

_INPUT = ("prompt_tokens", "input_tokens", "promptTokenCount", "inputTokens", "prompt_eval_count")
_OUTPUT = ("completion_tokens", "output_tokens", "candidatesTokenCount", "outputTokens", "eval_count")
_BESIDE_INPUT = ("toolUsePromptTokenCount", "cacheReadInputTokens", "cacheWriteInputTokens")
_BESIDE_INPUT_OF_ANTHROPIC = ("cache_read_input_tokens", "cache_creation_input_tokens")
_CACHED = ("cached_tokens", "cachedContentTokenCount", "cacheReadInputTokens", "cache_read_input_tokens")


def _expected_usage(api: str, usage: Fields | None) -> RecordFields:
    """Return the expected totals, which include cached and reasoning tokens, as those of `Usage` do."""
    if not usage:
        return {}
    counts = {**usage, **(usage.get("tokens") or {})}
    details = {**(usage.get("prompt_tokens_details") or {}), **(usage.get("input_tokens_details") or {})}
    of_anthropic = api in ("anthropic.messages", "bedrock.invoke")
    beside = (*_BESIDE_INPUT, *(_BESIDE_INPUT_OF_ANTHROPIC if of_anthropic else ()))
    found = {
        "input tokens": _sum(_first(counts, _INPUT), (counts.get(name) for name in beside)),
        "output tokens": _sum(_first(counts, _OUTPUT), (counts.get("thoughtsTokenCount"), _reasoning_beside(counts))),
        "cached tokens": _first({**counts, **details}, _CACHED),
    }
    return {name: value for name, value in found.items() if value is not None}


def _reasoning_beside(counts: Fields) -> int:
    """Return the reasoning tokens that xAI leaves out of the completion tokens, as the total shows."""
    reasoning = (counts.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    prompt, completion = counts.get("prompt_tokens") or 0, counts.get("completion_tokens") or 0
    return reasoning if counts.get("total_tokens") == prompt + completion + reasoning else 0


def _first(counts: Fields, names: Iterable[str]) -> Any:
    return next((counts[name] for name in names if counts.get(name) is not None), None)


def _sum(first: Any, others: Iterable[Any]) -> Any:
    """Return the sum of the known values, or `first` if there are none."""
    known = [each for each in (first, *others) if each]
    return sum(known) if known else first


def _usage_fields(record: StreamRecord) -> RecordFields:
    usage = record.usage
    if usage is None:
        return {}
    return {
        "input tokens": usage.input_tokens,
        "output tokens": usage.output_tokens,
        "cached tokens": usage.cache_read_tokens,
    }
