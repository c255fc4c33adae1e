"""Which rates hold for a request: the rows of a price list, resolved once per context and kept as cards.

A context is what the conditions of a list can tell apart: how many of its thresholds the input exceeds, how many of its
dates have passed, which of its windows are open, and the words that its rows name.
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
"""Words for "no special service tier". "auto" asks for whichever there is; what was served decides the price."""

OWN_PRICES = ("tier", "region")
"""The words that change the price of everything, so that a value that no row names has no price."""

FIELDS = {"quality": ("image_quality",), "size": ("image_size", "video_size"), "search": ("search_context",)}
"""Where `Usage` has the words that are not said of a request but of what was made."""

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
"""How the names of AWS and Google Cloud regions begin. The first that fits counts."""

_REMEMBERED = 1024
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class Request(NamedTuple):
    """What the price depends on, beside the usage: when the request was made, in which service tier, and where.

    `at` is aware. `tier` is the tier that was served ("priority", "flex", "batch", …), or None for the standard one;
    `region` a word of the catalog ("us", "eu", "global", …) or a cloud's region, or None where nothing is known of it.
    """

    at: datetime
    tier: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class RateCard:
    """The rates that hold for one context, by unit. `rows` are their conditions in words.

    `missing` names the words that there are no rates for, such as "tier:flex": then nothing on the card may be used.
    `plans` is where the arithmetic keeps what it prepared for this card.
    """

    rates: Mapping[str, Rate]
    rows: tuple[str, ...]
    missing: tuple[str, ...] = ()
    plans: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False, compare=False)


class Cards:
    """The cards of one price list, made as they are asked for."""

    __slots__ = ("_about", "_always", "_cards", "_dates", "_minute", "_regions", "_thresholds", "_windows", "prices", "timed")

    def __init__(self, prices: PriceList) -> None:
        rows = prices.rows
        self.prices = prices
        self.timed = prices.timed
        self._thresholds = sorted({row.above for row in rows} - {NO_THRESHOLD})
        self._dates = sorted({moment for row in rows for moment in (row.start, row.end) if moment is not None})
        self._windows = tuple(dict.fromkeys(row.window for row in rows if row.window is not None))
        self._regions = frozenset(region for row in rows for region in row.when.get("region", ())) - {ANY}
        self._about = tuple(word for word in FIELDS if any(word in row.when for row in rows))
        conditional = self._thresholds or self._dates or self._windows or self._regions or self._about
        self._always = None if conditional else self._resolved(Request(_ANY_TIME), 0, ())
        self._cards: dict[Hashable, RateCard] = {}
        self._minute: tuple[float | None, tuple[bool, ...]] = (None, ())

    def card(self, request: Request, input_tokens: int, fields: Mapping[str, Any]) -> RateCard:
        """The rates for one request.

        Args:
            request: when and how it was served.
            input_tokens: all of them, cached ones included.
            fields: those of its usage, by name.
        """
        at, tier, region = request
        if self._always is not None and tier is None:
            return self._always
        said = tuple([_said(word, fields) for word in self._about]) if self._about else ()
        hours = self._hours(at) if self._windows else ()
        key = (
            tier,
            region,
            bisect_left(self._thresholds, input_tokens),
            bisect_right(self._dates, at) if self._dates else 0,
            hours,
            said,
        )
        card = self._cards.get(key)
        if card is None:
            if len(self._cards) >= _REMEMBERED:
                self._cards.clear()
            card = self._cards[key] = self._resolved(request, input_tokens, said)
        return card

    def _hours(self, at: datetime) -> tuple[bool, ...]:
        """Which windows are open. They open and close on whole minutes, and requests of one minute come together."""
        minute = at.timestamp() // 60
        known, hours = self._minute
        if known != minute:
            hours = tuple([window.holds(at) for window in self._windows])
            self._minute = minute, hours
        return hours

    def _resolved(self, request: Request, input_tokens: int, said: Sequence[str | None]) -> RateCard:
        words = self._words(request, said)
        held = [row for row in self.prices.rows if row.holds(request.at, input_tokens, words)]
        missing = []
        for word in OWN_PRICES:
            if word in words and not any(words[word] in row.when.get(word, ()) for row in held):
                # Without a row that names it, at most what is said of every tier (the user's own rates) is known.
                if word == "region" and words[word] in self.prices.regions:
                    continue  # the plain price is that of such a region; it is named in other tiers only
                held = [row for row in held if word in row.when]
                missing += [] if held else [f"{word}:{words[word]}"]
        winners = {unit: row for row in held for unit in row.rates}
        rates = {unit: rate_of(unit, row.rates[unit]) for unit, row in winners.items()}
        used = [str(row) for row in held if any(row is winner for winner in winners.values())]
        return RateCard(rates, tuple(dict.fromkeys(used)), tuple(missing))

    def _words(self, request: Request, said: Sequence[str | None]) -> dict[str, str]:
        """The words that rows can hold under: what the request says, else what the list takes for granted."""
        known = dict(zip(self._about, said, strict=False))
        known |= {"tier": _tier(request.tier), "region": self._region(request.region) if self._regions else None}
        words = {word: value or self.prices.defaults.get(word) for word, value in known.items()}
        return {word: value for word, value in words.items() if value is not None}

    def _region(self, asked: str | None) -> str | None:
        """The word for a region that this list's rows have; None where the rows without a region hold there."""
        if asked is None:
            return None
        place = geography(asked)
        names = (asked.strip().casefold(), place, "regional" if place not in ("global", "us-gov") else place)
        known = next((name for name in names if name in self._regions), None)
        return known or (None if place in self.prices.regions else place)


def geography(region: str) -> str:
    """The part of the world that a cloud's region lies in, as prices name it; another word is left as it is.

    >>> [geography(name) for name in ("us-gov-west-1", "us-east-1", "europe-west4", "ap-northeast-1", "EU", "global")]
    ['us-gov', 'us', 'eu', 'jp', 'eu', 'global']
    """
    name = region.strip().casefold()
    return next((place for prefix, place in _GEOGRAPHIES.items() if name.startswith(prefix)), name)


def _said(word: str, fields: Mapping[str, Any]) -> str | None:
    for name in FIELDS[word]:
        value = fields[name]
        if value is not None:
            return str(value).strip().casefold().replace("-x-", "x")
    return None


def _tier(tier: str | None) -> str | None:
    name = "" if tier is None else tier.strip().casefold()
    return None if name in STANDARD_TIERS else name
