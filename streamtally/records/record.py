"""The record of a stream, its type, its outcome and its error."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .base import JsonObject, JsonValue, Private, Text
from .content import Audio, Choice, FinishReason, Image, ToolCall, Transcript
from .cost import Cost
from .timing import Timing
from .usage import Usage


class StreamType(StrEnum):
    """The six kinds of stream."""

    TEXT = "text.completion"
    CHAT = "chat.completion"
    RESPONSES = "responses"
    SPEECH = "audio.speech"
    TRANSCRIPTION = "audio.transcription"
    IMAGE = "image.generation"


class Outcome(StrEnum):
    """How a stream ended. The record of a stream in flight has none."""

    COMPLETED = "completed"
    TRUNCATED = "truncated"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    TIMEOUT = "timeout"
    LIMIT = "limit"
    ERROR = "error"


class ErrorDetails(Private):
    """The error that ended a stream. `type` is the provider's word, else the class of the exception; `message` is their text.

    `exception` is the class of the exception that reached the caller, if one did.
    """

    type: Text
    message: Text | None = None
    code: Text | None = None
    status: int | None = None
    retryable: bool | None = None
    exception: Text | None = None
    body: JsonValue = None


def _sorted_ranges(ranges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    if any(start >= stop for start, stop in ranges):
        raise ValueError("a missing range must be half-open and not empty")
    return tuple(sorted(ranges))


class Part(Private):
    """One of several answers in one stream: what it used and cost, and how it ended."""

    response_id: Text | None = None
    model: Text | None = None
    finish_reason: FinishReason | None = None
    finish_reason_raw: Text | int | None = None
    usage: Usage | None = None
    cost: Cost = Field(default_factory=Cost)
    error: ErrorDetails | None = None


class StreamRecord(Private):
    """All that is known about one stream: what was generated, usage, cost, timing, and how it ended.

    `text`, `reasoning`, `refusal`, `tool_calls` and `finish_reason` are those of the first choice. `missing` lists the
    chunk positions that were never received, as half-open ranges; `ordering` is what ordered the chunks: the caller's
    "index", the protocol's "sequence" numbers, or "arrival". `extras` holds all other fields of the provider or gateway.

    `parts` has an entry for each answer where one stream has several (a gateway that runs tools, an agent's run, a session): then
    content goes on in order, `usage` and `cost` are sums, and the last finish reason counts. It is empty where there is one.

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
    parts: tuple[Part, ...] = ()
    cost: Cost = Field(default_factory=Cost)
    timing: Timing = Field(default_factory=Timing)
    error: ErrorDetails | None = None
    ordering: Literal["index", "sequence", "arrival"] = "arrival"
    missing: Annotated[tuple[tuple[int, int], ...], AfterValidator(_sorted_ranges)] = ()
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
        """The text of the first choice, or of the transcript."""
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
        """The normalised finish reason of the first choice."""
        return self._first.finish_reason if self._first else None

    @property
    def finish_reasons(self) -> tuple[FinishReason | None, ...]:
        """The normalised finish reason of each choice, in order of index."""
        return tuple(choice.finish_reason for choice in self.choices)
