import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from typing import Any

import pytest
from pydantic import ValidationError

from streamtally.errors import CatalogError
from streamtally.pricing.calculate import dollars
from streamtally.records import Cost, Usage

from .lists import catalog, price, row

BASE = {"input": "3", "output": "15"}
LONG = [row(BASE), row({"input": "6", "output": "30"}, above={"input": 200_000})]
IMAGE = [row({"images": "0.01"})] + [
    row({"images": rate}, when={"quality": quality})
    for quality, rate in (("low", "0.02"), ("medium", "0.03"), ("high", "0.04"), ("auto", "0.05"))
]


@pytest.mark.parametrize(
    ("rows", "usage", "expected"),
    [
        ([row({"input": "5", "output": "15"})], {"input_tokens": 1000, "output_tokens": 500}, "0.0125"),
        (
            [row({**BASE, "cache_read": "0.3", "cache_write": "3.75"})],
            {"input_tokens": 2000, "output_tokens": 500, "cache_read_tokens": 1500, "cache_write_tokens": 200},
            "0.0096",
        ),
        (
            [row({"input": "0.8", "output": "4", "cache_write": "1"})],
            {"input_tokens": 2000, "output_tokens": 500, "cache_write_tokens": 1000, "cache_write_1h_tokens": 1000},
            "0.0038",
        ),
        (LONG, {"input_tokens": 180_000, "output_tokens": 30_000}, "0.99"),
        (LONG, {"input_tokens": 250_000, "output_tokens": 30_000}, "2.40"),
        (
            [row({"input": "5", "output": "15"})],
            {"input_tokens": 1000, "output_tokens": 500, "cache_read_tokens": 400},
            "0.0125",
        ),
        ([row({"input": "0.1"})], {"input_tokens": 5000}, "0.0005"),
        (
            [row({"input": "2.5", "output": "10", "seconds": "0.36"})],
            {"input_tokens": 100, "output_tokens": 200, "seconds": 60},
            "0.00225",
        ),
        (
            [row({"input": "1", "output": "5", "output_audio": "50"})],
            {"input_tokens": 200, "output_tokens": 100, "audio_output_tokens": 100},
            "0.0052",
        ),
        (
            [row({"input": "5", "input_audio": "10", "output": "15"})],
            {"input_tokens": 2000, "audio_input_tokens": 1500, "output_tokens": 500},
            "0.025",
        ),
        (
            [row({"input": "5", "input_audio": "10", "output": "15", "seconds": "36"})],
            {"input_tokens": 6000, "audio_input_tokens": 5000, "seconds": 900},
            "0.055",
        ),
        ([row({"images": "0.052"})], {"images": 2}, "0.104"),
        ([row({"images": "0.052"})], {"images": 3}, "0.156"),
        ([row({"input": "5", "output": "15", "images": "0.04"})], {"input_tokens": 500, "images": 2}, "0.0825"),
        ([row({"input": "5", "output": "15"})], {"input_tokens": 200, "output_tokens": 800, "images": 1}, "0.013"),
        ([row({"seconds": "0.36"})], {"seconds": 12.5}, "0.00125"),
        ([row({"characters": "15"})], {"characters": 1234}, "0.01851"),
        ([row({**BASE, "web_searches": "10"})], {"input_tokens": 0, "searches": 3}, "0.03"),
        ([row({**BASE, "requests": "5"})], {"input_tokens": 1000}, "0.008"),
        ([row({**BASE, "reasoning": "20"})], {"output_tokens": 100, "reasoning_tokens": 60}, "0.0018"),
        ([row(BASE)], {"output_tokens": 100, "reasoning_tokens": 60}, "0.0015"),
    ],
)
def test_worked_example(rows: list[dict[str, Any]], usage: dict[str, Any], expected: str) -> None:
    """The cost equals the figure computed by hand, to the last digit."""
    cost = price(catalog(*rows), Usage(**usage))
    assert cost.usd == Decimal(expected)
    assert (cost.status, cost.complete, cost.unpriced) == ("priced", True, ())
    assert sum(line.usd for line in cost.breakdown) == cost.usd


