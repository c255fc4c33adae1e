"""The form that all sources are brought into: rates by condition.

A catalog row is a condition (words, context length, dates, hours) and rates. Sources other than the base have no dates,
so theirs are plain sheets: one set of rates per condition.
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

FIRST_PARTIES = (
    "openai", "anthropic", "google", "mistral", "deepseek", "x-ai", "cohere", "moonshotai", "minimax", "zai",
    "perplexity", "voyageai", "elevenlabs", "meta", "alibaba",
)  # fmt: skip
"""Makers of models: theirs are the prices that are checked against every source."""


class Condition(NamedTuple):
    """Where rates hold, but for dates and hours: tier, region, other words (quality, size, search), context length.

    `above` is a number of input tokens that is passed strictly: "200,000 or more" is above 199,999.
    """

    tier: str = ""
    region: str = ""
    words: tuple[tuple[str, str], ...] = ()
    above: int = 0

    @property
    def when(self) -> dict[str, str]:
        """The words of a row."""
        named = {"tier": self.tier, "region": self.region}
        return {**{key: word for key, word in named.items() if word}, **dict(self.words)}

    def row(self, rates: Rates, **dates: str | None) -> RawRow:
        """A catalog row under this condition."""
        above: dict[str, Any] | None = {"input": self.above} if self.above else None
        if self.above % 1000 == 999:
            above = {"input": self.above + 1, "op": ">="}
        held: dict[str, Any] = {**dates, "when": self.when, "above": above}
        return {**{key: value for key, value in held.items() if value}, "rates": rates}


Sheets = dict[Condition, Rates]
STANDARD = Condition()


@dataclass(frozen=True, slots=True)
class Entry:
    """What a source without dates says of one model. `key` is the source's own name of it.

    `factors` are by region what the rates of tokens are multiplied with there.
    """

    provider: str
    name: str
    key: str
    sheets: Sheets
    factors: Mapping[str, Decimal] = field(default_factory=dict)


def copied(rows: Iterable[RawRow]) -> list[RawRow]:
    """The same rows, to be changed."""
    return [{**row, "rates": dict(row["rates"])} for row in rows]


def condition_of(row: RawRow) -> Condition:
    """The condition of a catalog row, its dates and hours apart."""
    words = {word: value if isinstance(value, str) else "|".join(value) for word, value in row.get("when", {}).items()}
    above = row.get("above") or {"input": 0}
    limit = above["input"] - (above.get("op") == ">=")
    return Condition(words.pop("tier", ""), words.pop("region", ""), tuple(sorted(words.items())), limit)


def standing(rows: Iterable[RawRow], day: str) -> dict[Condition, RawRow]:
    """The rows that hold on a day, at every hour, by condition; of several the last, which wins."""
    return {condition_of(row): row for row in rows if row.get("from", "") <= day < row.get("to", "9999") and "window" not in row}


def changed_before(rows: Iterable[RawRow], day: str) -> str | None:
    """The last day until `day` on which standard rates were replaced by others; None where they always were the same."""
    return max((row["to"] for row in rows if row.get("to", "9999") <= day and "when" not in row), default=None)


def changed_after(rows: Iterable[RawRow], day: str) -> str | None:
    """The first day after `day` on which other rates are known to begin."""
    return min((row["from"] for row in rows if row.get("from", "") > day), default=None)


def ordered(rows: Iterable[RawRow]) -> list[RawRow]:
    """Rows in the order in which later ones may win: what is special comes after what is general.

    A region's standard rates come before a tier's, so that a tier without a row for the region keeps the tier's price
    and never falls back to the standard one.
    """

    def rank(row: RawRow) -> tuple[bool, bool, int, bool, int]:
        condition = condition_of(row)
        return bool(condition.tier), bool(condition.region), len(condition.words), "window" in row, condition.above

    return sorted(rows, key=rank)


def placed(rows: Iterable[RawRow]) -> list[RawRow]:
    """Rows, in their order, of which those that differ only in their region are one, with a list of regions."""
    found: list[RawRow] = []
    for row in rows:
        other = _joinable(found, row)
        if other is None:
            found.append({**row, "when": dict(row["when"])} if "when" in row else row)
        else:
            other["when"]["region"] = sorted({*_listed(other), *_listed(row)})
    return found


def _joinable(found: list[RawRow], row: RawRow) -> RawRow | None:
    """The row that may take another's regions in: no row after it holds in one of them."""
    for held in reversed(found):
        if _alike(held, row):
            return held
        if {*_listed(held)} & {*_listed(row)}:
            return None
    return None


def _listed(row: RawRow) -> list[str]:
    region = row.get("when", {}).get("region", [])
    return [region] if isinstance(region, str) else region


def _alike(one: RawRow, other: RawRow) -> bool:
    return bool(_listed(one) and _listed(other)) and _placeless(one) == _placeless(other)


def _placeless(row: RawRow) -> RawRow:
    return {**row, "when": {word: value for word, value in row["when"].items() if word != "region"}}


def text_of(amount: Decimal) -> str:
    """A rate as decimal text; float noise beyond nine decimals is rounded away.

    >>> text_of(Decimal("0.13999999999999999"))
    '0.14'
    """
    return format(round(amount, 9).normalize(), "f")


def times(rates: Mapping[str, str], factor: Decimal) -> Rates:
    """The rates of tokens times a factor that the source publishes instead of rates; fees for tools stay as they are."""
    return {unit: text_of(Decimal(text) * factor) for unit, text in rates.items() if is_token(unit)}


def is_token(unit: str) -> bool:
    """Whether a unit is a part of the input or the output."""
    return UNITS[unit].per == PER_TOKEN and root_of(unit) in ("input", "output")


def differ(one: str, other: str) -> bool:
    """Whether two rates differ by more than a thousandth."""
    a, b = Decimal(one), Decimal(other)
    return abs(a - b) > max(a, b) / 1000


def pairs(models: Mapping[str, RawModel]) -> Iterator[tuple[str, str]]:
    """Every name of every model, case-folded, with the model: ids first."""
    for name in models:
        yield name.casefold(), name
    for name, model in models.items():
        for alias in model.get("aliases", ()):
            yield alias.casefold(), name


def index(models: Mapping[str, RawModel]) -> dict[str, str]:
    """The model that each case-folded name means; ids before aliases."""
    found: dict[str, str] = {}
    for name, model in pairs(models):
        found.setdefault(name, model)
    return found
