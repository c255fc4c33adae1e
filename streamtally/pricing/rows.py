"""A model's price list: rows of rates with conditions, of which later ones win, unit by unit.

    {from?, to?, when?{word: value or [values]}, window?{tz?, days?[1-7], hours?["HH:MM", "HH:MM"], holidays?},
     above?{input: N, op?: ">" or ">="}, rates{unit: "decimal"}}

The conditions of a row compose: it holds where its dates, its hours, its context length and its words all do.

* `from` and `to` are dates (midnight UTC) or moments; `to` is the first moment at which the row no longer holds.
* Words of `when`: `tier` (priority, flex, batch, fast, …), `region` (us, eu, global, …), `quality`, `size`, `search` (the
  size of the search context). `"*"` holds for every value, also for none. What the price list states in `defaults`
  stands where the request says nothing.
* A `tier` that no row names has no price. A `region` that no row names has none either, but where the price is the same
  everywhere, because no row names a region, and in the `regions` of the provider, in which the general rows hold (by
  default only "global"; on Bedrock it is the other way round).
* A `window` holds from its first to before its last minute, in its zone (UTC if not given), may pass midnight, and looks
  at the weekday and date of the moment itself. On its `holidays` it does not hold: dates, or a name under
  `holidays{name: [dates]}` in the catalog.
* `above`: the whole request, where its input, cached tokens included, exceeds N.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import CatalogError
from .units import UNITS, rate_of

ANY = "*"
"""In a row's `when`: holds for every value, also for none."""

MINUTES_PER_DAY = 24 * 60
NO_THRESHOLD = -1

