"""What the metrics say about a record: pure, and the same for every exporter.

One reader for each figure. A figure that the record does not know is not measured: nothing here stands for zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ..dialects import OPAQUE, known_dialect
from ..records import InterChunk, Outcome, StreamRecord, StreamType, Usage
from .names import FAULTS, OTHER_ERROR, PROVIDERS, TOKEN_PARTS, Figure, Instrument

Values = tuple[str, ...]
"""The values of an instrument's own labels, in their order. Of an open label "" says that there is none."""

Reading = tuple[float | InterChunk, Values]
"""A value to add or to observe; of `time_per_output_chunk` all values of one stream at once, as their distribution."""

Reader = Callable[[StreamRecord], Sequence[Reading]]

LATE_CHUNK: Values = ("late",)
"""What `chunk_faults` counts of a chunk that came when its stream had ended, and so is in no record."""


def reader(instrument: Instrument) -> Reader:
    """What reads an instrument's values from a record that has ended.

    Example:
        >>> from streamtally.exporters.names import INSTRUMENTS
        >>> record = StreamRecord(request_id="r1", stream_type=StreamType.CHAT, dialect="openai.chat", outcome="cancelled")
        >>> {one.name: reader(one)(record) for one in INSTRUMENTS if reader(one)(record)}
        {'streamtally.streams': ((1, ('cancelled',)),), 'streamtally.unpriced_streams': ((1, ('no_usage',)),)}
    """
    return _READERS[instrument.figure]


def operation(record: StreamRecord) -> str | None:
    """The conventions' name of the operation. Speech, transcription and images are "generate_content", their multimodal one.

    None for a stream in flight of which nothing has been recognised yet.
    """
    if record.dialect == OPAQUE.name and record.outcome is None and record.stream_type is StreamType.TEXT:
        return None
    return known_dialect(record.dialect).operation or _OPERATIONS[record.stream_type]


def provider(record: StreamRecord) -> str | None:
    """The provider by the name that the conventions have for it, else by its own."""
    name = record.provider
    return None if name is None else PROVIDERS.get(name, name)


def failed(record: StreamRecord) -> bool:
    """Whether the stream ended in an error; one that was cancelled or abandoned did not."""
    return record.outcome is Outcome.ERROR or record.outcome is Outcome.TIMEOUT


def error_type(record: StreamRecord) -> str | None:
    """The kind of error of a stream that failed, None for any other.

    A kind is a word, such as the name of an exception's class or a provider's code; what has spaces, hardly ends or has many
    digits is somebody's message or ID, of which there may be any number: the conventions' `_OTHER`.
    """
    if not failed(record):
        return None
    if record.error is not None:
        return record.error.type if _ERROR_WORD.fullmatch(record.error.type) else OTHER_ERROR
    return "timeout" if record.outcome is Outcome.TIMEOUT else OTHER_ERROR


_ERROR_WORD = re.compile(r"(?!(?:\D*\d){6})[\w.:/<>-]{1,80}", re.ASCII)


_OPERATIONS: Mapping[StreamType, str] = {
    StreamType.TEXT: "text_completion",
    StreamType.CHAT: "chat",
    StreamType.RESPONSES: "chat",
    StreamType.SPEECH: "generate_content",
    StreamType.TRANSCRIPTION: "generate_content",
    StreamType.IMAGE: "generate_content",
}

_NOTHING: tuple[Reading, ...] = ()
_INPUT, _OUTPUT = ("input",), ("output",)
_UNKNOWN = ("unknown",)
_ZERO: tuple[Reading, ...] = ((0, _UNKNOWN),)
_TOTALS = frozenset({"input_tokens", "output_tokens"})
_INPUT_PARTS = (("text_input_tokens", "text"), ("image_input_tokens", "image"), ("audio_input_tokens", "audio"))
_OUTPUT_PARTS = (("text_output_tokens", "text"), ("image_output_tokens", "image"), ("audio_output_tokens", "audio"))
_CACHED_PARTS = (("cache_read_image_tokens", "image"), ("cache_read_audio_tokens", "audio"))
_PARTS = tuple((field, (part,)) for field, part in TOKEN_PARTS.items())


def _known(value: float | None) -> tuple[Reading, ...]:
    return _NOTHING if value is None else ((value, ()),)


def _latency(record: StreamRecord, seconds: float | None, labels: Values = ()) -> tuple[Reading, ...]:
    # Of a stream that was open before we saw it a latency is a lower bound, which no quantile can be made of.
    return _NOTHING if seconds is None or record.timing.started_from == "wrap" else ((seconds, labels),)


def _duration(record: StreamRecord) -> tuple[Reading, ...]:
    return _latency(record, record.timing.duration, (error_type(record) or "",))


def _time_to_first_chunk(record: StreamRecord) -> tuple[Reading, ...]:
    return _latency(record, record.timing.time_to_first_chunk)


def _time_to_first_token(record: StreamRecord) -> tuple[Reading, ...]:
    return _latency(record, record.timing.time_to_first_token)


