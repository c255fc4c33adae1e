"""From a record to its cost: what was used, where and how it was served, and which model's prices hold.

This is what ties a catalog to records; it knows of both, and neither knows of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context
from typing import Any

from ..errors import CatalogError
from ..records import Breakdown, Cost, CostStatus, StreamRecord, Usage
from . import request_context
from .catalog import ModelCatalog
from .estimate import CountTokens, estimated
from .tool_charges import Aside, asides, charged, used

_add = Context(prec=500).add


@dataclass(frozen=True, slots=True)
class Pricer:
    """Prices records with a catalog; `estimate` is a tokenizer for what providers do not count.

    Of a request's parameters these matter: `model`, `provider`, `service_tier`, `region`, `web_search_options`, and `rates`, US
    dollars per published unit by unit name, which hold for this request alone.
    """

    catalog: ModelCatalog
    estimate: CountTokens | None = None

    def priced(self, record: StreamRecord) -> StreamRecord:
        """The record with its cost, with the tools that it used in its usage, and with the provider that its host tells."""
        usage = used(record)
        if self.estimate is not None and record.outcome is not None:
            usage = estimated(record, usage, self.estimate)
        shown, provider = self._provider(record)
        if usage is not record.usage:
            record = record.model_copy(update={"usage": usage})
        return record.model_copy(update={"provider": shown, "cost": self._cost(record, provider)})

    def _provider(self, record: StreamRecord) -> tuple[str | None, str | None]:
        """The provider to show, and the one to price by.

        The caller's word counts for both, then the host's; the dialect's own provider is always shown, and prices what only
        that provider speaks.
        """
        if record.params.get("provider"):
            return record.provider, record.provider
        host = record.server_address
        told = None if host is None else self.catalog.provider_for_host(host)
        return told or record.provider, told or request_context.provider(record)

    def _cost(self, record: StreamRecord, provider: str | None) -> Cost:
        usage = charged(record.usage)
        if usage is not None and record.outcome is None and not usage.partial:
            usage = usage.model_copy(update={"partial": True})  # of a stream that goes on, all is a lower bound
        rates = record.params.get("rates")
        how: dict[str, Any] = {
            "provider": provider,
            "at": record.timing.started_at,
            "tier": request_context.tier(record),
            "region": request_context.region(record),
        }
        try:
            cost = self._asked(record, usage, {**how, "rates": rates} if isinstance(rates, Mapping) else how)
        except CatalogError as error:  # the caller's rates are none: what they were to be, nobody knows
            rule, revision = f"call: {error}", self.catalog.revision
            return Cost(status="missing_rate", unpriced=("rates",), match_rule=rule, catalog_revision=revision)
        if usage is None or usage.cost_usd is not None:  # a provider's own figure has everything in it
            return cost
        within = [(aside, self.catalog.price(aside.model, aside.usage, **how)) for aside in asides(record)]
        return _joined(cost, within) if within else cost

    def _asked(self, record: StreamRecord, usage: Usage | None, how: Mapping[str, Any]) -> Cost:
        """The cost at the prices of the model that answered; where nobody knows that name, of the one that was asked for."""
        model, wanted = record.model or record.requested_model, record.requested_model
        cost = self.catalog.price(model, usage, **how)
        if cost.model_matched is None and wanted not in (None, model):
            asked = self.catalog.price(wanted, usage, **how)
            if asked.model_matched is not None:
                return asked.model_copy(update={"match_rule": f"asked for: {asked.match_rule}"})
        return cost


_WORST: tuple[CostStatus, ...] = ("unpriced_unit", "partial", "priced")
"""The statuses of costs that are known, at least in part; the first of two holds for both."""


def _joined(cost: Cost, others: Iterable[tuple[Aside, Cost]]) -> Cost:
    """One cost of a request and of the calls within it, whose lines have the name of their model."""
    for aside, other in others:
        cost = _with(cost, other, aside.model or "unknown")
    return cost


def _with(cost: Cost, other: Cost, model: str) -> Cost:
    if cost.usd is None:
        return cost
    if other.usd is None:
        unpriced = (*cost.unpriced, f"model:{model}")
        return cost.model_copy(update={"status": "unpriced_unit", "complete": False, "unpriced": unpriced})
    usd = _add(cost.usd, other.usd)
    lines = [line if line.name else line.model_copy(update={"name": model}) for line in other.breakdown]
    return cost.model_copy(
        update={
            "usd": usd,
            "computed_usd": usd,
            "status": min(cost.status, other.status, key=_WORST.index),
            "complete": cost.complete and other.complete,
            "breakdown": Breakdown((*cost.breakdown, *lines)),
            "unpriced": (*cost.unpriced, *other.unpriced),
            "inconsistent": cost.inconsistent or other.inconsistent,
        }
    )
