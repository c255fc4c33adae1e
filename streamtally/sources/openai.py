"""The openai SDK: its stream helpers, and the calls that stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dialects import openai_audio, openai_chat, openai_completions, openai_images, openai_responses
from .base import Calls, Helper, Methods, Source

_RAW_RESPONSE = "x-stainless-raw-response"
"""The header by which `with_raw_response` ("true") and `with_streaming_response` ("stream") mark a call."""


def _streams(arguments: Mapping[str, Any]) -> bool:
    """Whether a call returns a stream: speech does if events are asked for, or the caller reads the response as it arrives."""
    if "stream" in arguments or "messages" in arguments:
        return arguments.get("stream") is True
    headers = arguments.get("extra_headers")
    raw = {name.lower(): value for name, value in headers.items()} if isinstance(headers, Mapping) else {}
    return arguments.get("stream_format") == "sse" or (raw.get(_RAW_RESPONSE) == "stream" and "voice" in arguments)


_PATHS = {
    "/chat/completions": openai_chat.DIALECT.name,
    "/completions": openai_completions.DIALECT.name,
    "/responses": openai_responses.DIALECT.name,
    "/images/generations": openai_images.DIALECT.name,
    "/images/edits": openai_images.DIALECT.name,
    "/audio/speech": openai_audio.SPEECH.name,
    "/audio/transcriptions": openai_audio.TRANSCRIPTION.name,
}
"""The dialects of the API's resources, by the end of a request's path."""


def _dialect_of_request(error: BaseException) -> str | None:
    """The dialect of the resource that a refused request asked for."""
    path = str(getattr(getattr(getattr(error, "request", None), "url", None), "path", ""))
    return next((dialect for end, dialect in _PATHS.items() if path.endswith(end)), None)


_CHAT = Methods(("Completions", "AsyncCompletions"), ("create",), ("stream",), openai_chat.DIALECT.name)
_COMPLETIONS = Methods(("Completions", "AsyncCompletions"), ("create",), dialect=openai_completions.DIALECT.name)
_RESPONSES = Methods(("Responses", "AsyncResponses"), ("create",), ("stream",), openai_responses.DIALECT.name)
_IMAGES = Methods(("Images", "AsyncImages"), ("generate", "edit"), dialect=openai_images.DIALECT.name)
_SPEECH = Methods(("Speech", "AsyncSpeech"), ("create",))
_TRANSCRIPTIONS = Methods(("Transcriptions", "AsyncTranscriptions"), ("create",), dialect=openai_audio.TRANSCRIPTION.name)

SOURCE = Source(
    "openai",
    errors=_dialect_of_request,
    items="_cast_to",
    streams={
        "openai.types.chat.": openai_chat.DIALECT.name,
        "openai.types.responses.": openai_responses.DIALECT.name,
        "openai.types.completion": openai_completions.DIALECT.name,
        "openai.types.image": openai_images.DIALECT.name,
        "openai.types.audio.transcription": openai_audio.TRANSCRIPTION.name,
    },
    response=("_response",),
    helper=Helper("until_done", events="_iterator", reads="_raw_stream._iterator"),
    calls=Calls(
        {
            "openai.resources.chat.completions.completions": _CHAT,
            "openai.resources.completions": _COMPLETIONS,
            "openai.resources.responses.responses": _RESPONSES,
            "openai.resources.images": _IMAGES,
            "openai.resources.audio.speech": _SPEECH,
            "openai.resources.audio.transcriptions": _TRANSCRIPTIONS,
        },
        _streams,
        transport=frozenset({"extra_headers", "extra_query", "extra_body", "timeout"}),
        base_url="_client.base_url",
    ),
    private={
        "_raw_stream._cast_to": "openai 1.59 to 3.57",
        "_response": "openai 1.59 to 3.57",
        "_iterator": "openai 1.59 to 3.57",
        "_raw_stream._iterator": "openai 1.59 to 3.57",
        "_client.base_url": "openai 1.59 to 3.57",
    },
)
"""It states no provider: the SDK is used with many. `openai.resources.chat.completions` is a package from release 1.59 on."""
