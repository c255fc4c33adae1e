"""The public catalog: looks up the prices of models by provider and name, and computes costs."""

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
from .calculate import bill_of, cost_of, dollars, storage_of, with_stated_cost
from .disputes import Dispute
from .overrides import add_overrides, override_row, read_overrides
from .price_index import PriceIndex, ResolvedPrices
from .rates import Request

if TYPE_CHECKING:
    from .refresh import Refresh

RateValue = str | int | float | Decimal
"""A rate in US dollars per published unit. A float counts as its decimal representation: 0.1 is exactly a tenth."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN = Request(_EPOCH)


class ModelCatalog:
    """Prices by provider and model.

    `override`, `discount` and `with_overrides` return a new catalog; only `refresh` changes this one.

    Example:
        >>> from streamtally.records import Usage
        >>> catalog = ModelCatalog.bundled()
        >>> catalog.price("gpt-4o", Usage(input_tokens=1000, output_tokens=500), provider="openai").usd
        Decimal('0.0075')
        >>> catalog.price("no-such-model", Usage(input_tokens=1)).status
        'unknown_model'
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._index = PriceIndex(content)
        self._refreshed: Refresh | None = None

    @classmethod
    def bundled(cls) -> ModelCatalog:
        """The catalog that ships with the package; one shared instance per process, read from the package on first use."""
        return _bundled()

    @classmethod
    def from_file(cls, path: str | Path) -> ModelCatalog:
        """A catalog from a file, gzip or plain JSON; every price in it is validated.

        Raises:
            CatalogError: the file cannot be read, is not a catalog, or does not match the revision that it states.
        """
        return cls(snapshot.checked(snapshot.from_file(path), str(path)))

    @classmethod
    def at(cls, path: str | Path) -> ModelCatalog:
        """A catalog from the path of a catalog file, or of an override file, which is applied to the bundled catalog.

        An override file is TOML, or JSON with no other keys than `override` and `discount`.

        Raises:
            CatalogError: the file cannot be read, or is neither.
        """
        if Path(path).suffix == ".toml":
            return cls.bundled().with_overrides(path)
        if Path(path).suffix == ".json" and (raw := read_overrides(path)).keys() <= {"override", "discount"}:
            return cls.bundled().with_overrides(raw)
        return cls.from_file(path)

    @classmethod
    def latest(cls, *, cache_dir: str | Path | None = None) -> ModelCatalog:
        """The newest catalog on this machine: the one that `refresh` cached, or the bundled one. Does not use the network."""
        from .refresh import cached_content

        content = cached_content(cache_dir, snapshot.bundled())
        return cls.bundled() if content is None else cls(content)

    @property
    def revision(self) -> str:
        """The SHA-256 of the catalog's content in hexadecimal, with a suffix that depends on the overrides, if any."""
        return self._index.revision

    @property
    def generated_at(self) -> str:
        """The date of the source data, as YYYY-MM-DD."""
        return str(self._index.content["generated_at"])

    @property
    def content(self) -> Mapping[str, Any]:
        """The content in the format of a catalog file (`streamtally.pricing.snapshot`), without overrides. Do not modify it."""
        return self._index.content

    @property
    def status(self) -> Refresh | None:
        """The result of the last `refresh`, or None if there was none."""
        return self._refreshed

    def __len__(self) -> int:
        """The number of models, each counted once per provider."""
        return len(self._index)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """All models as (provider, model)."""
        return ((provider, model) for provider, entry in self._index.providers.items() for model in entry["models"])

    def __repr__(self) -> str:
        return f"<ModelCatalog {self.revision[:12]} of {self.generated_at}: {len(self)} models>"

    def price(  # noqa: PLR0913 - a price depends on all of these; keyword-only
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
        """The exact cost of a request, or the reason why it is unknown.

        Args:
            model: the model's name, preferably the one that the response states.
            usage: the usage, with inclusive totals.
            provider: the provider that served the request; None or an unknown name means the model's maker.
            at: the time of the request, because prices change and some depend on the hour; None means now.
            tier: the service tier that was served, such as "priority", "flex" or "batch".
            region: the region that served the request, a cloud's ("us-east-1") or a price list's ("eu"); None means the region
                that the model's name states, if any.
            rates: rates for this call only, by unit, which win over all others.
            strict: raise if the cost is not complete.

        Returns:
            A cost. If it is unknown, `usd` is None and `status` gives the reason. A free model costs 0.

        Raises:
            CatalogError: with `strict`, the cost is unknown or incomplete (the error's `cost` has the known part);
                or `rates` is invalid.
        """
        resolved = self._resolve(model, provider, rates)
        if resolved is None:
            known = not provider or self._index.directory.provider(provider) is not None
            status: CostStatus = "unknown_model" if known else "unknown_provider"
            cost = with_stated_cost(Cost(status=status, catalog_revision=self._index.revision), usage)
        else:
            cost = cost_of(usage, resolved.cards, _request(resolved, at, tier, region), resolved.source)
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
        """The `usd` of `price`, computed in half the time, for sums over many requests."""
        resolved = self._index.cache.get((provider, model)) or self._resolve(model, provider, None)
        if resolved is None or usage.cost_usd is not None or resolved.source.discounts:
            return self.price(model, usage, provider=provider, at=at, tier=tier, region=region).usd
        quanta = bill_of(usage, resolved.cards, _request(resolved, at, tier, region)).quanta
        return None if quanta is None else dollars(quanta)

    def storage_cost(  # noqa: PLR0913 - a price depends on all of these; keyword-only
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
        """The cost of storing `tokens` in the provider's cache for `seconds`, which responses do not report.

        Example:
            >>> ModelCatalog.bundled().storage_cost("no-such-model", 1_000_000, 3600).status
            'unknown_model'
        """
        resolved = self._resolve(model, provider, None)
        if resolved is None:
            return self.price(model, None, provider=provider)
        return storage_of(tokens, seconds, resolved.cards, _request(resolved, at, tier, region), resolved.source)

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
        """A new catalog with your own rates for a model, which win over those of this catalog, unit by unit.

        Args:
            model: the model's name; it need not be in the catalog.
            rates: US dollars per published unit by unit name (`UNITS`): per million tokens, per hour, per image, …
            provider: the provider that the rates apply to; None means every provider.
            start: the time from which they apply, a date or datetime (or ISO 8601 text), in UTC.
            end: the time from which they no longer apply.
            when: the condition words under which they apply, such as `{"tier": "batch"}`; without a tier, in every tier.

        Raises:
            CatalogError: a unit is unknown, or a rate is not a number of at least zero.

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
        """A new catalog whose costs have a line for a discount (negative `percent`) or a markup (positive).

        Each is a percentage of the list price; rates and the other lines stay as published.

        Raises:
            CatalogError: a unit is unknown, or the percentage is below -100.

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
        """A new catalog with the rates, discounts and markups of a TOML or JSON file, or of a mapping of the same form.

        `streamtally.pricing.overrides` describes the form.

        Raises:
            CatalogError: the file cannot be read, or the form is wrong.
        """
        raw = overrides if isinstance(overrides, Mapping) else read_overrides(overrides)
        other = ModelCatalog.__new__(ModelCatalog)
        other._refreshed = self._refreshed
        index = self._index
        other._index = index.with_overrides(add_overrides(index.overrides, raw, index.provider, index.holidays))
        return other

    def refresh(self, source: str | Path, *, cache_dir: str | Path | None = None, timeout: float = 30.0) -> Refresh:
        """Replace the prices by newer ones from a file or URL after verification, and store them in the user's cache.

        The change is visible to every holder of this catalog, but not to catalogs derived from it before (`override`, …).
        It never raises: on failure the prices stay as they are, and `status` has the reason.

        Args:
            source: the path or URL (https, http, file) of a `latest.json`, which names a snapshot by its hash.
            cache_dir: the cache directory; None means the system's cache directory of the user.
            timeout: seconds without data from the server after which it fails.
        """
        from .refresh import fetch_newer

        status, content = fetch_newer(source, self._index.content, cache_dir=cache_dir, timeout=timeout)
        if content is not None:
            self._index = PriceIndex(content, self._index.overrides)
        self._refreshed = status
        return status

    def disputed(self, model: str | None = None, *, provider: str | None = None) -> tuple[Dispute, ...]:
        """The rates for which the catalog's sources state different values: all of them, or those of one model.

        Example:
            >>> [(item.unit, item.picked) for item in ModelCatalog.bundled().disputed("gpt-4.1", provider="openai")]
            [('web_searches', '10')]
        """
        listed = disputes.disputes(self._index.content)
        if model is None:
            return tuple(listed)
        match = self._index.directory.find(model, provider)
        target = None if match is None else (match.provider, match.model)
        return tuple(item for item in listed if (item.provider, item.model) == target)

    def sources(self, model: str, *, provider: str | None = None) -> tuple[str, ...]:
        """The names of the sources of a model's prices; empty if the model or its sources are unknown."""
        match = self._index.directory.find(model, provider)
        return () if match is None else disputes.sources(self._index.content, match.provider, match.model)

    def has_model(self, model: str | None) -> bool:
        """Whether any provider of the catalog, or an override, has a model of this name."""
        if not model:
            return False
        name, index = model.strip().casefold(), self._index
        if any(name in index.directory.names(provider) for provider in index.providers):
            return True
        return any(key == name for _, key in index.overrides.rows) or self._resolve(model, None, None) is not None

    def provider(self, name: str | None) -> str | None:
        """The catalog's name of a provider, or None if it is unknown.

        >>> ModelCatalog.bundled().provider("vertex_ai")
        'google'
        """
        return self._index.directory.provider(name)

    def provider_for_host(self, host: str | None) -> str | None:
        """The provider that an API host or URL belongs to, or None.

        >>> ModelCatalog.bundled().provider_for_host("my-resource.openai.azure.com")
        'azure'
        """
        if not host:
            return None
        exact, patterns = self._index.hosts
        name = host.partition("://")[2] or host
        name = name.partition("/")[0].rpartition("@")[2].partition(":")[0].casefold().rstrip(".")
        return exact.get(name) or next((provider for pattern, provider in patterns if pattern.fullmatch(name)), None)

    def _resolve(self, model: str | None, provider: str | None, rates: Mapping[str, RateValue] | None) -> ResolvedPrices | None:
        if not model:
            return None
        if rates is None:
            return self._index.cache.get((provider, model)) or self._index.find(provider, model)
        row = override_row({"rates": dict(rates)}, {})
        return self._index.find(provider, model, row, tuple(sorted(row.rates.items())))


@cache
def _bundled() -> ModelCatalog:
    return ModelCatalog(snapshot.bundled())


def _text(moment: date | str | None) -> str | None:
    return moment.isoformat() if isinstance(moment, date) else moment


def _request(resolved: ResolvedPrices, at: datetime | None, tier: str | None, region: str | None) -> Request:
    """The context of a request, with its time in UTC (a naive time counts as UTC); reads the clock only if a price needs it."""
    cards, source, named_region = resolved
    if region is None:
        region = named_region
    if not cards.timed and not source.discounts:
        return _PLAIN if tier is None and region is None else Request(_EPOCH, tier, region)
    if at is None:
        at = wall_time(SYSTEM_CLOCK.wall_ns(SYSTEM_CLOCK.monotonic_ns())) or _EPOCH
    elif at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return tuple.__new__(Request, (at, tier, region))
