"""The catalog that users ask: prices of models by provider, matched by name, applied to usage."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import translate
from functools import cache
from pathlib import Path
from typing import Any

from ..clock import SYSTEM_CLOCK, wall_time
from ..errors import CatalogError
from ..records import Cost, CostStatus, Usage
from . import snapshot
from .calculate import Request, Source, cost_of, stated
from .match import Directory, Match, spellings
from .rows import ANY, PriceList, Row, parse_prices
from .units import rate_of

RateValue = str | int | float | Decimal
"""A rate in US dollars per published unit. A float is read as it is printed: 0.1 is a tenth."""

UserRows = Mapping[tuple[str | None, str], tuple[Row, ...]]
"""Rows of the user's own, by provider (None for all) and case-folded model name."""

_REMEMBERED = 4096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ModelCatalog:
    """Prices by provider and model. Immutable: `override` returns another catalog.

    Example:
        >>> from streamtally.records import Usage
        >>> catalog = ModelCatalog.bundled()
        >>> catalog.price("gpt-4o", Usage(input_tokens=1000, output_tokens=500), provider="openai").usd
        Decimal('0.0075')
        >>> catalog.price("no-such-model", Usage(input_tokens=1)).status
        'unknown_model'
    """

    def __init__(self, content: Mapping[str, Any], *, user: UserRows | None = None) -> None:
        self._content = content
        self._providers: Mapping[str, Mapping[str, Any]] = content["providers"]
        self._directory = Directory(self._providers)
        self._user = dict(user or {})
        self._revision = str(content["revision"]) + _suffix(self._user)
        self._found: dict[tuple[str | None, str], tuple[PriceList, Source] | None] = {}
        self._hosts: tuple[dict[str, str], list[tuple[re.Pattern[str], str]]] | None = None

    @classmethod
    def bundled(cls) -> ModelCatalog:
        """The catalog that ships with the package, read once, never from the network."""
        return _bundled()

    @classmethod
    def from_file(cls, path: str | Path) -> ModelCatalog:
        """A catalog from a file, gzip or plain JSON; every price in it is checked.

        Raises:
            CatalogError: it cannot be read, is no catalog, or does not match the revision that it states.
        """
        content = snapshot.from_file(path)
        try:
            for provider in content["providers"].values():
                for entry in provider["models"].values():
                    parse_prices(entry)
        except (KeyError, TypeError, AttributeError) as error:
            raise CatalogError(f"the catalog {path} is malformed: {error!r}") from error
        return cls(content)

    @property
    def revision(self) -> str:
        """The SHA-256 of the catalog's content; one with overrides has a suffix that depends on them."""
        return self._revision

    @property
    def generated_at(self) -> str:
        """The date of the source data, as YYYY-MM-DD."""
        return str(self._content["generated_at"])

    def __len__(self) -> int:
        """The number of models, each counted once per provider."""
        return sum(len(provider["models"]) for provider in self._providers.values())

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """All models as (provider, model)."""
        return ((provider, model) for provider, entry in self._providers.items() for model in entry["models"])

    def __repr__(self) -> str:
        return f"<ModelCatalog {self._revision[:12]} of {self.generated_at}: {len(self)} models>"

    def price(
        self,
        model: str | None,
        usage: Usage | None,
        *,
        provider: str | None = None,
        at: datetime | None = None,
        tier: str | None = None,
        strict: bool = False,
    ) -> Cost:
        """What a request cost, exactly, or why that is not known.

        Args:
            model: the model's name, best as the response gives it.
            usage: what was used, with inclusive totals.
            provider: who served it; None or one that the catalog does not know means the model's maker.
            at: when the request was made; prices change, and some depend on the hour. None means now.
            tier: the service tier that was served, such as "priority", "flex" or "batch".
            strict: raise where the cost is not known.

        Returns:
            A cost; its `usd` is None where it is not known, and `status` says why. A model that is free costs 0.

        Raises:
            CatalogError: only with `strict`, where the cost is not known or not complete.
        """
        found = self._lookup(model, provider)
        if found is None:
            status: CostStatus = "unknown_model" if self._served(provider) else "unknown_provider"
            cost = stated(Cost(status=status, catalog_revision=self._revision), usage)
        else:
            prices, source = found
            cost = cost_of(usage, prices, Request(_moment(at, prices), tier), source)
        if strict and not cost.complete:
            raise CatalogError(f"no complete price for {model!r} of provider {provider!r}: {cost.status}")
        return cost

    def override(self, model: str, rates: Mapping[str, RateValue], *, provider: str | None = None) -> ModelCatalog:
        """A catalog with rates of your own, which win over those of this one, unit by unit.

        Args:
            model: the model's name; it need not be in the catalog.
            rates: US dollars per published unit by unit name (`UNITS`): per million tokens, per hour, per image, …
            provider: where the rates hold; None means at every provider.

        Raises:
            CatalogError: an unknown unit, or a rate that is no number of at least zero.

        Example:
            >>> catalog = ModelCatalog.bundled().override("my-model", {"input": "0.5", "output": 2})
        """
        texts = {unit: str(rate) for unit, rate in rates.items()}
        for unit, text in texts.items():
            rate_of(unit, text)
        key = (self._provider_key(provider), model.strip().casefold())
        rows = (*self._user.get(key, ()), Row(texts, when={"tier": ANY}))
        return ModelCatalog(self._content, user={**self._user, key: rows})

    def knows(self, model: str | None) -> bool:
        """Whether some provider in the catalog, or an override, has a model of this name."""
        if not model:
            return False
        name = model.strip().casefold()
        if any(name in self._directory.names(provider) for provider in self._providers):
            return True
        return any(key == name for _, key in self._user) or self._lookup(model, None) is not None

    def provider_for_host(self, host: str | None) -> str | None:
        """The provider that an API host or URL belongs to, or None.

        >>> ModelCatalog.bundled().provider_for_host("my-resource.openai.azure.com")
        'azure'
        """
        if not host:
            return None
        if self._hosts is None:
            self._hosts = _host_table(self._providers)
        exact, patterns = self._hosts
        name = host.partition("://")[2] or host
        name = name.partition("/")[0].rpartition("@")[2].partition(":")[0].casefold().rstrip(".")
        return exact.get(name) or next((provider for pattern, provider in patterns if pattern.fullmatch(name)), None)

    def _served(self, provider: str | None) -> bool:
        """Whether a missing model is all that is missing: the provider is known, or none was named."""
        return not provider or self._directory.provider(provider) is not None

    def _provider_key(self, provider: str | None) -> str | None:
        return None if provider is None else self._directory.provider(provider) or provider.strip().casefold()

    def _lookup(self, model: str | None, provider: str | None) -> tuple[PriceList, Source] | None:
        if not model:
            return None
        key = (provider, model)
        try:
            return self._found[key]
        except KeyError:
            pass
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        found = self._found[key] = self._find(model, provider)
        return found

    def _find(self, model: str, provider: str | None) -> tuple[PriceList, Source] | None:
        match = self._directory.find(model, provider)
        prices = self._prices(match) if match is not None else None
        user = self._user_rows(model, match.provider if match is not None else self._provider_key(provider)) if self._user else ()
        if user:
            prices = prices.extended(user) if prices is not None else PriceList(user)
            match = match or Match(self._provider_key(provider) or "user", model, "exact")
            match = Match(match.provider, match.model, f"user: {match.rule}")
        if match is None or prices is None:
            return None
        return prices, Source(match.provider, match.model, match.rule, self._revision)

    def _prices(self, match: Match) -> PriceList:
        return parse_prices(self._providers[match.provider]["models"][match.model])

    def _user_rows(self, model: str, provider: str | None) -> tuple[Row, ...]:
        for text in spellings(model, self._directory.known):
            general, special = self._user.get((None, text), ()), self._user.get((provider, text), ())
            if provider is not None and special:
                return (*general, *special)
            if general:
                return general
        return ()


@cache
def _bundled() -> ModelCatalog:
    return ModelCatalog(snapshot.bundled())


def _suffix(user: UserRows) -> str:
    if not user:
        return ""
    text = repr(sorted((str(key), [sorted(row.rates.items()) for row in rows]) for key, rows in user.items()))
    return f"+user.{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _moment(at: datetime | None, prices: PriceList) -> datetime:
    """The moment in UTC; a naive one is taken as UTC. The clock is read only where the price depends on it."""
    if at is not None:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return (wall_time(SYSTEM_CLOCK.wall_ns(SYSTEM_CLOCK.monotonic_ns())) if prices.timed else None) or _EPOCH


def _host_table(providers: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    hosts = [(host, provider) for provider, entry in providers.items() for host in entry.get("api_hosts", ())]
    exact = {host: provider for host, provider in hosts if "*" not in host}
    return exact, [(re.compile(translate(host)), provider) for host, provider in hosts if "*" in host]
