"""Merges LiteLLM's entries into the base: missing rates are added; where both have a rate the base's is kept.

The rates of both are returned as quotes, from which `resolve` picks where they differ.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from ..units import OWN_RATE, rated_as
from .rate_tables import (
    Condition,
    Entry,
    Models,
    Rates,
    RateTable,
    RawModel,
    RawRow,
    changed_after,
    changed_before,
    condition_of,
    copy_rows,
    current_rows,
    differ,
    index,
    is_token,
    ordered,
    scaled,
)  # fmt: skip

GEOGRAPHIES = frozenset({"us", "eu", "apac", "jp", "au", "in"})
"""The geographies of Bedrock's inference profiles that have the regional price."""

SEPARATE = frozenset({"global", "us-gov"})
"""Regions whose price is never inferred from another region's."""

_DATE = re.compile(r"[-@]20\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])$")
_BEDROCK = re.compile(r"[a-z0-9-]+\.[a-z]")
_VERSION = re.compile(r"(?:-v1)?(?::\d+)?$")


Quotes = dict[tuple[str, Condition, str], Rates]
"""The current rates of each source: by (model, condition, unit), then by source."""


def plain(name: str) -> str:
    """A case-folded name without the version suffix of Bedrock and Vertex: `-v1:0`, `:0`, `@default`; `-v2` stays."""
    low = name.casefold().removesuffix("@default").removesuffix("@latest")
    return _VERSION.sub("", low) if _BEDROCK.match(low) else low


def dateless(name: str) -> str:
    """A name without the date of a snapshot."""
    return _DATE.sub("", plain(name))


class Names:
    """The names of one provider's models, with the spellings that another source may use."""

    def __init__(self, models: Models) -> None:
        self._exact = index(models)
        self._plain: dict[str, str] = {}
        self._undated: dict[str, set[str]] = defaultdict(set)
        for name, model in self._exact.items():
            self._plain.setdefault(plain(name), model)
            self._undated[dateless(name)].add(model)

    def find(self, name: str) -> str | None:
        """The model that `name` means, or None; its date is only ignored if that leaves exactly one model."""
        low = name.casefold()
        undated = self._undated.get(dateless(low), set())
        return self._exact.get(low) or self._plain.get(plain(low)) or (next(iter(undated)) if len(undated) == 1 else None)