def test_an_hour_of_cache_costs_more_than_five_minutes() -> None:
    """The one-hour rate applies to the written tokens that are cached for an hour."""
    prices = catalog(row({**BASE, "cache_write": "3.75", "cache_write_1h": "6"}))
    short = price(prices, Usage(input_tokens=1000, cache_write_tokens=1000))
    both = price(prices, Usage(input_tokens=1000, cache_write_tokens=1000, cache_write_1h_tokens=400))
    assert short.usd == Decimal("0.00375")
    assert both.usd == Decimal("0.00465")
    assert [(line.unit, line.count) for line in both.breakdown] == [
        ("cache_write", Decimal(600)),
        ("cache_write_1h", Decimal(400)),
    ]


@pytest.mark.parametrize(
    ("quality", "rate"), [("low", ".02"), ("Medium", ".03"), ("high", ".04"), ("auto", ".05"), ("hd", ".01"), (None, ".05")]
)
def test_image_quality(quality: str | None, rate: str) -> None:
    """The row of the quality applies, else the base row; a missing quality means the API's default."""
    prices = catalog(*IMAGE, defaults={"quality": "auto"})
    assert price(prices, Usage(images=1, image_quality=quality)).usd == Decimal(rate)


def test_image_size_and_quality_together() -> None:
    """A row that names size and quality holds only if both match."""
    prices = catalog(row({"images": "1"}), row({"images": "2"}, when={"quality": "hd", "size": "1024x1792"}))
    assert price(prices, Usage(images=1, image_quality="hd", image_size="1024-x-1792")).usd == 2
    assert price(prices, Usage(images=1, image_quality="hd", image_size="1024x1024")).usd == 1


def test_undivided_output_of_an_image_model_is_image() -> None:
    """The output of an image model without a breakdown is priced as image tokens."""
    prices = catalog(row({"input": "5", "output": "10", "output_image": "32"}), undivided="output_image")
    assert price(prices, Usage(output_tokens=1000)).usd == Decimal("0.032")
    divided = Usage(output_tokens=1000, image_output_tokens=900, text_output_tokens=100)
    assert price(prices, divided).usd == Decimal("0.0298")
    assert price(prices, Usage(output_tokens=100, text_output_tokens=100)).usd == Decimal("0.001")


def test_cached_audio_without_a_rate_gets_no_discount() -> None:
    """Cached audio without a rate of its own has the audio rate, not the cache rate."""
    usage = Usage(input_tokens=1000, cache_read_tokens=500, audio_input_tokens=600, cache_read_audio_tokens=400)
    without = price(catalog(row({"input": "2", "cache_read": "1", "input_audio": "40"})), usage)
    own = price(catalog(row({"input": "2", "cache_read": "1", "input_audio": "40", "cache_audio_read": "0.5"})), usage)
    assert without.usd == Decimal("0.0247")
    assert own.usd == Decimal("0.0089")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 100, "cache_read_tokens": 500}, "0.00001"),
        ({"input_tokens": 100, "cache_read_tokens": 80, "cache_write_tokens": 80}, "0.000048"),
        ({"input_tokens": 100, "cache_read_tokens": 60, "audio_input_tokens": 80}, "0.000406"),
        ({"input_tokens": 100, "cache_write_tokens": 60, "audio_input_tokens": 80}, "0.00052"),
        ({"input_tokens": 100, "cache_write_1h_tokens": 50}, "0.00015"),
        ({"input_tokens": 100, "audio_input_tokens": 60, "image_input_tokens": 60}, "0.0008"),
        ({"output_tokens": 100, "audio_output_tokens": 60, "image_output_tokens": 60}, "0.00042"),
        ({"input_tokens": 100, "cache_read_tokens": -5}, "0.0001"),
        ({"output_tokens": 100, "reasoning_tokens": 200}, "0.0002"),
        ({"input_tokens": -100, "output_tokens": -100}, "0"),
        ({"cache_read_tokens": 100}, "0.00001"),
    ],
)
def test_inconsistent_counts_are_cut_to_their_container(usage: dict[str, Any], expected: str) -> None:
    """Parts that exceed their container are cut, so that each token is charged once."""
    rates = {"input": "1", "cache_read": "0.1", "cache_write": "2", "input_audio": "10", "input_image": "5"}
    prices = catalog(row({**rates, "output": "2", "output_audio": "3", "output_image": "6"}))
    assert price(prices, Usage(**usage)).usd == Decimal(expected)


