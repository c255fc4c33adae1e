"""A model's price list: rows of rates with conditions; of the rows that hold, the last with a unit gives its rate.

    {from?, to?, when?{word: value or [values]}, window?{tz?, days?[1-7], hours?["HH:MM", "HH:MM"], holidays?},
     above?{input: N, op?: ">" or ">="}, rates{unit: "decimal"}}

A row holds if all its conditions do: dates, hours, context length and words.

* `from` and `to` are dates (midnight UTC) or times; the row holds from `from` up to but not including `to`.
* The words of `when` are `tier` (priority, flex, batch, fast, …), `region` (us, eu, global, …), `quality`, `size` and `search`
  (the size of the search context). The value `"*"` matches any value and a missing one. The `defaults` of the price list
  replace missing values of the request.
* A `tier` that no row names has no price. A `region` that no row names has no price either, with two exceptions: if no row names
  any region, the price is the same everywhere; and in the `regions` of the provider the rows without a region hold (by default
  only "global"; on Bedrock all but "global").
* A `window` holds from its first minute up to but not including its last, in its time zone (default UTC). It may span midnight;
  weekday and date are those of the time itself. It does not hold on its `holidays`: a list of dates, or a name in the
  catalog's `holidays{name: [dates]}`.
* `above`: the row holds for the whole request if its input, cached tokens included, exceeds N tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import CatalogError
from .units import OWN_RATE, UNITS, rate_of

ANY = "*"
"""In a row's `when`: matches any value and a missing one."""

MINUTES_PER_DAY = 24 * 60
NO_THRESHOLD = -1

Holidays = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of the day, from `start` up to but not including `end`, in minutes since midnight; may span midnight.

    `days` are the ISO weekdays (1 is Monday) on which it holds, `holidays` the dates on which it does not, all in `zone`.
    """

    start: int
    end: int
    days: frozenset[int]
    zone: tzinfo = UTC
    holidays: frozenset[date] = frozenset()

    def holds(self, at: datetime) -> bool:
        """Whether the time `at` lies inside."""
        try:
            local = at if at.tzinfo is self.zone else at.astimezone(self.zone)
        except OverflowError:  # the local time is outside the range of datetime
            return False
        minute = local.hour * 60 + local.minute
        inside = self.start <= minute < self.end
        if self.end <= self.start:
            inside = minute >= self.start or minute < self.end
        return inside and local.isoweekday() in self.days and local.date() not in self.holidays

    def __str__(self) -> str:
        """A description such as "01:00-04:00 UTC on 1,2,3,4,5 but holidays"."""
        start, end = (f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in (self.start, self.end))
        days = "" if len(self.days) == 7 else f" on {','.join(map(str, sorted(self.days)))}"
        return f"{start}-{end} {self.zone}{days}{' but holidays' if self.holidays else ''}"


@dataclass(frozen=True, slots=True)
class Row:
    """Rates and the conditions under which they hold; `above` is the number of input tokens that must be exceeded."""

    rates: Mapping[str, str]
    when: Mapping[str, frozenset[str]] = field(default_factory=dict)
    start: datetime | None = None
    end: datetime | None = None
    window: Window | None = None
    above: int = NO_THRESHOLD

    def holds(self, at: datetime, input_tokens: int, words: Mapping[str, str]) -> bool:
        """Whether this row applies to a request at the time `at` with these input tokens and condition words."""
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
        """A description of the conditions; "standard" if there are none."""
        conditions = [f"{word} {'|'.join(sorted(values))}" for word, values in self.when.items() if ANY not in values]
        conditions += [f"from {self.start:%Y-%m-%d}"] if self.start else []
        conditions += [f"to {self.end:%Y-%m-%d}"] if self.end else []
        conditions += [str(self.window)] if self.window else []
        conditions += [f"above {self.above:,} input tokens"] if self.above != NO_THRESHOLD else []
        return ", ".join(conditions) or "standard"


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices of one model.

    `undivided` is the unit of output tokens that the provider did not break down ("output_image" for an image model).
    `alike` are kinds of tokens (`OWN_RATE`) that have the rate of the whole, as their maker states.
    `defaults` are the API's default values of condition words (quality, size). `minimum` and `maximum` bound the quantity of a
    unit that is charged per request. `regions` are the regions in which rows without a region hold.
    """

    rows: tuple[Row, ...]
    undivided: str | None = None
    alike: frozenset[str] = frozenset()
    defaults: Mapping[str, str] = field(default_factory=dict)
    minimum: Mapping[str, int] = field(default_factory=dict)
    maximum: Mapping[str, int] = field(default_factory=dict)
    regions: frozenset[str] = frozenset({"global"})

    @property
    def timed(self) -> bool:
        """Whether a price depends on the time of the request."""
        return any(row.start or row.end or row.window for row in self.rows)

    def extended(self, rows: Sequence[Row]) -> PriceList:
        """A copy with further rows, which win over the others."""
        return replace(self, rows=(*self.rows, *rows))


