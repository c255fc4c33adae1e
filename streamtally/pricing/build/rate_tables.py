"""The common form of all sources: rates by condition.

A catalog row consists of conditions (words, context length, dates, hours) and rates. Sources other than the base have no dates,
so their data are rate tables: one set of rates per condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from ..units import UNITS, root_of

PER_TOKEN = 1_000_000

Rates = dict[str, str]
RawRow = dict[str, Any]
RawModel = dict[str, Any]
Models = dict[str, RawModel]


class Condition(NamedTuple):
    """The conditions of rates without dates and hours: tier, region, other words (quality, size, search), context length.

    `above` is the number of input tokens that must be exceeded: "200,000 or more" is above 199,999.
    """

    tier: str = ""
    region: str = ""
    words: tuple[tuple[str, str], ...] = ()
    above: int = 0

    @property
    def when(self) -> dict[str, str]:
        """The condition words of a catalog row."""
        named = {"tier": self.tier, "region": self.region}
        return {**{key: word for key, word in named.items() if word}, **dict(self.words)}

    def row(self, rates: Rates, **dates: str | None) -> RawRow:
        """A catalog row with this condition, these dates (`from`, `to`) and rates."""
        above: dict[str, Any] | None = {"input": self.above} if self.above else None
        if self.above % 1000 == 999:
            above = {"input": self.above + 1, "op": ">="}
        held: dict[str, Any] = {**dates, "when": self.when, "above": above}
        return {**{key: value for key, value in held.items() if value}, "rates": rates}


RateTable = dict[Condition, Rates]
STANDARD = Condition()


@dataclass(frozen=True, slots=True)
class Entry:
    """The rates of one model in a source without dates; `key` is the source's name of the model.

    `factors` are, by region, the factors for token rates in that region.
    """

    provider: str
    name: str
    key: str
    table: RateTable
    factors: Mapping[str, Decimal] = field(default_factory=dict)


def copy_rows(rows: Iterable[RawRow]) -> list[RawRow]:
    """Copies of the rows that may be modified."""
    return [{**row, "rates": dict(row["rates"])} for row in rows]


def condition_of(row: RawRow) -> Condition:
    """The condition of a catalog row, without its dates and hours."""
    words = {word: value if isinstance(value, str) else "|".join(value) for word, value in row.get("when", {}).items()}
    above = row.get("above") or {"input": 0}
    limit = above["input"] - (above.get("op") == ">=")
    return Condition(words.pop("tier", ""), words.pop("region", ""), tuple(sorted(words.items())), limit)


def current_rows(rows: Iterable[RawRow], day: str) -> dict[Condition, RawRow]:
    """The rows that hold on a day at every hour, by condition; of several rows the last, which wins."""
    return {condition_of(row): row for row in rows if row.get("from", "") <= day < row.get("to", "9999") and "window" not in row}


def changed_before(rows: Iterable[RawRow], day: str) -> str | None:
    """The last date up to `day` on which standard rates changed; None if they never did."""
    return max((row["to"] for row in rows if row.get("to", "9999") <= day and "when" not in row), default=None)


def changed_after(rows: Iterable[RawRow], day: str) -> str | None:
    """The first date after `day` on which rates will change; None if no change is known."""
    return min((row["from"] for row in rows if row.get("from", "") > day), default=None)


def ordered(rows: Iterable[RawRow]) -> list[RawRow]:
    """Rows sorted so that specific ones come after general ones, because later rows win.

    A region's standard rates come before a tier's, so that a tier without a row for the region has the tier's price and not the
    region's standard price.
    """

    def rank(row: RawRow) -> tuple[bool, bool, int, bool, int]:
        condition = condition_of(row)
        return bool(condition.tier), bool(condition.region), len(condition.words), "window" in row, condition.above

    return sorted(rows, key=rank)


def join_regions(rows: Iterable[RawRow]) -> list[RawRow]:
    """The rows in their order, with rows that differ only in their region joined to one with a list of regions."""
    found: list[RawRow] = []
    for row in rows:
        other = _joinable_row(found, row)
        if other is None:
            found.append({**row, "when": dict(row["when"])} if "when" in row else row)
        else:
            other["when"]["region"] = sorted({*_regions(other), *_regions(row)})
    return found


def _joinable_row(found: list[RawRow], row: RawRow) -> RawRow | None:
    """The row that the regions of another may be added to, or None: no row after it may hold in one of them."""
    for held in reversed(found):
        if _differ_in_region_only(held, row):
            return held
        if {*_regions(held)} & {*_regions(row)}:
            return None
    return None


def _regions(row: RawRow) -> list[str]:
    region = row.get("when", {}).get("region", [])
    return [region] if isinstance(region, str) else region


def _differ_in_region_only(one: RawRow, other: RawRow) -> bool:
    return bool(_regions(one) and _regions(other)) and _without_region(one) == _without_region(other)


def _without_region(row: RawRow) -> RawRow:
    return {**row, "when": {word: value for word, value in row["when"].items() if word != "region"}}


def rate_text(amount: Decimal) -> str:
    """A rate as decimal text, rounded to nine decimals to remove float noise.

    >>> text_of(Decimal("0.13999999999999999"))
    '0.14'
    """
    return format(round(amount, 9).normalize(), "f")


def scaled(rates: Mapping[str, str], factor: Decimal) -> Rates:
    """The token rates times a factor; the result has no other units, since factors do not apply to fees for tools."""
    return {unit: rate_text(Decimal(text) * factor) for unit, text in rates.items() if is_token(unit)}


def is_token(unit: str) -> bool:
    """Whether a unit counts input or output tokens."""
    return UNITS[unit].per == PER_TOKEN and root_of(unit) in ("input", "output")


def differ(one: str, other: str) -> bool:
    """Whether two rates differ by more than a thousandth."""
    a, b = Decimal(one), Decimal(other)
    return abs(a - b) > max(a, b) / 1000


def pairs(models: Mapping[str, RawModel]) -> Iterator[tuple[str, str]]:
    """Every name of every model, case-folded, with the model; ids before aliases."""
    for name in models:
        yield name.casefold(), name
    for name, model in models.items():
        for alias in model.get("aliases", ()):
            yield alias.casefold(), name


def index(models: Mapping[str, RawModel]) -> dict[str, str]:
    """The model of each case-folded name; ids win over aliases."""
    found: dict[str, str] = {}
    for name, model in pairs(models):
        found.setdefault(name, model)
    return found
