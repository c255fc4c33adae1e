"""What an SDK's objects tell by their class, and their payload does not: whose they are, and at times in which dialect.

Told by the name of the class and of its package, so that no SDK is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Sdk(NamedTuple):
    """An SDK: the provider that it speaks to, and the dialects of those of its classes that look like another's."""

    provider: str | None = None
    dialects: Mapping[str, str] = {}


_SDKS: Mapping[str, Sdk] = {
    "huggingface_hub": Sdk("huggingface"),
    "mistralai": Sdk("mistral", {"CompletionChunk": "mistral.chat", "CompletionEvent": "mistral.chat"}),
}
"""By their packages."""

_NONE = Sdk()


def sdk_of(payload: Any) -> Sdk:
    """The SDK that made an object; one without a word where none is known to have."""
    kind = type(payload)
    sdk = _SDKS.get(str(kind.__module__).partition(".")[0], _NONE)
    return sdk._replace(provider=_provider_told(payload) or sdk.provider)


def _provider_told(payload: Any) -> str | None:
    """The provider that a chunk of litellm names: it speaks for many, in OpenAI's words."""
    hidden = getattr(payload, "_hidden_params", None)
    provider = hidden.get("custom_llm_provider") if isinstance(hidden, Mapping) else None
    return provider if isinstance(provider, str) else None
