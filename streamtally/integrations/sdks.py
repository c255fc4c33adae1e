"""Which methods of the SDKs stream: by the module that defines them, so that no SDK is imported for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..dialects import anthropic_messages, openai_audio, openai_chat, openai_completions, openai_images, openai_responses


class Methods(NamedTuple):
    """What to wrap in one module.

    Args:
        classes: the resource classes, sync and async.
        creating: methods that make the request at once, and stream if they are asked to.
        helping: methods that hand out a manager, which makes the request when it is entered.
        dialect: the wire format; None where it depends on the request.
    """

    classes: tuple[str, str]
    creating: tuple[str, ...]
    helping: tuple[str, ...] = ()
    dialect: str | None = None


_MESSAGES = Methods(("Messages", "AsyncMessages"), ("create",), ("stream",), anthropic_messages.DIALECT.name)

SDKS: Mapping[str, Mapping[str, Methods]] = {
    "openai": {
        "openai.resources.chat.completions.completions": Methods(
            ("Completions", "AsyncCompletions"), ("create",), ("stream",), openai_chat.DIALECT.name
        ),
        "openai.resources.completions": Methods(
            ("Completions", "AsyncCompletions"), ("create",), (), openai_completions.DIALECT.name
        ),
        "openai.resources.responses.responses": Methods(
            ("Responses", "AsyncResponses"), ("create",), ("stream",), openai_responses.DIALECT.name
        ),
        "openai.resources.images": Methods(("Images", "AsyncImages"), ("generate", "edit"), (), openai_images.DIALECT.name),
        "openai.resources.audio.speech": Methods(("Speech", "AsyncSpeech"), ("create",)),
        "openai.resources.audio.transcriptions": Methods(
            ("Transcriptions", "AsyncTranscriptions"), ("create",), (), openai_audio.TRANSCRIPTION.name
        ),
    },
    "anthropic": {
        "anthropic.resources.messages.messages": _MESSAGES,
        "anthropic.resources.beta.messages.messages": _MESSAGES,
    },
}

_RAW = "x-stainless-raw-response"
"""The header by which both SDKs ask themselves for the raw response."""

_NOT_PARAMETERS = ("extra_headers", "extra_query", "extra_body", "timeout")
"""Arguments that say how to send the request; headers may hold secrets."""


def streams(arguments: Mapping[str, Any]) -> bool:
    """Whether a call with these arguments has a stream for its answer.

    Sound streams where it is asked for as events, or where the caller reads the response's body as it comes.
    """
    if "stream" in arguments or "messages" in arguments:
        return arguments.get("stream") is True
    headers = arguments.get("extra_headers")
    raw = {name.lower(): value for name, value in headers.items()} if isinstance(headers, Mapping) else {}
    return arguments.get("stream_format") == "sse" or (raw.get(_RAW) == "stream" and "voice" in arguments)


def parameters(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The request's own parameters; what has no JSON form, such as "not given", is dropped where they are kept."""
    return {name: value for name, value in arguments.items() if name not in _NOT_PARAMETERS}


def server(resource: Any) -> tuple[str | None, int | None]:
    """Host and port that a resource of an SDK sends its requests to."""
    try:
        url = resource._client.base_url
        return url.host or None, url.port or {"http": 80, "https": 443}.get(url.scheme)
    except Exception:  # another version of the SDK, or a double
        return None, None
