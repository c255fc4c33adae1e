"""Computes a cost from usage and rates: pure and exact, without clock or I/O.

Money is a whole number of quanta of 1e-15 US dollars. Each token belongs to exactly one unit (`token_split`) and is charged once,
at the rate of that unit, or of the nearest containing unit that has a rate. This equals the sum over all units of the inclusive
count times the difference between a unit's rate and those of the units that contain it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, NamedTuple

from ..records import Breakdown, Cost, CostLine, CostStatus, Usage
from .discounts import Discount
from .rates import RateCard, RateCards, Request
from .rows import PriceList
from .token_split import (
    FAMILIES,
    MEASURES,
    OUTPUT_KINDS,
    SEARCHES,
    CompiledSplit,
    Count,
    Fields,
    Step,
    all_valid,
    compiled_split,
    exact_number,
    has_unnamed_tokens,
    input_tokens,
    quantity_of,
    split_tokens,
    steps_of,
)
from .units import OWN_RATE, QUANTA, UNITS, Rate, kind_of, rated_as, root_of

FREE_IF_CHARGED: Mapping[str, frozenset[str]] = {
    "seconds": frozenset({"input", "output"}),
    "characters": frozenset({"input", "output"}),
    "video_seconds": frozenset({"output"}),
    "megapixels": frozenset({"output"}),
    "images": frozenset({"output", "megapixels"}),
    "input_images": frozenset({"input_image"}),
    "input_video_seconds": frozenset({"input_video"}),
    "grounded_prompts": frozenset({"grounded_queries"}),
    "web_searches": frozenset({"grounded_queries", "grounded_prompts"}),
}
"""Units that are free if one of the listed units was charged, because both measure the same thing."""

NOT_MISSING_IF_CHARGED: Mapping[str, frozenset[str]] = {
    "input_images": frozenset({"input"}),
    "input_video_seconds": frozenset({"input"}),
    "search_units": frozenset({"input", "output"}),
    "grounded_queries": frozenset({"grounded_prompts", "web_searches"}),
    "grounded_prompts": frozenset({"web_searches"}),
    "web_searches": frozenset({"requests"}),
    **dict.fromkeys(
        ("input", "output"),
        frozenset({"seconds", "characters", "video_seconds", "megapixels", "images", "input_images", "search_units"}),
    ),
}
"""Units that may lack a rate if one of the listed units, which measures the same thing, was charged."""

_CACHE_SIZE = 256
_EXACT = Context(prec=500)
_multiply, _normalize = _EXACT.multiply, _EXACT.normalize
_QUANTUM = Decimal(1).scaleb(-15)
_TEN_DOLLARS = 10 * QUANTA
"""`Decimal.normalize` would turn multiples of ten dollars into exponent notation (1E+1)."""


@dataclass(frozen=True, slots=True)
class PriceSource:
    """The origin of prices: the fields of a `Cost` that name provider, model, match rule and catalog revision.

    `user_rates` is true if the user gave rates or discounts for the model; `discounts` are those.
    """

    provider: str
    model: str
    rule: str
    revision: str
    user_rates: bool = False
    discounts: tuple[Discount, ...] = ()


class Charge(NamedTuple):
    """One line of a bill: `quantity` of a unit at a rate, which costs `quanta`."""

    unit: str
    quantity: Count
    rate: Rate
    quanta: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The prepared calculation for one rate card and one set of reported fields.

    Attributes:
        rates: the rates of the card, by unit.
        fields: the reported fields that count a unit.
        steps: the split of counts that include one another.
        compiled_split: the function generated from `steps`.
        quanta: the rate of each step in whole quanta, 0 if it has none; None if a rate is not a whole number of quanta.
        groups: the rated units, each with the indices of the steps that its rate applies to.
        unrated: the indices of the steps without a rate.
        kinds: the indices of the steps that have the rate of the whole, although their kind has a rate of its own.
        undivided: the indices of output and of the unit for output that the provider did not break down, or None.
        measures: the standalone units.
        simple: whether nothing but the rated steps can be charged.
    """

    rates: Mapping[str, Rate]
    fields: tuple[str, ...]
    steps: tuple[Step, ...]
    compiled_split: CompiledSplit
    quanta: tuple[int, ...] | None
    groups: tuple[tuple[str, Rate, tuple[int, ...]], ...]
    unrated: tuple[int, ...]
    kinds: tuple[int, ...]
    undivided: tuple[int, int] | None
    measures: tuple[str, ...]
    simple: bool


