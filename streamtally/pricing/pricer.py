"""Computes the cost of a record: its billable usage, its request context (tier, region, provider) and the model's prices.

The only module that depends on both the catalog and records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import CatalogError
from ..records import Cost, Part, StreamRecord, StreamType, Usage
from . import request_context
from .catalog import ModelCatalog
from .estimate import CountTokens, estimated
from .media import divided, media_of
from .sums import total, with_sub_call
from .tool_charges import billed_usage, sub_calls, usage_with_tools


@dataclass(frozen=True, slots=True)
class Pricer:
    """Prices records with a catalog; `estimate` is a tokenizer for output that the provider did not count.

    The request parameters that affect the cost are `model`, `provider`, `service_tier`, `region`, `web_search_options`, and
    `rates` (US dollars per published unit, by unit name), which apply to this request only.
    """

    catalog: ModelCatalog
    estimate: CountTokens | None = None

    def priced(self, record: StreamRecord) -> StreamRecord:
        """The record with its cost, with the provider that its host belongs to, and with its usage as that provider means it.

        Tool calls are added to the usage.
        """
        provider = self._provider(record)
        record = self._as_meant(record, provider)
        usage = usage_with_tools(record)
        if self.estimate is not None and record.outcome is not None:
            usage = estimated(record, usage, self.estimate)
        if usage is not record.usage:
            record = record.model_copy(update={"usage": usage})
        media = media_of(record)
        if not record.parts:
            return record.model_copy(update={"provider": provider, "cost": self._cost(record, provider, media)})
        parts = self._priced_parts(record, provider, media)
        costs = [part.cost for part in parts]
        tools = self._tools_beside(record)
        if tools is not None:
            costs.append(self._cost(record.model_copy(update={"usage": tools}), provider))
        return record.model_copy(update={"provider": provider, "parts": parts, "cost": total(costs)})

    def _priced_parts(self, record: StreamRecord, provider: str | None, media: tuple[str, ...]) -> tuple[Part, ...]:
        """The answers of a stream, each with its cost at the prices of its own model."""
        return tuple(
            part.model_copy(
                update={
                    "cost": self._cost(
                        record.model_copy(update={"usage": part.usage, "model": part.model or record.model, "output_items": ()}),
                        provider,
                        media,
                    )
                }
            )
            for part in record.parts
        )

    def _tools_beside(self, record: StreamRecord) -> Usage | None:
        """The counts of tool calls that the usage reports of the answers lack."""
        known = {name for part in record.parts if part.usage is not None for name in part.usage.model_fields_set}
        tools = usage_with_tools(record.model_copy(update={"usage": None}))
        counts = {} if tools is None else {name: getattr(tools, name) for name in tools.model_fields_set - known}
        return Usage(**counts) if any(isinstance(count, int | float) for count in counts.values()) else None

    def _provider(self, record: StreamRecord) -> str | None:
        """The provider: the one that the request states, else that of the host, else the record's."""
        host = record.server_address
        if record.params.get("provider") or host is None:
            return record.provider
        return self.catalog.provider_for_host(host) or record.provider

    def _as_meant(self, record: StreamRecord, provider: str | None) -> StreamRecord:
        """The record with its usage, and that of its parts, as the provider means it."""
        model, name = record.model or record.requested_model, self.catalog.provider(provider) or provider
        if name == record.provider and (record.usage is None or record.usage.cost_usd is None):
            return record  # it was read so
        usage = request_context.usage_of(record.usage, record.dialect, model, name)
        parts = tuple(
            part.model_copy(update={"usage": request_context.usage_of(part.usage, record.dialect, part.model or model, name)})
            for part in record.parts
        )
        return record.model_copy(update={"usage": usage, "parts": parts}) if parts or usage is not record.usage else record

    def _cost(self, record: StreamRecord, provider: str | None, media: tuple[str, ...] = ()) -> Cost:
        usage = billed_usage(record)
        usage, undivided = (usage, ()) if usage is None or not media else divided(record, usage, media)
        if usage is not None and record.outcome is None and not usage.partial:
            usage = usage.model_copy(update={"partial": True})  # the stream is open, so its counts are lower bounds
        rates = record.params.get("rates")
        context: dict[str, Any] = {
            "provider": provider,
            "at": record.timing.started_at,
            "tier": request_context.tier(record),
            "region": request_context.region(record),
        }
        try:
            cost = self._model_cost(record, usage, {**context, "rates": rates} if isinstance(rates, Mapping) else context)
        except CatalogError as error:  # the caller's `rates` are invalid, so the request has no known price
            rule, revision = f"call: {error}", self.catalog.revision
            return Cost(status="missing_rate", unpriced=("rates",), match_rule=rule, catalog_revision=revision)
        cost = _checked(cost, record, usage)
        if undivided and cost.source == "computed" and cost.usd is not None:
            unpriced = tuple(dict.fromkeys((*cost.unpriced, *undivided)))
            cost = cost.model_copy(update={"complete": False, "status": "unpriced_unit", "unpriced": unpriced})
        if usage is None or cost.source != "computed":  # a stated cost includes the calls inside
            return cost
        for call in sub_calls(record):
            cost = with_sub_call(cost, self.catalog.price(call.model, call.usage, **context), call.model or "unknown")
        return cost

    def _model_cost(self, record: StreamRecord, usage: Usage | None, context: Mapping[str, Any]) -> Cost:
        """The cost at the prices of the model that answered; if the catalog lacks it, of the requested model."""
        model, requested = record.model or record.requested_model, record.requested_model
        cost = self.catalog.price(model, usage, **context)
        if cost.model_matched is None and requested not in (None, model):
            fallback = self.catalog.price(requested, usage, **context)
            if fallback.model_matched is not None:
                return fallback.model_copy(update={"match_rule": f"asked for: {fallback.match_rule}"})
        return cost


def _checked(cost: Cost, record: StreamRecord, usage: Usage | None) -> Cost:
    """The cost of an answer; a computed one is incomplete if the tokens of the output, or of the input, are not counted."""
    is_answer = record.stream_type in (StreamType.TEXT, StreamType.CHAT, StreamType.RESPONSES)
    if usage is None or not (is_answer and (record.text or record.tool_calls)):
        return cost
    counts = (usage.input_tokens, usage.output_tokens)
    is_empty = usage.output_tokens == 0
    is_known = cost.source != "computed" or not (is_empty or (None in counts and any(counts)))
    return cost.model_copy(update={"complete": cost.complete and is_known, "inconsistent": cost.inconsistent or is_empty})
