"""What the provider generated: choices with text and tool calls, audio, images, a transcript."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import JsonObject, JsonValue, Private, Text

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "error"]
"""Why the provider stopped generating, in one vocabulary for all providers."""

Reason = Annotated[FinishReason | None, Field(default=None)]


class ToolCall(Private):
    """One tool call that the model requested.

    `arguments` is the raw text, also when it was cut short; `arguments_json` is the parsed value, or None if the text is
    not JSON; `complete` is True if the whole call was received.
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
    """Generated audio. `size` is its length in bytes, also if the bytes themselves were not kept."""

    data: bytes | None = None
    mime_type: Text | None = None
    transcript: Text | None = None
    size: int = 0
    id: Text | None = None
    extras: JsonObject = Field(default_factory=dict)


class Image(Private):
    """One generated image. `partials` is the number of previews received before it."""

    index: int = 0
    data: bytes | None = None
    url: Text | None = None
    mime_type: Text | None = None
    revised_prompt: Text | None = None
    partials: int = 0
    complete: bool = False
    extras: JsonObject = Field(default_factory=dict)


class Transcript(Private):
    """The text of transcribed audio. `duration` is in seconds; words, segments and logprobs have the provider's own shape."""

    text: Text = ""
    language: Text | None = None
    duration: float | None = None
    words: tuple[JsonObject, ...] = ()
    segments: tuple[JsonObject, ...] = ()
    logprobs: tuple[JsonValue, ...] = ()
