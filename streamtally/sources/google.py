"""Google's SDKs: the exceptions of google-genai carry an error of the Gemini API."""

from __future__ import annotations

from ..dialects import gemini
from .base import Source

SOURCE = Source("google", provider="google", errors=lambda _: gemini.DIALECT.name)
