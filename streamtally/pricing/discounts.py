"""Discounts and markups, which are separate lines of a cost and never change a rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ..errors import CatalogError
from .rows import moment_of
from .units import UNITS, half_even


@dataclass(frozen=True, slots=True)
class Discount:
    """A named percentage of the list price: negative for a discount, positive for a markup.

    It applies to `provider`, `model` and `units`, of which None means all, from `start` up to but not including `end`.
    Several discounts add up: each is a percentage of the list price, not of the discounted one.
    """

    name: str
    percent: Decimal
    provider: str | None = None
    model: str | None = None
    units: frozenset[str] | None = None
    start: datetime | None = None
    end: datetime | None = None

    def concerns(self, provider: str, model: str) -> bool:
        """Whether it applies to a model of a provider."""
        return self.provider in (None, provider) and (self.model is None or self.model.casefold() == model.casefold())

    def holds(self, at: datetime) -> bool:
        """Whether it is in force at a time."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)

    def base(self, charged: Iterable[tuple[str, int]]) -> int:
        """The sum, in quanta, of the (unit, quanta) charges that it applies to."""
        return sum([quanta for unit, quanta in charged if self.units is None or unit in self.units])

    def of(self, charged: Iterable[tuple[str, int]]) -> int:
        """The quanta that it adds to these charges, rounded half to even."""
        numerator, denominator = self.percent.as_integer_ratio()
        return half_even(self.base(charged) * numerator, 100 * denominator)


_KEYS = frozenset({"name", "percent", "provider", "model", "units", "from", "to"})


def parse_discount(raw: Mapping[str, Any]) -> Discount:
    """A discount from `{name, percent, provider?, model?, units?, from?, to?}`.

    Raises:
        CatalogError: the form is wrong, a unit is unknown, or the percentage is not a number of at least -100.
    """
    try:
        if unknown := raw.keys() - _KEYS:
            raise CatalogError(f"unknown fields of a discount: {', '.join(sorted(unknown))}; allowed: {', '.join(sorted(_KEYS))}")
        percent, units = Decimal(str(raw["percent"])), raw.get("units")
        if not percent.is_finite() or not -100 <= percent <= 100_000:
            raise CatalogError(f"the percentage of a discount must be a number from -100 to 100000, not {raw['percent']!r}")
        if unknown := {*(units or ())} - UNITS.keys():
            raise CatalogError(f"unknown units of a discount: {', '.join(sorted(unknown))}")
        return Discount(
            name=str(raw["name"]),
            percent=percent,
            provider=raw.get("provider"),
            model=raw.get("model"),
            units=None if units is None else frozenset(units),
            start=moment_of(raw.get("from")),
            end=moment_of(raw.get("to")),
        )
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
        raise CatalogError(f"not a valid discount: {error!r}") from error
