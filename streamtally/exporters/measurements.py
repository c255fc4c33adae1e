"""The values that metrics take from a record: pure functions, the same for every exporter.

There is one function for each metric. A value that the record does not have makes no sample: unknown is never zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, get_args

from ..dialects import OPAQUE, known_dialect
from ..records import CostStatus, FinishReason, InterChunk, Outcome, StreamRecord, StreamType, Usage
from .names import OTHER_ERROR, PROVIDERS

Values = tuple[str, ...]
"""The values of an instrument's own labels, in their order. "" means that an optional label is absent."""

Sample = tuple[float | InterChunk, Values]
"""A value to add or to observe. A distribution metric takes all values of one stream at once, as an `InterChunk`."""

Measure = Callable[[StreamRecord], Sequence[Sample]]
"""Returns the samples of one metric for a record that has ended."""

DIRECTIONS = ("input", "output")
MODALITIES = ("text", "image", "audio", "unknown")
CACHED_MODALITIES = ("image", "audio", "unknown")
TOKEN_PARTS: Mapping[str, str] = {
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "reasoning_tokens": "reasoning",
}
UNKNOWN_PROVIDER = "unknown"
"""The value of the provider's label where nobody named one."""

FAULTS = ("duplicate", "conflict", "missing", "late", "dropped")
FINISH_REASONS: tuple[str, ...] = get_args(FinishReason)
OUTCOMES = tuple(map(str, Outcome))
UNPRICED: tuple[str, ...] = tuple(status for status in get_args(CostStatus) if status != "priced")

LATE_CHUNK: Values = ("late",)
"""The labels of `chunk_faults` for a chunk that was received after the end of its stream, and so is in no record."""

FAILED: Mapping[Outcome, bool] = {
    Outcome.COMPLETED: False,
    Outcome.TRUNCATED: False,
    Outcome.CANCELLED: False,
    Outcome.ABANDONED: False,
    Outcome.TIMEOUT: True,
    Outcome.LIMIT: False,
    Outcome.ERROR: True,
}
"""Whether an outcome is an error."""


class Identity(NamedTuple):
    """The values of the labels that all metrics of streams share, in the order of `labels.BASE_LABELS`."""

    operation: str | None
    provider: str
    requested_model: str | None
    model: str | None
    server_address: str | None
    server_port: int | None

    @classmethod
    def of(cls, record: StreamRecord) -> Identity:
        """The values for one record; None for those that the record does not have.

        The conventions require a provider in each metric; for one that nobody named it is "unknown". Spans have none then.
        """
        return cls(
            operation(record),
            provider(record) or UNKNOWN_PROVIDER,
            record.requested_model,
            record.model,
            record.server_address,
            record.server_port,
        )


def operation(record: StreamRecord) -> str | None:
    """The conventions' name of the operation. It is "generate_content" for speech, transcription and images.

    None for a stream in flight whose dialect has not been recognised yet.
    """
    if record.dialect == OPAQUE.name and record.outcome is None and record.stream_type is StreamType.TEXT:
        return None
    return known_dialect(record.dialect).operation or OPERATIONS[record.stream_type]


def provider(record: StreamRecord) -> str | None:
    """The conventions' name of the provider, or the record's where they define none."""
    name = record.provider
    return None if name is None else PROVIDERS.get(name, name)


def failed(record: StreamRecord) -> bool:
    """Whether the stream ended in an error. Cancelled and abandoned streams did not."""
    return record.outcome is not None and FAILED[record.outcome]


def error_type(record: StreamRecord) -> str | None:
    """The value of `error.type` for a stream that failed, None for any other stream.

    It is the class of the exception that reached the caller, as the conventions have it, else the provider's word. A text with
    spaces, with more than 80 characters or with six or more digits is a message or an ID, of which there is no end: it becomes
    `OTHER_ERROR`.
    """
    if not failed(record):
        return None
    if record.error is not None:
        word = record.error.type
        if record.error.exception is not None and word != "timeout":
            word = record.error.exception
        return word if _ERROR_WORD.fullmatch(word) else OTHER_ERROR
    return "timeout" if record.outcome is Outcome.TIMEOUT else OTHER_ERROR


_ERROR_WORD = re.compile(r"(?!(?:\D*\d){6})[\w.:/<>-]{1,80}", re.ASCII)


OPERATIONS: Mapping[StreamType, str] = {
    StreamType.TEXT: "text_completion",
    StreamType.CHAT: "chat",
    StreamType.RESPONSES: "chat",
    StreamType.SPEECH: "generate_content",
    StreamType.TRANSCRIPTION: "generate_content",
    StreamType.IMAGE: "generate_content",
}

_NOTHING: tuple[Sample, ...] = ()
_INPUT, _OUTPUT = ("input",), ("output",)
_UNKNOWN = ("unknown",)
_ZERO: tuple[Sample, ...] = ((0, _UNKNOWN),)
_TOTALS = frozenset({"input_tokens", "output_tokens"})
_INPUT_PARTS = (("text_input_tokens", "text"), ("image_input_tokens", "image"), ("audio_input_tokens", "audio"))
_OUTPUT_PARTS = (("text_output_tokens", "text"), ("image_output_tokens", "image"), ("audio_output_tokens", "audio"))
_CACHED_PARTS = (("cache_read_image_tokens", "image"), ("cache_read_audio_tokens", "audio"))
_PARTS = tuple((field, (part,)) for field, part in TOKEN_PARTS.items())


def _optional(value: float | None) -> tuple[Sample, ...]:
    return _NOTHING if value is None else ((value, ()),)


