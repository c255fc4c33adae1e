"""The versions of the OpenTelemetry conventions, and all that depends on the version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .instruments import CONVENTIONS_1_41, CONVENTIONS_LATEST, OWN, Instrument
from .names import CACHE_WRITE_LATEST, MAX_TOKENS, REQUEST_CHOICE_COUNT, SEED, TOP_K, USAGE

SCHEMA_URL = "https://opentelemetry.io/schemas/1.41.1"

Semconv = Literal["1.41", "latest", "both"]
"""A version of the conventions. "both" is for a migration: each standard metric is exported under both names."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """All that depends on the version of the conventions. Iterates over its instruments.

    Args:
        instruments: the metrics.
        schema_url: the schema of the instrumentation scope; None if no released schema describes the names.
        usage: fields of `Usage`, and the span attributes of each.
        whole_numbers: attributes of request parameters that are integers; all others are doubles.
        message_finish_reason: whether each output message has its finish reason.
    """

    instruments: tuple[Instrument, ...]
    schema_url: str | None
    usage: Mapping[str, tuple[str, ...]]
    whole_numbers: frozenset[str]
    message_finish_reason: bool

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self.instruments)


_WHOLE_NUMBERS = frozenset({MAX_TOKENS, SEED, REQUEST_CHOICE_COUNT})

PROFILES: Mapping[str, Profile] = {
    "1.41": Profile((*CONVENTIONS_1_41, *OWN), SCHEMA_URL, USAGE, _WHOLE_NUMBERS, message_finish_reason=True),
    "latest": Profile(
        (*CONVENTIONS_LATEST, *OWN),
        None,
        {**USAGE, "cache_write_tokens": (CACHE_WRITE_LATEST,)},
        _WHOLE_NUMBERS | {TOP_K},
        message_finish_reason=False,
    ),
    "both": Profile(
        (*CONVENTIONS_1_41, *CONVENTIONS_LATEST, *OWN),
        None,
        {**USAGE, "cache_write_tokens": (*USAGE["cache_write_tokens"], CACHE_WRITE_LATEST)},
        _WHOLE_NUMBERS,
        message_finish_reason=True,
    ),
}
"""The profile of each version."""
