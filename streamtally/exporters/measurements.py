"""What the metrics say about a record: pure, and the same for every exporter.

One reader for each figure. A figure that the record does not know is not measured: nothing here stands for zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..records import Outcome, StreamRecord, StreamType, Usage
from .names import FAULTS, OTHER_ERROR, PROVIDERS, TOKEN_PARTS, Figure, Instrument

Values = tuple[str, ...]
"""The values of an instrument's own labels, in their order. Of an open label "" says that there is none."""

Reading = tuple[float, Values]
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
    """The conventions' name of the operation. Speech and images are "generate_content", which they call multimodal.

    None for a stream in flight of which nothing has been recognised yet.
    """
    if record.dialect == "opaque" and record.outcome is None and record.stream_type is StreamType.TEXT:
        return None
    return "generate_content" if record.dialect == "gemini" else _OPERATIONS[record.stream_type]


def provider(record: StreamRecord) -> str | None:
    """The provider by the name that the conventions have for it, else by its own."""
    name = record.provider
    return None if name is None else PROVIDERS.get(name, name)


def failed(record: StreamRecord) -> bool:
    """Whether the stream ended in an error; one that was cancelled or abandoned did not."""
    return record.outcome is Outcome.ERROR or record.outcome is Outcome.TIMEOUT


def error_type(record: StreamRecord) -> str | None:
    """The kind of error of a stream that failed, None for any other."""
    if not failed(record):
        return None
    if record.error is not None:
        return record.error.type
    return "timeout" if record.outcome is Outcome.TIMEOUT else OTHER_ERROR


_OPERATIONS: Mapping[StreamType, str] = {
    StreamType.TEXT: "text_completion",
    StreamType.CHAT: "chat",
    StreamType.RESPONSES: "chat",
    StreamType.SPEECH: "generate_content",
    StreamType.TRANSCRIPTION: "transcription",
    StreamType.IMAGE: "generate_content",
}

_NOTHING: tuple[Reading, ...] = ()
_INPUT, _OUTPUT = ("input",), ("output",)
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


def _time_per_output_chunk(record: StreamRecord) -> tuple[Reading, ...]:
    # The mean, once: a record holds the distribution's summary and not each gap, and a quantile over streams then
    # weighs every stream alike instead of letting the longest one speak for all.
    waits = record.timing.inter_chunk
    return _NOTHING if waits is None else ((waits.mean, ()),)


def _tokens_per_second(record: StreamRecord) -> tuple[Reading, ...]:
    return _known(record.timing.tokens_per_second)


def _token_usage(record: StreamRecord) -> Sequence[Reading]:
    return _tokens(record.usage) if record.usage is not None and record.usage.source == "provider" else _NOTHING


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


def _active_streams(_: StreamRecord) -> tuple[Reading, ...]:
    # Rises and falls with the stream itself, so an exporter moves it; a record that has ended says nothing of it.
    return _NOTHING


_READERS: Mapping[Figure, Reader] = {
    "duration": _duration,
    "time_to_first_chunk": _time_to_first_chunk,
    "time_per_output_chunk": _time_per_output_chunk,
    "token_usage": _token_usage,
    "time_to_first_token": _time_to_first_token,
    "tokens_per_second": _tokens_per_second,
    "cost": _cost,
    "streams": _streams,
    "finish_reasons": _finish_reasons,
    "token_parts": _token_parts,
    "estimated_tokens": _estimated_tokens,
    "unpriced": _unpriced,
    "chunk_faults": _chunk_faults,
    "stalls": _stalls,
    "active_streams": _active_streams,
}