@pytest.mark.parametrize(("op", "at_limit"), [(">", "0.003"), (">=", "0.006")])
def test_context_tier_is_a_cliff(op: str, at_limit: str) -> None:
    """Above the limit the whole request has the upper rates; cached tokens count, and the limit may be strict or not."""
    prices = catalog(row({"input": "3"}), row({"input": "6"}, above={"input": 1000, "op": op}))
    assert price(prices, Usage(input_tokens=1000, cache_read_tokens=900)).usd == Decimal(at_limit)
    assert price(prices, Usage(input_tokens=1001)).usd == Decimal("0.006006")


def test_a_later_row_wins_unit_by_unit() -> None:
    """A tier row without a context length holds for every length; units that it does not rate keep their rate."""
    rows = [*LONG, row({"input": "1.5", "output": "7.5"}, when={"tier": "flex"})]
    usage = Usage(input_tokens=250_000, output_tokens=30_000)
    assert price(catalog(*rows), usage, tier="flex").usd == Decimal("0.6")
    rows = [row({**BASE, "web_searches": "10"}), row({"input": "1.5"}, when={"tier": "batch"})]
    cost = price(catalog(*rows), Usage(input_tokens=1000, output_tokens=1000, searches=1), tier="batch")
    assert cost.usd == Decimal("0.0265")


@pytest.mark.parametrize("tier", [None, "", "auto", "default", "Standard", "on_demand"])
def test_names_of_the_standard_tier(tier: str | None) -> None:
    """Names of the standard tier are charged at standard rates."""
    prices = catalog(row({"input": "5"}), row({"input": "10"}, when={"tier": "priority"}))
    assert price(prices, Usage(input_tokens=1000), tier=tier).usd == Decimal("0.005")


def test_a_tier_without_rates_is_unknown() -> None:
    """A request in a tier without rates has no cost."""
    prices = catalog(row({"input": "5"}), row({"input": "10"}, when={"tier": "priority"}, start="2026-06-01"))
    usage, before, after = Usage(input_tokens=1000), datetime(2026, 5, 31, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    assert price(prices, usage, tier="PRIORITY", at=after).usd == Decimal("0.01")
    for tier, at in (("flex", after), ("priority", before)):
        cost = price(prices, usage, tier=tier, at=at)
        assert (cost.usd, cost.status, cost.unpriced, cost.complete) == (None, "missing_rate", (f"tier:{tier}",), False)


def test_an_empty_tier_row_means_standard_rates() -> None:
    """A tier with an empty row has the standard rates."""
    assert price(catalog(row(BASE), row({}, when={"tier": "batch"})), Usage(input_tokens=1000), tier="batch").usd == Decimal(
        "0.003"
    )


def test_the_end_of_a_row_is_exclusive() -> None:
    """From the end of a row on, the row below it holds again."""
    prices = catalog(row({"input": "2"}), row({"input": "1"}, end="2026-03-01T06:00:00+00:00"))
    end = datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert price(prices, Usage(input_tokens=1_000_000), at=end).usd == 2
    assert price(prices, Usage(input_tokens=1_000_000), at=end - timedelta(seconds=1)).usd == 1


def test_dated_rows() -> None:
    """The time of the request selects the row; a day begins at midnight UTC."""
    prices = catalog(row({"input": "1"}, end="2026-03-01"), row({"input": "2"}, start="2026-03-01"))
    usage, midnight = Usage(input_tokens=1_000_000), datetime(2026, 3, 1, tzinfo=UTC)
    assert price(prices, usage, at=midnight - timedelta(microseconds=1)).usd == 1
    assert price(prices, usage, at=midnight).usd == 2
    assert price(prices, usage, at=datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2)))).usd == 1
    assert price(prices, usage, at=datetime(2026, 3, 1)).usd == 2  # noqa: DTZ001 - a naive moment is taken as UTC
    assert price(prices, usage).usd == 2


@pytest.mark.parametrize(
    ("hours", "day", "hour", "expected"),
    [
        (["01:00", "04:00"], 2, 1, "2"),
        (["01:00", "04:00"], 2, 4, "1"),
        (["22:00", "02:30"], 2, 1, "2"),
        (["22:00", "02:30"], 2, 12, "1"),
        (["01:00", "04:00"], 7, 1, "1"),
        (["00:00", "24:00"], 2, 23, "2"),
    ],
)
def test_hours_of_the_day(hours: list[str], day: int, hour: int, expected: str) -> None:
    """Windows are half-open, may span midnight, and hold on their weekdays only (the 7th is a Saturday)."""
    prices = catalog(row({"input": "1"}), row({"input": "2"}, window={"hours": hours, "days": [1, 2, 3, 4, 5]}))
    at = datetime(2026, 11, day, hour, tzinfo=UTC)
    assert price(prices, Usage(input_tokens=1_000_000), at=at).usd == Decimal(expected)


