"""What a span says about a record: pure, and by the names in `names`. None of it is content."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from ..dialects import known_dialect
from ..json_values import Json
from ..records import Outcome, StreamRecord, StreamType, Usage
from . import names
from .measurements import error_type, failed, operation, provider
from .names import Profile

Value = str | bool | int | float | Sequence[str]
Attributes = dict[str, Value]

MAX_CHOICES = 128
"""The most choices that a request may ask for, as OpenAI's API has it; a larger number is somebody's mistake."""


def span_name(record: StreamRecord) -> str:
    """The operation and the model, as the conventions have it: `chat gpt-4o`."""
    return " ".join(filter(None, (operation(record) or "stream", record.requested_model or record.model)))


def identity_attributes(record: StreamRecord) -> Attributes:
    """What kind of stream it is, and whose: begun when the stream starts, complete once the first chunk has told."""
    found: dict[str, Value | None] = {
        names.OPERATION: operation(record),
        names.PROVIDER: provider(record),
        names.REQUEST_MODEL: record.requested_model,
        names.DIALECT: record.dialect,
    }
    if record.server_address is not None:
        found[names.SERVER_ADDRESS] = record.server_address
        found[names.SERVER_PORT] = record.server_port
    if record.stream_type in _OUTPUT_TYPES:
        found[names.OUTPUT_TYPE] = _OUTPUT_TYPES[record.stream_type]
    elif _speaks_openai(record):
        found[names.OPENAI_API_TYPE] = _API_TYPES.get(record.stream_type)
        if (tier := _word(record.params.get("service_tier"))) in names.SERVICE_TIERS:
            found[names.OPENAI_REQUEST_SERVICE_TIER] = tier
    if record.params and (asked := _output_asked(record.params)):
        found[names.OUTPUT_TYPE] = asked
    return {name: value for name, value in found.items() if value is not None}


def same_identity(one: StreamRecord, other: StreamRecord) -> bool:
    """Whether the identity attributes of two records of one stream are the same: cheaper than to make them."""
    return (
        operation(one) == operation(other)
        and one.dialect == other.dialect
        and one.requested_model == other.requested_model
        and one.provider == other.provider
        and one.server_address == other.server_address
        and one.stream_type is other.stream_type
        and one.server_port == other.server_port
    )


def request_attributes(record: StreamRecord, profile: Profile) -> Attributes:
    """What the caller said: it is known when the stream starts and does not change."""
    found: Attributes = {name: value for name, value in record.attributes.items() if isinstance(value, str | bool | int | float)}
    found[names.REQUEST_ID] = record.request_id
    found[names.REQUEST_STREAM] = True
    if record.conversation_id is not None:
        found[names.CONVERSATION_ID] = record.conversation_id
    if record.params:
        found.update(_parameters(record.params, profile))
    return found


def response_attributes(record: StreamRecord, profile: Profile) -> Attributes:
    """What is known when a stream has ended: what came, how fast, how much, and how it ended."""
    timing, cost = record.timing, record.cost
    found: dict[str, Value | None] = {
        names.OUTCOME: record.outcome and record.outcome.value,
        names.RESPONSE_ID: record.response_id,
        names.RESPONSE_MODEL: record.model,
        names.RESPONSE_FINISH_REASONS: finish_reasons(record) or None,
        names.TIME_TO_FIRST_TOKEN: timing.time_to_first_token,
        names.TOKENS_PER_SECOND: timing.tokens_per_second,
        names.CHUNKS: record.chunk_count,
    }
    if timing.started_from == "wrap":
        found[names.STARTED_FROM] = timing.started_from
    else:
        found[names.RESPONSE_TIME_TO_FIRST_CHUNK] = timing.time_to_first_chunk
    if cost.usd is not None:
        found[names.COST_USD] = float(cost.usd)
    if cost.status != "priced":
        found[names.COST_STATUS] = cost.status
    if record.usage is not None:
        found.update(_usage(record.usage, profile))
    if _speaks_openai(record):
        found[names.OPENAI_RESPONSE_SERVICE_TIER] = record.service_tier
        found[names.OPENAI_RESPONSE_FINGERPRINT] = record.system_fingerprint
    found.update(_faults(record))
    return {name: value for name, value in found.items() if value is not None}


def finish_reasons(record: StreamRecord) -> tuple[str, ...]:
    """Why each choice ended, in order; "error" where a reason was expected and never came, as the conventions have it.

    Empty for streams that have no choices, and for answers that completed in a format that states no reason.
    """
    if record.stream_type not in _WITH_CHOICES:
        return ()
    reasons = [choice.finish_reason or "error" for choice in record.choices]
    if record.outcome is Outcome.COMPLETED and not any(record.finish_reasons):
        return ()
    return (*reasons, *["error"] * (_choices_wanted(record.params) - len(reasons)))


_WITH_CHOICES = frozenset({StreamType.TEXT, StreamType.CHAT, StreamType.RESPONSES})
_OUTPUT_TYPES = {StreamType.SPEECH: "speech", StreamType.IMAGE: "image", StreamType.TRANSCRIPTION: "text"}
_API_TYPES = {StreamType.CHAT: "chat_completions", StreamType.RESPONSES: "responses"}


def _speaks_openai(record: StreamRecord) -> bool:
    return known_dialect(record.dialect).provider == "openai" and record.provider in ("openai", "azure", None)


def _output_asked(params: Mapping[str, Json]) -> str | None:
    """The kind of output that the request asks for: JSON, text or speech."""
    nested = params.get("text")
    for given in (params.get("response_format"), nested.get("format") if isinstance(nested, dict) else None):
        kind = given.get("type") if isinstance(given, dict) else None
        if isinstance(kind, str) and kind in _FORMATS:
            return _FORMATS[kind]
    modalities = params.get("modalities")
    return "speech" if isinstance(modalities, list) and "audio" in modalities else None


_FORMATS = {"json_object": "json", "json_schema": "json", "text": "text"}


def _choices_wanted(params: Mapping[str, Json]) -> int:
    count = dict(_numbers(params)).get(names.REQUEST_CHOICE_COUNT, 1)
    return min(int(count), MAX_CHOICES) if count > 1 else 1


def _faults(record: StreamRecord) -> Iterator[tuple[str, Value]]:
    if failed(record):
        yield names.ERROR_TYPE, error_type(record) or names.OTHER_ERROR
    if record.missing:
        yield names.MISSING_CHUNKS, sum(stop - start for start, stop in record.missing)
    if record.duplicates:
        yield names.DUPLICATE_CHUNKS, record.duplicates


def _usage(usage: Usage, profile: Profile) -> Attributes:
    found: Attributes = {
        attribute: count
        for field, attributes in profile.usage.items()
        if (count := getattr(usage, field)) is not None
        for attribute in attributes
    }
    if usage.source != "provider":
        found[names.USAGE_SOURCE] = usage.source
    if usage.partial:
        found[names.USAGE_PARTIAL] = True
    return found


def _parameters(params: Mapping[str, Json], profile: Profile) -> Iterator[tuple[str, Value]]:
    for attribute, number in _numbers(params):
        if attribute != names.REQUEST_CHOICE_COUNT:
            yield attribute, int(number) if attribute in profile.whole_numbers else float(number)
    if (count := _choices_wanted(params)) != 1:
        yield names.REQUEST_CHOICE_COUNT, count
    if (level := _reasoning_level(params)) in names.REASONING_LEVELS:
        yield names.REQUEST_REASONING_LEVEL, level
    if previous := _word(params.get("previous_response_id")):
        yield names.REQUEST_PREVIOUS_RESPONSE_ID, previous


def _numbers(params: Mapping[str, Json]) -> Iterator[tuple[str, int | float]]:
    """The parameters that are numbers, also those in the objects that some providers put them in."""
    for name, value in params.items():
        if name in names.NUMBER_PARAMETERS:
            if _is_number(value):
                yield names.NUMBER_PARAMETERS[name], value
        elif name in names.NESTED_PARAMETERS and isinstance(value, dict):
            yield from _numbers({inner: number for inner, number in value.items() if _is_number(number)})


def _reasoning_level(params: Mapping[str, Json]) -> str:
    for holder in (params, params.get("reasoning"), params.get("output_config")):
        if isinstance(holder, dict) and (level := _word(holder.get("reasoning_effort") or holder.get("effort"))):
            return level
    return ""


def _word(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