class Bill(NamedTuple):
    """The charges of a request: `counts` are the exclusive counts of the plan's steps, `charges` those of standalone units.

    `quanta` is the total, or None if nothing could be priced; `consistent` is false if reported counts contradict one another.
    """

    status: CostStatus
    quanta: int | None = None
    unpriced: tuple[str, ...] = ()
    consistent: bool = True
    rows: tuple[str, ...] = ()
    plan: Plan | None = None
    counts: Sequence[int] = ()
    charges: tuple[Charge, ...] = ()


_new = tuple.__new__
"""Creates a named tuple from a tuple of all its fields, faster than the constructor with its keyword arguments."""


def bill_of(usage: Usage, cards: RateCards, request: Request) -> Bill:
    """The bill of a request, only at the rates of its own tier: its status is "missing_rate" if the tier has none."""
    fields = usage.__dict__
    card = cards.card(request, input_tokens(fields), fields)
    shape = tuple(usage.__pydantic_fields_set__)
    plan: Plan = card.plans.get(shape) or _cached_plan(card, shape, cards.prices)
    split = plan.compiled_split(fields, plan.quanta) if plan.quanta is not None else None
    if split is not None and split[1] and plan.simple and not card.missing:
        counts, quanta = split
        if plan.kinds and any(map(counts.__getitem__, plan.kinds)):
            return _general_bill(fields, plan, card, cards.prices)
        return _new(Bill, ("partial" if fields["partial"] else "priced", quanta, (), True, card.rows, plan, counts, ()))
    return _general_bill(fields, plan, card, cards.prices)


def _general_bill(fields: Fields, plan: Plan, card: RateCard, prices: PriceList) -> Bill:
    """The bill in the general case: inconsistent counts, missing rates, standalone units."""
    counts, consistent = split_tokens(plan.steps, fields)
    if not any(counts) and all(fields[name] is None for name in plan.fields):
        return Bill("no_usage")
    if card.missing:
        return Bill("missing_rate", None, card.missing)
    if plan.undivided is not None and not any(fields[name] for name in OUTPUT_KINDS):
        _divide(plan.undivided, counts)
    nested = _nested_charges(plan, counts)
    charges, unpriced = _standalone_charges(plan, counts, fields, prices)
    consistent = consistent and all_valid(plan.measures, fields)
    if (unpriced or not card.rates) and not charges and not nested:
        return Bill("missing_rate", None, unpriced, consistent)
    quanta = sum([charge.quanta for charge in (*nested, *charges)])
    status: CostStatus = "unpriced_unit" if unpriced else "partial" if fields["partial"] else "priced"
    return Bill(status, quanta, unpriced, consistent, card.rows, plan, counts, charges)


def _cached_plan(card: RateCard, shape: tuple[str, ...], prices: PriceList) -> Plan:
    if len(card.plans) >= _CACHE_SIZE:
        card.plans.clear()
    plan = card.plans[shape] = plan_of(card.rates, shape, prices.undivided, prices.alike)
    return plan


def plan_of(rates: Mapping[str, Rate], shape: Sequence[str], undivided: str | None, alike: frozenset[str] = frozenset()) -> Plan:
    """The plan for usage that reports the fields in `shape`; for `undivided` and `alike` see `PriceList`."""
    units = [name for name, unit in UNITS.items() if unit.field in shape]
    inside = [name for name in units if root_of(name) in FAMILIES]
    divides = undivided if any(root_of(name) == "output" for name in inside) else None
    steps = steps_of([*inside, *([] if divides is None else [divides])])
    places = {step.unit: place for place, step in enumerate(steps)}
    holders = [rated_as(step.unit, rates) for step in steps]
    found = [None if holder is None else rates[holder] for holder in holders]
    whole = all(rate is None or rate.divisor == 1 for rate in found)
    grouped = {unit: tuple(place for place, holder in enumerate(holders) if holder == unit) for unit in UNITS}
    unrated = tuple(place for place, holder in enumerate(holders) if holder is None)
    own = {name for name in OWN_RATE if name not in alike and name != undivided}
    kinds = tuple(
        place
        for place, (step, holder) in enumerate(zip(steps, holders, strict=True))
        if holder is not None and kind_of(step.unit) in own and kind_of(holder) is None
    )
    searched = any(name in SEARCHES for name in units)
    measures = tuple(name for name in MEASURES if name in units or (searched and name in SEARCHES))
    return Plan(
        rates=rates,
        fields=tuple(UNITS[name].field for name in units),
        steps=steps,
        compiled_split=compiled_split(steps, frozenset(shape)),
        quanta=tuple(0 if rate is None else rate.quanta for rate in found) if whole else None,
        groups=tuple((unit, rates[unit], held) for unit, held in grouped.items() if held),
        unrated=unrated,
        kinds=kinds,
        undivided=None if divides is None else (places["output"], places[divides]),
        measures=measures,
        simple=not (unrated or measures or divides or "requests" in rates),
    )


