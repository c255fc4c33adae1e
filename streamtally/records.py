"""The vocabulary of results: what a stream was, in frozen models with a lossless JSON round trip.

`None` always means "the provider did not say"; it never stands for zero.
Times are seconds, wall-clock moments are aware UTC datetimes, money is an exact `Decimal` of US dollars.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar, overload

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .json_values import Json, json_object, json_value, mend_surrogates


class StreamType(StrEnum):
    """The six kinds of stream."""

    TEXT = "text.completion"
    CHAT = "chat.completion"
    RESPONSES = "responses"
    SPEECH = "audio.speech"
    TRANSCRIPTION = "audio.transcription"
    IMAGE = "image.generation"


class Outcome(StrEnum):
    """How a stream ended; a record in flight has none."""

    COMPLETED = "completed"
    TRUNCATED = "truncated"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    TIMEOUT = "timeout"
    LIMIT = "limit"
    ERROR = "error"


FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "error"]
"""Why the provider stopped, in one vocabulary for all providers."""

Text = Annotated[str, BeforeValidator(mend_surrogates)]
JsonValue = Annotated[Any, BeforeValidator(json_value)]
JsonObject = Annotated[dict[str, Any], BeforeValidator(json_object)]
Reason = Annotated[FinishReason | None, Field(default=None)]


def _no_content(value: object) -> str:
    """What `repr` shows of content: its size, never the thing itself."""
    if value is None or isinstance(value, int | float | bool):
        return repr(value)
    return f"<{len(value)}>" if isinstance(value, str | bytes | tuple | Mapping) else "<…>"


class Frozen(BaseModel):
    """Base of all results: immutable, strict about unknown fields, silent about content."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="strings",
        defer_build=True,
        protected_namespaces=(),
    )


class Private(Frozen):
    """A result that holds content: its `repr` gives sizes only."""

    def __repr_args__(self) -> Any:
        for name, value in super().__repr_args__():
            yield name, _Shown(value) if name in _PLAIN_FIELDS or isinstance(value, BaseModel) else _Shown(_no_content(value))


class _Shown(str):
    """A text that `repr` shows without quotes."""

    __slots__ = ()

    def __new__(cls, value: object) -> _Shown:
        return super().__new__(cls, value if isinstance(value, str) else repr(value))

    def __repr__(self) -> str:
        return str(self)


_PLAIN_FIELDS = frozenset(
    {"index", "role", "finish_reason", "finish_reason_raw", "id", "name", "type", "complete", "mime_type", "size",
     "request_id", "stream_type", "dialect", "provider", "requested_model", "model", "response_id", "outcome", "status",
     "missing", "ordering", "service_tier", "language", "code", "retryable", "server_address", "conversation_id"}
)  # fmt: skip


class ToolCall(Private):
    """One call of a tool, as the model asked for it.

    `arguments` is the raw text, kept also when it is cut short; `arguments_json` is the parsed value, or None where the
    text is no JSON; `complete` says whether the call is whole.
    """

    index: int
    id: Text | None = None
    name: Text | None = None
    arguments: Text = ""
    arguments_json: JsonValue = None
    complete: bool = False
    type: Text = "function"
    extras: JsonObject = Field(default_factory=dict)


class Choice(Private):
    """One of the n answers to a request."""

    index: int = 0
    role: Text | None = None
    text: Text = ""
    reasoning: Text | None = None
    reasoning_details: tuple[JsonObject, ...] = ()
    refusal: Text | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    annotations: tuple[JsonObject, ...] = ()
    logprobs: JsonValue = None
    finish_reason: Reason
    finish_reason_raw: Text | int | None = None
    extras: JsonObject = Field(default_factory=dict)


class Audio(Private):
    """Generated sound. `size` is its length in bytes, also where the bytes themselves were not kept."""

    data: bytes | None = None
    mime_type: Text | None = None
    transcript: Text | None = None
    size: int = 0
    id: Text | None = None
    extras: JsonObject = Field(default_factory=dict)


