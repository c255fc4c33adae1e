"""Scenario builders for the wire formats of OpenAI's APIs and of other providers.

The formats are those of the official SDKs' event types. Token counts are plausible by default: one for each piece.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .media import png, silence
from .providers import anthropic, cohere, converse, gemini, invoke, mistral, ollama
from .responses import responses
from .scenario import Scenario
from .wire import CREATED, DONE, Call, Pieces, answer_pieces, event, interleaved, split_words

__all__ = [
    "Call",
    "Segment",
    "anthropic",
    "chat",
    "cohere",
    "completions",
    "converse",
    "gemini",
    "images",
    "invoke",
    "mistral",
    "ollama",
    "refused",
    "responses",
    "speech",
    "transcription",
]

_INPUT_TOKENS = 9
_AUDIO_PIECE = 1024
_ERRORS = {400: "invalid_request_error", 401: "invalid_request_error", 404: "invalid_request_error", 429: "rate_limit_exceeded"}


def chat(  # noqa: PLR0913 - all are options of the format; keyword-only
    text: Pieces | None = None,
    *,
    model: str = "gpt-4.1-mini",
    reasoning: Pieces = (),
    tool_calls: Sequence[Call] = (),
    n: int = 1,
    finish_reason: str | None = None,
    usage: Mapping[str, Any] | None = None,
    role_chunk: bool = True,
    include_usage: bool = True,
    done: bool = True,
) -> Scenario:
    """A stream of chat completion chunks.

    Args:
        text: the answer; by default a greeting, or nothing beside tool calls.
        model: the model named in each chunk.
        reasoning: reasoning before the answer, as `reasoning_content`.
        tool_calls: function calls, whose arguments are interleaved.
        n: the number of choices, which have equal content and are interleaved.
        finish_reason: by default `stop`, or `tool_calls`.
        usage: the usage of the last chunk; plausible counts by default.
        role_chunk: whether the first chunk has only the role.
        include_usage: whether there is a chunk with usage, and `usage: null` in all others.
        done: whether `[DONE]` ends the stream.
    """
    thoughts, texts = split_words(reasoning), answer_pieces(text, tool_calls)
    calls = list(_call_deltas(tool_calls))
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}] if role_chunk else []
    deltas += [{"reasoning_content": piece} for piece in thoughts]
    deltas += [{"content": piece} for piece in texts]
    deltas += [{"tool_calls": [call]} for call in calls]
    finish = finish_reason or ("tool_calls" if tool_calls else "stop")
    choices: list[dict[str, Any]] = [
        {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}
        for delta, reason in [*((delta, None) for delta in deltas), ({}, finish)]
        for index in range(n)
    ]
    head: dict[str, Any] = {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": CREATED, "model": model}
    head |= {"service_tier": "default", "system_fingerprint": "fp_0"}
    counts = _chat_usage(n * (len(texts) + len(calls)), n * len(thoughts)) if usage is None else usage
    return _chunks(head, choices, counts if include_usage else None, done)


def completions(
    text: Pieces = "Once upon a time",
    *,
    model: str = "gpt-3.5-turbo-instruct",
    n: int = 1,
    finish_reason: str = "stop",
    usage: Mapping[str, Any] | None = None,
    include_usage: bool = True,
) -> Scenario:
    """A stream of legacy text completions; for the arguments see `chat`."""
    pieces = split_words(text)
    choices: list[dict[str, Any]] = [
        {"text": piece, "index": index, "logprobs": None, "finish_reason": reason}
        for piece, reason in [*((piece, None) for piece in pieces), ("", finish_reason)]
        for index in range(n)
    ]
    head = {"id": "cmpl-0", "object": "text_completion", "created": CREATED, "model": model}
    counts = _counts("prompt", "completion", n * len(pieces)) if usage is None else usage
    return _chunks(head, choices, counts if include_usage else None, True)


def speech(
    audio: bytes | Sequence[bytes] | None = None,
    *,
    sse: bool = False,
    usage: Mapping[str, Any] | None = None,
    content_type: str = "audio/mpeg",
) -> Scenario:
    """Generated speech: raw bytes, or with `sse` events that contain base64 and end with usage.

    Args:
        audio: the audio, split every KiB, or its pieces; an MP3 of silence by default.
        sse: whether to send events.
        usage: the usage of the last event; raw bytes have none.
        content_type: the media type of raw bytes.
    """
    audio = silence() if audio is None else audio
    if isinstance(audio, bytes):
        audio = [audio[start : start + _AUDIO_PIECE] for start in range(0, len(audio), _AUDIO_PIECE)]
    if not sse:
        return Scenario(tuple(audio), content_type=content_type)
    events: list[dict[str, Any]] = [{"type": "speech.audio.delta", "audio": _base64(piece)} for piece in audio]
    usage = _counts("input", "output", 20 * len(audio)) if usage is None else usage
    events.append({"type": "speech.audio.done", "usage": usage})
    return _audio_events(events)


class Segment(NamedTuple):
    """The speech of one speaker, from `start` to `end` in seconds."""

    speaker: str
    start: float
    end: float
    text: str


def transcription(
    text: Pieces = "Hello world, this is a test.",
    *,
    segments: Sequence[Segment] = (),
    usage: Mapping[str, Any] | None = None,
) -> Scenario:
    """A streamed transcript.

    Args:
        text: the transcript.
        segments: segments by speaker, sent instead of the pieces of text, as diarising models do.
        usage: the usage of the last event; tokens by default, `{"type": "duration", "seconds": 5}` for other models.
    """
    pieces = split_words(text)
    events: list[dict[str, Any]] = [
        {"type": "transcript.text.segment", "id": f"seg_{number}", **segment._asdict()} for number, segment in enumerate(segments)
    ] or [{"type": "transcript.text.delta", "delta": piece} for piece in pieces]
    if usage is None:
        details = {"text_tokens": 0, "audio_tokens": _INPUT_TOKENS}
        usage = {"type": "tokens", **_counts("input", "output", len(pieces)), "input_token_details": details}
    events.append({"type": "transcript.text.done", "text": "".join(pieces), "usage": usage})
    return _audio_events(events)


def images(
    *pictures: bytes,
    partials: int = 1,
    edit: bool = False,
    usage: Mapping[str, Any] | None = None,
    output_format: str = "png",
    size: str = "1024x1024",
) -> Scenario:
    """Generated images, each after its previews.

    Args:
        pictures: the complete images; one grey PNG by default.
        partials: the number of previews before each image.
        edit: whether to send events of an edit (`image_edit.…`) instead of a generation (`image_generation.…`).
        usage: the usage of each complete image; plausible counts by default.
        output_format: `png`, `webp` or `jpeg`.
        size: the size named in the events.
    """
    family = "image_edit" if edit else "image_generation"
    facts = {"created_at": CREATED, "size": size, "quality": "low", "background": "opaque", "output_format": output_format}
    if usage is None:
        usage = {**_counts("input", "output", 272), "input_tokens_details": {"text_tokens": _INPUT_TOKENS, "image_tokens": 0}}
    frames: list[bytes] = []
    for picture in pictures or (png(),):
        for number in range(partials):
            kind = f"{family}.partial_image"
            preview = {"type": kind, "b64_json": _base64(png(grey=number)), "partial_image_index": number, **facts}
            frames.append(event(preview, name=kind))
        kind = f"{family}.completed"
        frames.append(event({"type": kind, "b64_json": _base64(picture), **facts, "usage": usage}, name=kind))
    return Scenario(tuple(frames))


def refused(
    status: int = 429, body: Mapping[str, Any] | bytes | None = None, headers: Mapping[str, str] | None = None
) -> Scenario:
    """An HTTP error instead of a stream.

    Args:
        status: the HTTP status.
        body: JSON, or raw bytes; by default an error in OpenAI's format.
        headers: additional headers, such as `{"Retry-After": "2"}`.
    """
    if body is None:
        kind = _ERRORS.get(status, "server_error")
        body = {"error": {"message": f"Refused with status {status}.", "type": kind, "param": None, "code": None}}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Scenario((content,), status=status, content_type="application/json", headers=dict(headers or {}))


def _call_deltas(calls: Sequence[Call]) -> Iterator[dict[str, Any]]:
    for index, call in enumerate(calls):
        function = {"name": call.name, "arguments": ""}
        yield {"index": index, "id": call.id or f"call_{index}", "type": "function", "function": function}
    for index, piece in interleaved(calls):
        yield {"index": index, "function": {"arguments": piece}}


def _chunks(
    head: Mapping[str, Any], choices: Sequence[Mapping[str, Any]], usage: Mapping[str, Any] | None, done: bool
) -> Scenario:
    null: dict[str, Any] = {} if usage is None else {"usage": None}
    chunks = [{**head, "choices": [choice], **null} for choice in choices]
    if usage is not None:
        chunks.append({**head, "choices": [], "usage": usage})
    return Scenario((*map(event, chunks), *[DONE] * done))


def _audio_events(events: Sequence[Mapping[str, Any]]) -> Scenario:
    # OpenAI's audio endpoints end their lines with CRLF.
    return Scenario((*(event(payload, end="\r\n") for payload in events), DONE.replace(b"\n", b"\r\n")))


def _chat_usage(tokens: int, reasoning: int) -> dict[str, Any]:
    return {
        **_counts("prompt", "completion", tokens + reasoning),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _counts(input_name: str, output_name: str, tokens: int) -> dict[str, Any]:
    return {f"{input_name}_tokens": _INPUT_TOKENS, f"{output_name}_tokens": tokens, "total_tokens": _INPUT_TOKENS + tokens}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
