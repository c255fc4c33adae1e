"""From usage and rates to a cost: pure, exact, without clock or I/O.

Money is a whole number of 1e-15 US dollars. Every token falls to one unit (`counts`), whose rate is its own or that of
the nearest unit around it that has one, so that every token is charged exactly once; the sum equals that of inclusive
counts times the differences between a unit's rate and those of the units around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, NamedTuple

from ..records import Breakdown, Cost, CostLine, CostStatus, Usage
from .discounts import Discount
from .rates import Cards, RateCard, Request
from .rows import PriceList
from .token_split import (
    FAMILIES,
    MEASURES,
    OUTPUT_KINDS,
    SEARCHES,
    Count,
    Fields,
    Step,
    Straight,
    exact,
    input_tokens,
    measured,
    possible,
    settle,
    steps_of,
    straight,
)
from .units import QUANTA, UNITS, Rate, rated_as, root_of

CONTAINED: Mapping[str, frozenset[str]] = {
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
"""Units that measure once more what is charged already, where one of those named was charged: they are free then."""

COVERED: Mapping[str, frozenset[str]] = {
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
"""Units that are not missed where they have no rate and one of those named, another measure of the same, was charged."""

_REMEMBERED = 256
_EXACT = Context(prec=500)
_multiply, _normalize = _EXACT.multiply, _EXACT.normalize
_QUANTUM = Decimal(1).scaleb(-15)
_TEN_DOLLARS = 10 * QUANTA
"""Multiples of these would be normalised to 1E+1."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the prices came from: the fields of a `Cost` that name the row.

    `own` says that the user gave rates for the model, `discounts` are the user's too.
    """

    provider: str
    model: str
    rule: str
    revision: str
    own: bool = False
    discounts: tuple[Discount, ...] = ()


class Charge(NamedTuple):
    """One line of a bill: so many of a unit, at a rate, make so many quanta."""

    unit: str
    quantity: Count
    rate: Rate
    quanta: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The arithmetic for one card and one set of reported fields.

    `fields` are those that count something. `steps` settle the counts that contain one another, `quanta` are their
    rates in whole quanta, 0 where there is none (`unrated` are the places of those), or None where one is not whole.
    `groups` are the rated units, each with the places of the steps that its rate holds for. `undivided` are the places
    of output and of the unit that it falls to where the provider did not break it down. `measures` are the units that
    stand alone; `plain` says that the steps are all there is to charge.
    """

    rates: Mapping[str, Rate]
    fields: tuple[str, ...]
    steps: tuple[Step, ...]
    straight: Straight
    quanta: tuple[int, ...] | None
    groups: tuple[tuple[str, Rate, tuple[int, ...]], ...]
    unrated: tuple[int, ...]
    undivided: tuple[int, int] | None
    measures: tuple[str, ...]
    plain: bool


class Bill(NamedTuple):
    """What is charged for a request: `left` for the plan's steps, `charges` for the units that stand alone.

    `quanta` is None where nothing could be priced; `sound` says that the counts did not contradict one another.
    """

    status: CostStatus
    quanta: int | None = None
    unpriced: tuple[str, ...] = ()
    sound: bool = True
    rows: tuple[str, ...] = ()
    plan: Plan | None = None
    left: Sequence[int] = ()
    charges: tuple[Charge, ...] = ()


_filled = tuple.__new__
"""Makes a named tuple of all its fields, without the detour through their names."""


def bill_of(usage: Usage, cards: Cards, request: Request) -> Bill:
    """What a request is charged, never at the rates of another tier: where there are none for its tier, it is unknown."""
    fields = usage.__dict__
    card = cards.card(request, input_tokens(fields), fields)
    shape = tuple(usage.__pydantic_fields_set__)
    plan: Plan = card.plans.get(shape) or _planned(card, shape, cards.prices.undivided)
    settled = plan.straight(fields, plan.quanta) if plan.quanta is not None else None
    if settled is not None and settled[1] and plan.plain and not card.missing:
        left, quanta = settled
        return _filled(Bill, ("partial" if fields["partial"] else "priced", quanta, (), True, card.rows, plan, left, ()))
    return _whole_bill(fields, plan, card, cards.prices)