class Image(Private):
    """One generated image. `partials` counts the previews that came before it."""

    index: int = 0
    data: bytes | None = None
    url: Text | None = None
    mime_type: Text | None = None
    revised_prompt: Text | None = None
    partials: int = 0
    complete: bool = False
    extras: JsonObject = Field(default_factory=dict)


class Transcript(Private):
    """What was heard. `duration` is in seconds; words, segments and logprobs are in the provider's own shape."""

    text: Text = ""
    language: Text | None = None
    duration: float | None = None
    words: tuple[JsonObject, ...] = ()
    segments: tuple[JsonObject, ...] = ()
    logprobs: tuple[JsonValue, ...] = ()


class Usage(Frozen):
    """What the request used. `input_tokens` and `output_tokens` are inclusive totals, of which others are parts.

    A count that the provider did not give is None. Parts of the input are what was read from a cache and written to
    one (`cache_write_tokens` is the total of all lifetimes), and sound, images and video, cached or not; parts of the
    output are sound, images, video and reasoning. `citation_tokens` are in neither. `seconds` are those of sound,
    `annotated_pages` a part of `pages`, `search_units` those of a reranking, `code_sessions` containers, not calls.
    What grounding counts: `grounded_queries` each search, `grounded_prompts` 1 where any was made.
    `source` is "provider", or "estimated" where we counted ourselves; `partial` marks the lower bounds of a stream that
    was interrupted. `cost_usd` is the cost that the provider itself stated.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    cache_write_12h_tokens: int | None = None
    reasoning_tokens: int | None = None
    citation_tokens: int | None = None
    text_input_tokens: int | None = None
    text_output_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    cache_read_audio_tokens: int | None = None
    cache_write_audio_tokens: int | None = None
    cache_read_image_tokens: int | None = None
    cache_read_video_tokens: int | None = None
    image_input_tokens: int | None = None
    image_output_tokens: int | None = None
    video_input_tokens: int | None = None
    video_output_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None
    seconds: float | None = None
    video_seconds: float | None = None
    input_video_seconds: float | None = None
    characters: int | None = None
    images: int | None = None
    input_images: int | None = None
    megapixels: float | None = None
    pages: int | None = None
    annotated_pages: int | None = None
    searches: int | None = None
    grounded_prompts: int | None = None
    grounded_queries: int | None = None
    maps_queries: int | None = None
    file_searches: int | None = None
    code_sessions: int | None = None
    search_units: int | None = None
    image_size: Text | None = None
    image_quality: Text | None = None
    video_size: Text | None = None
    search_context: Text | None = None
    cost_usd: Decimal | None = None
    source: Literal["provider", "estimated"] = "provider"
    partial: bool = False
    raw: JsonObject = Field(default_factory=dict)


CostStatus = Literal["priced", "partial", "unknown_model", "unknown_provider", "missing_rate", "unpriced_unit", "no_usage"]


class CostLine(Frozen):
    """One unit's share of a cost: `count` units at `rate` (a decimal text, US dollars per published unit).

    A discount or markup is a line of its own: `unit` is "discount", `name` its name, `rate` a percentage with its sign,
    and `count` the list price in US dollars that it is a share of. A line of another model, which worked within the request,
    has that model's name.
    """

    unit: str
    count: Decimal
    rate: str
    usd: Decimal
    name: Text | None = None

    @classmethod
    def of(cls, unit: str, count: Decimal, rate: str, usd: Decimal) -> CostLine:
        """A line of fields that are right already."""
        return _made(cls, {"unit": unit, "count": count, "rate": rate, "usd": usd, "name": None}, _LINE_FIELDS)


class Breakdown(Sequence[CostLine]):
    """The lines of a cost, like a tuple of them. They are made when they are first looked at, which is rarely.

    `lines` are the lines, or with `make` what it makes them of.
    """

    __slots__ = ("_found", "_lines", "_make")

    def __init__(self, lines: Any = (), make: Callable[[Any], tuple[CostLine, ...]] = tuple) -> None:
        self._lines = lines
        self._make = make
        self._found: tuple[CostLine, ...] | None = None

    @property
    def _whole(self) -> tuple[CostLine, ...]:
        found = self._found
        if found is None:
            found = self._found = self._make(self._lines)
        return found

    @overload
    def __getitem__(self, index: int) -> CostLine: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[CostLine, ...]: ...
    def __getitem__(self, index: int | slice) -> CostLine | tuple[CostLine, ...]:
        return self._whole[index]

    def __len__(self) -> int:
        return len(self._whole)

    def __iter__(self) -> Iterator[CostLine]:
        return iter(self._whole)

    def __eq__(self, other: object) -> bool:
        return self._whole == (other._whole if isinstance(other, Breakdown) else other)

    def __hash__(self) -> int:
        return hash(self._whole)

    def __repr__(self) -> str:
        return repr(self._whole)

    def __reduce__(self) -> tuple[type[Breakdown], tuple[tuple[CostLine, ...]]]:
        return Breakdown, (self._whole,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        lines = handler.generate_schema(tuple[CostLine, ...])
        return core_schema.no_info_wrap_validator_function(
            lambda value, parse: value if isinstance(value, cls) else cls(parse(value)),
            lines,
            serialization=core_schema.plain_serializer_function_ser_schema(tuple, return_schema=lines),
        )


class Cost(Frozen):
    """What the request cost. `usd` is exact, or None where it is not known: then `status` says why.

    `source` is "provider" where `usd` is the cost that the provider itself stated, else "computed"; `provider_usd` and
    `computed_usd` keep both figures, and `breakdown` is that of the computed one. `complete` is False where a part could
    not be priced (`unpriced` lists the units, or the words without rates, such as "tier:flex"). `model_matched`,
    `match_rule`, `rows` (the conditions of the rows, in words) and `catalog_revision` say where the rates are from;
    `usage_source` is that of the usage, and `inconsistent` says that its counts contradicted one another and were cut.
    """

    usd: Decimal | None = None
    status: CostStatus = "no_usage"
    complete: bool = False
    breakdown: Breakdown = Field(default_factory=Breakdown)
    unpriced: tuple[str, ...] = ()
    provider_matched: str | None = None
    model_matched: str | None = None
    match_rule: str | None = None
    rows: tuple[str, ...] = ()
    catalog_revision: str | None = None
    source: Literal["computed", "provider"] = "computed"
    provider_usd: Decimal | None = None
    computed_usd: Decimal | None = None
    usage_source: Literal["provider", "estimated"] = "provider"
    inconsistent: bool = False

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Cost:
        """A cost of fields that are right already: all of them, in order. Ten times as fast as validating them."""
        return _made(cls, fields, _COST_FIELDS)


_LINE_FIELDS, _COST_FIELDS = set(CostLine.model_fields), set(Cost.model_fields)
_Model = TypeVar("_Model", bound=Frozen)
_put_fields, _put_given, _put_extra, _put_private = (
    BaseModel.__dict__[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def _made(kind: type[_Model], fields: dict[str, Any], given: set[str]) -> _Model:
    """What `model_construct` does, for fields of which none is left out."""
    made = object.__new__(kind)
    _put_fields(made, fields)
    _put_given(made, given)
    _put_extra(made, None)
    _put_private(made, None)
    return made


WAIT_BOUNDS = (0.001, 0.002, 0.005, *(0.01 * 2**power for power in range(14)))
"""Seconds. From 10 ms on those that OpenTelemetry's conventions advise for chunks; finer ones below, for fast models."""


