"""The units that prices are published in, how they contain one another, and exact rates.

A unit that is part of another has parents. A unit without a published rate has the rate of its nearest rated parent, and an
unreported count is zero, so a catalog states only rates that differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache

from ..errors import CatalogError

QUANTA = 10**15
"""Quanta per US dollar. Money is a whole number of quanta of 1e-15 dollars, as is every published price of a token."""

TOKENS = "million tokens"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of billing: rates are US dollars per `per` of the `Usage` field `field`; `label` names that quantity.

    `parents` are the units that contain this one. A unit without a rate has the rate of its first parent that has one. The
    modality comes first, so cached audio without a rate is charged as audio: an unpublished discount is not assumed.
    """

    name: str
    field: str
    per: int
    label: str
    parents: tuple[str, ...] = ()


def _tokens(name: str, field: str, *parents: str) -> Unit:
    return Unit(name, field, 1_000_000, TOKENS, parents)


UNITS = {
    unit.name: unit
    for unit in (
        _tokens("input", "input_tokens"),
        _tokens("cache_read", "cache_read_tokens", "input"),
        _tokens("cache_write", "cache_write_tokens", "input"),
        _tokens("cache_write_1h", "cache_write_1h_tokens", "cache_write"),
        _tokens("cache_write_12h", "cache_write_12h_tokens", "cache_write"),
        _tokens("input_audio", "audio_input_tokens", "input"),
        _tokens("cache_audio_read", "cache_read_audio_tokens", "input_audio", "cache_read"),
        _tokens("cache_audio_write", "cache_write_audio_tokens", "input_audio", "cache_write"),
        _tokens("input_image", "image_input_tokens", "input"),
        _tokens("cache_image_read", "cache_read_image_tokens", "input_image", "cache_read"),
        _tokens("input_video", "video_input_tokens", "input"),
        _tokens("cache_video_read", "cache_read_video_tokens", "input_video", "cache_read"),
        _tokens("output", "output_tokens"),
        _tokens("output_audio", "audio_output_tokens", "output"),
        _tokens("output_image", "image_output_tokens", "output"),
        _tokens("output_video", "video_output_tokens", "output"),
        _tokens("reasoning", "reasoning_tokens", "output"),
        _tokens("citations", "citation_tokens"),
        Unit("seconds", "seconds", 3_600, "hour"),
        Unit("video_seconds", "video_seconds", 1, "second of video"),
        Unit("input_video_seconds", "input_video_seconds", 1, "second of video"),
        Unit("characters", "characters", 1_000_000, "million characters"),
        Unit("megapixels", "megapixels", 1, "megapixel"),
        Unit("images", "images", 1, "image"),
        Unit("input_images", "input_images", 1, "image"),
        Unit("pages", "pages", 1_000, "thousand pages"),
        Unit("annotated_pages", "annotated_pages", 1_000, "thousand pages", ("pages",)),
        Unit("grounded_queries", "grounded_queries", 1_000, "thousand searches"),
        Unit("grounded_prompts", "grounded_prompts", 1_000, "thousand prompts that searched"),
        Unit("web_searches", "searches", 1_000, "thousand searches"),
        Unit("maps_queries", "maps_queries", 1_000, "thousand searches"),
        Unit("file_searches", "file_searches", 1_000, "thousand searches"),
        Unit("code_sessions", "code_sessions", 1, "session"),
        Unit("search_units", "search_units", 1_000, "thousand searches"),
        Unit("requests", "", 1_000, "thousand requests"),
        Unit("cache_storage", "", 1_000_000 * 3_600, "million tokens and hour"),
    )
}
"""All units, parents before children. Catalogs and `ModelCatalog.override` use these names.

`seconds` are seconds of audio, input or output. `cache_write` is the shortest cache lifetime. `requests` is 1 per request.
`cache_storage` is in tokens times seconds and priced by `ModelCatalog.storage_cost` only.
"""


OWN_RATE = ("input_audio", "output_audio", "output_image", "output_video")
"""Kinds of tokens whose rate is another than that of text: without one the rate of the whole is only a part of the price.

Pictures and video of the input are no such kinds: providers count them as input tokens, at its rate unless they publish another.
"""


def _ancestors(name: str) -> Iterator[str]:
    for parent in UNITS[name].parents:
        yield parent
        yield from _ancestors(parent)


ANCESTORS = {name: frozenset(_ancestors(name)) for name in UNITS}
"""By unit, all units that contain it, directly or indirectly."""


def kind_of(name: str) -> str | None:
    """The unit of `OWN_RATE` that a unit is, or is a part of; None if there is none.

    >>> kind_of("cache_audio_read"), kind_of("input_image")
    ('input_audio', None)
    """
    return next((kind for kind in OWN_RATE if kind == name or kind in ANCESTORS[name]), None)


def rated_as(name: str, rated: Collection[str]) -> str | None:
    """The unit whose rate applies to `name`: itself, else its nearest rated ancestor (the first of equally near ones), or None.

    >>> rated_as("cache_audio_read", {"input", "cache_read"}), rated_as("cache_audio_read", {"cache_read", "input_audio"})
    ('cache_read', 'input_audio')
    """
    near: tuple[str, ...] = (name,)
    while near:
        for unit in near:
            if unit in rated:
                return unit
        near = tuple(parent for unit in near for parent in UNITS[unit].parents)
    return None


def root_of(name: str) -> str:
    """The unit without parents that contains `name`."""
    while parents := UNITS[name].parents:
        name = parents[0]
    return name


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one counted item as the fraction `quanta / divisor`, so that division comes last.

    `text` is the published rate, in US dollars per published unit.
    """

    text: str
    quanta: int
    divisor: int

    def times(self, count: int | Decimal) -> int:
        """The price of `count` items in whole quanta, rounded half to even."""
        if self.divisor == 1 and isinstance(count, int):
            return count * self.quanta
        numerator, denominator = count.as_integer_ratio()
        return half_even(numerator * self.quanta, denominator * self.divisor)


def half_even(numerator: int, denominator: int) -> int:
    """The quotient rounded to an integer, halves to even; the denominator is positive.

    >>> [half_even(count, 2) for count in (1, 3, -1, -3, 4)]
    [0, 2, 0, -2, 2]
    """
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole & 1))


@lru_cache(maxsize=8192)
def rate_of(unit: str, text: str) -> Rate:
    """The rate of `text` US dollars per published `unit`.

    Raises:
        CatalogError: the unit is unknown, or the rate is not a finite decimal number of at least zero.

    Example:
        >>> rate_of("seconds", "0.36").times(10) == 10**12  # whisper-1: ten seconds cost a tenth of a cent
        True
    """
    if unit not in UNITS:
        raise CatalogError(f"unknown unit {unit!r}; known: {', '.join(UNITS)}")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise CatalogError(f"the rate of {unit} is not a decimal number: {text!r}") from None
    if not amount.is_finite() or amount < 0 or amount.adjusted() > 12 or int(amount.as_tuple().exponent) < -40:
        raise CatalogError(f"the rate of {unit} must be from 0 to 1e13 with at most 40 decimals, not {text!r}")
    price = Fraction(amount) * QUANTA / UNITS[unit].per
    return Rate(text, price.numerator, price.denominator)
