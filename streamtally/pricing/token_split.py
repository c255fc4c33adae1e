"""Splits the inclusive counts of a usage into exclusive ones, so that each token is priced exactly once.

Counts of tokens (and pages) include one another: cached input is input, cached audio is both cached input and audio. The
split assigns every token to the narrowest unit that describes it, so that a price is a plain sum. Parts that exceed their
container are cut, and the usage is reported as inconsistent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from .units import UNITS, root_of

Count = int | Decimal
Fields = Mapping[str, Any]
"""The fields of a `Usage` by name."""

FAMILIES = frozenset({"input", "output", "pages"})
"""The root units whose counts include other units."""

MEASURES = tuple(name for name, unit in UNITS.items() if unit.field and not unit.parents and name not in FAMILIES)
"""The units that neither contain nor are part of another unit."""

SEARCHES = ("grounded_queries", "grounded_prompts", "web_searches")
"""Three units for the same searches; a model's price list uses one of them."""

_KINDS = ("text", "audio", "image", "video")
OUTPUT_KINDS = tuple(f"{kind}_output_tokens" for kind in _KINDS)
PARTS_OF: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "input": (("cache_read_tokens", "cache_write_tokens"), tuple(f"{kind}_input_tokens" for kind in _KINDS)),
    "output": (OUTPUT_KINDS, ("reasoning_tokens",)),
    "pages": (("annotated_pages",),),
    "cache_read": (("cache_read_audio_tokens", "cache_read_image_tokens", "cache_read_video_tokens"),),
    "cache_write": (("cache_write_1h_tokens", "cache_write_12h_tokens", "cache_write_audio_tokens"),),
    "input_audio": (("cache_read_audio_tokens", "cache_write_audio_tokens"),),
    "input_image": (("cache_read_image_tokens",),),
    "input_video": (("cache_read_video_tokens",),),
}
"""By unit, groups of disjoint parts. A missing count is at least the largest sum of a group of its reported parts."""


class Step(NamedTuple):
    """One unit of a split; `container` is the index of the step whose count it is subtracted from, or -1.

    `shared` are the indices of steps that this unit's count also includes, but that are subtracted from another container:
    cached audio is part of the audio, but is subtracted from the cached tokens.
    """

    unit: str
    field: str
    container: int
    shared: tuple[int, ...]


def _order() -> Iterator[str]:
    """All units of the families, ordered so that containers come first; units with two parents come before their first parent."""
    tokens = [name for name in UNITS if root_of(name) in FAMILIES]
    caches = [name for name in tokens if name in ("cache_read", "cache_write")]
    joint = [name for name in tokens if len(UNITS[name].parents) > 1]
    first = [name for name in tokens if name in FAMILIES] + caches + joint
    yield from first
    yield from (name for name in tokens if name not in first)


ORDER = tuple(_order())


def steps_of(units: Sequence[str]) -> tuple[Step, ...]:
    """The steps that split `units` and the units that contain them."""
    wanted = {container for unit in units for container in _containers(unit)}
    places = {unit: place for place, unit in enumerate(name for name in ORDER if name in wanted)}
    return tuple(
        Step(
            unit,
            UNITS[unit].field,
            places[UNITS[unit].parents[-1]] if UNITS[unit].parents else -1,
            tuple(place for other, place in places.items() if unit in UNITS[other].parents[:-1]),
        )
        for unit in places
    )


def _containers(unit: str) -> Iterator[str]:
    yield unit
    while parents := UNITS[unit].parents:
        unit = parents[-1]
        yield unit


def split_tokens(steps: Sequence[Step], fields: Fields) -> tuple[list[int], bool]:
    """The exclusive count of each step's unit, and whether the reported counts were consistent."""
    counts: list[int] = []
    consistent = True
    for unit, name, container, shared in steps:
        count = fields[name]
        if count is None:
            count = implied_count(unit, fields)
        if shared:
            count -= sum([counts[place] for place in shared])
        if count < 0:
            count, consistent = 0, False
        if container >= 0:
            space = counts[container] - count
            if space < 0:
                count, space, consistent = count + space, 0, False
            counts[container] = space
        counts.append(count)
    return counts, consistent


CompiledSplit = Callable[[Fields, Sequence[int]], "tuple[tuple[int, ...], int] | None"]
"""Returns the exclusive counts and the sum of counts times rates; None if the counts are inconsistent."""


