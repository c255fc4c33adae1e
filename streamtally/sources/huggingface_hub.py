"""The huggingface_hub client: chunks that look like OpenAI's, and are read as such."""

from __future__ import annotations

from .base import Source

SOURCE = Source("huggingface_hub", provider="huggingface")