class InterChunk(Frozen):
    """Seconds between chunks: how long the provider let wait for each chunk after the first.

    `buckets` says how many waits were at most each of `WAIT_BOUNDS` and more than the one before; the last is for the rest.
    """

    count: int
    mean: float
    p50: float
    p95: float
    p99: float
    max: float
    buckets: tuple[int, ...] = ()


class Timing(Frozen):
    """How fast the stream came, in seconds on the monotonic clock.

    Every figure counts from the start that `started_from` names: "request" (the clock ran before the request was made),
    "given" (the caller gave the start) or "wrap" (the stream was open already, so latencies are lower bounds).
    A figure that cannot be known is None; none is ever negative.
    """

    started_from: Literal["request", "given", "wrap"] = "wrap"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    time_to_first_chunk: float | None = None
    time_to_first_token: float | None = None
    time_to_first_text: float | None = None
    duration: float | None = None
    inter_chunk: InterChunk | None = None
    time_per_output_token: float | None = None
    tokens_per_second: float | None = None
    provider_wait: float | None = None
    consumer_wait: float | None = None
    stalls: int | None = None


class ErrorDetails(Private):
    """What went wrong. `type` has few values and is safe as a label; `message` is the provider's or exception's text."""

    type: Text
    message: Text | None = None
    code: Text | None = None
    status: int | None = None
    retryable: bool | None = None
    body: JsonValue = None