def test_minimum_and_maximum_of_a_unit() -> None:
    """A minimum applies only to a positive count; a maximum caps the count."""
    prices = catalog(row({"seconds": "3600", "web_searches": "1000"}), minimum={"seconds": 10}, maximum={"web_searches": 1})
    assert price(prices, Usage(seconds=2.5)).usd == 10
    assert price(prices, Usage(seconds=0)).usd == 0
    assert price(prices, Usage(seconds=20, searches=5)).usd == 21


def test_a_third_of_a_cent_is_rounded_once() -> None:
    """Division comes last and rounds half to even at 1e-15 dollars."""
    assert price(catalog(row({"seconds": "1"})), Usage(seconds=1)).usd == Decimal("0.000277777777778")
    assert price(catalog(row({"seconds": "1"})), Usage(seconds=3600)).usd == 1


def test_rates_finer_than_a_quantum() -> None:
    """Each line is rounded, so the cost equals the sum of its lines."""
    prices = catalog(row({"input": "0.0000000004", "output": "0.0000000006", "requests": "1"}))
    cost = price(prices, Usage(input_tokens=1, output_tokens=1))
    assert cost.usd == sum(line.usd for line in cost.breakdown) == Decimal("0.001000000000001")
    assert price(prices, Usage(input_tokens=10, output_tokens=10)).usd == Decimal("0.00100000000001")


def test_more_cards_and_plans_than_the_caches_hold() -> None:
    """Evicted rate cards and plans are computed again with the same result."""
    prices = catalog(row({"images": "1"}), row({"images": "2"}, when={"size": "7x7"}))
    for side in (*range(1, 1100), 7):
        cost = price(prices, Usage(images=1, image_size=f"{side}x{side}"))
        assert cost.usd == (2 if side == 7 else 1)
    names = [name for name, field in Usage.model_fields.items() if field.annotation == (int | None)][:9]
    flat = catalog(row(BASE))
    for chosen in range(1, 512):
        shape: dict[str, Any] = {name: 0 for place, name in enumerate(names) if chosen >> place & 1}
        assert price(flat, Usage(**shape)).usd in (0, None)


def test_exact_in_any_decimal_context() -> None:
    """The caller's decimal context does not change the cost."""
    prices = catalog(row({"input": "2.5", "output": "10"}))
    with localcontext() as context:
        context.prec = 3
        cost = price(prices, Usage(input_tokens=123_456_789, output_tokens=987_654_321))
    assert cost.usd == Decimal("10185.1851825")


def test_free_is_zero_and_unknown_is_none() -> None:
    """An explicit rate of zero costs 0; a missing rate makes the cost None."""
    free = price(catalog(row({"input": "0", "output": "0"})), Usage(input_tokens=10, output_tokens=10))
    assert (free.usd, free.status, free.complete) == (Decimal(0), "priced", True)
    unpriced = price(catalog(), Usage(input_tokens=10))
    assert (unpriced.usd, unpriced.status, unpriced.complete) == (None, "missing_rate", False)
    assert price(catalog(), Usage(input_tokens=0)).usd is None


def test_a_unit_without_a_rate_is_listed() -> None:
    """Rated units are charged and unrated ones are listed in `unpriced`."""
    cost = price(catalog(row({"input": "1"})), Usage(input_tokens=1000, output_tokens=5, searches=2))
    assert (cost.usd, cost.status, cost.complete) == (Decimal("0.001"), "unpriced_unit", False)
    assert cost.unpriced == ("output", "web_searches")
    nothing = price(catalog(row({"input": "1"})), Usage(output_tokens=5))
    assert (nothing.usd, nothing.status, nothing.unpriced) == (None, "missing_rate", ("output",))
    partly = price(catalog(row({"input_audio": "1"})), Usage(input_tokens=10, audio_input_tokens=4))
    assert (partly.usd, partly.unpriced) == (Decimal("0.000004"), ("input",))
    whole = price(catalog(row({"input_audio": "1"})), Usage(input_tokens=10, audio_input_tokens=10))
    assert (whole.usd, whole.status) == (Decimal("0.00001"), "priced")


