"""The catalog that users ask: prices of models by provider, matched by name, applied to usage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..clock import SYSTEM_CLOCK, wall_time
from ..errors import CatalogError
from ..records import Cost, CostStatus, Usage
from . import disputes, snapshot
from .calculate import bill_of, cost_of, dollars, stated, storage_of
from .disputes import Dispute
from .overrides import laid_over, read, row_of
from .price_index import Found, PriceIndex
from .rates import Request

if TYPE_CHECKING:
    from .refresh import Refresh

RateValue = str | int | float | Decimal
"""A rate in US dollars per published unit. A float is read as it is printed: 0.1 is a tenth."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN = Request(_EPOCH)


class ModelCatalog:
    """Prices by provider and model. `override` and its like return another catalog; `refresh` alone changes this one.

    Example:
        >>> from streamtally.records import Usage
        >>> catalog = ModelCatalog.bundled()
        >>> catalog.price("gpt-4o", Usage(input_tokens=1000, output_tokens=500), provider="openai").usd
        Decimal('0.0075')
        >>> catalog.price("no-such-model", Usage(input_tokens=1)).status
        'unknown_model'
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._book = PriceIndex(content)
        self._refreshed: Refresh | None = None

    @classmethod
    def bundled(cls) -> ModelCatalog:
        """The catalog that ships with the package: one for the whole process, read once, never from the network."""
        return _bundled()

    @classmethod
    def from_file(cls, path: str | Path) -> ModelCatalog:
        """A catalog from a file, gzip or plain JSON; every price in it is checked.

        Raises:
            CatalogError: it cannot be read, is no catalog, or does not match the revision that it states.
        """
        return cls(snapshot.checked(snapshot.from_file(path), str(path)))

    @classmethod
    def at(cls, path: str | Path) -> ModelCatalog:
        """What a path means where a catalog is wanted: a catalog's file, or rates and discounts to lay over the bundled one.

        The latter are TOML, or JSON with nothing but `override` and `discount`.

        Raises:
            CatalogError: it cannot be read, or is neither.
        """
        if Path(path).suffix == ".toml":
            return cls.bundled().with_overrides(path)
        if Path(path).suffix == ".json" and (raw := read(path)).keys() <= {"override", "discount"}:
            return cls.bundled().with_overrides(raw)
        return cls.from_file(path)

    @classmethod
    def latest(cls, *, cache_dir: str | Path | None = None) -> ModelCatalog:
        """The newest catalog on this machine: what `refresh` kept in the cache, or the bundled one. Reads files only."""
        from .refresh import kept

        content = kept(cache_dir, snapshot.bundled())
        return cls.bundled() if content is None else cls(content)

    @property
    def revision(self) -> str:
        """The SHA-256 of the catalog's content; one with overrides has a suffix that depends on them."""
        return self._book.revision

    @property
    def generated_at(self) -> str:
        """The date of the source data, as YYYY-MM-DD."""
        return str(self._book.content["generated_at"])

    @property
    def content(self) -> Mapping[str, Any]:
        """The catalog as its file has it (`streamtally.pricing.snapshot`), without the user's own rates. Not to be changed."""
        return self._book.content

    @property
    def status(self) -> Refresh | None:
        """What the last `refresh` did, or None where there was none."""
        return self._refreshed

    def __len__(self) -> int:
        """The number of models, each counted once per provider."""
        return len(self._book)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """All models as (provider, model)."""
        return ((provider, model) for provider, entry in self._book.providers.items() for model in entry["models"])

    def __repr__(self) -> str:
        return f"<ModelCatalog {self.revision[:12]} of {self.generated_at}: {len(self)} models>"

    def price(  # noqa: PLR0913 - all that a price depends on, by name
        self,
        model: str | None,
        usage: Usage | None,
        *,
        provider: str | None = None,
        at: datetime | None = None,
        tier: str | None = None,
        region: str | None = None,
        rates: Mapping[str, RateValue] | None = None,
        strict: bool = False,
    ) -> Cost:
        """What a request cost, exactly, or why that is not known.

        Args:
            model: the model's name, best as the response gives it.
            usage: what was used, with inclusive totals.
            provider: who served it; None or one that the catalog does not know means the model's maker.
            at: when the request was made; prices change, and some depend on the hour. None means now.
            tier: the service tier that was served, such as "priority", "flex" or "batch".
            region: where it was served, as a cloud names it or as prices do ("eu"); None means where the name says.
            rates: rates for this call alone, by unit, which win over all others.
            strict: raise where the cost is not known.

        Returns:
            A cost; its `usd` is None where it is not known, and `status` says why. A model that is free costs 0.

        Raises:
            CatalogError: with `strict`, where the cost is not known or not complete (the error's `cost` says what is
                known); and always where `rates` are none.
        """
        found = self._found(model, provider, rates)
        if found is None:
            known = not provider or self._book.directory.provider(provider) is not None
            status: CostStatus = "unknown_model" if known else "unknown_provider"
            cost = stated(Cost(status=status, catalog_revision=self._book.revision), usage)
        else:
            cost = cost_of(usage, found.cards, _request(found, at, tier, region), found.source)
        if strict and not cost.complete:
            why = ": ".join(filter(None, (cost.status, ", ".join(cost.unpriced), cost.match_rule)))
            raise CatalogError(f"no complete price for {model!r} of provider {provider!r}: {why}", cost=cost)
        return cost

    def usd(
        self,
        model: str | None,
        usage: Usage,
        *,
        provider: str | None = None,
        at: datetime | None = None,
        tier: str | None = None,
        region: str | None = None,
    ) -> Decimal | None:
        """The `usd` of `price`, in half the time: for sums over many requests."""
        found = self._book.found.get((provider, model)) or self._found(model, provider, None)
        if found is None or usage.cost_usd is not None or found.source.discounts:
            return self.price(model, usage, provider=provider, at=at, tier=tier, region=region).usd
        quanta = bill_of(usage, found.cards, _request(found, at, tier, region)).quanta
        return None if quanta is None else dollars(quanta)

    def storage_cost(  # noqa: PLR0913 - as `price`
        self,
        model: str | None,
        tokens: int,
        seconds: float,
        *,
        provider: str | None = None,
        at: datetime | None = None,
        tier: str | None = None,
        region: str | None = None,
    ) -> Cost:
        """What it costs to keep `tokens` in the provider's cache for `seconds`, which no response says.

        Example:
            >>> ModelCatalog.bundled().storage_cost("no-such-model", 1_000_000, 3600).status
            'unknown_model'
        """
        found = self._found(model, provider, None)
        if found is None:
            return self.price(model, None, provider=provider)
        return storage_of(tokens, seconds, found.cards, _request(found, at, tier, region), found.source)

    def override(
        self,
        model: str,
        rates: Mapping[str, RateValue],
        *,
        provider: str | None = None,
        start: date | str | None = None,
        end: date | str | None = None,
        when: Mapping[str, str] | None = None,
    ) -> ModelCatalog:
        """A catalog with rates of your own, which win over those of this one, unit by unit.

        Args:
            model: the model's name; it need not be in the catalog.
            rates: US dollars per published unit by unit name (`UNITS`): per million tokens, per hour, per image, …
            provider: where the rates hold; None means at every provider.
            start: the first moment at which they hold, a date or datetime (ISO 8601 as text), in UTC.
            end: the first moment at which they no longer hold.
            when: the words under which they hold, such as `{"tier": "batch"}`; in every tier where it names none.

        Raises:
            CatalogError: an unknown unit, or a rate that is no number of at least zero.

        Example:
            >>> catalog = ModelCatalog.bundled().override("my-model", {"input": "0.5", "output": 2})
        """
        dates = {"from": _text(start), "to": _text(end)}
        entry = {"model": model, "provider": provider, "rates": dict(rates), "when": dict(when or {}), **dates}
        return self.with_overrides({"override": [entry]})

    def discount(
        self,
        name: str,
        percent: RateValue,
        *,
        provider: str | None = None,
        model: str | None = None,
        units: frozenset[str] | None = None,
    ) -> ModelCatalog:
        """A catalog whose costs have a line for a discount (`percent` below zero) or a markup (above).

        Each is a share of the list price; the rates, and the lines of what they are for, stay as published.

        Raises:
            CatalogError: an unknown unit, or a percentage below -100.

        Example:
            >>> from streamtally.records import Usage
            >>> cheaper = ModelCatalog.bundled().discount("agreement", -10, provider="openai")
            >>> cost = cheaper.price("gpt-4o", Usage(input_tokens=1_000_000), provider="openai")
            >>> [(line.unit, line.usd) for line in cost.breakdown], cost.usd
            ([('input', Decimal('2.5')), ('discount', Decimal('-0.25'))], Decimal('2.25'))
        """
        entry = {"name": name, "percent": percent, "provider": provider, "model": model}
        return self.with_overrides({"discount": [{**entry, "units": None if units is None else sorted(units)}]})

    def with_overrides(self, overrides: str | Path | Mapping[str, Any]) -> ModelCatalog:
        """A catalog with the rates, discounts and markups of a TOML or JSON file, or of a mapping of the same form.

        The form is described in `streamtally.pricing.overrides`.

        Raises:
            CatalogError: it cannot be read, or is of another form.
        """
        raw = overrides if isinstance(overrides, Mapping) else read(overrides)
        other = ModelCatalog.__new__(ModelCatalog)
        other._refreshed = self._refreshed
        book = self._book
        other._book = book.with_own(laid_over(book.own, raw, book.provider, book.holidays))
        return other

    def refresh(self, source: str | Path, *, cache_dir: str | Path | None = None, timeout: float = 30.0) -> Refresh:
        """Take newer prices from a file or URL, if they can be trusted, and keep them in the user's cache.

        Everyone who holds this catalog has the new prices from then on; one made of it before by `override` has not.
        Whatever goes wrong, the prices stay as they are: it never raises, and `status` keeps what happened.

        Args:
            source: the path or URL (https, http, file) of a `latest.json`, which names a snapshot by its hash.
            cache_dir: where to keep it; None means the system's place for caches.
            timeout: seconds that the server may be silent.
        """
        from .refresh import renewed

        status, content = renewed(source, self._book.content, cache_dir=cache_dir, timeout=timeout)
        if content is not None:
            self._book = PriceIndex(content, self._book.own)
        self._refreshed = status
        return status

    def disputed(self, model: str | None = None, *, provider: str | None = None) -> tuple[Dispute, ...]:
        """The rates on which the catalog's sources contradict one another: all, or those of one model.

        Example:
            >>> [(item.unit, item.picked) for item in ModelCatalog.bundled().disputed("gpt-4.1", provider="openai")]
            [('web_searches', '10')]
        """
        listed = disputes.disputes(self._book.content)
        if model is None:
            return tuple(listed)
        match = self._book.directory.find(model, provider)
        asked = None if match is None else (match.provider, match.model)
        return tuple(item for item in listed if (item.provider, item.model) == asked)

    def sources(self, model: str, *, provider: str | None = None) -> tuple[str, ...]:
        """Where a model's prices are from; empty for a model that is not known, or where the catalog does not say."""
        match = self._book.directory.find(model, provider)
        return () if match is None else disputes.sources(self._book.content, match.provider, match.model)

    def knows(self, model: str | None) -> bool:
        """Whether some provider in the catalog, or an override, has a model of this name."""
        if not model:
            return False
        name, book = model.strip().casefold(), self._book
        if any(name in book.directory.names(provider) for provider in book.providers):
            return True
        return any(key == name for _, key in book.own.rows) or self._found(model, None, None) is not None

    def provider(self, name: str | None) -> str | None:
        """The catalog's own name of a provider, or None where it has none.

        >>> ModelCatalog.bundled().provider("vertex_ai")
        'google'
        """
        return self._book.directory.provider(name)

    def provider_for_host(self, host: str | None) -> str | None:
        """The provider that an API host or URL belongs to, or None.

        >>> ModelCatalog.bundled().provider_for_host("my-resource.openai.azure.com")
        'azure'
        """
        if not host:
            return None
        exact, patterns = self._book.hosts
        name = host.partition("://")[2] or host
        name = name.partition("/")[0].rpartition("@")[2].partition(":")[0].casefold().rstrip(".")
        return exact.get(name) or next((provider for pattern, provider in patterns if pattern.fullmatch(name)), None)

    def _found(self, model: str | None, provider: str | None, rates: Mapping[str, RateValue] | None) -> Found | None:
        if not model:
            return None
        if rates is None:
            return self._book.found.get((provider, model)) or self._book.find(provider, model)
        row = row_of({"rates": dict(rates)}, {})
        return self._book.find(provider, model, row, tuple(sorted(row.rates.items())))


@cache
def _bundled() -> ModelCatalog:
    return ModelCatalog(snapshot.bundled())


def _text(moment: date | str | None) -> str | None:
    return moment.isoformat() if isinstance(moment, date) else moment


def _request(found: Found, at: datetime | None, tier: str | None, region: str | None) -> Request:
    """The request in UTC, a naive moment taken as UTC. The clock is read only where the price depends on it."""
    cards, source, told = found
    if region is None:
        region = told
    if not cards.timed and not source.discounts:
        return _PLAIN if tier is None and region is None else Request(_EPOCH, tier, region)
    if at is None:
        at = wall_time(SYSTEM_CLOCK.wall_ns(SYSTEM_CLOCK.monotonic_ns())) or _EPOCH
    elif at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return tuple.__new__(Request, (at, tier, region))
