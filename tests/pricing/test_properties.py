"""The prices of every model compared with a plain Decimal calculation that shares no code with the package."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamtally.pricing import ModelCatalog, snapshot
from streamtally.pricing.match import region_of
from streamtally.pricing.token_split import ORDER, compiled_split, split_tokens, steps_of
from streamtally.records import Usage

from .reference import FIELD_AND_PARENTS, charges, divided, rates_at, region_word

CATALOG = ModelCatalog.bundled()
CONTENT = snapshot.bundled()
MODELS = sorted(CATALOG)

counts = st.one_of(st.integers(0, 3000), st.integers(90_000, 600_000), st.sampled_from([128_000, 200_000, 272_000, 272_001]))
moments = st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware
tiers = st.sampled_from([None, "batch", "flex", "priority", "fast", "scale"])
regions = st.sampled_from([None, "us", "eu", "global"])
seeds = st.integers(0, 2**32)

INPUT_KINDS = tuple(unit for unit in FIELD_AND_PARENTS if "input" in unit or "cache" in unit)
OUTPUT_KINDS = ("output", "output_audio", "output_image", "output_video", "reasoning")


def usage_of(size: int, output: int, seed: int) -> Usage:
    """Usage with random kinds of tokens that fit into their totals; all counts are inclusive."""
    chance = random.Random(seed)
    disjoint = _split(chance, size, INPUT_KINDS) | _split(chance, output, OUTPUT_KINDS)
    fields: dict[str, Any] = {
        field: sum(count for kind, count in disjoint.items() if unit == kind or unit in _above(kind))
        for unit, (field, _) in FIELD_AND_PARENTS.items()
    }
    searches = chance.choice((0, 0, 1, 3))
    return Usage(
        **fields,
        text_output_tokens=disjoint["output"],
        searches=searches,
        grounded_queries=searches,
        grounded_prompts=min(searches, 1),
        file_searches=chance.choice((None, 0, 2)),
        maps_queries=chance.choice((None, 1)),
        code_sessions=chance.choice((None, 1)),
        pages=chance.choice((None, 3)),
    )


def _above(unit: str) -> set[str]:
    parents = FIELD_AND_PARENTS[unit][1]
    return {*parents, *(above for parent in parents for above in _above(parent))}


def _split(chance: random.Random, total: int, kinds: tuple[str, ...]) -> dict[str, int]:
    cuts = sorted(chance.choice((0, total, chance.randint(0, total))) for _ in kinds[1:])
    return dict(zip(kinds, (high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)), strict=True))


usages = st.builds(usage_of, counts, counts, seeds)


def expected(provider: str, model: str, usage: Usage, at: datetime, words: Mapping[str, str | None]) -> Decimal | None:
    """The reference cost, or None if the tier or region has no rates."""
    entry = CONTENT["providers"][provider]["models"][model]
    base = CONTENT["providers"][provider].get("regions", ["global"])
    context = {"tier": words["tier"], "region": region_word(entry, words["region"], base)}
    known = {word: value for word, value in context.items() if value is not None}
    rates = rates_at(entry, usage.input_tokens or 0, at, known, CONTENT.get("holidays", {}), base)
    return None if rates is None else sum(charges(entry, rates, divided(entry, usage)), Decimal(0))


def agrees(provider: str, model: str, usage: Usage, at: datetime, *, tier: str | None, region: str | None = None) -> None:
    """Assert that both implementations agree; where the package has no cost, the reference charges nothing."""
    cost = CATALOG.price(model, usage, provider=provider, at=at, tier=tier, region=region)
    if cost.model_matched != model or (region is None and region_of(model)):
        return
    with localcontext(Context(prec=60)):
        wanted = expected(provider, model, usage, at, {"tier": tier, "region": region})
        assert (cost.usd or 0) == (wanted or 0), (provider, model, cost)
        assert wanted is not None or cost.usd is None
        assert cost.usd is None or sum(line.usd for line in cost.breakdown) == cost.usd
        assert not cost.inconsistent
    assert CATALOG.usd(model, usage, provider=provider, at=at, tier=tier, region=region) == cost.usd


@given(st.sampled_from(MODELS), usages, moments, tiers, regions)
@settings(max_examples=1000)
def test_every_price_is_that_of_plain_decimals(
    model: tuple[str, str], usage: Usage, at: datetime, tier: str | None, region: str | None
) -> None:
    """The cost equals the reference for any model, counts, time, tier and region."""
    agrees(*model, usage, at, tier=tier, region=region)


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
@pytest.mark.parametrize("provider", sorted(CONTENT["providers"]))
def test_every_model_of(provider: str) -> None:
    """Every model of a provider agrees with the reference on random requests."""
    chance = random.Random(provider)
    for model in CONTENT["providers"][provider]["models"]:
        for day, tier in ((datetime(2025, 6, 1, 3, tzinfo=UTC), None), (datetime(2026, 11, 2, 2, tzinfo=UTC), "batch")):
            usage = usage_of(chance.choice((1000, 300_000)), chance.choice((0, 500)), chance.randrange(2**32))
            agrees(provider, model, usage, day, tier=tier)


MEASURES: dict[str, Any] = {
    "seconds": 62.5, "characters": 1234, "images": 2, "input_images": 3, "megapixels": 1.5, "video_seconds": 8.0,
    "input_video_seconds": 2.25, "pages": 7, "search_units": 2, "code_sessions": 1, "file_searches": 4, "maps_queries": 1,
}  # fmt: skip


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
@pytest.mark.parametrize("field", MEASURES)
def test_every_model_that_charges_for(field: str) -> None:
    """Every model that charges for a unit other than tokens agrees with the reference."""
    at, usage = datetime(2026, 11, 2, 12, tzinfo=UTC), Usage(**{field: MEASURES[field]})
    for provider, model in MODELS:
        cost = CATALOG.price(model, usage, provider=provider, at=at)
        entry = CONTENT["providers"][provider]["models"][model]
        if cost.model_matched == model and any(field in row["rates"] for row in entry["rows"]):
            wanted = expected(provider, model, usage, at, {"tier": None, "region": None})
            assert wanted is not None
            assert round(cost.usd or 0, 14) == round(wanted, 14), (provider, model, cost)


@given(usages, st.lists(st.sampled_from(ORDER), min_size=1, unique=True), seeds)
def test_the_compiled_split_equals_the_general_one(usage: Usage, units: list[str], seed: int) -> None:
    """The compiled split equals the loop for consistent counts and returns None for others."""
    steps, fields = steps_of(units), dict(usage)
    chance = random.Random(seed)
    for name in chance.sample(sorted(fields), 3):
        fields[name] = chance.choice((None, -1, 5, fields[name])) if type(fields[name]) is int else fields[name]
    rates = [chance.randint(0, 10**9) for _ in steps]
    left, sound = split_tokens(steps, fields)
    found = compiled_split(steps, frozenset(fields))(fields, rates)
    assert (found is not None) == sound
    if found is not None:
        assert found == (tuple(left), sum(count * rate for count, rate in zip(left, rates, strict=True)))
    assert min(left) >= 0


@given(st.sampled_from(MODELS), usages, moments, seeds)
def test_the_order_of_fields_changes_nothing(model: tuple[str, str], usage: Usage, at: datetime, seed: int) -> None:
    """The cost does not depend on the order of fields or on explicit None values."""
    fields = list(usage.model_dump().items())
    random.Random(seed).shuffle(fields)
    again = Usage(**dict(fields))
    first, second = (CATALOG.price(model[1], given, provider=model[0], at=at) for given in (usage, again))
    assert first == second


def added(one: Usage, other: Usage) -> Usage:
    """The sum of two usages."""
    fields: dict[str, Any] = {name: (value or 0) + (getattr(other, name) or 0) for name, value in one if name in COUNTS}
    return Usage(**fields)


COUNTS = [name for name, field in Usage.model_fields.items() if field.annotation == (int | None)]


FLAT = [
    (provider, model)
    for provider, model in MODELS
    if not any(key in row for row in CONTENT["providers"][provider]["models"][model]["rows"] for key in ("above", "window"))
    and not CONTENT["providers"][provider]["models"][model].keys() & {"maximum", "minimum", "undivided"}
    and not any(
        {"requests", "grounded_prompts"} & row["rates"].keys() for row in CONTENT["providers"][provider]["models"][model]["rows"]
    )
]


@given(st.sampled_from(FLAT), usages, usages, moments)
def test_a_split_request_costs_the_same(model: tuple[str, str], one: Usage, other: Usage, at: datetime) -> None:
    """Within one context tier the cost of a sum is the sum of the costs."""
    whole, first, second = (
        CATALOG.price(model[1], usage, provider=model[0], at=at).usd or 0 for usage in (added(one, other), one, other)
    )
    assert whole == first + second


@given(st.sampled_from(MODELS), usages, st.integers(0, 100_000), st.integers(0, 100_000), moments)
def test_more_tokens_never_cost_less(model: tuple[str, str], usage: Usage, more: int, longer: int, at: datetime) -> None:
    """The cost is monotone in input and output, across context lengths too."""
    larger = usage.model_copy(
        update={"input_tokens": (usage.input_tokens or 0) + more, "output_tokens": (usage.output_tokens or 0) + longer}
    )
    less, greater = (CATALOG.price(model[1], given, provider=model[0], at=at).usd for given in (usage, larger))
    assert (less or 0) <= (greater or 0)


@given(
    st.text() | st.sampled_from([model for _, model in MODELS]),
    st.none() | st.text() | st.sampled_from(sorted(CONTENT["providers"])),
    st.none() | st.text() | tiers,
    st.builds(
        Usage,
        **{name: st.none() | st.integers(-(10**6), 10**12) for name in COUNTS},
        megapixels=st.none() | st.floats(),
        video_seconds=st.none() | st.floats(),
        seconds=st.none() | st.floats(),
        image_size=st.none() | st.text(max_size=5),
        image_quality=st.none() | st.text(max_size=5),
        cost_usd=st.none() | st.decimals(0, 100),
        partial=st.booleans(),
    )
    | st.none(),
)
def test_price_never_raises(model: str, provider: str | None, tier: str | None, usage: Usage | None) -> None:
    """Any names and counts give a cost; it is never negative, and an unknown model is never free."""
    cost = CATALOG.price(model, usage, provider=provider, tier=tier)
    assert cost.usd is None or cost.usd >= 0
    assert cost.usd is None or cost.source == "provider" or cost.model_matched is not None
    assert (cost.usd is not None) or not cost.complete


@given(st.text())
def test_hosts_and_names_never_raise(text: str) -> None:
    """Lookups of hosts, providers and models never raise."""
    assert isinstance(CATALOG.has_model(text), bool)
    assert CATALOG.provider_for_host(text) in {None, *CONTENT["providers"]}
