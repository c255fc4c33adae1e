"""A user's own rates, discounts and markups, in the format of override files.

TOML, or JSON of the same shape:

    [[override]]
    model = "gpt-4o"
    provider = "openai"            # optional: without it, at every provider
    rates = { input = 2, output = "8.5" }
    from = 2026-01-01              # or any other condition of a row: to, when, window, above

    [[discount]]
    name = "enterprise agreement"
    percent = -15                  # positive for a markup
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
"""A provider (None means all) and a case-folded model name."""

ProviderName = Callable[[str | None], str | None]
"""Returns the catalog's name of a provider."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """The user's rows by provider and model, and discounts."""

    rows: Mapping[Key, tuple[Row, ...]] = field(default_factory=dict)
    discounts: tuple[Discount, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rows or self.discounts)

    @property
    def suffix(self) -> str:
        """The suffix of the catalog's revision, a hash of the overrides: equal revisions mean equal rates."""
        if not self:
            return ""
        rows = sorted((str(key), [(str(row), sorted(row.rates.items())) for row in rows]) for key, rows in self.rows.items())
        text = repr((rows, self.discounts)) if self.discounts else repr(rows)
        return f"+user.{sha256(text.encode()).hexdigest()[:12]}"

    def with_row(self, key: Key, row: Row) -> Overrides:
        """A copy with a further row, which wins over the others."""
        return replace(self, rows={**self.rows, key: (*self.rows.get(key, ()), row)})

    def with_discount(self, discount: Discount) -> Overrides:
        """A copy with a further discount or markup."""
        return replace(self, discounts=(*self.discounts, discount))


def override_row(raw: Mapping[str, Any], holidays: Holidays) -> Row:
    """A row of user rates; it holds in every tier and region unless it names one. A float counts as its decimal representation.

    Raises:
        CatalogError: the form is not that of a row.
    """
    try:
        when = {"tier": ANY, "region": ANY, **raw.get("when", {})}
        rates = {unit: _number(rate) for unit, rate in raw["rates"].items()}
        return parse_row({**raw, "when": when, "rates": rates}, holidays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise error if isinstance(error, CatalogError) else CatalogError(f"not a valid row of rates: {error!r}") from error


def _number(rate: object) -> str:
    if isinstance(rate, bool) or not isinstance(rate, str | int | float | Decimal):
        raise CatalogError(f"a rate must be a number, not {rate!r}")
    return str(rate)


def read_overrides(path: str | Path) -> dict[str, Any]:
    """The content of an override file: JSON if its name ends in `.json`, else TOML. Numbers are read as `Decimal`.

    Raises:
        CatalogError: the file cannot be read or parsed.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        toml = Path(path).suffix != ".json"
        content = tomllib.loads(text, parse_float=Decimal) if toml else json.loads(text, parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise CatalogError(f"cannot read the override file {path}: {error}") from error
    if not isinstance(content, dict):
        raise CatalogError(f"the override file {path} must contain an object")
    return content


def add_overrides(overrides: Overrides, raw: Mapping[str, Any], provider_name: ProviderName, holidays: Holidays) -> Overrides:
    """`overrides` with the entries of a file or mapping of the form `{override[], discount[]}` added.

    Raises:
        CatalogError: the form is wrong.
    """
    if unknown := raw.keys() - {"override", "discount"}:
        raise CatalogError(f"overrides have the keys `override` and `discount`, not {', '.join(sorted(unknown))}")
    for entry in _tables(raw, "override"):
        model, provider = entry.pop("model", None), entry.pop("provider", None)
        if not isinstance(model, str) or not isinstance(provider, str | None):
            raise CatalogError(f"an override needs a model name, and may have a provider name: {model!r}, {provider!r}")
        overrides = overrides.with_row((provider_name(provider), model.strip().casefold()), override_row(entry, holidays))
    for entry in _tables(raw, "discount"):
        discount = parse_discount(entry)
        overrides = overrides.with_discount(replace(discount, provider=provider_name(discount.provider)))
    return overrides


def _tables(raw: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    tables = raw.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        raise CatalogError(f"`{name}` must be a list of tables")
    return [{key: value.isoformat() if isinstance(value, date) else value for key, value in table.items()} for table in tables]