def parse_prices(raw: Mapping[str, Any], holidays: Holidays | None = None) -> PriceList:
    """A price list from its catalog form: `{rows[], undivided?, alike?[], defaults?, minimum?, maximum?, regions?}`.

    Args:
        raw: the catalog entry of one model.
        holidays: the catalog's lists of dates, by name.

    Raises:
        CatalogError: the form is not that of a price list.
    """
    try:
        rows = tuple(parse_row(row, holidays) for row in raw["rows"])
        limits = {key: dict(raw.get(key, {})) for key in ("defaults", "minimum", "maximum")}
        undivided = raw.get("undivided")
        if unknown := {name for key in ("minimum", "maximum") for name in limits[key] if not _limitable(name)}:
            raise CatalogError(f"these units cannot have a minimum or maximum: {', '.join(sorted(unknown))}")
        if undivided is not None and UNITS[undivided].parents != ("output",):
            raise CatalogError(f"`undivided` must be a kind of output, not {undivided!r}")
        alike = frozenset(raw.get("alike", ()))
        if not alike <= set(OWN_RATE):
            raise CatalogError(f"`alike` must list kinds of tokens with a rate of their own, not {', '.join(sorted(alike))}")
        return PriceList(rows, undivided, alike, **limits, regions=frozenset(raw.get("regions", ("global",))))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise error if isinstance(error, CatalogError) else CatalogError(f"not a valid price list: {error!r}") from error


def _limitable(name: str) -> bool:
    """Whether a unit may have a minimum or maximum: not tokens and pages, whose counts include one another."""
    return name in UNITS and name not in {"input", "output", "pages"} and not UNITS[name].parents


def parse_row(raw: Mapping[str, Any], holidays: Holidays | None = None) -> Row:
    """One row from its catalog form.

    Raises:
        CatalogError: a unit, condition, time zone or list of holidays is unknown, or a value is out of range.
        KeyError, TypeError, ValueError: the form is wrong.
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
"""The keys of a row: conditions, rates and their origin. Other keys are errors, since ignoring a condition would be wrong."""


def _values(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset({value.casefold()})
    if not _texts(value):
        raise CatalogError(f"the value of a condition word must be a string or a list of strings, not {value!r}")
    return frozenset(text.casefold() for text in value)


def _texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def moment_of(text: str | None) -> datetime | None:
    """The UTC datetime of a date or time in ISO 8601; UTC if it states no zone.

    Raises:
        ValueError: the text is neither.
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
        raise CatalogError(f"a weekday must be a number from 1 to 7: {sorted(days)}")
    free = raw.get("holidays", ())
    if isinstance(free, str) and free not in holidays:
        raise CatalogError(f"the catalog has no list of holidays named {free!r}")
    dates = holidays[free] if isinstance(free, str) else free
    return Window(start, end, days, zone_of(raw.get("tz", "UTC")), frozenset(date.fromisoformat(text) for text in dates))


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name.

    Raises:
        CatalogError: the name is unknown, or this system has no time zone data.
    """
    if name.upper() in ("UTC", "Z", "ETC/UTC"):
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError) as error:
        raise CatalogError(f"no time zone {name!r}; a system without time zone data needs `pip install tzdata`") from error


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    total = int(hours) * 60 + int(minutes)
    if not 0 <= total <= MINUTES_PER_DAY or not 0 <= int(minutes) < 60:
        raise CatalogError(f"not a time of day: {text!r}")
    return total


def _threshold(raw: Mapping[str, Any] | None) -> int:
    if raw is None:
        return NO_THRESHOLD
    limit, comparison = int(raw["input"]), raw.get("op", ">")
    if comparison not in (">", ">="):
        raise CatalogError(f"the comparison of an input threshold must be > or >=, not {comparison!r}")
    return limit if comparison == ">" else limit - 1
