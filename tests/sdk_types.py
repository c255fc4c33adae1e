"""The official SDKs' types of complete responses, by which the results of `to_response` are validated."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
import cohere
import ollama
import pytest
from anthropic.types.beta import BetaMessage
from botocore.validate import ParamValidator
from huggingface_hub import TextGenerationOutput
from openai.types import Completion, ImagesResponse
from openai.types.audio import Transcription
from openai.types.chat import ChatCompletion
from openai.types.realtime import RealtimeResponse
from openai.types.responses import Response
from pydantic import BaseModel, ValidationError

Check = Callable[[Mapping[str, Any]], object]
"""Raises the SDK's exception if the response is invalid."""


def check_response(dialect: str, response: Mapping[str, Any]) -> None:
    """Validate a response by the SDK's type; without an SDK for the dialect nothing is checked."""
    if dialect in _CHECKS:
        _CHECKS[dialect](response)


def fits(dialect: str, response: Mapping[str, Any]) -> bool:
    """Whether the response is valid for the SDK's type."""
    try:
        check_response(dialect, response)
    except (ValidationError, AssertionError):
        return False
    return True


def _converse(response: Mapping[str, Any]) -> None:
    """Validate by boto3's description of the service, because boto3 has no types.

    The trace is left out, because the service itself omits fields of it that its description requires.
    """
    given = {name: value for name, value in response.items() if name not in ("ResponseMetadata", "trace")}
    report = ParamValidator().validate(given, _converse_shape())
    assert not report.has_errors(), report.generate_report()


@functools.cache
def _converse_shape() -> Any:
    return botocore.session.get_session().get_service_model("bedrock-runtime").operation_model("Converse").output_shape


def _named(module: str, name: str) -> Check:
    """The check by a type of an SDK that may be absent: then the test is skipped."""

    def check(response: Mapping[str, Any]) -> object:
        return getattr(pytest.importorskip(module), name).model_validate(response)

    return check


def _of(kind: type[BaseModel]) -> Check:
    return kind.model_validate


_CHECKS: Mapping[str, Check] = {
    "anthropic.messages": _of(BetaMessage),
    "bedrock.converse": _converse,
    "cohere.v1": _of(cohere.NonStreamedChatResponse),
    "cohere.v2": _of(cohere.V2ChatResponse),
    "gemini": _named("google.genai.types", "GenerateContentResponse"),
    "gemini.interactions": _named("google.genai.interactions", "Interaction"),
    "huggingface.tgi": lambda response: TextGenerationOutput.parse_obj_as_instance(dict(response)),
    "mistral.chat": _named("mistralai.client.models", "ChatCompletionResponse"),
    "mistral.conversations": _named("mistralai.client.models", "ConversationResponse"),
    "ollama.chat": _of(ollama.ChatResponse),
    "ollama.generate": _of(ollama.GenerateResponse),
    "openai.chat": _of(ChatCompletion),
    "openai.completions": _of(Completion),
    "openai.images": _of(ImagesResponse),
    "openai.realtime": _of(RealtimeResponse),
    "openai.responses": _of(Response),
    "openai.transcription": _of(Transcription),
}
