"""An immutable catalog content with the user's overrides, indexed for lookups by provider and model.

A catalog switches to new prices by replacing its index, in one assignment and for all threads.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from fnmatch import translate
from functools import cached_property
from typing import Any, NamedTuple

from ..errors import CatalogError
from .calculate import PriceSource
from .match import Directory, Match, spellings
from .overrides import Overrides
from .rates import RateCards
from .rows import Holidays, PriceList, Row, parse_prices

_CACHE_SIZE = 4096


class ResolvedPrices(NamedTuple):
    """The prices of a model at a provider; `region` is the region that the model's name states, or None."""

    cards: RateCards
    source: PriceSource
    region: str | None


class PriceIndex:
    """The prices of a catalog's content with a user's overrides applied."""

    def __init__(self, content: Mapping[str, Any], overrides: Overrides | None = None) -> None:
        self.content = content
        self.overrides = overrides or Overrides()
        self.providers: Mapping[str, Mapping[str, Any]] = content["providers"]
        self.holidays: Holidays = content.get("holidays", {})
        self.directory = Directory(self.providers)
        self.revision = str(content["revision"]) + self.overrides.suffix
        self.cache: dict[Hashable, ResolvedPrices | None] = {}
        """Cache of `find` by (provider, model), or (provider, model, key) for lookups with rates of one call."""

    def __len__(self) -> int:
        return sum(len(provider["models"]) for provider in self.providers.values())

    @cached_property
    def hosts(self) -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
        """The providers by API host: a mapping of exact hosts, and a list of patterns."""
        hosts = [(host, provider) for provider, entry in self.providers.items() for host in entry.get("api_hosts", ())]
        exact = {host: provider for host, provider in hosts if "*" not in host}
        return exact, [(re.compile(translate(host)), provider) for host, provider in hosts if "*" in host]

    def with_overrides(self, overrides: Overrides) -> PriceIndex:
        """An index of the same content with other overrides."""
        return PriceIndex(self.content, overrides)

    def provider(self, name: str | None) -> str | None:
        """A provider's name in the catalog, or the given name, case-folded, if the catalog lacks it."""
        return None if name is None else self.directory.provider(name) or name.strip().casefold()

    def prices(self, provider: str, model: str) -> PriceList:
        """The price list of a model of the content.

        Raises:
            CatalogError: the list is malformed, or uses a time zone that this system does not have.
        """
        entry = self.providers[provider]
        regions = {"regions": entry["regions"]} if "regions" in entry else {}
        return parse_prices({**regions, **entry["models"][model]}, self.holidays)

    def find(self, provider: str | None, model: str, row: Row | None = None, key: Hashable = None) -> ResolvedPrices | None:
        """The prices of a model at a provider, or None if neither the content nor the overrides have it.

        Args:
            provider: the caller's name of the provider.
            model: the caller's name of the model.
            row: rates for this call only, which win over all others.
            key: the cache key of `row`.
        """
        cache_key = (provider, model) if key is None else (provider, model, key)
        try:
            return self.cache[cache_key]
        except KeyError:
            pass
        if len(self.cache) >= _CACHE_SIZE:
            self.cache.clear()
        resolved = self.cache[cache_key] = self._resolve(provider, model, row)
        return resolved

    def _resolve(self, provider: str | None, model: str, row: Row | None) -> ResolvedPrices | None:
        match = self.directory.find(model, provider)
        rows = self._override_rows(model, match.provider if match is not None else self.provider(provider))
        rule = "" if not rows and row is None else "user: " if row is None else "call: "
        rows = rows if row is None else (*rows, row)
        if match is None and not rows:
            return None
        target = match or Match(self.provider(provider) or "user", model, "exact")
        try:
            prices = PriceList(()) if match is None else self.prices(match.provider, match.model)
        except CatalogError as error:
            # An unreadable price counts as a missing one, so that pricing never raises inside a stream.
            prices, rule = PriceList(()), f"{error}: {rule}"
        names = (target.model, *spellings(model, self.directory.known))
        discounts = tuple(
            discount for discount in self.overrides.discounts if any(discount.concerns(target.provider, name) for name in names)
        )
        source = PriceSource(target.provider, target.model, rule + target.rule, self.revision, bool(rows or discounts), discounts)
        return ResolvedPrices(RateCards(prices.extended(rows)), source, target.region)

    def _override_rows(self, model: str, provider: str | None) -> tuple[Row, ...]:
        if not self.overrides.rows:
            return ()
        for text in spellings(model, self.directory.known):
            general, special = self.overrides.rows.get((None, text), ()), self.overrides.rows.get((provider, text), ())
            if provider is not None and special:
                return (*general, *special)
            if general:
                return general
        return ()
