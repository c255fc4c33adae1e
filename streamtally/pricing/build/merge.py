"""Puts LiteLLM's entries over the base: what the base lacks is added, where both speak the base stands for now.

What each said is handed on; `settle` decides where they differ.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from ..units import rated_as
from .sheets import (
    Condition,
    Entry,
    Models,
    Rates,
    RawModel,
    RawRow,
    Sheets,
    changed_after,
    changed_before,
    condition_of,
    copied,
    differ,
    index,
    is_token,
    ordered,
    standing,
    times,
)  # fmt: skip

GEOGRAPHIES = frozenset({"us", "eu", "apac", "jp", "au", "in"})
"""Bedrock's inference profiles that all have the regional price."""

APART = frozenset({"global", "us-gov"})
"""Regions that have prices of their own, or none that is known."""

_DATE = re.compile(r"[-@]20\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])$")
_BEDROCK = re.compile(r"[a-z0-9-]+\.[a-z]")
_VERSION = re.compile(r"(?:-v1)?(?::\d+)?$")


Voices = dict[tuple[str, Condition, str], Rates]
"""What each source says of a rate today: by model, condition and unit, then by source."""


def plain(name: str) -> str:
    """A name without the version that Bedrock and Vertex append: `-v1:0`, `:0`, `@default`; a second version stays."""
    low = name.casefold().removesuffix("@default").removesuffix("@latest")
    return _VERSION.sub("", low) if _BEDROCK.match(low) else low


def dateless(name: str) -> str:
    """A name without the date of a snapshot."""
    return _DATE.sub("", plain(name))


class Names:
    """The names of one provider's models, and the spellings under which another source may know them."""

    def __init__(self, models: Models) -> None:
        self._exact = index(models)
        self._plain: dict[str, str] = {}
        self._undated: dict[str, set[str]] = defaultdict(set)
        for name, model in self._exact.items():
            self._plain.setdefault(plain(name), model)
            self._undated[dateless(name)].add(model)

    def find(self, name: str) -> str | None:
        """The model that `name` means; a date is only dropped where that leaves one model."""
        low = name.casefold()
        undated = self._undated.get(dateless(low), set())
        return self._exact.get(low) or self._plain.get(plain(low)) or (next(iter(undated)) if len(undated) == 1 else None)


