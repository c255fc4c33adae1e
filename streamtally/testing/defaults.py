"""What a fake provider answers when no scenario was written for the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .media import png
from .request import ReceivedRequest
from .scenario import Scenario
from .scenarios import (
    anthropic,
    chat,
    cohere,
    completions,
    converse,
    gemini,
    images,
    invoke,
    ollama,
    refused,
    responses,
    speech,
    transcription,
)


def default_scenario(request: ReceivedRequest) -> Scenario:
    """The stream that the path and the request's parameters ask for; a 404 where no API has the path."""
    asked = request.json if isinstance(request.json, dict) else request.form
    asked = {**asked, **({"model": request.model} if request.model else {}), "alt": request.query.get("alt")}
    for path, answer in _ANSWERS.items():
        if request.path.endswith(path):
            return answer(asked)
    return refused(404)


def _chat(asked: Mapping[str, Any]) -> Scenario:
    return chat(n=asked.get("n") or 1, include_usage=_wants_usage(asked), **_model(asked))


def _completions(asked: Mapping[str, Any]) -> Scenario:
    return completions(n=asked.get("n") or 1, include_usage=_wants_usage(asked), **_model(asked))


def _images(asked: Mapping[str, Any], *, edit: bool = False) -> Scenario:
    # A form has texts only.
    pictures = [png(grey=number) for number in range(int(asked.get("n") or 1))]
    return images(*pictures, partials=int(asked.get("partial_images") or 0), edit=edit)


def _wants_usage(asked: Mapping[str, Any]) -> bool:
    return bool((asked.get("stream_options") or {}).get("include_usage"))


def _model(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"model": asked["model"]} if asked.get("model") else {}


_ANSWERS: Mapping[str, Callable[[Mapping[str, Any]], Scenario]] = {
    "/v1/messages": lambda asked: anthropic(**_model(asked)),
    ":streamGenerateContent": lambda asked: gemini(sse=asked["alt"] == "sse", **_model(asked)),
    "/v2/chat": lambda asked: cohere(**_model(asked)),
    "/api/chat": lambda asked: ollama(**_model(asked)),
    "/api/generate": lambda asked: ollama(generate=True, **_model(asked)),
    "/converse-stream": lambda asked: converse(**_model(asked)),
    "/invoke-with-response-stream": lambda asked: invoke(**_model(asked)),
    "/chat/completions": _chat,
    "/completions": _completions,
    "/responses": lambda asked: responses(**_model(asked)),
    "/audio/speech": lambda asked: speech(sse=asked.get("stream_format") == "sse"),
    "/audio/transcriptions": lambda _: transcription(),
    "/images/generations": _images,
    "/images/edits": lambda asked: _images(asked, edit=True),
}
