"""From usage and a price list to a cost: pure, exact, without clock or I/O.

Money is a whole number of 1e-15 US dollars. A count that contains others (input contains cached input, cached input
contains cached audio) is charged only for what its rated parts leave over, so every token is charged exactly once; the
sum equals that of inclusive counts times the differences between a unit's rate and that of the units around it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ..records import Cost, CostLine, CostStatus, Usage
from .rows import Card, PriceList
from .units import ANCESTORS, QUANTA, UNITS, Rate

Count = int | Decimal
Counts = dict[str, Count]

STANDARD_TIERS = frozenset({"", "auto", "default", "standard", "standard_only", "on_demand", "unspecified"})
"""Words for "no special service tier". "auto" asks for whichever there is; what was served decides the price."""

ROOTS = tuple(name for name, unit in UNITS.items() if not unit.parents and name != "requests")
"""What must have a rate where it was used; a fee per request is charged where there is one."""

TOKENS = frozenset(name for name in UNITS if {"input", "output"} & {name, *ANCESTORS[name]})


@dataclass(frozen=True, slots=True)
class Request:
    """What the price depends on, beside the usage: when the request was made, and in which service tier.

    `at` is in UTC. `tier` is the tier that was served ("priority", "flex", "batch", …), or None for the standard one.
    """

    at: datetime
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where the prices came from: the fields of a `Cost` that name the row."""

    provider: str
    model: str
    rule: str
    revision: str


class Charge(NamedTuple):
    """One line of a bill: so many of a unit, at a rate, make so many quanta."""

    unit: str
    quantity: Count
    rate: Rate
    quanta: int


def cost_of(usage: Usage | None, prices: PriceList, request: Request, source: Source) -> Cost:
    """The cost of one request.

    Args:
        usage: what the request used, with inclusive totals; sub-counts that exceed their total are cut down to it.
        prices: the model's price list.
        request: when, and in which service tier.
        source: what the cost names as its origin.

    Returns:
        A cost whose `usd` is exact, or None where nothing could be priced; `status` and `unpriced` say why.
        The cost is never that of another tier: where the list has no rates for the tier, it is unknown.
    """
    counts = counted(usage, prices) if usage is not None else {}
    if usage is None or not _reported(usage, counts):
        return _unpriced(usage, "no_usage", source)
    words = words_of(usage, request.tier, prices.defaults)
    card = prices.card(request.at, int(counts["input"]), words)
    if card is None:
        return _unpriced(usage, "missing_rate", source, (f"tier:{words['tier']}",))
    charges, unpriced = charge(card, counts)
    if not charges and (unpriced or not card.entries):
        return _unpriced(usage, "missing_rate", source, unpriced)
    status: CostStatus = "unpriced_unit" if unpriced else "partial" if usage.partial else "priced"
    return _priced(charges, unpriced, status, source)


def _priced(charges: list[Charge], unpriced: tuple[str, ...], status: CostStatus, source: Source) -> Cost:
    return Cost(
        usd=dollars(sum([line.quanta for line in charges])),
        status=status,
        complete=status == "priced",
        breakdown=tuple(
            [
                CostLine(unit=line.unit, count=Decimal(line.quantity), rate=line.rate.text, usd=dollars(line.quanta))
                for line in charges
            ]
        ),
        unpriced=unpriced,
        provider_matched=source.provider,
        model_matched=source.model,
        match_rule=source.rule,
        catalog_revision=source.revision,
    )


def _unpriced(usage: Usage | None, status: CostStatus, source: Source, unpriced: tuple[str, ...] = ()) -> Cost:
    cost = Cost(
        status=status,
        unpriced=unpriced,
        provider_matched=source.provider,
        model_matched=source.model,
        match_rule=source.rule,
        catalog_revision=source.revision,
    )
    return stated(cost, usage)


def stated(cost: Cost, usage: Usage | None) -> Cost:
    """`cost`, or where it is unknown the cost that the provider itself stated."""
    if cost.usd is not None or usage is None or usage.cost_usd is None:
        return cost
    status = "partial" if usage.partial else "priced"
    known = {"usd": usage.cost_usd, "status": status, "complete": not usage.partial, "unpriced": (), "source": "provider"}
    return cost.model_copy(update=known)


def dollars(quanta: int) -> Decimal:
    """An exact amount in US dollars.

    >>> dollars(12_500_000_000_000)
    Decimal('0.0125')
    """
    whole, part = divmod(quanta, QUANTA)
    return Decimal(f"{whole}.{part:015d}".rstrip("0").rstrip("."))


def words_of(usage: Usage, tier: str | None, defaults: Mapping[str, str]) -> dict[str, str]:
    """What the conditions of rows are compared with: the tier, and an image's quality and size."""
    words = dict(defaults)
    if usage.image_quality is not None:
        words["quality"] = usage.image_quality.casefold()
    if usage.image_size is not None:
        words["size"] = usage.image_size.casefold().replace("-x-", "x")
    if tier is not None and (name := tier.strip().casefold()) not in STANDARD_TIERS:
        words["tier"] = name
    return words


