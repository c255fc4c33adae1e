"""The names that frameworks give to providers, as ours."""

from __future__ import annotations

from typing import Any

from ..json_readers import name_of

_OURS = {
    "amazon_bedrock": "aws",
    "anthropic-bedrock": "aws",
    "awsbedrock": "aws",
    "azure_openai": "azure",
    "azureopenai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "gemini": "google",
    "google-cloud": "google",
    "google-gla": "google",
    "google-vertex": "google",
    "google_genai": "google",
    "google_vertexai": "google",
    "mistralai": "mistral",
    "openai-codex": "openai",
    "vertexai": "google",
    "xai": "x-ai",
}


def provider_named(name: Any) -> str | None:
    """The provider that a framework states; None if it states none.

    >>> provider_named("amazon_bedrock"), provider_named("Groq")
    ('aws', 'groq')
    """
    stated = name_of(name)
    return None if stated is None else _OURS.get(stated.lower(), stated.lower())
