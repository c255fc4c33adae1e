"""The default responses of a fake provider, for requests without a scenario."""

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
    """The stream for the path and parameters of a request; a 404 for an unknown path."""
    params = request.json if isinstance(request.json, dict) else request.form
    params = {**params, **({"model": request.model} if request.model else {}), "alt": request.query.get("alt")}
    for path, build in _BUILDERS.items():
        if request.path.endswith(path):
            return build(params)
    return refused(404)


def _chat(params: Mapping[str, Any]) -> Scenario:
    return chat(n=params.get("n") or 1, include_usage=_wants_usage(params), **_model(params))


def _completions(params: Mapping[str, Any]) -> Scenario:
    return completions(n=params.get("n") or 1, include_usage=_wants_usage(params), **_model(params))


def _images(params: Mapping[str, Any], *, edit: bool = False) -> Scenario:
    # The values of a form are strings.
    pictures = [png(grey=number) for number in range(int(params.get("n") or 1))]
    return images(*pictures, partials=int(params.get("partial_images") or 0), edit=edit)


def _wants_usage(params: Mapping[str, Any]) -> bool:
    return bool((params.get("stream_options") or {}).get("include_usage"))


def _model(params: Mapping[str, Any]) -> dict[str, Any]:
    return {"model": params["model"]} if params.get("model") else {}


_BUILDERS: Mapping[str, Callable[[Mapping[str, Any]], Scenario]] = {
    "/v1/messages": lambda params: anthropic(**_model(params)),
    ":streamGenerateContent": lambda params: gemini(sse=params["alt"] == "sse", **_model(params)),
    "/v2/chat": lambda params: cohere(**_model(params)),
    "/api/chat": lambda params: ollama(**_model(params)),
    "/api/generate": lambda params: ollama(generate=True, **_model(params)),
    "/converse-stream": lambda params: converse(**_model(params)),
    "/invoke-with-response-stream": lambda params: invoke(**_model(params)),
    "/chat/completions": _chat,
    "/completions": _completions,
    "/responses": lambda params: responses(**_model(params)),
    "/audio/speech": lambda params: speech(sse=params.get("stream_format") == "sse"),
    "/audio/transcriptions": lambda _: transcription(),
    "/images/generations": _images,
    "/images/edits": lambda params: _images(params, edit=True),
}