def _in_order(ranges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    if any(start >= stop for start, stop in ranges):
        raise ValueError("a missing range is half-open and not empty")
    return tuple(sorted(ranges))


class StreamRecord(Private):
    """The one truthful record of a stream.

    `text`, `reasoning`, `refusal`, `tool_calls` and `finish_reason` are those of the first choice. `missing` lists the
    chunk positions that never came, as half-open ranges; `ordering` says what ordered the chunks: the caller's "index",
    the protocol's "sequence" numbers, or "arrival". `extras` holds whatever else the provider or a gateway said.

    Example:
        >>> record = StreamRecord(request_id="r1", stream_type=StreamType.CHAT, dialect="openai.chat")
        >>> StreamRecord.model_validate_json(record.model_dump_json()) == record
        True
    """

    request_id: Text
    stream_type: StreamType
    dialect: Text
    outcome: Outcome | None = None
    provider: Text | None = None
    requested_model: Text | None = None
    model: Text | None = None
    response_id: Text | None = None
    conversation_id: Text | None = None
    server_address: Text | None = None
    server_port: int | None = None
    choices: tuple[Choice, ...] = ()
    output_items: tuple[JsonObject, ...] = ()
    audio: Audio | None = None
    transcript: Transcript | None = None
    images: tuple[Image, ...] = ()
    usage: Usage | None = None
    cost: Cost = Field(default_factory=Cost)
    timing: Timing = Field(default_factory=Timing)
    error: ErrorDetails | None = None
    ordering: Literal["index", "sequence", "arrival"] = "arrival"
    missing: Annotated[tuple[tuple[int, int], ...], AfterValidator(_in_order)] = ()
    highest_index: int | None = None
    chunk_count: int = 0
    duplicates: int = 0
    conflicts: int = 0
    late: int = 0
    dropped_bytes: int = 0
    dropped_chunks: int = 0
    service_tier: Text | None = None
    system_fingerprint: Text | None = None
    params: JsonObject = Field(default_factory=dict)
    attributes: JsonObject = Field(default_factory=dict)
    extras: JsonObject = Field(default_factory=dict)
    raw: tuple[JsonValue, ...] | None = None

    @property
    def _first(self) -> Choice | None:
        return self.choices[0] if self.choices else None

    @property
    def text(self) -> str:
        """The words of the first choice; of a transcription, what was heard."""
        if self.transcript is not None:
            return self.transcript.text
        return self._first.text if self._first else ""

    @property
    def reasoning(self) -> str | None:
        """The reasoning of the first choice."""
        return self._first.reasoning if self._first else None

    @property
    def refusal(self) -> str | None:
        """The refusal of the first choice."""
        return self._first.refusal if self._first else None

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls of the first choice."""
        return self._first.tool_calls if self._first else ()

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the first choice ended, in the normalised vocabulary."""
        return self._first.finish_reason if self._first else None

    @property
    def finish_reasons(self) -> tuple[FinishReason | None, ...]:
        """Why each choice ended, in order of index."""
        return tuple(choice.finish_reason for choice in self.choices)


__all__ = [
    "Audio",
    "Breakdown",
    "Choice",
    "Cost",
    "CostLine",
    "CostStatus",
    "ErrorDetails",
    "FinishReason",
    "Image",
    "InterChunk",
    "Json",
    "Outcome",
    "StreamRecord",
    "StreamType",
    "Timing",
    "ToolCall",
    "Transcript",
    "Usage",
]
