"""A short stand-in for a JSON value where many are compared with each other."""

from __future__ import annotations

import json
from hashlib import blake2b

from ...json_values import Json


def digest_of(value: Json) -> int:
    """Eight bytes of BLAKE2 over the value with sorted keys."""
    return int.from_bytes(blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).digest())
