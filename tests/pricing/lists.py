"""Catalogs of one model, written out in a test."""

from typing import Any

from streamtally.pricing import ModelCatalog
from streamtally.records import Cost, Usage

Rates = dict[str, str]


def catalog(*rows: dict[str, Any], **fields: Any) -> ModelCatalog:
    """A catalog with one model "m" of provider "p"."""
    models = {"m": {"rows": list(rows), **fields}}
    return ModelCatalog({"schema": 1, "revision": "r", "generated_at": "2026-01-01", "providers": {"p": {"models": models}}})


def row(rates: Rates, **conditions: Any) -> dict[str, Any]:
    """A row of a price list; `start` and `end` stand for "from" and "to"."""
    names = {"start": "from", "end": "to"}
    return {**{names.get(key, key): value for key, value in conditions.items()}, "rates": rates}


def price(prices: ModelCatalog, usage: Usage | None, **options: Any) -> Cost:
    """The cost of the usage with model "m" of provider "p"."""
    return prices.price("m", usage, provider="p", **options)
