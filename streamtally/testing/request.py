"""The requests that a fake provider received."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

_MODEL_IN_PATH = re.compile(r"/(?:models?|deployments)/([^/:]+)")


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The body as JSON, or None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def form(self) -> dict[str, str]:
        """The text fields of a multipart form (RFC 7578), without files."""
        kind = self.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            return {}
        message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + self.body)
        parts = [part for part in message.walk() if not part.is_multipart() and part.get_filename() is None]
        return {
            str(part.get_param("name", header="content-disposition")): bytes(part.get_payload(decode=True)).decode()
            for part in parts
        }

    @property
    def model(self) -> str | None:
        """The requested model, in the body, or in the path for APIs that have it there."""
        fields = self.json
        named = fields.get("model") if isinstance(fields, dict) else self.form.get("model")
        in_path = _MODEL_IN_PATH.search(self.path)
        return str(named) if named is not None else in_path and in_path[1]
