"""Discounts and markups: lines of their own on a bill, never mixed into a rate."""

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
    """A share of what is charged at list price, by name: `percent` is below zero for a discount, above for a markup.

    It holds at `provider` and for `model`, or for all; on the charges for `units`, or on all; from `start` to before
    `end`. Several add up: each is a share of the list price, not of what another leaves.
    """

    name: str
    percent: Decimal
    provider: str | None = None
    model: str | None = None
    units: frozenset[str] | None = None
    start: datetime | None = None
    end: datetime | None = None

    def concerns(self, provider: str, model: str) -> bool:
        """Whether it holds for a model of a provider."""
        return self.provider in (None, provider) and (self.model is None or self.model.casefold() == model.casefold())

    def holds(self, at: datetime) -> bool:
        """Whether it holds at a moment."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)

    def base(self, charged: Iterable[tuple[str, int]]) -> int:
        """What it is a share of, in quanta: the charges for (unit, quanta) that it holds on."""
        return sum([quanta for unit, quanta in charged if self.units is None or unit in self.units])

    def of(self, charged: Iterable[tuple[str, int]]) -> int:
        """The quanta that it adds to those charges, rounded half to even."""
        numerator, denominator = self.percent.as_integer_ratio()
        return half_even(self.base(charged) * numerator, 100 * denominator)


_KEYS = frozenset({"name", "percent", "provider", "model", "units", "from", "to"})


def parse_discount(raw: Mapping[str, Any]) -> Discount:
    """A discount from `{name, percent, provider?, model?, units?, from?, to?}`.

    Raises:
        CatalogError: another form, an unknown unit, or a percentage that is no number of at least -100.
    """
    try:
        if unknown := raw.keys() - _KEYS:
            raise CatalogError(f"unknown in a discount: {', '.join(sorted(unknown))}")
        percent, units = Decimal(str(raw["percent"])), raw.get("units")
        if not percent.is_finite() or not -100 <= percent <= 100_000:
            raise CatalogError(f"no percentage of at least -100: {raw['percent']!r}")
        if unknown := {*(units or ())} - UNITS.keys():
            raise CatalogError(f"unknown units: {', '.join(sorted(unknown))}")
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
        raise CatalogError(f"no discount: {error!r}") from error