Holidays = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of the day, from `start` up to but not including `end`, in minutes; may pass midnight.

    `days` are ISO weekdays (1 is Monday) on which it holds, `holidays` dates on which it does not, all in `zone`.
    """

    start: int
    end: int
    days: frozenset[int]
    zone: tzinfo = UTC
    holidays: frozenset[date] = frozenset()

    def holds(self, at: datetime) -> bool:
        """Whether the moment `at` lies inside."""
        try:
            local = at if at.tzinfo is self.zone else at.astimezone(self.zone)
        except OverflowError:  # the first or last day of all calendars, elsewhere
            return False
        minute = local.hour * 60 + local.minute
        inside = self.start <= minute < self.end
        if self.end <= self.start:
            inside = minute >= self.start or minute < self.end
        return inside and local.isoweekday() in self.days and local.date() not in self.holidays

    def __str__(self) -> str:
        """Such as "01:00-04:00 UTC on 1,2,3,4,5 but holidays"."""
        start, end = (f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in (self.start, self.end))
        days = "" if len(self.days) == 7 else f" on {','.join(map(str, sorted(self.days)))}"
        return f"{start}-{end} {self.zone}{days}{' but holidays' if self.holidays else ''}"


@dataclass(frozen=True, slots=True)
class Row:
    """Rates, and where they hold. `above`: only requests with more input tokens than this, cached ones included."""

    rates: Mapping[str, str]
    when: Mapping[str, frozenset[str]] = field(default_factory=dict)
    start: datetime | None = None
    end: datetime | None = None
    window: Window | None = None
    above: int = NO_THRESHOLD

    def holds(self, at: datetime, input_tokens: int, words: Mapping[str, str]) -> bool:
        """Whether this row applies to a request at the moment `at`, with so much input and such words."""
        if input_tokens <= self.above:
            return False
        for key, values in self.when.items():
            if words.get(key) not in values and ANY not in values:
                return False
        return (
            (self.start is None or self.start <= at)
            and (self.end is None or at < self.end)
            and (self.window is None or self.window.holds(at))
        )

    def __str__(self) -> str:
        """The conditions in words; "standard" where there are none."""
        said = [f"{word} {'|'.join(sorted(values))}" for word, values in self.when.items() if ANY not in values]
        said += [f"from {self.start:%Y-%m-%d}"] if self.start else []
        said += [f"to {self.end:%Y-%m-%d}"] if self.end else []
        said += [str(self.window)] if self.window else []
        said += [f"above {self.above:,} input tokens"] if self.above != NO_THRESHOLD else []
        return ", ".join(said) or "standard"


@dataclass(frozen=True, slots=True)
class PriceList:
    """All that is known of one model's price.

    `undivided` is the unit of output tokens that the provider did not break down ("output_image" for an image model),
    `defaults` what the API takes where the request does not say (quality, size), `minimum` and `maximum` how much of a
    unit is charged at least and at most per request. `regions` are those in which rows without a region hold.
    """

    rows: tuple[Row, ...]
    undivided: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)
    minimum: Mapping[str, int] = field(default_factory=dict)
    maximum: Mapping[str, int] = field(default_factory=dict)
    regions: frozenset[str] = frozenset({"global"})

    @property
    def timed(self) -> bool:
        """Whether the moment of the request matters."""
        return any(row.start or row.end or row.window for row in self.rows)

    def extended(self, rows: Sequence[Row]) -> PriceList:
        """The same list with further rows, which win."""
        return replace(self, rows=(*self.rows, *rows))


def parse_prices(raw: Mapping[str, Any], holidays: Holidays | None = None) -> PriceList:
    """A price list from its catalog form: `{rows[], undivided?, defaults?, minimum?, maximum?, regions?}`.

    Args:
        raw: the entry of one model.
        holidays: the catalog's lists of dates, by name.

    Raises:
        CatalogError: the form is not that of a price list.
    """
    try:
        rows = tuple(parse_row(row, holidays) for row in raw["rows"])
        limits = {key: dict(raw.get(key, {})) for key in ("defaults", "minimum", "maximum")}
        undivided = raw.get("undivided")
        if unknown := {name for key in ("minimum", "maximum") for name in limits[key] if not _limitable(name)}:
            raise CatalogError(f"no unit with a minimum or maximum: {', '.join(sorted(unknown))}")
        if undivided is not None and UNITS[undivided].parents != ("output",):
            raise CatalogError(f"no kind of output: {undivided!r}")
        return PriceList(rows, undivided, **limits, regions=frozenset(raw.get("regions", ("global",))))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise error if isinstance(error, CatalogError) else CatalogError(f"no price list: {error!r}") from error


def _limitable(name: str) -> bool:
    """Tokens and pages contain one another, so that a limit on one of them would not say what becomes of the others."""
    return name in UNITS and name not in {"input", "output", "pages"} and not UNITS[name].parents


def parse_row(raw: Mapping[str, Any], holidays: Holidays | None = None) -> Row:
    """One row from its catalog form.

    Raises:
        CatalogError: an unknown unit, time zone or list of holidays, or a value out of range.
        KeyError, TypeError, ValueError: another form.
    """
    if unknown := raw.keys() - _KEYS:
        raise CatalogError(f"unknown condition: {', '.join(sorted(unknown))}")
    for unit, text in raw["rates"].items():
        rate_of(unit, text)
    return Row(
        rates=dict(raw["rates"]),
        when={word: _values(value) for word, value in raw.get("when", {}).items()},
        start=moment_of(raw.get("from")),
        end=moment_of(raw.get("to")),
        window=_window(raw.get("window"), holidays or {}),
        above=_threshold(raw.get("above")),
    )


_KEYS = frozenset({"from", "to", "when", "window", "above", "rates", "source", "note", "read", "confidence", "disputed"})
"""Conditions, rates, and where they are from. Another key is a condition that this version would wrongly ignore."""


def _values(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset({value.casefold()})
    if not _texts(value):
        raise CatalogError(f"a word is a text, or a list of texts: {value!r}")
    return frozenset(text.casefold() for text in value)


def _texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def moment_of(text: str | None) -> datetime | None:
    """The moment that a date or time in ISO 8601 names; UTC where it states no zone.

    Raises:
        ValueError: it is neither.
    """
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _window(raw: Mapping[str, Any] | None, holidays: Holidays) -> Window | None:
    if raw is None:
        return None
    start, end = (_minutes(text) for text in raw.get("hours", ("00:00", "24:00")))
    days = frozenset(raw.get("days", range(1, 8)))
    if not days <= frozenset(range(1, 8)):
        raise CatalogError(f"a weekday is a number from 1 to 7: {sorted(days)}")
    free = raw.get("holidays", ())
    if isinstance(free, str) and free not in holidays:
        raise CatalogError(f"the catalog has no holidays {free!r}")
    dates = holidays[free] if isinstance(free, str) else free
    return Window(start, end, days, zone_of(raw.get("tz", "UTC")), frozenset(date.fromisoformat(text) for text in dates))


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name.

    Raises:
        CatalogError: there is none of that name, or this system has no time zones at all.
    """
    if name.upper() in ("UTC", "Z", "ETC/UTC"):
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError) as error:
        raise CatalogError(f"no time zone {name!r}; a system without time zones needs `pip install tzdata`") from error


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    total = int(hours) * 60 + int(minutes)
    if not 0 <= total <= MINUTES_PER_DAY or not 0 <= int(minutes) < 60:
        raise CatalogError(f"no time of day: {text!r}")
    return total


def _threshold(raw: Mapping[str, Any] | None) -> int:
    if raw is None:
        return NO_THRESHOLD
    limit, comparison = int(raw["input"]), raw.get("op", ">")
    if comparison not in (">", ">="):
        raise CatalogError(f"an input threshold is > or >=, not {comparison!r}")
    return limit if comparison == ">" else limit - 1