def _first_token_gap(record: StreamRecord) -> tuple[Reading, ...]:
    chunk, token = record.timing.time_to_first_chunk, record.timing.time_to_first_token
    return _NOTHING if chunk is None or token is None or token < chunk else ((token - chunk, ()),)


def _time_per_output_chunk(record: StreamRecord) -> tuple[Reading, ...]:
    waits = record.timing.inter_chunk
    return _NOTHING if waits is None else ((waits, ()),)


def _tokens_per_second(record: StreamRecord) -> tuple[Reading, ...]:
    return _known(record.timing.tokens_per_second)


def _reported(record: StreamRecord) -> Usage | None:
    usage = record.usage
    return usage if usage is not None and usage.source == "provider" else None


def _token_usage(record: StreamRecord) -> Sequence[Reading]:
    usage = _reported(record)
    return _NOTHING if usage is None else _tokens(usage)


def _operation_tokens(field: str, record: StreamRecord) -> Sequence[Reading]:
    # 0 where nothing is known: the conventions ask for it, so that the count is that of the operations.
    usage = _reported(record)
    count = None if usage is None else getattr(usage, field)
    return ((count or 0, (error_type(record) or "",)),)


def _usage_total(field: str, parts: Sequence[tuple[str, str]], record: StreamRecord) -> Sequence[Reading]:
    """A total by modality: what the provider did not break down is unknown; so is the 0 of an operation without usage."""
    usage = _reported(record)
    total = None if usage is None else getattr(usage, field)
    if usage is None or total is None:
        return _ZERO if field in _TOTALS else _NOTHING
    told = [(count, (modality,)) for part, modality in parts if (count := getattr(usage, part))]
    rest = total - sum([count for count, _ in told])
    return [*told, (rest, _UNKNOWN)] if rest > 0 or not told else told


def _estimated_tokens(record: StreamRecord) -> Sequence[Reading]:
    return _tokens(record.usage) if record.usage is not None and record.usage.source == "estimated" else _NOTHING


def _tokens(usage: Usage) -> Sequence[Reading]:
    counts = ((usage.input_tokens, _INPUT), (usage.output_tokens, _OUTPUT))
    return [(count, labels) for count, labels in counts if count is not None]


def _token_parts(record: StreamRecord) -> Sequence[Reading]:
    if record.usage is None:
        return _NOTHING
    return [(count, labels) for field, labels in _PARTS if (count := getattr(record.usage, field))]


def _cost(record: StreamRecord) -> tuple[Reading, ...]:
    usd = record.cost.usd
    return _NOTHING if usd is None else ((float(usd), ()),)


def _unpriced(record: StreamRecord) -> tuple[Reading, ...]:
    status = record.cost.status
    return _NOTHING if status == "priced" else ((1, (status,)),)


def _streams(record: StreamRecord) -> tuple[Reading, ...]:
    return _NOTHING if record.outcome is None else ((1, (record.outcome.value,)),)


def _finish_reasons(record: StreamRecord) -> Sequence[Reading]:
    return [(1, (choice.finish_reason,)) for choice in record.choices if choice.finish_reason]


def _chunk_faults(record: StreamRecord) -> Sequence[Reading]:
    missing = sum([stop - start for start, stop in record.missing])
    counts = (record.duplicates, record.conflicts, missing, record.late, record.dropped_chunks)
    return [(count, (fault,)) for fault, count in zip(FAULTS, counts, strict=True) if count] if any(counts) else _NOTHING


def _stalls(record: StreamRecord) -> tuple[Reading, ...]:
    return _known(record.timing.stalls or None)


def _not_of_a_record(_: StreamRecord) -> tuple[Reading, ...]:
    # Active streams rise and fall with the streams themselves, and the package's own figures are the tally's.
    return _NOTHING


_READERS: Mapping[Figure, Reader] = {
    "duration": _duration,
    "time_to_first_chunk": _time_to_first_chunk,
    "time_per_output_chunk": _time_per_output_chunk,
    "token_usage": _token_usage,
    "input_tokens": partial(_operation_tokens, "input_tokens"),
    "output_tokens": partial(_operation_tokens, "output_tokens"),
    "input_usage": partial(_usage_total, "input_tokens", _INPUT_PARTS),
    "output_usage": partial(_usage_total, "output_tokens", _OUTPUT_PARTS),
    "cache_read_usage": partial(_usage_total, "cache_read_tokens", _CACHED_PARTS),
    "cache_write_usage": partial(_usage_total, "cache_write_tokens", ()),
    "reasoning_usage": partial(_usage_total, "reasoning_tokens", ()),
    "time_to_first_token": _time_to_first_token,
    "first_token_gap": _first_token_gap,
    "tokens_per_second": _tokens_per_second,
    "cost": _cost,
    "streams": _streams,
    "finish_reasons": _finish_reasons,
    "token_parts": _token_parts,
    "estimated_tokens": _estimated_tokens,
    "unpriced": _unpriced,
    "chunk_faults": _chunk_faults,
    "stalls": _stalls,
    "active_streams": _not_of_a_record,
    "exporter_failures": _not_of_a_record,
    "dropped_records": _not_of_a_record,
    "label_overflow": _not_of_a_record,
    "catalog_age": _not_of_a_record,
}
