"""Sums of costs: of the answers in one stream, and of what was called inside a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal

from ..records import Breakdown, Cost, CostStatus

_add = Context(prec=500).add
_WORST_FIRST: tuple[CostStatus, ...] = ("unpriced_unit", "partial", "priced")
"""The statuses of costs that are known at least in part; a sum of two costs has the one that stands first."""

_STATED = ("provider_usd", "gateway_usd")


def with_sub_call(cost: Cost, other: Cost, model: str) -> Cost:
    """The cost of a request with that of a call inside it, whose lines are named after its model."""
    if cost.usd is None:
        return cost
    if other.usd is None:
        unpriced = (*cost.unpriced, f"model:{model}")
        return cost.model_copy(update={"status": "unpriced_unit", "complete": False, "unpriced": unpriced})
    lines = [line if line.name else line.model_copy(update={"name": model}) for line in other.breakdown]
    named = other.model_copy(update={"breakdown": Breakdown(lines)})
    stated = {name: getattr(cost, name) for name in _STATED}
    return total([cost, named]).model_copy(update={"source": "computed", **stated})


def total(costs: Sequence[Cost]) -> Cost:
    """The sum of costs: complete if all are. Of those that are unknown only the amounts are missing."""
    known = [cost for cost in costs if cost.usd is not None]
    if not known:
        return costs[-1]
    whole = len(known) == len(costs)
    first = known[0]
    return first.model_copy(
        update={
            "usd": _sum(cost.usd for cost in known),
            "computed_usd": _sum(cost.computed_usd for cost in known),
            **{name: _sum_if_all(getattr(cost, name) for cost in known) for name in _STATED},
            "source": first.source if len({cost.source for cost in known}) == 1 else "computed",
            "status": _status(known) if whole else "partial",
            "complete": whole and all(cost.complete for cost in known),
            "breakdown": Breakdown(tuple(line for cost in known for line in cost.breakdown)),
            "unpriced": tuple(dict.fromkeys(unit for cost in costs for unit in cost.unpriced)),
            "inconsistent": any(cost.inconsistent for cost in costs),
        }
    )


def _status(known: Iterable[Cost]) -> CostStatus:
    return min((cost.status for cost in known), key=lambda status: _WORST_FIRST.index(status) if status in _WORST_FIRST else 0)


def _sum_if_all(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The exact sum of the amounts; None if one is not known."""
    listed = list(amounts)
    return None if None in listed else _sum(listed)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The exact sum of the amounts that are known; None if none is."""
    known = [amount for amount in amounts if amount is not None]
    if not known:
        return None
    result = known[0]
    for amount in known[1:]:
        result = _add(result, amount)
    return result
