"""The attributes of a span, from a record: pure functions. No attribute is content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..dialects import known_dialect
from ..records import Outcome, StreamRecord, StreamType, Usage
from . import names
from .measurements import Identity, error_type, failed, provider
from .parameters import parameter_attributes, requested_choices, requested_output_type, requested_service_tier
from .profiles import Profile

Value = str | bool | int | float | Sequence[str]
Attributes = dict[str, Value]


class SpanAttributes:
    """The name and the attributes of the span of one record, computed once for all that use them."""

    __slots__ = ("_profile", "_request", "_response", "identity", "of_identity", "record")

    def __init__(self, record: StreamRecord, profile: Profile) -> None:
        self.record = record
        self.identity = Identity.of(record)
        self.of_identity = identity_attributes(record, self.identity)
        self._profile = profile
        self._request: Attributes | None = None
        self._response: Attributes | None = None

    @property
    def span_name(self) -> str:
        """The operation and the model, as the conventions require: `chat gpt-4o`."""
        return " ".join(filter(None, (self.identity.operation or "stream", self.identity.requested_model or self.identity.model)))

    @property
    def of_request(self) -> Attributes:
        """What the caller gave: known at the start, and unchanged afterwards."""
        if self._request is None:
            self._request = request_attributes(self.record, self._profile)
        return self._request

    @property
    def of_response(self) -> Attributes:
        """What is known at the end."""
        if self._response is None:
            self._response = response_attributes(self.record, self._profile)
        return self._response


def identity_attributes(record: StreamRecord, identity: Identity) -> Attributes:
    """The attributes that identify the kind of stream."""
    attributes: dict[str, Value | None] = {
        names.OPERATION: identity.operation,
        names.PROVIDER: provider(record),
        names.REQUEST_MODEL: record.requested_model,
        names.DIALECT: record.dialect,
    }
    if record.server_address is not None:
        attributes[names.SERVER_ADDRESS] = record.server_address
        attributes[names.SERVER_PORT] = record.server_port
    kind = STREAM_TYPES[record.stream_type]
    if kind.output_type is not None:
        attributes[names.OUTPUT_TYPE] = kind.output_type
    elif _speaks_openai(record):
        attributes[names.OPENAI_API_TYPE] = kind.openai_api
        attributes[names.OPENAI_REQUEST_SERVICE_TIER] = requested_service_tier(record.params)
    if record.params and (output_type := requested_output_type(record.params)):
        attributes[names.OUTPUT_TYPE] = output_type
    return {name: value for name, value in attributes.items() if value is not None}


def request_attributes(record: StreamRecord, profile: Profile) -> Attributes:
    """The attributes that the caller gave: attributes, IDs and request parameters."""
    attributes: Attributes = {
        name: value for name, value in record.attributes.items() if isinstance(value, str | bool | int | float)
    }
    attributes[names.REQUEST_ID] = record.request_id
    attributes[names.REQUEST_STREAM] = True
    if record.conversation_id is not None:
        attributes[names.CONVERSATION_ID] = record.conversation_id
    if record.params:
        attributes.update(parameter_attributes(record.params, profile.whole_numbers))
    return attributes


def response_attributes(record: StreamRecord, profile: Profile) -> Attributes:
    """The attributes of the response: how the stream ended, speed, usage, cost."""
    timing, cost = record.timing, record.cost
    attributes: dict[str, Value | None] = {
        names.OUTCOME: record.outcome and record.outcome.value,
        names.RESPONSE_ID: record.response_id,
        names.RESPONSE_MODEL: record.model,
        names.RESPONSE_FINISH_REASONS: finish_reasons(record) or None,
        names.TIME_TO_FIRST_TOKEN: timing.time_to_first_token,
        names.TOKENS_PER_SECOND: timing.tokens_per_second,
        names.CHUNKS: record.chunk_count,
    }
    if timing.started_from == "wrap":
        attributes[names.STARTED_FROM] = timing.started_from
    else:
        attributes[names.RESPONSE_TIME_TO_FIRST_CHUNK] = timing.time_to_first_chunk
    if cost.usd is not None:
        attributes[names.COST_USD] = float(cost.usd)
    if cost.status != "priced":
        attributes[names.COST_STATUS] = cost.status
    if record.usage is not None:
        attributes.update(_usage(record.usage, profile))
    if _speaks_openai(record):
        attributes[names.OPENAI_RESPONSE_SERVICE_TIER] = record.service_tier
        attributes[names.OPENAI_RESPONSE_FINGERPRINT] = record.system_fingerprint
    attributes.update(_faults(record))
    return {name: value for name, value in attributes.items() if value is not None}


def finish_reasons(record: StreamRecord) -> tuple[str, ...]:
    """The finish reason of each choice, in order; "error", as the conventions require, for a choice that never finished.

    Empty for streams that have no choices, and for completed answers of a dialect that has no finish reasons.
    """
    if not STREAM_TYPES[record.stream_type].has_choices:
        return ()
    reasons = [choice.finish_reason or "error" for choice in record.choices]
    if record.outcome is Outcome.COMPLETED and not any(record.finish_reasons):
        return ()
    return (*reasons, *["error"] * (requested_choices(record.params) - len(reasons)))


class _StreamTypeAttributes(NamedTuple):
    """What the attributes of a span depend on, for one stream type.

    Args:
        has_choices: whether the answer consists of choices, which have finish reasons.
        output_type: the value of `gen_ai.output.type`; None if it depends on the request.
        openai_api: the value of `openai.api.type`; None if the conventions define none.
    """

    has_choices: bool
    output_type: str | None = None
    openai_api: str | None = None


STREAM_TYPES: Mapping[StreamType, _StreamTypeAttributes] = {
    StreamType.TEXT: _StreamTypeAttributes(has_choices=True),
    StreamType.CHAT: _StreamTypeAttributes(has_choices=True, openai_api="chat_completions"),
    StreamType.RESPONSES: _StreamTypeAttributes(has_choices=True, openai_api="responses"),
    StreamType.SPEECH: _StreamTypeAttributes(has_choices=False, output_type="speech"),
    StreamType.TRANSCRIPTION: _StreamTypeAttributes(has_choices=False, output_type="text"),
    StreamType.IMAGE: _StreamTypeAttributes(has_choices=False, output_type="image"),
}


def _speaks_openai(record: StreamRecord) -> bool:
    return known_dialect(record.dialect).family == "openai" and record.provider in ("openai", "azure", None)


def _faults(record: StreamRecord) -> Iterator[tuple[str, Value]]:
    if failed(record):
        yield names.ERROR_TYPE, error_type(record) or names.OTHER_ERROR
    if record.missing:
        yield names.MISSING_CHUNKS, sum(stop - start for start, stop in record.missing)
    if record.duplicates:
        yield names.DUPLICATE_CHUNKS, record.duplicates


def _usage(usage: Usage, profile: Profile) -> Attributes:
    attributes: Attributes = {
        attribute: count
        for field, names_of_field in profile.usage.items()
        if (count := getattr(usage, field)) is not None
        for attribute in names_of_field
    }
    if usage.source != "provider":
        attributes[names.USAGE_SOURCE] = usage.source
    if usage.partial:
        attributes[names.USAGE_PARTIAL] = True
    return attributes
