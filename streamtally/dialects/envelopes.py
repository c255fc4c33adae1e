"""Envelopes: mappings that frameworks put around a provider's chunk, which is read in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Envelope(NamedTuple):
    """One kind of envelope. Both functions are pure.

    Attributes:
        recognises: whether a mapping is such an envelope, by its values.
        unwrap: the payload inside, or None if this one has none.
    """

    recognises: Callable[[Mapping[str, Any]], bool]
    unwrap: Callable[[Mapping[str, Any]], Any]


ENVELOPES: tuple[Envelope, ...] = ()
"""All kinds, in the order in which they are asked."""


def envelope_of(payload: Mapping[str, Any]) -> Envelope | None:
    """The kind of envelope that a mapping is; None if it is none."""
    return next((envelope for envelope in ENVELOPES if envelope.recognises(payload)), None)