@lru_cache(maxsize=512)
def compiled_split(steps: tuple[Step, ...], reported: frozenset[str]) -> CompiledSplit:
    """`split_tokens` for consistent counts, generated as a function without loops, which takes a third of the time.

    Args:
        steps: as for `split_tokens`.
        reported: the fields that may have a count; all others are None.

    For input, cached input and output it reads:

        def settled(fields, rates):
            n0 = fields['input_tokens']
            if n0 is None: n0 = implied('input', fields)
            n1 = fields['cache_read_tokens']
            if n1 is None: n1 = 0
            n0 -= n1
            n2 = …
            if n0 < 0 or n1 < 0 or n2 < 0: return None
            r0, r1, r2 = rates
            return (n0, n1, n2), n0 * r0 + n1 * r1 + n2 * r2
    """
    if not steps:
        return lambda _fields, _rates: ((), 0)
    lines = ["def settled(fields, rates):"]
    for place, (unit, name, container, shared) in enumerate(steps):
        least = f"implied({unit!r}, fields)" if _implied_from(unit) & reported else "0"
        lines += [f"n{place} = fields[{name!r}]", f"if n{place} is None: n{place} = {least}"]
        lines += [f"n{place} -= n{other}" for other in shared]
        lines += [f"n{container} -= n{place}"] if container >= 0 else []
    counts, rates = ([f"{letter}{place}" for place in range(len(steps))] for letter in "nr")
    lines += ["if " + " or ".join(f"{count} < 0" for count in counts) + ": return None"]
    lines += [f"{', '.join(rates)}, = rates"]
    lines += [
        f"return ({', '.join(counts)},), " + " + ".join(f"{count} * {rate}" for count, rate in zip(counts, rates, strict=True))
    ]
    names: dict[str, Any] = {"implied": implied_count}
    exec("\n    ".join(lines), names)
    settled: CompiledSplit = names["settled"]
    return settled


def implied_count(unit: str, fields: Fields) -> int:
    """The minimum of an unreported count, from its reported parts."""
    return max((sum([_count_or_implied(name, fields) for name in names]) for names in PARTS_OF.get(unit, ())), default=0)


def _count_or_implied(name: str, fields: Fields) -> int:
    count = fields[name]
    return implied_count(_COUNTED.get(name, ""), fields) if count is None else max(count, 0)


def _implied_from(unit: str) -> set[str]:
    """The fields that `implied_count` reads for a unit."""
    names = {name for group in PARTS_OF.get(unit, ()) for name in group}
    return names.union(*(_implied_from(_COUNTED[name]) for name in names if name in _COUNTED))


_COUNTED = {UNITS[unit].field: unit for unit in PARTS_OF}


def input_tokens(fields: Fields) -> int:
    """The input tokens of a request, or their minimum if they are not reported."""
    count: int | None = fields["input_tokens"]
    return implied_count("input", fields) if count is None else count


def has_unnamed_tokens(fields: Fields) -> bool:
    """Whether the total exceeds what is reported of input and output: the provider counted tokens that it does not name."""
    total = fields["total_tokens"]
    if total is None:
        return False
    output = fields["output_tokens"]
    output = implied_count("output", fields) if output is None else output
    return bool(total > input_tokens(fields) + output + (fields["citation_tokens"] or 0))


def quantity_of(unit: str, fields: Fields) -> Count:
    """The quantity of a standalone unit; 0 if it is not reported."""
    count = fields[UNITS[unit].field]
    if count is None and unit in SEARCHES:
        return _searches(unit, fields)
    if type(count) is float:
        return exact_number(count)
    return max(count or 0, 0)


def _searches(unit: str, fields: Fields) -> int:
    """Searches in one unit, from whichever of the three units was reported: a search is a query, and all belong to one prompt."""
    counts = (fields["grounded_queries"], fields["searches"], fields["grounded_prompts"])
    known = max(next((count for count in counts if count is not None), 0), 0)
    return min(known, 1) if unit == "grounded_prompts" else known


def exact_number(count: float) -> Count:
    """A float as the exact value of its decimal representation; 0 if it is not finite and positive."""
    if not math.isfinite(count) or count <= 0:
        return 0
    return int(count) if count == int(count) else Decimal(repr(count))


def all_valid(units: Sequence[str], fields: Fields) -> bool:
    """Whether the counts of these units are finite and not negative."""
    counts = [fields[UNITS[unit].field] for unit in units]
    return all(count is None or 0 <= count < math.inf for count in counts)