def grouped(models: Models, entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The entries of one provider, by model; entries that the base lacks become new models."""
    names = Names(models)
    groups: dict[str, list[Entry]] = defaultdict(list)
    unknown: list[Entry] = []
    for entry in entries:
        target = names.find(entry.name)
        if target is None:
            unknown.append(entry)
        else:
            groups[target].append(entry)
    for entry in sorted(unknown, key=lambda item: (len(plain(item.name)), item.name, item.key)):
        names = Names({target: {} for target in groups if target not in models})
        groups[names.find(entry.name) or entry.name.casefold()].append(entry)
    return groups


def contradicts(one: RateTable, other: RateTable) -> bool:
    """Whether two rate tables state different rates for a condition and unit."""
    shared = ((rates, other[condition]) for condition, rates in one.items() if condition in other)
    return any(differ(rates[unit], theirs[unit]) for rates, theirs in shared for unit in rates.keys() & theirs.keys())


def combine_tables(entries: Iterable[Entry]) -> RateTable:
    """The combined rate table of one model's entries; the first entry with a rate wins."""
    table: RateTable = {}
    for entry in entries:
        for condition, rates in entry.table.items():
            held = table.setdefault(condition, {})
            table[condition] = {**rates, **held}
    return table


def regional(table: RateTable) -> RateTable:
    """Bedrock's rate table with the regional price as base: rates that all geographies share have no region.

    Rates without a region are left out if there are regional ones, because the map lists the global price there.
    """
    places = {condition.region for condition in table} & GEOGRAPHIES
    if not places:
        return table
    base: RateTable = {}
    for condition in {found._replace(region="") for found in table}:
        stated = [table[found] for place in sorted(places) if (found := condition._replace(region=place)) in table]
        units = {unit for rates in stated for unit in rates}
        agreed = {unit: {rates[unit] for rates in stated if unit in rates} for unit in units}
        base[condition] = {unit: next(iter(texts)) for unit, texts in sorted(agreed.items()) if len(texts) == 1}
    return {**{condition: rates for condition, rates in table.items() if condition.region}, **base}


def drop_region_repeats(table: RateTable) -> RateTable:
    """The table without regional rates that equal the base's, except for regions whose price is never inferred."""
    kept: RateTable = {}
    for condition, rates in table.items():
        base = table.get(condition._replace(region=""), {}) if condition.region and condition.region not in SEPARATE else {}
        if different := {unit: text for unit, text in rates.items() if base.get(unit) != text}:
            kept[condition] = different
    return kept


def drop_redundant_parts(table: RateTable) -> RateTable:
    """The table without redundant parts: those at the rate of the whole, and those that only a long context has.

    The map often lists a part at the rate of the whole in the standard tier, but only the whole in other tiers. If the part were
    kept, it would have the standard rate in every tier.
    """
    units = {unit for rates in table.values() for unit in rates}
    idle = _idle(table)
    stray = {unit for unit in units if all(condition.above for condition, rates in table.items() if unit in rates)}
    return {
        condition: {unit: text for unit, text in rates.items() if unit not in idle | stray} for condition, rates in table.items()
    }


def _idle(table: RateTable) -> set[str]:
    """The parts that have the rate of the whole wherever they have one."""
    units = {unit for rates in table.values() for unit in rates}
    stated = {unit: [rates for rates in table.values() if unit in rates] for unit in units}
    return {unit for unit, found in stated.items() if all(_repeats(unit, rates) for rates in found)}


def _add_alike(model: RawModel, table: RateTable) -> None:
    """Keep which kinds of tokens have the rate of the whole, where that is all that a source states of them."""
    if alike := {*model.get("alike", ()), *(_idle(table) & set(OWN_RATE))}:
        model["alike"] = sorted(alike)


def _repeats(unit: str, rates: Rates) -> bool:
    whole = rated_as(unit, rates.keys() - {unit})
    return whole is not None and rates[whole] == rates[unit]


def merge(models: Models, entries: Iterable[Entry], day: str) -> tuple[Models, Quotes]:
    """One provider's models with LiteLLM's entries merged in, and the quotes of both sources.

    Args:
        models: the models of the base.
        entries: LiteLLM's entries of the same provider.
        day: the date for which both are read, as YYYY-MM-DD.
    """
    known = index(models)
    found = {name: {**model, "rows": copy_rows(model["rows"]), "source": "genai-prices"} for name, model in models.items()}
    quotes: Quotes = {}
    for name, model in found.items():
        _add_quotes(quotes, "genai-prices", name, _table(model, day))
    for target, group in sorted(grouped(models, entries).items()):
        for name, members in split(target, group, frozenset(known)):
            table = combine_tables(_named_or_all(name, members))
            table = drop_region_repeats(regional(table) if members[0].provider == "aws" else table)
            _add_quotes(quotes, "litellm", name, table)
            both = name in models and bool(found[name]["rows"])
            model = found.setdefault(name, {"rows": []})
            model["source"] = "genai-prices, litellm" if both else "litellm"
            if _named(name, members) or not contradicts(table, _table(model, day)):
                add(model, drop_redundant_parts(table), day)
                _add_alike(model, table)
            model["rows"] += factor_rows(model["rows"], next((entry.factors for entry in members if entry.factors), {}))
            _alias(found, name, members)
    for model in found.values():
        model["rows"] = ordered(model["rows"])
    return found, quotes


def _named_or_all(name: str, members: list[Entry]) -> list[Entry]:
    """The entries under a model's own name, dated or not; all entries if there are none."""
    return _named(name, members) or members


def _named(name: str, members: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in members if dateless(entry.name) == dateless(name)]


def _table(model: RawModel, day: str) -> RateTable:
    return {condition: row["rates"] for condition, row in current_rows(model["rows"], day).items()}


def _add_quotes(quotes: Quotes, source: str, name: str, table: Mapping[Condition, Rates]) -> None:
    for condition, rates in table.items():
        for unit, text in rates.items():
            quotes.setdefault((name, condition, unit), {})[source] = text


def split(target: str, group: list[Entry], known: frozenset[str]) -> Iterator[tuple[str, list[Entry]]]:
    """The entries of a model; an entry that contradicts the others becomes a model of its own, unless the base has its name."""
    group = sorted(group, key=lambda entry: _rank(entry, target))
    first = combine_tables(entry for entry in group if plain(entry.name) == plain(group[0].name))
    others = (entry for entry in group if plain(entry.name) != plain(target) and entry.name.casefold() not in known)
    separate = {plain(entry.name) for entry in others if contradicts(entry.table, first)}
    yield target, [entry for entry in group if plain(entry.name) not in separate]
    for name in sorted(separate):
        yield name, [entry for entry in group if plain(entry.name) == name]


def _rank(entry: Entry, target: str) -> tuple[bool, bool, int, str]:
    return plain(entry.name) != plain(target), "vertex_ai" in entry.key, len(entry.name), entry.key


def add(model: RawModel, table: RateTable, day: str) -> None:
    """Add the rates to a model that it lacks on a day.

    If the base has earlier or later rates of the model, added token rates hold for the current period only; fees for tools
    continue.
    """
    rows: list[RawRow] = model["rows"]
    start, end = changed_before(rows, day), changed_after(rows, day)
    for condition, rates in sorted(table.items()):
        held = current_rows(rows, day)
        missing = {unit: text for unit, text in rates.items() if not _is_implied(unit, text, condition, held)}
        if condition in held:
            _fill(rows, held[condition], {unit: text for unit, text in missing.items() if unit not in held[condition]["rates"]})
        elif missing:
            rows.append(condition.row(missing, **{"from": start, "to": end}))


def factor_rows(rows: Iterable[RawRow], factors: Mapping[str, Decimal]) -> list[RawRow]:
    """The rows of regions whose price the source states as a factor: one for every row without a region, with its dates."""
    found = []
    for region, factor in sorted(factors.items()):
        for row in rows:
            condition = condition_of(row)
            if not condition.region and (rates := scaled(row["rates"], factor)):
                found.append({**row, "when": {**condition.when, "region": region}, "rates": rates})
    return found


def _fill(rows: Iterable[RawRow], row: RawRow, missing: Rates) -> None:
    row["rates"] = {**row["rates"], **missing}
    fees = {unit: text for unit, text in missing.items() if not is_token(unit)}
    later = (other for other in rows if other.get("from", "") > row.get("from", "") and condition_of(other) == condition_of(row))
    for other in later if fees else ():
        other["rates"] = {**fees, **other["rates"]}


def _is_implied(unit: str, text: str, condition: Condition, held: Mapping[Condition, RawRow]) -> bool:
    """Whether a rate of a tier or region already follows from the general row."""
    if not (condition.tier or condition.region) or (condition in held and unit in held[condition]["rates"]):
        return False
    general = held.get(Condition(words=condition.words, above=condition.above))
    return general is not None and general["rates"].get(unit) == text


def _alias(models: Models, name: str, members: Iterable[Entry]) -> None:
    """Add the names of the entries to the aliases of the model, unless they are models."""
    taken = {other.casefold() for other in models}
    spelled = {entry.name.casefold() for entry in members}
    names = {*models[name].get("aliases", ()), *spelled} - taken
    if names:
        models[name]["aliases"] = sorted(names)