def counted(usage: Usage, prices: PriceList) -> Counts:
    """How much was used of each unit: inclusive counts that are consistent with one another, zeros left in."""
    counts: Counts = {**_input_counts(usage), **_output_counts(usage, prices.undivided)}
    counts["seconds"] = _seconds(usage.seconds)
    counts["characters"] = max(usage.characters or 0, 0)
    counts["images"] = max(usage.images or 0, 0)
    counts["web_searches"] = max(usage.searches or 0, 0)
    counts["requests"] = 1
    for unit, least in prices.minimum.items():
        counts[unit] = max(counts[unit], least) if counts[unit] else 0
    for unit, most in prices.maximum.items():
        counts[unit] = min(counts[unit], most)
    return counts


def _fit(count: int | None, room: int) -> int:
    return min(count, room) if count is not None and count > 0 else 0


def _input_counts(usage: Usage) -> dict[str, int]:
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    kinds = (usage.text_input_tokens or 0) + (usage.audio_input_tokens or 0) + (usage.image_input_tokens or 0)
    total = max(usage.input_tokens if usage.input_tokens is not None else max(cached, kinds), 0)
    read = _fit(usage.cache_read_tokens, total)
    hour = _fit(usage.cache_write_1h_tokens, total - read)
    write = max(_fit(usage.cache_write_tokens, total - read), hour)
    read_audio = _fit(usage.cache_read_audio_tokens, read)
    read_image = _fit(usage.cache_read_image_tokens, read - read_audio)
    fresh = total - read - write
    audio = _fit((usage.audio_input_tokens or 0) - read_audio, fresh)
    image = _fit((usage.image_input_tokens or 0) - read_image, fresh - audio)
    return {
        "input": total,
        "cache_read": read,
        "cache_write": write,
        "cache_write_1h": hour,
        "input_audio": audio + read_audio,
        "cache_audio_read": read_audio,
        "input_image": image + read_image,
        "cache_image_read": read_image,
    }


def _output_counts(usage: Usage, undivided: str | None) -> dict[str, int]:
    kinds = (usage.text_output_tokens or 0) + (usage.audio_output_tokens or 0) + (usage.image_output_tokens or 0)
    reasoning = usage.reasoning_tokens or 0
    total = max(usage.output_tokens if usage.output_tokens is not None else max(kinds, reasoning), 0)
    counts = {"output": total, "output_audio": _fit(usage.audio_output_tokens, total)}
    counts["output_image"] = _fit(usage.image_output_tokens, total - counts["output_audio"])
    if undivided is not None and not counts[undivided] and not kinds:
        counts[undivided] = total
    spoken = counts["output_audio"] + counts["output_image"]
    counts["reasoning"] = _fit(reasoning, total - spoken)
    return counts


def _seconds(seconds: float | None) -> Count:
    if seconds is None or not math.isfinite(seconds) or seconds <= 0:
        return 0
    return int(seconds) if seconds == int(seconds) else Decimal(repr(float(seconds)))


def _reported(usage: Usage, counts: Counts) -> bool:
    """Whether the usage says anything that could be charged for; a reported zero does."""
    return any(counts[root] for root in ROOTS) or any(
        value is not None
        for value in (
            usage.input_tokens,
            usage.output_tokens,
            usage.seconds,
            usage.characters,
            usage.images,
            usage.searches,
        )
    )


def charge(card: Card, counts: Counts) -> tuple[list[Charge], tuple[str, ...]]:
    """The charges for `counts` at the rates of `card`, in the order of `UNITS`, and the units that have no rate."""
    rated = card.rated
    dropped = _charged_already(counts, rated)
    left: list[Count] = []
    charges: list[Charge] = []
    for unit, rate, parts in card.entries:
        count = 0 if unit in dropped else counts[unit]
        for part in parts:
            count -= left[part]
        left.append(count)
        if count:
            charges.append(Charge(unit, count, rate, rate.times(count)))
    charges.reverse()
    return charges, tuple(
        [
            root
            for root in ROOTS
            if counts[root] and root not in rated and root not in dropped and counts[root] > _covered(root, charges)
        ]
    )


def _covered(root: str, charges: list[Charge]) -> Count:
    return sum([line.quantity for line in charges if root in ANCESTORS[line.unit]])


_MEASURES = frozenset({"seconds", "characters", "images"})


def _charged_already(counts: Counts, rated: frozenset[str]) -> frozenset[str]:
    """The units that measure a second time what is charged by another measure.

    Tokens, where they are counted and have a rate, come before seconds and characters; output tokens before images.
    Where only the other measure has a rate, tokens are not missed.
    """
    if counts["output"] and "output" in rated:
        return _MEASURES
    if counts["input"] and "input" in rated:
        return _MEASURES - {"images"}
    if any(counts[unit] and unit in rated for unit in _MEASURES):
        return TOKENS
    return frozenset()
