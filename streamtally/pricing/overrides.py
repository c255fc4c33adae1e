"""A user's own rates, discounts and markups, in the form that files have: the catalog's rows, with the model beside them.

TOML, or JSON of the same shape:

    [[override]]
    model = "gpt-4o"
    provider = "openai"            # optional: without it, at every provider
    rates = { input = 2, output = "8.5" }
    from = 2026-01-01              # and every other condition of a row: to, when, window, above

    [[discount]]
    name = "enterprise agreement"
    percent = -15                  # a markup is above zero
    provider = "openai"            # optional, as are model, units, from, to
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import CatalogError
from .discounts import Discount, parse_discount
from .rows import ANY, Holidays, Row, parse_row

Key = tuple[str | None, str]
"""A provider (None for all) and a case-folded model name."""

Named = Callable[[str | None], str | None]
"""Gives a provider's name in the catalog."""


@dataclass(frozen=True, slots=True)
class Own:
    """What the user laid over a catalog."""

    rows: Mapping[Key, tuple[Row, ...]] = field(default_factory=dict)
    discounts: tuple[Discount, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rows or self.discounts)

    @property
    def suffix(self) -> str:
        """What the revision of a catalog ends with, so that two costs of one revision have the same rates."""
        if not self:
            return ""
        rows = sorted((str(key), [(str(row), sorted(row.rates.items())) for row in rows]) for key, rows in self.rows.items())
        text = repr((rows, self.discounts)) if self.discounts else repr(rows)
        return f"+user.{sha256(text.encode()).hexdigest()[:12]}"

    def with_row(self, key: Key, row: Row) -> Own:
        """The same with a further row, which wins."""
        return replace(self, rows={**self.rows, key: (*self.rows.get(key, ()), row)})

    def with_discount(self, discount: Discount) -> Own:
        """The same with a further discount or markup."""
        return replace(self, discounts=(*self.discounts, discount))


def row_of(raw: Mapping[str, Any], holidays: Holidays) -> Row:
    """A row of the user's own: in every tier and region where it names none. Numbers are read as they are printed.

    Raises:
        CatalogError: it is no row.
    """
    try:
        when = {"tier": ANY, "region": ANY, **raw.get("when", {})}
        rates = {unit: _number(rate) for unit, rate in raw["rates"].items()}
        return parse_row({**raw, "when": when, "rates": rates}, holidays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise error if isinstance(error, CatalogError) else CatalogError(f"no row of rates: {error!r}") from error


def _number(rate: object) -> str:
    if isinstance(rate, bool) or not isinstance(rate, str | int | float | Decimal):
        raise CatalogError(f"a rate is a number: {rate!r}")
    return str(rate)


def read(path: str | Path) -> dict[str, Any]:
    """What is in a file of overrides: TOML, or JSON where its name ends in `.json`. No number becomes a float.

    Raises:
        CatalogError: it cannot be read, or is neither.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        toml = Path(path).suffix != ".json"
        found = tomllib.loads(text, parse_float=Decimal) if toml else json.loads(text, parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise CatalogError(f"cannot read the overrides {path}: {error}") from error
    if not isinstance(found, dict):
        raise CatalogError(f"no overrides: {path}")
    return found


def laid_over(own: Own, raw: Mapping[str, Any], named: Named, holidays: Holidays) -> Own:
    """`own` with what a file or mapping says: `{override[], discount[]}`.

    Raises:
        CatalogError: another form.
    """
    if unknown := raw.keys() - {"override", "discount"}:
        raise CatalogError(f"overrides have `override` and `discount`, not {', '.join(sorted(unknown))}")
    for entry in _tables(raw, "override"):
        model, provider = entry.pop("model", None), entry.pop("provider", None)
        if not isinstance(model, str) or not isinstance(provider, str | None):
            raise CatalogError(f"an override needs the name of a model: {model!r}, {provider!r}")
        own = own.with_row((named(provider), model.strip().casefold()), row_of(entry, holidays))
    for entry in _tables(raw, "discount"):
        discount = parse_discount(entry)
        own = own.with_discount(replace(discount, provider=named(discount.provider)))
    return own


def _tables(raw: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    tables = raw.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        raise CatalogError(f"`{name}` is a list of tables")
    return [{key: value.isoformat() if isinstance(value, date) else value for key, value in table.items()} for table in tables]
