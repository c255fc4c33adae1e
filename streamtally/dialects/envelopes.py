"""Envelopes: mappings and tuples that frameworks put around a provider's chunk, which is read in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from . import langgraph


class Envelope(NamedTuple):
    """One kind of envelope. Both functions are pure.

    Attributes:
        recognises: whether a mapping, list or tuple is such an envelope, by its values.
        unwrap: the payload inside, or None if this one has none.
    """

    recognises: Callable[[Any], bool]
    unwrap: Callable[[Any], Any]


ENVELOPES = (Envelope(langgraph.is_item, langgraph.event_in),)
"""All kinds, in the order in which they are asked."""


def envelope_of(payload: Any) -> Envelope | None:
    """The kind of envelope that a payload is; None if it is none."""
    return next((envelope for envelope in ENVELOPES if envelope.recognises(payload)), None)
