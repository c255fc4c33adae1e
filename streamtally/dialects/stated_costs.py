"""The cost of a request as its usage report states it, and who states it.

Whoever bills a request states it with fields of its own, but for Vercel's gateway, and OpenRouter in some frameworks: these state
a number under the name that others use for estimates, so that the provider decides, which a report does not name.

| who | field | states |
| --- | --- | --- |
| xAI | `cost_in_usd_ticks` | what it bills |
| Perplexity | `cost.total_cost` | what it bills |
| OpenRouter | `cost` beside `cost_details`, `is_byok` | what it bills; with the user's own key the price is in the details |
| DeepInfra | `estimated_cost` | what it bills, if the provider is DeepInfra |
| LiteLLM and others | `cost` | an estimate, if the provider is not one that bills it |

Sources: https://docs.x.ai/developers/cost-tracking, https://docs.perplexity.ai/docs/sonar/quickstart,
https://openrouter.ai/docs/guides/administration/usage-accounting, https://github.com/BerriAI/litellm/pull/39069
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..json_readers import mapping_of, number_of
from ..json_values import Json

_TICKS = Decimal(10) ** 10
"""The number of xAI's ticks in a US dollar."""

_BILLED = frozenset({"cost_in_usd_ticks", "is_byok", "cost_details"})
"""Fields that only stand in reports of those who bill what they state."""

GATEWAY = "gateway"
STATED_BY = "cost_stated_by"
"""The field of a `Usage`, and of a report that a source has marked: "gateway" for an estimate, whatever the provider."""


def cost_fields(report: Mapping[str, Json]) -> dict[str, Any]:
    """The fields of a `Usage` for the cost that a report states, in US dollars; none if it states none."""
    amount = _stated(report)
    if amount is None:
        return {}
    return {"cost_usd": amount, **({STATED_BY: GATEWAY} if _may_be_estimate(report) else {})}


def _stated(report: Mapping[str, Json]) -> Decimal | None:
    ticks = _amount(report.get("cost_in_usd_ticks"))
    if ticks is not None:
        return ticks / _TICKS
    cost = report.get("cost", report.get("estimated_cost"))
    stated = _amount(cost.get("total_cost") if isinstance(cost, Mapping) else cost)
    if stated is None or report.get("is_byok") is not True:
        return stated
    return stated + (_amount(mapping_of(report.get("cost_details")).get("upstream_inference_cost")) or 0)


def _may_be_estimate(report: Mapping[str, Json]) -> bool:
    """Whether a report has nothing that only those state who bill it."""
    return report.get(STATED_BY) == GATEWAY or (_BILLED.isdisjoint(report) and not isinstance(report.get("cost"), Mapping))


def _amount(value: Any) -> Decimal | None:
    """A number as an exact decimal: by the shortest text of a float, which is how it was written."""
    return Decimal(str(value)) if number_of(value) is not None else None