def _whole_bill(fields: Fields, plan: Plan, card: RateCard, prices: PriceList) -> Bill:
    """The bill, with all that may be odd about it."""
    left, sound = settle(plan.steps, fields)
    if not any(left) and all(fields[name] is None for name in plan.fields):
        return Bill("no_usage")
    if card.missing:
        return Bill("missing_rate", None, card.missing)
    if plan.undivided is not None and not any(fields[name] for name in OUTPUT_KINDS):
        _divide(plan.undivided, left)
    together = _together(plan, left)
    charges, unpriced = _alone(plan, left, fields, prices)
    sound = sound and possible(plan.measures, fields)
    if (unpriced or not card.rates) and not charges and not together:
        return Bill("missing_rate", None, unpriced, sound)
    quanta = sum([charge.quanta for charge in (*together, *charges)])
    status: CostStatus = "unpriced_unit" if unpriced else "partial" if fields["partial"] else "priced"
    return Bill(status, quanta, unpriced, sound, card.rows, plan, left, charges)


def _planned(card: RateCard, shape: tuple[str, ...], undivided: str | None) -> Plan:
    if len(card.plans) >= _REMEMBERED:
        card.plans.clear()
    plan = card.plans[shape] = plan_of(card.rates, shape, undivided)
    return plan


def plan_of(rates: Mapping[str, Rate], shape: Sequence[str], undivided: str | None) -> Plan:
    """What is to be done for usage that reports the fields in `shape`."""
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
    searched = any(name in SEARCHES for name in units)
    measures = tuple(name for name in MEASURES if name in units or (searched and name in SEARCHES))
    return Plan(
        rates=rates,
        fields=tuple(UNITS[name].field for name in units),
        steps=steps,
        straight=straight(steps, frozenset(shape)),
        quanta=tuple(0 if rate is None else rate.quanta for rate in found) if whole else None,
        groups=tuple((unit, rates[unit], held) for unit, held in grouped.items() if held),
        unrated=unrated,
        undivided=None if divides is None else (places["output"], places[divides]),
        measures=measures,
        plain=not (unrated or measures or divides or "requests" in rates),
    )


def _divide(places: tuple[int, int], left: list[int]) -> None:
    """Give the output that the provider did not break down to its only kind."""
    output, kind = places
    left[kind] += left[output]
    left[output] = 0


def _together(plan: Plan, left: Sequence[int]) -> list[Charge]:
    """The charges for counts that contain one another, one for each rate, in the order of `UNITS`."""
    charges = []
    for unit, rate, places in plan.groups:
        count = left[places[0]] if len(places) == 1 else sum([left[place] for place in places])
        if count:
            charges.append(_charge(unit, count, rate))
    return charges


def _charge(unit: str, count: Count, rate: Rate) -> Charge:
    return _filled(Charge, (unit, count, rate, rate.times(count)))


def _alone(plan: Plan, left: Sequence[int], fields: Fields, prices: PriceList) -> tuple[tuple[Charge, ...], tuple[str, ...]]:
    """The charges for units that stand alone, and the units that were used but have no rate."""
    charged = {step.unit for place, step in enumerate(plan.steps) if left[place] and place not in plan.unrated}
    charged |= {root_of(unit) for unit in charged}
    unrated = {root_of(plan.steps[place].unit) for place in plan.unrated if left[place]}
    charges: list[Charge] = []
    for name in plan.measures:
        count = _limited(name, measured(name, fields), prices)
        if not count or CONTAINED.get(name, frozenset()) & charged:
            continue
        if name in plan.rates:
            charges.append(_charge(name, count, plan.rates[name]))
            charged.add(name)
        elif fields[UNITS[name].field] is not None:
            unrated.add(name)
    if "requests" in plan.rates:
        charges.append(_charge("requests", 1, plan.rates["requests"]))
        charged.add("requests")
    missed = {name for name in unrated if not COVERED.get(name, frozenset()) & charged}
    return tuple(charges), tuple(name for name in UNITS if name in missed)


