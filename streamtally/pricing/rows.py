"""A model's price list: rows of rates with conditions, of which later ones win, unit by unit.

The conditions of a row compose: it holds where its dates, its hours, its context length and its words all do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..errors import CatalogError
from .units import ANCESTORS, UNITS, Rate, rate_of

ANY = "*"
"""In a row's `when`: holds for every value, also for none."""

MINUTES_PER_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of the day in UTC, from `start` up to but not including `end`, in minutes; may pass midnight.

    `days` are ISO weekdays (1 is Monday) on which it holds.
    """

    start: int
    end: int
    days: frozenset[int]

    def holds(self, at: datetime) -> bool:
        """Whether the moment `at`, in UTC, lies inside."""
        minute = at.hour * 60 + at.minute
        inside = self.start <= minute < self.end
        if self.end <= self.start:
            inside = minute >= self.start or minute < self.end
        return inside and at.isoweekday() in self.days


@dataclass(frozen=True, slots=True)
class Row:
    """Rates, and where they hold. `above`: only requests with more input tokens than this, cached ones included."""

    rates: Mapping[str, str]
    when: Mapping[str, str] = field(default_factory=dict)
    start: datetime | None = None
    end: datetime | None = None
    window: Window | None = None
    above: int = -1

    @property
    def timed(self) -> bool:
        """Whether it matters at what moment the request was made."""
        return self.start is not None or self.end is not None or self.window is not None

    def holds(self, at: datetime, input_tokens: int, words: Mapping[str, str]) -> bool:
        """Whether this row applies to a request at the moment `at` (UTC), with so much input and such words."""
        if input_tokens <= self.above:
            return False
        for key, value in self.when.items():
            if value != words.get(key) and value != ANY:
                return False
        return (
            (self.start is None or self.start <= at)
            and (self.end is None or at < self.end)
            and (self.window is None or self.window.holds(at))
        )


class Entry(NamedTuple):
    """One rated unit of a card, and the positions of the rated units that are parts of it."""

    unit: str
    rate: Rate
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """The rates that hold for one request, parts before what contains them.

    `tiered` says that some of them are those of a service tier.
    """

    entries: tuple[Entry, ...]
    rated: frozenset[str]
    tiered: bool


@dataclass(frozen=True, slots=True)
class PriceList:
    """All that is known of one model's price.

    `undivided` is the unit of output tokens that the provider did not break down ("output_image" for an image model),
    `defaults` what the API takes where the request does not say (quality, size), `minimum` and `maximum` how much of a
    unit is charged at least and at most per request.
    """

    rows: tuple[Row, ...]
    undivided: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)
    minimum: Mapping[str, int] = field(default_factory=dict)
    maximum: Mapping[str, int] = field(default_factory=dict)
    _cards: dict[tuple[bool, ...], Card] = field(default_factory=dict, repr=False, compare=False)

    @property
    def timed(self) -> bool:
        """Whether the moment of the request matters."""
        return any(row.timed for row in self.rows)

    def extended(self, rows: Sequence[Row]) -> PriceList:
        """The same list with further rows, which win."""
        return PriceList((*self.rows, *rows), self.undivided, self.defaults, self.minimum, self.maximum)

    def card(self, at: datetime, input_tokens: int, words: Mapping[str, str]) -> Card | None:
        """The rates for one request, or None where the list has none for the service tier that is in `words`."""
        mask = tuple([row.holds(at, input_tokens, words) for row in self.rows])
        card = self._cards.get(mask)
        if card is None:
            card = self._cards[mask] = compile_card([row for row, holds in zip(self.rows, mask, strict=True) if holds])
        return card if card.tiered or "tier" not in words else None


def compile_card(rows: Sequence[Row]) -> Card:
    """The rates of `rows`, later ones winning, in the order in which parts are taken out of what contains them."""
    texts = {unit: text for row in rows for unit, text in row.rates.items()}
    for unit in UNITS.values():
        rated = [parent for parent in unit.parents if parent in texts]
        if unit.name not in texts and len(rated) > 1:
            texts[unit.name] = texts[rated[0]]
    order = [name for name in reversed(UNITS) if name in texts]
    entries = tuple(Entry(name, rate_of(name, texts[name]), _parts(name, order)) for name in order)
    return Card(entries, frozenset(order), any("tier" in row.when for row in rows))


def _parts(name: str, order: Sequence[str]) -> tuple[int, ...]:
    return tuple(index for index, other in enumerate(order) if name in ANCESTORS[other])


def parse_prices(raw: Mapping[str, Any]) -> PriceList:
    """A price list from its catalog form.

    Raises:
        CatalogError: the form is not that of a price list.
    """
    try:
        rows = tuple(parse_row(row) for row in raw["rows"])
        limits = {key: dict(raw.get(key, {})) for key in ("defaults", "minimum", "maximum")}
        undivided = raw.get("undivided")
        if unknown := {*limits["minimum"], *limits["maximum"]} - UNITS.keys():
            raise CatalogError(f"unknown units: {', '.join(sorted(unknown))}")
        if undivided is not None and UNITS[undivided].parents != ("output",):
            raise CatalogError(f"no kind of output: {undivided!r}")
        return PriceList(rows, undivided, **limits)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise error if isinstance(error, CatalogError) else CatalogError(f"no price list: {error!r}") from error


def parse_row(raw: Mapping[str, Any]) -> Row:
    """One row from its catalog form: `{from?, to?, when?, window?, above?, rates}`."""
    for unit, text in raw["rates"].items():
        rate_of(unit, text)
    return Row(
        rates=dict(raw["rates"]),
        when=dict(raw.get("when", {})),
        start=_moment(raw.get("from")),
        end=_moment(raw.get("to")),
        window=_window(raw.get("window")),
        above=_threshold(raw.get("above")),
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _window(raw: Mapping[str, Any] | None) -> Window | None:
    if raw is None:
        return None
    start, end = (_minutes(text) for text in raw["hours"])
    return Window(start, end, frozenset(raw.get("days", range(1, 8))))


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    total = int(hours) * 60 + int(minutes)
    if not 0 <= total <= MINUTES_PER_DAY:
        raise CatalogError(f"no time of day: {text!r}")
    return total


def _threshold(raw: Mapping[str, Any] | None) -> int:
    if raw is None:
        return -1
    limit, comparison = int(raw["input"]), raw.get("op", ">")
    if comparison not in (">", ">="):
        raise CatalogError(f"an input threshold is > or >=, not {comparison!r}")
    return limit if comparison == ">" else limit - 1
