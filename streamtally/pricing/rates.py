"""Selects the rates that apply to a request: the rows of a price list, resolved once per context and cached as rate cards.

A context is everything that the conditions of the list distinguish: the thresholds that the input exceeds, the dates that have
passed, the windows that are open, and the values of the condition words.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .rows import ANY, NO_THRESHOLD, PriceList
from .units import Rate, rate_of

STANDARD_TIERS = frozenset({"", "auto", "default", "standard", "standard_only", "on_demand", "unspecified"})
"""Names of the standard service tier. "auto" requests any tier; the price depends on the tier that was served."""

STRICT_WORDS = ("tier", "region")
"""The words that change every price: a value of theirs that no row names has no price."""

FIELDS = {"quality": ("image_quality",), "size": ("image_size", "video_size"), "search": ("search_context",)}
"""The condition words that come from the usage instead of the request, each with the `Usage` fields that hold it."""

_GEOGRAPHIES = {
    "us-gov": "us-gov",
    "us-": "us",
    "eu-": "eu",
    "europe-": "eu",
    "ap-northeast-1": "jp",
    "ap-northeast-3": "jp",
    "ap-southeast-2": "au",
    "ap-southeast-4": "au",
    "ap-": "apac",
    "asia-": "apac",
    "ca-": "ca",
    "sa-": "sa",
}
"""Prefixes of AWS and Google Cloud regions and their geography; the first match counts."""

_CACHE_SIZE = 1024
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class Request(NamedTuple):
    """The context of a request that its price depends on, besides its usage.

    `at` is the (aware) time of the request. `tier` is the service tier that was served ("priority", "flex", "batch", …), or
    None for the standard one. `region` is a catalog region ("us", "eu", "global", …) or a cloud's region, or None if unknown.
    """

    at: datetime
    tier: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class RateCard:
    """The rates of one context, by unit; `rows` describes the rows that they come from.

    `missing` lists the condition words without rates, such as "tier:flex"; if there are any, no rate of the card applies.
    `plans` caches the prepared calculations of this card (`calculate.Plan`).
    """

    rates: Mapping[str, Rate]
    rows: tuple[str, ...]
    missing: tuple[str, ...] = ()
    plans: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False, compare=False)


class RateCards:
    """The rate cards of one price list, created on demand."""

    __slots__ = (
        "_always", "_cards", "_dates", "_minute", "_regions", "_thresholds", "_usage_words", "_windows", "prices", "timed",
    )  # fmt: skip

    def __init__(self, prices: PriceList) -> None:
        rows = prices.rows
        self.prices = prices
        self.timed = prices.timed
        self._thresholds = sorted({row.above for row in rows} - {NO_THRESHOLD})
        self._dates = sorted({moment for row in rows for moment in (row.start, row.end) if moment is not None})
        self._windows = tuple(dict.fromkeys(row.window for row in rows if row.window is not None))
        self._regions = frozenset(region for row in rows for region in row.when.get("region", ())) - {ANY}
        self._usage_words = tuple(word for word in FIELDS if any(word in row.when for row in rows))
        conditional = self._thresholds or self._dates or self._windows or self._regions or self._usage_words
        self._always = None if conditional else self._resolve(Request(_ANY_TIME), 0, ())
        self._cards: dict[Hashable, RateCard] = {}
        self._minute: tuple[float | None, tuple[bool, ...]] = (None, ())

    def card(self, request: Request, input_tokens: int, fields: Mapping[str, Any]) -> RateCard:
        """The rates for one request.

        Args:
            request: when and how it was served.
            input_tokens: all of them, cached ones included.
            fields: the fields of its usage, by name.
        """
        at, tier, region = request
        if self._always is not None and tier is None:
            return self._always
        values = tuple([_usage_word(word, fields) for word in self._usage_words]) if self._usage_words else ()
        hours = self._open_windows(at) if self._windows else ()
        key = (
            tier,
            region,
            bisect_left(self._thresholds, input_tokens),
            bisect_right(self._dates, at) if self._dates else 0,
            hours,
            values,
        )
        card = self._cards.get(key)
        if card is None:
            if len(self._cards) >= _CACHE_SIZE:
                self._cards.clear()
            card = self._cards[key] = self._resolve(request, input_tokens, values)
        return card

    def _open_windows(self, at: datetime) -> tuple[bool, ...]:
        """Whether each window is open. Cached for the last minute, because windows open and close on whole minutes."""
        minute = at.timestamp() // 60
        known, hours = self._minute
        if known != minute:
            hours = tuple([window.holds(at) for window in self._windows])
            self._minute = minute, hours
        return hours

    def _resolve(self, request: Request, input_tokens: int, values: Sequence[str | None]) -> RateCard:
        words = self._condition_words(request, values)
        matching = [row for row in self.prices.rows if row.holds(request.at, input_tokens, words)]
        missing = []
        for word in STRICT_WORDS:
            if word in words and not any(words[word] in row.when.get(word, ()) for row in matching):
                # Without a row for this value only rows that hold for any value (the user's own rates) may apply.
                if word == "region" and words[word] in self.prices.regions:
                    continue  # the rows without a region hold in this region; rows name it for other tiers only
                matching = [row for row in matching if word in row.when]
                missing += [] if matching else [f"{word}:{words[word]}"]
        winners = {unit: row for row in matching for unit in row.rates}
        rates = {unit: rate_of(unit, row.rates[unit]) for unit, row in winners.items()}
        used = [str(row) for row in matching if any(row is winner for winner in winners.values())]
        return RateCard(rates, tuple(dict.fromkeys(used)), tuple(missing))

    def _condition_words(self, request: Request, values: Sequence[str | None]) -> dict[str, str]:
        """The condition words of the request; the defaults of the list replace missing ones."""
        known = dict(zip(self._usage_words, values, strict=False))
        known |= {"tier": _tier(request.tier), "region": self._region(request.region) if self._regions else None}
        words = {word: value or self.prices.defaults.get(word) for word, value in known.items()}
        return {word: value for word, value in words.items() if value is not None}

    def _region(self, region: str | None) -> str | None:
        """The name that the rows of this list use for a region; None if the rows without a region hold there."""
        if region is None:
            return None
        area = geography(region)
        names = (region.strip().casefold(), area, "regional" if area not in ("global", "us-gov") else area)
        known = next((name for name in names if name in self._regions), None)
        return known or (None if area in self.prices.regions else area)


def geography(region: str) -> str:
    """The geography of a cloud's region, as price lists name it; any other text is returned case-folded.

    >>> [geography(name) for name in ("us-gov-west-1", "us-east-1", "europe-west4", "ap-northeast-1", "EU", "global")]
    ['us-gov', 'us', 'eu', 'jp', 'eu', 'global']
    """
    name = region.strip().casefold()
    return next((area for prefix, area in _GEOGRAPHIES.items() if name.startswith(prefix)), name)


def _usage_word(word: str, fields: Mapping[str, Any]) -> str | None:
    for name in FIELDS[word]:
        value = fields[name]
        if value is not None:
            return str(value).strip().casefold().replace("-x-", "x")
    return None


def _tier(tier: str | None) -> str | None:
    name = "" if tier is None else tier.strip().casefold()
    return None if name in STANDARD_TIERS else name