def _divide(places: tuple[int, int], counts: list[int]) -> None:
    """Move the output that the provider did not break down to the unit of the model's only output kind."""
    output, kind = places
    counts[kind] += counts[output]
    counts[output] = 0


def _nested_charges(plan: Plan, counts: Sequence[int]) -> list[Charge]:
    """The charges for the counts of the split, one per rate, in the order of `UNITS`."""
    charges = []
    for unit, rate, places in plan.groups:
        count = counts[places[0]] if len(places) == 1 else sum([counts[place] for place in places])
        if count:
            charges.append(_charge(unit, count, rate))
    return charges


def _charge(unit: str, count: Count, rate: Rate) -> Charge:
    return _new(Charge, (unit, count, rate, rate.times(count)))


def _standalone_charges(
    plan: Plan, counts: Sequence[int], fields: Fields, prices: PriceList
) -> tuple[tuple[Charge, ...], tuple[str, ...]]:
    """The charges for standalone units, and the names of all units that were used but have no rate."""
    charged = {step.unit for place, step in enumerate(plan.steps) if counts[place] and place not in plan.unrated}
    charged |= {root_of(unit) for unit in charged}
    unrated = {root_of(plan.steps[place].unit) for place in plan.unrated if counts[place]}
    kinds = {kind_of(plan.steps[place].unit) for place in plan.kinds if counts[place]}
    charges: list[Charge] = []
    for name in plan.measures:
        count = _limited(name, quantity_of(name, fields), prices)
        if not count or FREE_IF_CHARGED.get(name, frozenset()) & charged:
            continue
        if name in plan.rates:
            charges.append(_charge(name, count, plan.rates[name]))
            charged.add(name)
        elif fields[UNITS[name].field] is not None:
            unrated.add(name)
    if "requests" in plan.rates:
        charges.append(_charge("requests", 1, plan.rates["requests"]))
        charged.add("requests")
    missed = kinds | {name for name in unrated if not NOT_MISSING_IF_CHARGED.get(name, frozenset()) & charged}
    return tuple(charges), tuple(name for name in UNITS if name in missed)


def _limited(name: str, count: Count, prices: PriceList) -> Count:
    """The count to charge: at least the price list's minimum unless it is 0, at most its maximum."""
    if count and name in prices.minimum:
        count = max(count, prices.minimum[name])
    return min(count, prices.maximum[name]) if name in prices.maximum else count


def cost_of(usage: Usage | None, cards: RateCards, request: Request, source: PriceSource) -> Cost:
    """The cost of one request.

    Args:
        usage: the usage, with inclusive totals; parts that exceed their total are cut to it. None means no usage is known.
        cards: the rate cards of the model.
        request: time, service tier and region of the request.
        source: the origin of the prices, for the fields of the cost.

    Returns:
        A cost whose `usd` is exact, or None if nothing could be priced; `status` and `unpriced` give the reason.
    """
    bill = bill_of(usage, cards, request) if usage is not None else Bill("no_usage")
    if usage is not None and has_unnamed_tokens(usage.__dict__):
        bill = bill._replace(consistent=False)
    cost = _cost(bill, source, "provider" if usage is None else usage.source)
    if source.discounts and bill.quanta is not None:
        cost = _discounted(cost, bill, source, request)
    return cost if usage is None or usage.cost_usd is None else with_stated_cost(cost, usage, user_rates=source.user_rates)


