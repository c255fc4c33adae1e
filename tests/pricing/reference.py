"""A second implementation of pricing with plain decimals, which shares no code with the package.

The cost is the sum of inclusive counts times rate differences: a unit adds its rate minus the deltas of all that contain it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from streamtally.records import Usage

MILLION, THOUSAND = Decimal(1_000_000), Decimal(1_000)
FIELD_AND_PARENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "input": ("input_tokens", ()),
    "cache_read": ("cache_read_tokens", ("input",)),
    "cache_write": ("cache_write_tokens", ("input",)),
    "cache_write_1h": ("cache_write_1h_tokens", ("cache_write",)),
    "cache_write_12h": ("cache_write_12h_tokens", ("cache_write",)),
    "input_audio": ("audio_input_tokens", ("input",)),
    "cache_audio_read": ("cache_read_audio_tokens", ("input_audio", "cache_read")),
    "cache_audio_write": ("cache_write_audio_tokens", ("input_audio", "cache_write")),
    "input_image": ("image_input_tokens", ("input",)),
    "cache_image_read": ("cache_read_image_tokens", ("input_image", "cache_read")),
    "input_video": ("video_input_tokens", ("input",)),
    "cache_video_read": ("cache_read_video_tokens", ("input_video", "cache_read")),
    "output": ("output_tokens", ()),
    "output_audio": ("audio_output_tokens", ("output",)),
    "output_image": ("image_output_tokens", ("output",)),
    "output_video": ("video_output_tokens", ("output",)),
    "reasoning": ("reasoning_tokens", ("output",)),
    "citations": ("citation_tokens", ()),
}
PER = {
    **dict.fromkeys(
        ("images", "input_images", "megapixels", "video_seconds", "input_video_seconds", "code_sessions"), Decimal(1)
    ),
    **dict.fromkeys(("pages", "grounded_queries", "grounded_prompts", "web_searches"), THOUSAND),
    **dict.fromkeys(("maps_queries", "file_searches", "search_units"), THOUSAND),
    "characters": MILLION,
    "seconds": Decimal(3600),
}
COUNTED_IN = {"web_searches": "searches"}


def ancestors(unit: str) -> set[str]:
    """All units that contain a unit."""
    parents = FIELD_AND_PARENTS[unit][1]
    return {*parents, *(above for parent in parents for above in ancestors(parent))}


def rate_of(unit: str, rates: Mapping[str, Decimal]) -> Decimal | None:
    """The rate of a unit, or of its first rated parent, or else of its first parent's ancestors."""
    if unit in rates:
        return rates[unit]
    for parent in FIELD_AND_PARENTS[unit][1]:
        if parent in rates:
            return rates[parent]
    for parent in FIELD_AND_PARENTS[unit][1]:
        return rate_of(parent, rates)
    return None


def deltas(rates: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """By unit, the cost of a token beyond its cost as part of the containing units."""
    found: dict[str, Decimal] = {}
    for unit in FIELD_AND_PARENTS:
        if (rate := rate_of(unit, rates)) is not None:
            found[unit] = rate - sum((found.get(above, Decimal(0)) for above in ancestors(unit)), Decimal(0))
    return found


def holds(row: Mapping[str, Any], size: int, at: datetime, words: Mapping[str, str], holidays: Mapping[str, Any]) -> bool:
    """Whether all conditions of a raw row hold."""
    above, window = row.get("above", {"input": -1}), row.get("window")
    limit = above["input"]
    start, end = (datetime.fromisoformat(row.get(*given)) for given in (("from", "0001-01-01"), ("to", "9999-12-31")))
    return (
        (size >= limit if above.get("op") == ">=" else size > limit)
        and all(_matches(values, words.get(word)) for word, values in row.get("when", {}).items())
        and (start if start.tzinfo else start.replace(tzinfo=UTC)) <= at < (end if end.tzinfo else end.replace(tzinfo=UTC))
        and (window is None or _open(window, at, holidays))
    )


def _matches(values: str | list[str], word: str | None) -> bool:
    listed = [values] if isinstance(values, str) else values
    return "*" in listed or word in [value.casefold() for value in listed]


def _open(window: Mapping[str, Any], at: datetime, holidays: Mapping[str, Any]) -> bool:
    local = at.astimezone(ZoneInfo(window.get("tz", "UTC")))
    start, end = window.get("hours", ("00:00", "24:00"))
    free = window.get("holidays", [])
    dates = [date.fromisoformat(day) for day in (holidays[free] if isinstance(free, str) else free)]
    now = f"{local:%H:%M}"
    inside = start <= now < end if start < end else now >= start or now < end
    return inside and local.isoweekday() in window.get("days", range(1, 8)) and local.date() not in dates


def rates_at(
    entry: Mapping[str, Any],
    size: int,
    at: datetime,
    words: Mapping[str, str],
    holidays: Mapping[str, Any],
    base: Sequence[str] = (),
) -> dict[str, Decimal] | None:
    """The rates in force, later rows winning; None if no row names the tier, or the region outside `base`."""
    words = {**entry.get("defaults", {}), **words}
    rows = [row for row in entry["rows"] if holds(row, size, at, words, holidays)]
    for word in ("tier", "region"):
        if word == "region" and words.get(word) in base:
            continue
        if word in words and not any(_matches(row["when"][word], words[word]) for row in rows if word in row.get("when", {})):
            return None
    return {unit: Decimal(text) for row in rows for unit, text in row["rates"].items()}


def region_word(entry: Mapping[str, Any], region: str | None, base: list[str]) -> str | None:
    """The name that this model's rows use for a region; None if the rows without a region hold."""
    named = {value for row in entry["rows"] for value in _listed(row.get("when", {}).get("region", []))} - {"*"}
    if region is None or not named:
        return None
    for name in (region, "regional" if region != "global" else region):
        if name in named:
            return name
    return None if region in base else region


def _listed(values: str | list[str]) -> list[str]:
    return [values] if isinstance(values, str) else values


def charges(entry: Mapping[str, Any], rates: Mapping[str, Decimal], usage: Usage) -> Iterator[Decimal]:
    """The charge of each rated unit; of the three units of a search the first with a rate counts."""
    for unit, delta in deltas(rates).items():
        yield (getattr(usage, FIELD_AND_PARENTS[unit][0]) or 0) * delta / MILLION
    searches = [unit for unit in ("grounded_queries", "grounded_prompts", "web_searches") if unit in rates]
    for unit, per in PER.items():
        count = getattr(usage, COUNTED_IN.get(unit, unit))
        if count and unit in rates and unit not in searches[1:]:
            count = max(count, entry.get("minimum", {}).get(unit, 0))
            yield Decimal(str(min(count, entry.get("maximum", {}).get(unit, count)))) * rates[unit] / per
    yield rates.get("requests", Decimal(0)) / THOUSAND


def divided(entry: Mapping[str, Any], usage: Usage) -> Usage:
    """The usage with an undivided output assigned to the model's only kind of output."""
    kinds = (usage.text_output_tokens, usage.audio_output_tokens, usage.image_output_tokens, usage.video_output_tokens)
    if "undivided" not in entry or any(kinds):
        return usage
    field = FIELD_AND_PARENTS[entry["undivided"]][0]
    return usage.model_copy(update={field: (usage.output_tokens or 0) - (usage.reasoning_tokens or 0)})
