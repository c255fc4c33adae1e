"""Detects implausible rates, such as a price per token under a unit of a million tokens, or per image under a token unit.

The bounds are wide: each is a few times beyond the lowest and highest published price of its unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..rows import parse_prices

TOKENS = (Decimal("0.0005"), Decimal(1000))
PER_CALL = (Decimal("0.5"), Decimal(100))
BOUNDS: Mapping[str, tuple[Decimal, Decimal]] = {
    "output_image": (Decimal("0.5"), Decimal(1000)),
    "output_video": (Decimal("0.5"), Decimal(1000)),
    "seconds": (Decimal("0.005"), Decimal(50)),
    "video_seconds": (Decimal("0.002"), Decimal(5)),
    "input_video_seconds": (Decimal("0.00001"), Decimal("0.5")),
    "characters": (Decimal("0.2"), Decimal(500)),
    "images": (Decimal("0.0005"), Decimal(2)),
    "input_images": (Decimal("0.000005"), Decimal(1)),
    "megapixels": (Decimal("0.0002"), Decimal(1)),
    "pages": (Decimal("0.05"), Decimal(200)),
    "annotated_pages": (Decimal("0.5"), Decimal(200)),
    "web_searches": PER_CALL,
    "grounded_prompts": PER_CALL,
    "grounded_queries": PER_CALL,
    "maps_queries": PER_CALL,
    "file_searches": PER_CALL,
    "requests": PER_CALL,
    "search_units": (Decimal("0.02"), Decimal(20)),
    "code_sessions": (Decimal("0.005"), Decimal(2)),
    "cache_storage": (Decimal("0.05"), Decimal(20)),
}
"""By unit, the lowest and the highest plausible rate, in US dollars per published unit; `TOKENS` for all other units."""


def is_plausible(unit: str, text: str) -> bool:
    """Whether a rate is plausible for its unit; 0 (free) always is."""
    low, high = BOUNDS.get(unit, TOKENS)
    return text == "0" or low <= Decimal(text) <= high


def implausible_rates(providers: Mapping[str, Mapping[str, Any]], holidays: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A message for each implausible rate of a catalog.

    Raises:
        CatalogError: a row is malformed.
    """
    for provider, entry in providers.items():
        for name, model in entry["models"].items():
            parse_prices(model, holidays)
            for row in model["rows"]:
                for unit, text in row["rates"].items():
                    if not is_plausible(unit, text):
                        low, high = BOUNDS.get(unit, TOKENS)
                        yield f"{provider}/{name}: {unit} at {text}, plausible from {low} to {high}"