def _latency(record: StreamRecord, seconds: float | None, labels: Values = ()) -> tuple[Sample, ...]:
    # The latency of a stream that was already open when it was wrapped is a lower bound, of no use in a quantile.
    return _NOTHING if seconds is None or record.timing.started_from == "wrap" else ((seconds, labels),)


def duration(record: StreamRecord) -> tuple[Sample, ...]:
    """Seconds from the request to the end."""
    return _latency(record, record.timing.duration, (error_type(record) or "",))


def time_to_first_chunk(record: StreamRecord) -> tuple[Sample, ...]:
    """Seconds from the request to the first chunk."""
    return _latency(record, record.timing.time_to_first_chunk)


def time_to_first_token(record: StreamRecord) -> tuple[Sample, ...]:
    """Seconds from the request to the first generated content."""
    return _latency(record, record.timing.time_to_first_token)


def first_token_gap(record: StreamRecord) -> tuple[Sample, ...]:
    """Seconds from the first chunk to the first generated content."""
    chunk, token = record.timing.time_to_first_chunk, record.timing.time_to_first_token
    return _NOTHING if chunk is None or token is None or token < chunk else ((token - chunk, ()),)


def time_per_output_chunk(record: StreamRecord) -> tuple[Sample, ...]:
    """The distribution of the seconds between chunks."""
    waits = record.timing.inter_chunk
    return _NOTHING if waits is None else ((waits, ()),)


def tokens_per_second(record: StreamRecord) -> tuple[Sample, ...]:
    """Output tokens per second."""
    return _optional(record.timing.tokens_per_second)


def _reported(record: StreamRecord) -> Usage | None:
    usage = record.usage
    return usage if usage is not None and usage.source == "provider" else None


def token_usage(record: StreamRecord) -> Sequence[Sample]:
    """Input and output tokens that the provider reported."""
    usage = _reported(record)
    return _NOTHING if usage is None else _tokens(usage)


def _operation_tokens(field: str, record: StreamRecord) -> Sequence[Sample]:
    # 0 if unknown: the conventions require it, so that the histogram counts all operations.
    usage = _reported(record)
    count = None if usage is None else getattr(usage, field)
    return ((count or 0, (error_type(record) or "",)),)


def _usage_total(field: str, parts: Sequence[tuple[str, str]], record: StreamRecord) -> Sequence[Sample]:
    """A total by modality. Tokens without a modality are "unknown", and so is the 0 of an operation without usage."""
    usage = _reported(record)
    total = None if usage is None else getattr(usage, field)
    if usage is None or total is None:
        return _ZERO if field in _TOTALS else _NOTHING
    samples = [(count, (modality,)) for part, modality in parts if (count := getattr(usage, part))]
    rest = total - sum([count for count, _ in samples])
    return [*samples, (rest, _UNKNOWN)] if rest > 0 or not samples else samples


def estimated_tokens(record: StreamRecord) -> Sequence[Sample]:
    """Input and output tokens that were estimated."""
    return _tokens(record.usage) if record.usage is not None and record.usage.source == "estimated" else _NOTHING


def _tokens(usage: Usage) -> Sequence[Sample]:
    counts = ((usage.input_tokens, _INPUT), (usage.output_tokens, _OUTPUT))
    return [(count, labels) for count, labels in counts if count is not None]


def token_parts(record: StreamRecord) -> Sequence[Sample]:
    """Cached and reasoning tokens."""
    if record.usage is None:
        return _NOTHING
    return [(count, labels) for field, labels in _PARTS if (count := getattr(record.usage, field))]


def cost(record: StreamRecord) -> tuple[Sample, ...]:
    """US dollars."""
    usd = record.cost.usd
    return _NOTHING if usd is None else ((float(usd), ()),)


def unpriced(record: StreamRecord) -> tuple[Sample, ...]:
    """1 if the cost is not fully known, by the reason."""
    status = record.cost.status
    return _NOTHING if status == "priced" else ((1, (status,)),)


def streams(record: StreamRecord) -> tuple[Sample, ...]:
    """1, by the outcome."""
    return _NOTHING if record.outcome is None else ((1, (record.outcome.value,)),)


def finish_reasons(record: StreamRecord) -> Sequence[Sample]:
    """1 for each choice that has a finish reason, by the reason."""
    return [(1, (choice.finish_reason,)) for choice in record.choices if choice.finish_reason]


def chunk_faults(record: StreamRecord) -> Sequence[Sample]:
    """Chunks with a fault, by its kind. A missing range counts its positions."""
    missing = sum([stop - start for start, stop in record.missing])
    counts = (record.duplicates, record.conflicts, missing, record.late, record.dropped_chunks)
    return [(count, (fault,)) for fault, count in zip(FAULTS, counts, strict=True) if count] if any(counts) else _NOTHING


def stalls(record: StreamRecord) -> tuple[Sample, ...]:
    """Waits between two chunks that were longer than `Limits.stall_seconds`."""
    return _optional(record.timing.stalls or None)


input_tokens: Measure = partial(_operation_tokens, "input_tokens")
output_tokens: Measure = partial(_operation_tokens, "output_tokens")
input_usage: Measure = partial(_usage_total, "input_tokens", _INPUT_PARTS)
output_usage: Measure = partial(_usage_total, "output_tokens", _OUTPUT_PARTS)
cache_read_usage: Measure = partial(_usage_total, "cache_read_tokens", _CACHED_PARTS)
cache_write_usage: Measure = partial(_usage_total, "cache_write_tokens", ())
reasoning_usage: Measure = partial(_usage_total, "reasoning_tokens", ())
