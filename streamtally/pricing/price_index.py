"""One catalog as it is at a moment: its content, what the user laid over it, and what has been looked up in it.

A book never changes, so a catalog takes new prices by exchanging its book, in one step and for all threads.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from fnmatch import translate
from functools import cached_property
from typing import Any, NamedTuple

from ..errors import CatalogError
from .calculate import Source
from .match import Directory, Match, spellings
from .overrides import Own
from .rates import Cards
from .rows import Holidays, PriceList, Row, parse_prices

_REMEMBERED = 4096


class Found(NamedTuple):
    """The prices that a name means at a provider. `region` is the one that the name itself states."""

    cards: Cards
    source: Source
    region: str | None


class PriceIndex:
    """The prices of a catalog's content under a user's own rates and discounts."""

    def __init__(self, content: Mapping[str, Any], own: Own | None = None) -> None:
        self.content = content
        self.own = own or Own()
        self.providers: Mapping[str, Mapping[str, Any]] = content["providers"]
        self.holidays: Holidays = content.get("holidays", {})
        self.directory = Directory(self.providers)
        self.revision = str(content["revision"]) + self.own.suffix
        self.found: dict[Hashable, Found | None] = {}
        """What `find` found, by (provider, model), or with the key of rates for one call as third."""

    def __len__(self) -> int:
        return sum(len(provider["models"]) for provider in self.providers.values())

    @cached_property
    def hosts(self) -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
        """The providers of API hosts: of whole ones, and of patterns."""
        hosts = [(host, provider) for provider, entry in self.providers.items() for host in entry.get("api_hosts", ())]
        exact = {host: provider for host, provider in hosts if "*" not in host}
        return exact, [(re.compile(translate(host)), provider) for host, provider in hosts if "*" in host]

    def with_own(self, own: Own) -> PriceIndex:
        """The same content under other rates of the user's."""
        return PriceIndex(self.content, own)

    def provider(self, name: str | None) -> str | None:
        """A provider's name in the catalog, or the given one, case-folded."""
        return None if name is None else self.directory.provider(name) or name.strip().casefold()

    def prices(self, provider: str, model: str) -> PriceList:
        """The price list of a model that the content has.

        Raises:
            CatalogError: the list is malformed, or names a time zone that this system does not have.
        """
        entry = self.providers[provider]
        regions = {"regions": entry["regions"]} if "regions" in entry else {}
        return parse_prices({**regions, **entry["models"][model]}, self.holidays)

    def find(self, provider: str | None, model: str, row: Row | None = None, key: Hashable = None) -> Found | None:
        """The prices of a name, or None.

        Args:
            provider: as the caller names it.
            model: as the caller names it.
            row: rates for this one call, which win over all others.
            key: what tells such rates from others.
        """
        asked = (provider, model) if key is None else (provider, model, key)
        try:
            return self.found[asked]
        except KeyError:
            pass
        if len(self.found) >= _REMEMBERED:
            self.found.clear()
        found = self.found[asked] = self._looked_up(provider, model, row)
        return found

    def _looked_up(self, provider: str | None, model: str, row: Row | None) -> Found | None:
        match = self.directory.find(model, provider)
        rows = self._own_rows(model, match.provider if match is not None else self.provider(provider))
        rule = "" if not rows and row is None else "user: " if row is None else "call: "
        rows = rows if row is None else (*rows, row)
        if match is None and not rows:
            return None
        found = match or Match(self.provider(provider) or "user", model, "exact")
        try:
            prices = PriceList(()) if match is None else self.prices(match.provider, match.model)
        except CatalogError as error:
            # A price that cannot be read is a price that is missing; asking for it never raises in a stream.
            prices, rule = PriceList(()), f"{error}: {rule}"
        discounts = tuple(
            discount
            for discount in self.own.discounts
            if any(discount.concerns(found.provider, name) for name in (found.model, *spellings(model, self.directory.known)))
        )
        source = Source(found.provider, found.model, rule + found.rule, self.revision, bool(rows or discounts), discounts)
        return Found(Cards(prices.extended(rows)), source, found.region)

    def _own_rows(self, model: str, provider: str | None) -> tuple[Row, ...]:
        if not self.own.rows:
            return ()
        for text in spellings(model, self.directory.known):
            general, special = self.own.rows.get((None, text), ()), self.own.rows.get((provider, text), ())
            if provider is not None and special:
                return (*general, *special)
            if general:
                return general
        return ()
