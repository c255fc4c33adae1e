"""The prices of every model, held against a plain Decimal calculation that shares no code with the package."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamtally.pricing import ModelCatalog, snapshot
from streamtally.records import Usage

CATALOG = ModelCatalog.bundled()
CONTENT = snapshot.bundled()
MODELS = sorted(CATALOG)
MILLION = Decimal(1_000_000)
PARENTS = {
    "cache_read": "input", "cache_write": "input", "cache_write_1h": "cache_write", "input_audio": "input",
    "input_image": "input", "output_audio": "output", "output_image": "output", "reasoning": "output",
}  # fmt: skip

counts = st.one_of(st.integers(0, 3000), st.integers(90_000, 600_000), st.sampled_from([128_000, 200_000, 272_000, 272_001]))
moments = st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware
tiers = st.sampled_from([None, "batch", "flex", "priority", "fast", "scale"])


@st.composite
def usages(draw: st.DrawFn, total: st.SearchStrategy[int] = counts) -> Usage:
    """Token usage whose parts fit into their totals."""
    parts = sorted(draw(st.lists(st.integers(0, 1000), min_size=8, max_size=8)))
    size, output = draw(total), draw(total)
    share = [size * part // 1000 for part in parts]
    read, write, audio, image = share[1] - share[0], share[3] - share[2], share[5] - share[4], share[7] - share[6]
    cached_audio, cached_image = draw(st.integers(0, read // 2)), draw(st.integers(0, read // 2))
    spoken, drawn = output * parts[0] // 2000, output * parts[1] // 2000
    return Usage(
        input_tokens=size,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=draw(st.integers(0, write)),
        audio_input_tokens=audio + cached_audio,
        cache_read_audio_tokens=cached_audio,
        image_input_tokens=image + cached_image,
        cache_read_image_tokens=cached_image,
        audio_output_tokens=spoken,
        image_output_tokens=drawn,
        reasoning_tokens=draw(st.integers(0, output - spoken - drawn)),
        searches=draw(st.integers(0, 3)),
    )


def disjoint(usage: Usage) -> dict[str, int]:
    """How many tokens are of exactly one kind."""
    count = {name: value or 0 for name, value in usage}
    audio, image = count["cache_read_audio_tokens"], count["cache_read_image_tokens"]
    kinds = {
        "cache_audio_read": audio,
        "cache_image_read": image,
        "cache_read": count["cache_read_tokens"] - audio - image,
        "cache_write_1h": count["cache_write_1h_tokens"],
        "cache_write": count["cache_write_tokens"] - count["cache_write_1h_tokens"],
        "input_audio": count["audio_input_tokens"] - audio,
        "input_image": count["image_input_tokens"] - image,
        "output_audio": count["audio_output_tokens"],
        "output_image": count["image_output_tokens"],
        "reasoning": count["reasoning_tokens"],
    }
    outputs = ("output_audio", "output_image", "reasoning")
    kinds["output"] = count["output_tokens"] - sum(kinds[name] for name in outputs)
    kinds["input"] = count["input_tokens"] - sum(n for name, n in kinds.items() if name != "output" and name not in outputs)
    return kinds


def holds(row: Mapping[str, Any], usage: Usage, at: datetime, tier: str | None) -> bool:
    """The conditions of a row, read literally."""
    above = row.get("above", {"input": -1})
    size, limit = usage.input_tokens or 0, above["input"]
    window = row.get("window", {"hours": ["00:00", "24:00"]})
    start, end = (hour.replace("24:00", "23:59:59.999999") for hour in window["hours"])
    return (
        (size >= limit if above.get("op") == ">=" else size > limit)
        and row.get("when", {}) in ({}, {"tier": tier})
        and date.fromisoformat(row.get("from", "0001-01-01")) <= at.date() < date.fromisoformat(row.get("to", "9999-12-31"))
        and time.fromisoformat(start) <= at.time() <= time.fromisoformat(end)
        and (at.time() != time.fromisoformat(end) or end.startswith("23:59"))
        and at.isoweekday() in window.get("days", range(1, 8))
    )


def rate(kind: str, rates: Mapping[str, str]) -> Decimal | None:
    """The rate of a kind, or of the nearest kind around it that has one."""
    if kind in rates:
        return Decimal(rates[kind])
    if kind in ("cache_audio_read", "cache_image_read"):
        kind = next((name for name in (f"input_{kind[6:11]}", "cache_read") if name in rates), "input")
    return (
        rate(PARENTS[kind], rates) if kind not in rates and kind in PARENTS else Decimal(rates[kind]) if kind in rates else None
    )


def expected(entry: Mapping[str, Any], usage: Usage, at: datetime, tier: str | None) -> Decimal | None:
    """What the tokens and searches cost, or None where nothing is known."""
    rows = [row for row in entry["rows"] if holds(row, usage, at, tier)]
    if tier is not None and not any("when" in row for row in rows):
        return None
    rates: dict[str, str] = {}
    for row in rows:
        rates |= row["rates"]
    amounts = list(charges(entry, rates, usage))
    return sum(amounts, Decimal(0)) if amounts or not any((usage.input_tokens, usage.output_tokens, usage.searches)) else None


def charges(entry: Mapping[str, Any], rates: Mapping[str, str], usage: Usage) -> Iterator[Decimal]:
    """What each kind costs that has a rate."""
    for kind, count in disjoint(usage).items():
        if count and (price := rate(kind, rates)) is not None:
            yield count * price / MILLION
    searches = min(usage.searches or 0, entry.get("maximum", {}).get("web_searches", 99))
    if searches and "web_searches" in rates:
        yield searches * Decimal(rates["web_searches"]) / 1000
    if "requests" in rates:
        yield Decimal(rates["requests"]) / 1000


def agrees(provider: str, model: str, usage: Usage, at: datetime, tier: str | None) -> None:
    """One price, by both ways."""
    entry = CONTENT["providers"][provider]["models"][model]
    cost = CATALOG.price(model, usage, provider=provider, at=at, tier=tier)
    if cost.model_matched != model or "undivided" in entry or not entry["rows"]:
        return
    with localcontext(Context(prec=60)):
        assert cost.usd == expected(entry, usage, at, tier), (provider, model, cost)
        assert cost.usd is None or sum(line.usd for line in cost.breakdown) == cost.usd


@given(st.sampled_from(MODELS), usages(), moments, tiers)
@settings(max_examples=400)
def test_every_price_is_that_of_plain_decimals(model: tuple[str, str], usage: Usage, at: datetime, tier: str | None) -> None:
    """Whatever the model, the counts, the moment and the tier."""
    agrees(*model, usage, at, tier)


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "x-ai"])
def test_every_first_party_model(provider: str) -> None:
    """All of them, on a few fixed requests."""
    for at in (datetime(2025, 6, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)):
        for size in (1000, 300_000):
            usage = Usage(input_tokens=size, cache_read_tokens=size // 2, output_tokens=500, reasoning_tokens=100)
            for model in CONTENT["providers"][provider]["models"]:
                for tier in (None, "batch", "priority"):
                    agrees(provider, model, usage, at, tier)


def added(one: Usage, other: Usage) -> Usage:
    """The two requests as one."""
    fields = {name: value + getattr(other, name) for name, value in one if type(value) is int}
    return Usage(**fields)


FLAT = [
    (provider, model)
    for provider, model in MODELS
    if not any(key in row for row in CONTENT["providers"][provider]["models"][model]["rows"] for key in ("above", "window"))
    and not CONTENT["providers"][provider]["models"][model].keys() & {"maximum", "minimum", "undivided"}
    and not any("requests" in row["rates"] for row in CONTENT["providers"][provider]["models"][model]["rows"])
]


@given(st.sampled_from(FLAT), usages(), usages(), moments)
def test_a_split_request_costs_the_same(model: tuple[str, str], one: Usage, other: Usage, at: datetime) -> None:
    """Within one tier, prices are additive, to the last quantum."""
    whole, first, second = (
        CATALOG.price(model[1], usage, provider=model[0], at=at).usd or 0 for usage in (added(one, other), one, other)
    )
    assert whole == first + second


@given(st.sampled_from(MODELS), usages(), st.integers(0, 100_000), st.integers(0, 100_000), moments)
def test_more_tokens_never_cost_less(model: tuple[str, str], usage: Usage, more: int, longer: int, at: datetime) -> None:
    """Prices are monotone in both totals, across context tiers too."""
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
        **{
            name: st.none() | st.integers(-(10**6), 10**12)
            for name, field in Usage.model_fields.items()
            if field.annotation == (int | None)
        },
        seconds=st.none() | st.floats(),
        image_size=st.none() | st.text(max_size=5),
        image_quality=st.none() | st.text(max_size=5),
        cost_usd=st.none() | st.decimals(0, 100),
        partial=st.booleans(),
    )
    | st.none(),
)
def test_price_never_raises(model: str, provider: str | None, tier: str | None, usage: Usage | None) -> None:
    """Any strings and any counts make a cost; none is negative, and an unknown model is never free."""
    cost = CATALOG.price(model, usage, provider=provider, tier=tier)
    assert cost.usd is None or cost.usd >= 0
    assert cost.usd is None or cost.source == "provider" or cost.model_matched is not None
    assert (cost.usd is not None) or not cost.complete


@given(st.text())
def test_hosts_and_names_never_raise(text: str) -> None:
    """Nor do the other questions."""
    assert isinstance(CATALOG.knows(text), bool)
    assert CATALOG.provider_for_host(text) in {None, *CONTENT["providers"]}