@pytest.mark.parametrize("usage", [None, Usage(), Usage(total_tokens=7), Usage(partial=True)])
def test_no_usage(usage: Usage | None) -> None:
    """Without any count the status is "no_usage"."""
    cost = price(catalog(row(BASE)), usage)
    assert (cost.usd, cost.status, cost.complete) == (None, "no_usage", False)


def test_reported_zeros_cost_nothing() -> None:
    """Reported counts of zero cost 0."""
    cost = price(catalog(row(BASE)), Usage(input_tokens=0, output_tokens=0))
    assert (cost.usd, cost.status) == (Decimal(0), "priced")


def test_partial_usage_makes_a_partial_cost() -> None:
    """Partial usage gives a cost with status "partial"."""
    cost = price(catalog(row(BASE)), Usage(input_tokens=1000, partial=True))
    assert (cost.usd, cost.status, cost.complete) == (Decimal("0.003"), "partial", False)


def test_a_reported_cost_is_used_and_both_are_kept() -> None:
    """The provider's reported cost is `usd`; the computed one and its lines are kept beside it."""
    stated = Usage(input_tokens=1000, cost_usd=Decimal("0.5"))
    cost = price(catalog(row(BASE)), stated)
    assert (cost.usd, cost.source, cost.provider_usd, cost.computed_usd) == (
        Decimal("0.5"), "provider", Decimal("0.5"), Decimal("0.003"),
    )  # fmt: skip
    assert [line.usd for line in cost.breakdown] == [Decimal("0.003")]
    assert price(catalog(row(BASE)), Usage(input_tokens=1000)).provider_usd is None


def test_a_reported_cost_replaces_an_unknown_one() -> None:
    """A reported cost is used where none can be computed."""
    stated = Usage(input_tokens=1000, cost_usd=Decimal("0.5"))
    for cost in (price(catalog(), stated), catalog().price("other", stated, provider="p")):
        assert (cost.usd, cost.status, cost.complete, cost.source) == (Decimal("0.5"), "priced", True, "provider")
        assert cost.computed_usd is None
    interrupted = price(catalog(), Usage(cost_usd=Decimal(0), partial=True))
    assert (interrupted.usd, interrupted.status, interrupted.complete) == (Decimal(0), "partial", False)


def test_a_reported_zero_does_not_hide_a_price() -> None:
    """A reported zero loses against a computed cost above zero; for a free model both are zero."""
    zero = Usage(input_tokens=1000, cost_usd=Decimal(0))
    cost = price(catalog(row(BASE)), zero)
    assert (cost.usd, cost.source, cost.provider_usd) == (Decimal("0.003"), "computed", Decimal(0))
    assert price(catalog(row({"input": "0"})), zero).source == "provider"


def test_user_rates_win_over_a_reported_cost() -> None:
    """With user rates or discounts the computed cost is used, and the reported one is kept."""
    stated = Usage(input_tokens=1000, cost_usd=Decimal("0.5"))
    mine = catalog(row(BASE))
    for cost, usd in (
        (price(mine.override("m", {"input": 1}), stated), "0.001"),
        (price(mine, stated, rates={"input": 1}), "0.001"),
        (price(mine.discount("d", -50), stated), "0.0015"),
    ):
        assert (cost.usd, cost.source, cost.provider_usd) == (Decimal(usd), "computed", Decimal("0.5"))


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), -1.0])
def test_impossible_seconds_count_as_zero(seconds: float) -> None:
    """Infinite, NaN and negative seconds cost 0 and raise nothing."""
    assert price(catalog(row({"seconds": "1"})), Usage(seconds=seconds)).usd == 0


def test_strict_raises_if_the_cost_is_not_complete() -> None:
    """With `strict` an incomplete cost raises an error that carries the cost."""
    with pytest.raises(CatalogError, match="unpriced_unit"):
        price(catalog(row({"input": "1"})), Usage(input_tokens=1, output_tokens=1), strict=True)
    with pytest.raises(CatalogError, match="unknown_model") as raised:
        catalog().price("other", Usage(input_tokens=1), provider="p", strict=True)
    assert raised.value.cost is not None
    assert raised.value.cost.usd is None


@pytest.mark.parametrize(
    ("quanta", "text"), [(0, "0"), (1, "1E-15"), (10**15, "1"), (120 * 10**15, "120"), (25 * 10**13, "0.25")]
)
def test_dollars(quanta: int, text: str) -> None:
    """The amount is exact and has no trailing zeros."""
    assert str(dollars(quanta)) == text