def grouped(models: Models, entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The entries of one provider by the model that they are of; what the base does not know is a model by itself."""
    names = Names(models)
    groups: dict[str, list[Entry]] = defaultdict(list)
    news: list[Entry] = []
    for entry in entries:
        target = names.find(entry.name)
        if target is None:
            news.append(entry)
        else:
            groups[target].append(entry)
    for entry in sorted(news, key=lambda item: (len(plain(item.name)), item.name, item.key)):
        names = Names({target: {} for target in groups if target not in models})
        groups[names.find(entry.name) or entry.name.casefold()].append(entry)
    return groups


def contradicts(one: Sheets, other: Sheets) -> bool:
    """Whether two entries state different rates for the same."""
    shared = ((rates, other[condition]) for condition, rates in one.items() if condition in other)
    return any(differ(rates[unit], theirs[unit]) for rates, theirs in shared for unit in rates.keys() & theirs.keys())


def united(entries: Iterable[Entry]) -> Sheets:
    """What entries of one model say together; the first that says something wins."""
    sheets: Sheets = {}
    for entry in entries:
        for condition, rates in entry.sheets.items():
            held = sheets.setdefault(condition, {})
            sheets[condition] = {**rates, **held}
    return sheets


def regional(sheets: Sheets) -> Sheets:
    """Bedrock's rates with the price of its regions as base: what all geographies say has no word of region.

    A bare entry beside regional ones is left out: the map gives it the price of the global endpoint.
    """
    places = {condition.region for condition in sheets} & GEOGRAPHIES
    if not places:
        return sheets
    base: Sheets = {}
    for condition in {found._replace(region="") for found in sheets}:
        stated = [sheets[found] for place in sorted(places) if (found := condition._replace(region=place)) in sheets]
        units = {unit for rates in stated for unit in rates}
        agreed = {unit: {rates[unit] for rates in stated if unit in rates} for unit in units}
        base[condition] = {unit: next(iter(texts)) for unit, texts in sorted(agreed.items()) if len(texts) == 1}
    return {**{condition: rates for condition, rates in sheets.items() if condition.region}, **base}


def distinct(sheets: Sheets) -> Sheets:
    """The sheets without what a region only repeats of the base; where that is never a matter of course it is said."""
    kept: Sheets = {}
    for condition, rates in sheets.items():
        base = sheets.get(condition._replace(region=""), {}) if condition.region and condition.region not in APART else {}
        if own := {unit: text for unit, text in rates.items() if base.get(unit) != text}:
            kept[condition] = own
    return kept


def simple(sheets: Sheets) -> Sheets:
    """The sheets without what only repeats: a part at the rate of the whole, a part that only a long context has.

    The map often gives a part the rate of the whole, and then, for a tier, the rate of the whole alone. Kept, the part
    would have the standard rate in every tier.
    """
    units = {unit for rates in sheets.values() for unit in rates}
    stated = {unit: [rates for rates in sheets.values() if unit in rates] for unit in units}
    idle = {unit for unit, found in stated.items() if all(_repeats(unit, rates) for rates in found)}
    stray = {unit for unit in units if all(condition.above for condition, rates in sheets.items() if unit in rates)}
    return {
        condition: {unit: text for unit, text in rates.items() if unit not in idle | stray} for condition, rates in sheets.items()
    }


def _repeats(unit: str, rates: Rates) -> bool:
    whole = rated_as(unit, rates.keys() - {unit})
    return whole is not None and rates[whole] == rates[unit]


def merge(models: Models, entries: Iterable[Entry], day: str) -> tuple[Models, Voices]:
    """One provider's models with LiteLLM's entries put in, and what either says of every rate.

    Args:
        models: the models of the base.
        entries: LiteLLM's entries for the same provider.
        day: the day for which both are read.
    """
    known = index(models)
    found = {name: {**model, "rows": copied(model["rows"]), "source": "genai-prices"} for name, model in models.items()}
    voices: Voices = {}
    for name, model in found.items():
        _hear(voices, "genai-prices", name, _sheets(model, day))
    for target, group in sorted(grouped(models, entries).items()):
        for name, members in split(target, group, frozenset(known)):
            sheets = united(_own(name, members))
            sheets = distinct(regional(sheets) if members[0].provider == "aws" else sheets)
            _hear(voices, "litellm", name, sheets)
            both = name in models and bool(found[name]["rows"])
            model = found.setdefault(name, {"rows": []})
            model["source"] = "genai-prices, litellm" if both else "litellm"
            if _named(name, members) or not contradicts(sheets, _sheets(model, day)):
                add(model, simple(sheets), day)
            model["rows"] += elsewhere(model["rows"], next((entry.factors for entry in members if entry.factors), {}))
            _alias(found, name, members)
    for model in found.values():
        model["rows"] = ordered(model["rows"])
    return found, voices


def _own(name: str, members: list[Entry]) -> list[Entry]:
    """The entries under a model's own name, dated or not; where there are none, those under its other names."""
    return _named(name, members) or members


def _named(name: str, members: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in members if dateless(entry.name) == dateless(name)]


def _sheets(model: RawModel, day: str) -> Sheets:
    return {condition: row["rates"] for condition, row in standing(model["rows"], day).items()}


def _hear(voices: Voices, source: str, name: str, sheets: Mapping[Condition, Rates]) -> None:
    for condition, rates in sheets.items():
        for unit, text in rates.items():
            voices.setdefault((name, condition, unit), {})[source] = text


def split(target: str, group: list[Entry], known: frozenset[str]) -> Iterator[tuple[str, list[Entry]]]:
    """The entries of a model; one that contradicts the others is a model of its own.

    Not under a name of which the base itself says that it is the model's.
    """
    group = sorted(group, key=lambda entry: _rank(entry, target))
    first = united(entry for entry in group if plain(entry.name) == plain(group[0].name))
    others = (entry for entry in group if plain(entry.name) != plain(target) and entry.name.casefold() not in known)
    own = {plain(entry.name) for entry in others if contradicts(entry.sheets, first)}
    yield target, [entry for entry in group if plain(entry.name) not in own]
    for name in sorted(own):
        yield name, [entry for entry in group if plain(entry.name) == name]


def _rank(entry: Entry, target: str) -> tuple[bool, bool, int, str]:
    return plain(entry.name) != plain(target), "vertex_ai" in entry.key, len(entry.name), entry.key


def add(model: RawModel, sheets: Sheets, day: str) -> None:
    """Add to a model what it lacks on a day.

    Where the base knows that the model's rates were others before, or will be, what is added of tokens holds for the
    present ones only. Fees for tools go on.
    """
    rows: list[RawRow] = model["rows"]
    start, end = changed_before(rows, day), changed_after(rows, day)
    for condition, rates in sorted(sheets.items()):
        held = standing(rows, day)
        lacking = {unit: text for unit, text in rates.items() if not _said(unit, text, condition, held)}
        if condition in held:
            _fill(rows, held[condition], {unit: text for unit, text in lacking.items() if unit not in held[condition]["rates"]})
        elif lacking:
            rows.append(condition.row(lacking, **{"from": start, "to": end}))


def elsewhere(rows: Iterable[RawRow], factors: Mapping[str, Decimal]) -> list[RawRow]:
    """The rows of regions whose price the source gives as a factor: of every row without one, at all times."""
    found = []
    for region, factor in sorted(factors.items()):
        for row in rows:
            condition = condition_of(row)
            if not condition.region and (rates := times(row["rates"], factor)):
                found.append({**row, "when": {**condition.when, "region": region}, "rates": rates})
    return found


def _fill(rows: Iterable[RawRow], row: RawRow, lacking: Rates) -> None:
    row["rates"] = {**row["rates"], **lacking}
    fees = {unit: text for unit, text in lacking.items() if not is_token(unit)}
    later = (other for other in rows if other.get("from", "") > row.get("from", "") and condition_of(other) == condition_of(row))
    for other in later if fees else ():
        other["rates"] = {**fees, **other["rates"]}


def _said(unit: str, text: str, condition: Condition, held: Mapping[Condition, RawRow]) -> bool:
    """Whether a rate of a tier or region is what holds there anyhow, because the general row already says it."""
    if not (condition.tier or condition.region) or (condition in held and unit in held[condition]["rates"]):
        return False
    general = held.get(Condition(words=condition.words, above=condition.above))
    return general is not None and general["rates"].get(unit) == text


def _alias(models: Models, name: str, members: Iterable[Entry]) -> None:
    """The names of the entries as further names of the model."""
    taken = {other.casefold() for other in models}
    spelled = {entry.name.casefold() for entry in members}
    names = {*models[name].get("aliases", ()), *spelled} - taken
    if names:
        models[name]["aliases"] = sorted(names)