def _limited(name: str, count: Count, prices: PriceList) -> Count:
    """The count that is charged: at least the minimum where there is any at all, at most the maximum."""
    if count and name in prices.minimum:
        count = max(count, prices.minimum[name])
    return min(count, prices.maximum[name]) if name in prices.maximum else count


def cost_of(usage: Usage | None, cards: Cards, request: Request, source: Source) -> Cost:
    """The cost of one request.

    Args:
        usage: what the request used, with inclusive totals; parts that exceed their total are cut down to it.
        cards: the model's prices.
        request: when and where, and in which service tier.
        source: what the cost names as its origin.

    Returns:
        A cost whose `usd` is exact, or None where nothing could be priced; `status` and `unpriced` say why.
    """
    bill = bill_of(usage, cards, request) if usage is not None else Bill("no_usage")
    cost = _cost(bill, source, "provider" if usage is None else usage.source)
    if source.discounts and bill.quanta is not None:
        cost = _discounted(cost, bill, source, request)
    return cost if usage is None or usage.cost_usd is None else stated(cost, usage, own=source.own)


def storage_of(tokens: int, seconds: float, cards: Cards, request: Request, source: Source) -> Cost:
    """The cost of keeping so many tokens in a provider's cache for so long."""
    card = cards.card(request, tokens, Usage().__dict__)
    if card.missing or "cache_storage" not in card.rates:
        return _cost(Bill("missing_rate", None, card.missing or ("cache_storage",)), source)
    charge = _charge("cache_storage", max(tokens, 0) * exact(seconds), card.rates["cache_storage"])
    return _cost(Bill("priced", charge.quanta, rows=card.rows, charges=(charge,)), source)


def _cost(bill: Bill, source: Source, usage_source: str = "provider") -> Cost:
    status, quanta = bill.status, bill.quanta
    usd = None if quanta is None else dollars(quanta)
    return Cost.of(
        {
            "usd": usd,
            "status": status,
            "complete": status == "priced",
            "breakdown": _NO_LINES if quanta is None else Breakdown(bill, _lines),
            "unpriced": bill.unpriced,
            "provider_matched": source.provider,
            "model_matched": source.model,
            "match_rule": source.rule,
            "rows": bill.rows,
            "catalog_revision": source.revision,
            "source": "computed",
            "provider_usd": None,
            "computed_usd": usd,
            "usage_source": usage_source,
            "inconsistent": not bill.sound,
        }
    )


_NO_LINES = Breakdown()


def _charges(bill: Bill) -> list[Charge]:
    return [*(_together(bill.plan, bill.left) if bill.plan is not None else ()), *bill.charges]


def _lines(bill: Any) -> tuple[CostLine, ...]:
    return tuple([_line(charge) for charge in _charges(bill)])


def _line(charge: Charge) -> CostLine:
    return CostLine.of(charge.unit, Decimal(charge.quantity), charge.rate.text, dollars(charge.quanta))


def _discounted(cost: Cost, bill: Bill, source: Source, request: Request) -> Cost:
    """The cost with a line for each discount and markup that holds."""
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


def stated(cost: Cost, usage: Usage | None, *, own: bool = False) -> Cost:
    """`cost` with the cost that the provider itself stated, which is what the user will be charged.

    It is only noted beside the computed one where the user gave rates or discounts (`own`), or where it is a zero that
    the rates contradict: gateways state zero for what they charge to a key of the user's own.
    """
    if usage is None or usage.cost_usd is None:
        return cost
    if cost.usd is not None and (own or (cost.usd and not usage.cost_usd)):
        return cost.model_copy(update={"provider_usd": usage.cost_usd})
    known = {"status": "partial" if usage.partial else "priced", "complete": not usage.partial, "unpriced": ()}
    return cost.model_copy(update={"usd": usage.cost_usd, "provider_usd": usage.cost_usd, "source": "provider", **known})


def dollars(quanta: int) -> Decimal:
    """An exact amount in US dollars.

    >>> dollars(12_500_000_000_000)
    Decimal('0.0125')
    """
    if quanta % _TEN_DOLLARS:
        return _normalize(_multiply(quanta, _QUANTUM))
    return Decimal(quanta // QUANTA)
