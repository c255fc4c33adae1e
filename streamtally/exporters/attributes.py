"""What a span says about a record: pure, and by the names in `names`. None of it is content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..jsonish import Json
from ..records import Outcome, StreamRecord, StreamType, Usage
from . import names
from .measurements import error_type, failed, operation, provider

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


def request_attributes(record: StreamRecord) -> Attributes:
    """What the caller said: it is known when the stream starts and does not change."""
    found: Attributes = {name: value for name, value in record.attributes.items() if isinstance(value, str | bool | int | float)}
    found[names.REQUEST_ID] = record.request_id
    found[names.REQUEST_STREAM] = True
    if record.conversation_id is not None:
        found[names.CONVERSATION_ID] = record.conversation_id
    if record.params:
        found.update(_parameters(record.params))
    return found


def response_attributes(record: StreamRecord) -> Attributes:
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
        found.update(_usage(record.usage))
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
    return record.dialect.startswith("openai.") and record.provider in ("openai", "azure", None)


def _choices_wanted(params: Mapping[str, Json]) -> int:
    n = params.get("n")
    return min(n, MAX_CHOICES) if isinstance(n, int) and n > 1 else 1


def _faults(record: StreamRecord) -> Iterator[tuple[str, Value]]:
    if failed(record):
        yield names.ERROR_TYPE, error_type(record) or names.OTHER_ERROR
    if record.missing:
        yield names.MISSING_CHUNKS, sum(stop - start for start, stop in record.missing)
    if record.duplicates:
        yield names.DUPLICATE_CHUNKS, record.duplicates


def _usage(usage: Usage) -> Attributes:
    found: Attributes = {
        attribute: count for field, attribute in names.USAGE.items() if (count := getattr(usage, field)) is not None
    }
    if usage.source != "provider":
        found[names.USAGE_SOURCE] = usage.source
    if usage.partial:
        found[names.USAGE_PARTIAL] = True
    return found


def _parameters(params: Mapping[str, Json]) -> Iterator[tuple[str, Value]]:
    for name, (attribute, kind) in names.NUMBER_PARAMETERS.items():
        if name in params and _is_number(params[name]):
            yield attribute, kind(params[name])
    for name, (attribute, words) in names.WORD_PARAMETERS.items():
        word = params.get(name)
        if isinstance(word, str) and word in words:
            yield attribute, word
    if (count := _choices_wanted(params)) != 1:
        yield names.REQUEST_CHOICE_COUNT, count


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
