"""How much was used of each unit: inclusive counts, made consistent with one another, and split so that nothing overlaps.

Tokens (and pages) contain one another: cached input is input, cached audio is both cached and audio. Here every token
falls to exactly one unit, that of its narrowest description, so that a price can be a plain sum. Where parts exceed
what contains them they are cut, and the usage is called inconsistent.
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
"""The units that have parts."""

MEASURES = tuple(name for name, unit in UNITS.items() if unit.field and not unit.parents and name not in FAMILIES)
"""The units that stand alone."""

SEARCHES = ("grounded_queries", "grounded_prompts", "web_searches")
"""Three measures of the same searches, of which a model's price list has one."""

_KINDS = ("text", "audio", "image", "video")
OUTPUT_KINDS = tuple(f"{kind}_output_tokens" for kind in _KINDS)
IMPLIED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "input": (("cache_read_tokens", "cache_write_tokens"), tuple(f"{kind}_input_tokens" for kind in _KINDS)),
    "output": (OUTPUT_KINDS, ("reasoning_tokens",)),
    "pages": (("annotated_pages",),),
    "cache_read": (("cache_read_audio_tokens", "cache_read_image_tokens", "cache_read_video_tokens"),),
    "cache_write": (("cache_write_1h_tokens", "cache_write_12h_tokens", "cache_write_audio_tokens"),),
    "input_audio": (("cache_read_audio_tokens", "cache_write_audio_tokens"),),
    "input_image": (("cache_read_image_tokens",),),
    "input_video": (("cache_read_video_tokens",),),
}
"""What a count that is not reported is at least: the largest of the sums of its reported parts."""


class Step(NamedTuple):
    """One unit to settle: `room` is the place of the step that it is taken out of, or -1.

    `shared` are the places of steps that this unit's count contains too, and that are taken out elsewhere: cached audio
    is a part of the audio, but comes out of what was read from the cache.
    """

    unit: str
    field: str
    room: int
    shared: tuple[int, ...]


def _order() -> Iterator[str]:
    """Every unit that has or is a part: what contains others first, and what is in two last but before the second."""
    tokens = [name for name in UNITS if root_of(name) in FAMILIES]
    caches = [name for name in tokens if name in ("cache_read", "cache_write")]
    joint = [name for name in tokens if len(UNITS[name].parents) > 1]
    first = [name for name in tokens if name in FAMILIES] + caches + joint
    yield from first
    yield from (name for name in tokens if name not in first)


ORDER = tuple(_order())


def steps_of(units: Sequence[str]) -> tuple[Step, ...]:
    """The steps that settle `units` and all that they are taken out of."""
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


def settle(steps: Sequence[Step], fields: Fields) -> tuple[list[int], bool]:
    """How many fall to each step's unit and to none of its parts, and whether the reported counts were consistent."""
    left: list[int] = []
    sound = True
    for unit, name, room, shared in steps:
        count = fields[name]
        if count is None:
            count = implied(unit, fields)
        if shared:
            count -= sum([left[place] for place in shared])
        if count < 0:
            count, sound = 0, False
        if room >= 0:
            space = left[room] - count
            if space < 0:
                count, space, sound = count + space, 0, False
            left[room] = space
        left.append(count)
    return left, sound


Straight = Callable[[Fields, Sequence[int]], "tuple[tuple[int, ...], int] | None"]
"""What falls to each step and the sum of that times given rates; None where the counts contradict one another."""


@lru_cache(maxsize=512)
def straight(steps: tuple[Step, ...], reported: frozenset[str]) -> Straight:
    """`settle` for counts that are consistent, written out as a function without loops: a third of its time.

    Args:
        steps: as for `settle`.
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
    for place, (unit, name, room, shared) in enumerate(steps):
        least = f"implied({unit!r}, fields)" if _implying(unit) & reported else "0"
        lines += [f"n{place} = fields[{name!r}]", f"if n{place} is None: n{place} = {least}"]
        lines += [f"n{place} -= n{other}" for other in shared]
        lines += [f"n{room} -= n{place}"] if room >= 0 else []
    counts, rates = ([f"{letter}{place}" for place in range(len(steps))] for letter in "nr")
    lines += ["if " + " or ".join(f"{count} < 0" for count in counts) + ": return None"]
    lines += [f"{', '.join(rates)}, = rates"]
    lines += [
        f"return ({', '.join(counts)},), " + " + ".join(f"{count} * {rate}" for count, rate in zip(counts, rates, strict=True))
    ]
    names: dict[str, Any] = {"implied": implied}
    exec("\n    ".join(lines), names)
    settled: Straight = names["settled"]
    return settled


def implied(unit: str, fields: Fields) -> int:
    """The least that a count can be that was not reported."""
    return max((sum([_least(name, fields) for name in names]) for names in IMPLIED.get(unit, ())), default=0)


def _least(name: str, fields: Fields) -> int:
    count = fields[name]
    return implied(_COUNTED.get(name, ""), fields) if count is None else max(count, 0)


def _implying(unit: str) -> set[str]:
    """The fields from which `implied` concludes."""
    names = {name for group in IMPLIED.get(unit, ()) for name in group}
    return names.union(*(_implying(_COUNTED[name]) for name in names if name in _COUNTED))


_COUNTED = {UNITS[unit].field: unit for unit in IMPLIED}


def input_tokens(fields: Fields) -> int:
    """All input of a request, as far as it is known."""
    count: int | None = fields["input_tokens"]
    return implied("input", fields) if count is None else count


def measured(unit: str, fields: Fields) -> Count:
    """How much was used of a unit that stands alone."""
    count = fields[UNITS[unit].field]
    if count is None and unit in SEARCHES:
        return _searches(unit, fields)
    if type(count) is float:
        return exact(count)
    return max(count or 0, 0)


def _searches(unit: str, fields: Fields) -> int:
    """A search is a query, and a prompt that searched is one prompt, whichever of them was counted."""
    counts = (fields["grounded_queries"], fields["searches"], fields["grounded_prompts"])
    known = max(next((count for count in counts if count is not None), 0), 0)
    return min(known, 1) if unit == "grounded_prompts" else known


def exact(count: float) -> Count:
    """A number as it is printed; 0 where it is none that can be counted."""
    if not math.isfinite(count) or count <= 0:
        return 0
    return int(count) if count == int(count) else Decimal(repr(count))


def possible(units: Sequence[str], fields: Fields) -> bool:
    """Whether what was counted can have been: neither negative nor endless."""
    counts = [fields[UNITS[unit].field] for unit in units]
    return all(count is None or 0 <= count < math.inf for count in counts)