def test_storage_cost() -> None:
    """Storage is priced per million tokens and hour; without a rate or in an unknown tier its cost is unknown."""
    prices = catalog(
        row({"input": "1", "cache_storage": "4.5"}), row({"input": "2", "cache_storage": "1"}, when={"tier": "flex"})
    )
    cost = prices.storage_cost("m", 2_000_000, 1800.0, provider="p")
    assert (cost.usd, cost.status, cost.complete) == (Decimal("4.5"), "priced", True)
    assert [(line.unit, line.count, line.rate) for line in cost.breakdown] == [("cache_storage", Decimal(3_600_000_000), "4.5")]
    assert prices.storage_cost("m", 2_000_000, 1800, provider="p", tier="flex").usd == 1
    assert prices.storage_cost("m", 1, 1, provider="p", tier="batch").unpriced == ("tier:batch",)
    assert catalog(row({"input": "1"})).storage_cost("m", 1, 1, provider="p").unpriced == ("cache_storage",)
    assert prices.storage_cost("other", 1, 1, provider="p").status == "unknown_model"
    assert prices.storage_cost("m", -1, float("nan"), provider="p").usd == 0


def test_a_cost_survives_json() -> None:
    """A cost and its lazy breakdown survive JSON, pickle and copies."""
    cost = price(catalog(row({**BASE, "seconds": "1"})), Usage(input_tokens=1000, output_tokens=3, source="estimated"))
    again = Cost.model_validate_json(cost.model_dump_json())
    assert again == cost
    assert again.breakdown == cost.breakdown == tuple(again.breakdown)
    assert (len(cost.breakdown), cost.breakdown[0].unit, cost.breakdown[1:][0].unit) == (2, "input", "output")
    assert cost.usage_source == "estimated"
    assert repr(cost.breakdown) == repr(tuple(cost.breakdown))
    assert hash(cost.breakdown) == hash(tuple(cost.breakdown))
    assert pickle.loads(pickle.dumps(cost)) == cost
    assert cost.model_copy(update={"usd": None}).breakdown == cost.breakdown
    assert Cost.model_validate(cost.model_dump()) == cost
    assert list(cost.model_dump()) == list(Cost.model_fields) == list(Cost().model_dump())
    with pytest.raises(ValidationError):
        cost.usd = Decimal(1)


def test_usd_equals_price() -> None:
    """`usd` returns the same amount as `price`."""
    prices = catalog(row(BASE))
    assert prices.usd("m", Usage(input_tokens=1000), provider="p") == Decimal("0.003")
    assert prices.usd("m", Usage(input_tokens=1000, cost_usd=Decimal(1)), provider="p") == 1
    assert prices.usd("other", Usage(input_tokens=1000), provider="p") is None
    assert prices.usd("m", Usage(input_tokens=1000), provider="p", tier="flex") is None


def test_search_fees_by_the_size_of_the_context() -> None:
    """The fee depends on the search context size, or on the API's default."""
    fees = [row({"requests": fee}, when={"search": size}) for size, fee in (("low", "5"), ("medium", "8"), ("high", "12"))]
    prices = catalog(row({"input": "0"}), *fees, defaults={"search": "medium"})
    costs = [price(prices, Usage(input_tokens=1, search_context=size)).usd for size in ("low", None, "HIGH")]
    assert costs == [Decimal("0.005"), Decimal("0.008"), Decimal("0.012")]


def test_video_by_resolution() -> None:
    """The resolution of a video selects the row by `size`."""
    prices = catalog(row({"video_seconds": "0.1"}, when={"size": "720p"}), row({"video_seconds": "0.3"}, when={"size": "1080p"}))
    assert price(prices, Usage(video_seconds=8, video_size="1080p")).usd == Decimal("2.4")
    assert price(prices, Usage(video_seconds=8)).status == "missing_rate"


def test_a_fee_for_every_request_covers_its_searches() -> None:
    """Searches of a request with a fee per request need no rate of their own."""
    searched = price(catalog(row({"input": "1", "requests": "5"})), Usage(input_tokens=1_000_000, searches=3))
    assert (searched.status, searched.usd) == ("priced", Decimal("1.005"))
    assert price(catalog(row({"input": "1"})), Usage(input_tokens=1, searches=3)).unpriced == ("web_searches",)