def storage_of(tokens: int, seconds: float, cards: RateCards, request: Request, source: PriceSource) -> Cost:
    """The cost of storing `tokens` in a provider's cache for `seconds`."""
    card = cards.card(request, tokens, Usage().__dict__)
    if card.missing or "cache_storage" not in card.rates:
        return _cost(Bill("missing_rate", None, card.missing or ("cache_storage",)), source)
    charge = _charge("cache_storage", max(tokens, 0) * exact_number(seconds), card.rates["cache_storage"])
    return _cost(Bill("priced", charge.quanta, rows=card.rows, charges=(charge,)), source)


def _cost(bill: Bill, source: PriceSource, usage_source: str = "provider") -> Cost:
    status, quanta = bill.status, bill.quanta
    usd = None if quanta is None else dollars(quanta)
    return Cost.of(
        {
            "usd": usd,
            "status": status,
            "complete": status == "priced" and bill.consistent,
            "breakdown": _NO_LINES if quanta is None else Breakdown(bill, _lines),
            "unpriced": bill.unpriced,
            "provider_matched": source.provider,
            "model_matched": source.model,
            "match_rule": source.rule,
            "rows": bill.rows,
            "catalog_revision": source.revision,
            "source": "computed",
            "provider_usd": None,
            "gateway_usd": None,
            "computed_usd": usd,
            "usage_source": usage_source,
            "inconsistent": not bill.consistent,
        }
    )


_NO_LINES = Breakdown()


def _charges(bill: Bill) -> list[Charge]:
    return [*(_nested_charges(bill.plan, bill.counts) if bill.plan is not None else ()), *bill.charges]


def _lines(bill: Any) -> tuple[CostLine, ...]:
    return tuple([_line(charge) for charge in _charges(bill)])


def _line(charge: Charge) -> CostLine:
    return CostLine.of(charge.unit, Decimal(charge.quantity), charge.rate.text, dollars(charge.quanta))


def _discounted(cost: Cost, bill: Bill, source: PriceSource, request: Request) -> Cost:
    """The cost with a line for each discount and markup in force."""
    assert bill.quanta is not None
    charged = [(charge.unit, charge.quanta) for charge in _charges(bill)]
    total, lines = bill.quanta, list(_lines(bill))
    for discount in source.discounts:
        if discount.holds(request.at):
            quanta = discount.of(charged)
            total += quanta
            base = dollars(discount.base(charged))
            lines.append(
                CostLine(unit="discount", count=base, rate=f"{discount.percent:+}%", usd=dollars(quanta), name=discount.name)
            )
    usd = dollars(total)
    return cost.model_copy(update={"usd": usd, "computed_usd": usd, "breakdown": Breakdown(lines)})


def with_stated_cost(cost: Cost, usage: Usage | None, *, user_rates: bool = False) -> Cost:
    """The cost with the one that the usage states, which replaces it if the provider states it, because it charges that amount.

    A gateway's estimate replaces only an unknown cost, and not if it is zero: gateways state that for models that they do not
    know. What the provider states is only recorded in `provider_usd` if the user gave rates or discounts (`user_rates`), or if
    it is zero and the computed cost is not: gateways report zero for requests with a key of the user's own.
    """
    if usage is None or usage.cost_usd is None:
        return cost
    stated = usage.cost_usd
    if usage.cost_stated_by == "gateway":
        source, counts = "gateway", cost.usd is None and bool(stated)
    else:
        source, counts = "provider", cost.usd is None or not (user_rates or (cost.usd and not stated))
    amounts: dict[str, Any] = {f"{source}_usd": stated}
    if counts:
        known = {"status": "partial" if usage.partial else "priced", "complete": not usage.partial, "unpriced": ()}
        amounts |= {"usd": stated, "source": source, **known}
    return cost.model_copy(update=amounts)


def dollars(quanta: int) -> Decimal:
    """An exact amount in US dollars.

    >>> dollars(12_500_000_000_000)
    Decimal('0.0125')
    """
    if quanta % _TEN_DOLLARS:
        return _normalize(_multiply(quanta, _QUANTUM))
    return Decimal(quanta // QUANTA)
