"""What prices are published in: the units, how they contain one another, and exact rates.

A unit that is part of another has parents. A rate that is not published is that of the parent, and a count that is not
reported is zero, so a catalog states only what differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache

from ..errors import CatalogError

QUANTA = 10**15
"""Money is counted in whole quanta of 1e-15 US dollars: every published token price is a whole number of them."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that is charged for: rates are US dollars for `per` of what is counted.

    `parents` are the units that contain this one. Where several of them have a rate and this one has none, the first
    parent's rate holds: no discount is assumed that was not published.
    """

    name: str
    per: int
    label: str
    parents: tuple[str, ...] = ()


UNITS = {
    unit.name: unit
    for unit in (
        Unit("input", 1_000_000, "million tokens"),
        Unit("cache_read", 1_000_000, "million tokens", ("input",)),
        Unit("cache_write", 1_000_000, "million tokens", ("input",)),
        Unit("cache_write_1h", 1_000_000, "million tokens", ("cache_write",)),
        Unit("input_audio", 1_000_000, "million tokens", ("input",)),
        Unit("cache_audio_read", 1_000_000, "million tokens", ("input_audio", "cache_read")),
        Unit("input_image", 1_000_000, "million tokens", ("input",)),
        Unit("cache_image_read", 1_000_000, "million tokens", ("input_image", "cache_read")),
        Unit("output", 1_000_000, "million tokens"),
        Unit("output_audio", 1_000_000, "million tokens", ("output",)),
        Unit("output_image", 1_000_000, "million tokens", ("output",)),
        Unit("reasoning", 1_000_000, "million tokens", ("output",)),
        Unit("seconds", 3_600, "hour"),
        Unit("characters", 1_000_000, "million characters"),
        Unit("images", 1, "image"),
        Unit("web_searches", 1_000, "thousand searches"),
        Unit("requests", 1_000, "thousand requests"),
    )
}
"""All units, parents before children. A catalog and `ModelCatalog.override` use these names."""


def _ancestors(name: str) -> Iterator[str]:
    for parent in UNITS[name].parents:
        yield parent
        yield from _ancestors(parent)


ANCESTORS = {name: frozenset(_ancestors(name)) for name in UNITS}
"""All units that contain a unit, however far above."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one counted thing: `quanta / divisor` quanta, kept apart so that division comes last.

    `text` is the rate as published, in US dollars per published unit.
    """

    text: str
    quanta: int
    divisor: int

    def times(self, count: int | Decimal) -> int:
        """The price of `count` things in whole quanta, rounded half to even where it is not whole."""
        if self.divisor == 1 and isinstance(count, int):
            return count * self.quanta
        return round(Fraction(count) * self.quanta / self.divisor)


@lru_cache(maxsize=8192)
def rate_of(unit: str, text: str) -> Rate:
    """The rate of `text` US dollars per published `unit`.

    Raises:
        CatalogError: an unknown unit, or a rate that is not a finite decimal number of at least zero.

    Example:
        >>> rate_of("seconds", "0.36").times(10) == 10**12  # whisper: a tenth of a cent for ten seconds
        True
    """
    if unit not in UNITS:
        raise CatalogError(f"unknown unit {unit!r}; known: {', '.join(UNITS)}")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise CatalogError(f"the rate of {unit} is no decimal number: {text!r}") from None
    if not amount.is_finite() or amount < 0:
        raise CatalogError(f"the rate of {unit} must be finite and not negative: {text!r}")
    price = Fraction(amount) * QUANTA / UNITS[unit].per
    return Rate(text, price.numerator, price.denominator)
