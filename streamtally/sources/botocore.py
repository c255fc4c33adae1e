"""botocore: exceptions of Bedrock, whose payload is that of an exception event."""

from __future__ import annotations

from ..dialects import bedrock_converse
from .base import Source

SOURCE = Source("botocore", provider="aws", errors=lambda _: bedrock_converse.DIALECT.name)
