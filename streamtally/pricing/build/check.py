"""Refuses rates that cannot be: a price per token under a unit per million, a price per image under one of tokens.

The bounds are wide: each is a few times what is dearest and cheapest among published prices of its unit.
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
"""By unit, the cheapest and the dearest rate that is believed, in US dollars per published unit; others are tokens."""


def believable(unit: str, text: str) -> bool:
    """Whether a rate may be one of its unit's; 0 is free, and always may."""
    low, high = BOUNDS.get(unit, TOKENS)
    return text == "0" or low <= Decimal(text) <= high


def faults(providers: Mapping[str, Mapping[str, Any]], holidays: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What is wrong with the rates of a catalog, in words; a rate of 0 is free and right.

    Raises:
        CatalogError: a row that is no row.
    """
    for provider, entry in providers.items():
        for name, model in entry["models"].items():
            parse_prices(model, holidays)
            for row in model["rows"]:
                for unit, text in row["rates"].items():
                    if not believable(unit, text):
                        low, high = BOUNDS.get(unit, TOKENS)
                        yield f"{provider}/{name}: {unit} at {text}, believed from {low} to {high}"
