from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.errors import CatalogError
from streamtally.pricing import rows
from streamtally.pricing.rates import geography
from streamtally.pricing.rows import parse_prices, parse_row
from streamtally.records import Usage

from .lists import catalog, price, row
from .reference import holds

MILLION = Usage(input_tokens=1_000_000)
PEAK = {"tz": "Asia/Shanghai", "days": [1, 2, 3, 4, 5], "hours": ["09:00", "12:00"], "holidays": ["2026-10-01", "2026-10-02"]}
HALF_PAST = {"tz": "Asia/Kolkata", "hours": ["22:30", "02:30"]}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-02T01:00", "2"),  # Monday, nine in the morning in Shanghai
        ("2026-11-02T00:59", "1"),
        ("2026-11-02T03:59:59.999", "2"),
        ("2026-11-02T04:00", "1"),
        ("2026-11-01T01:00", "1"),  # Sunday
        ("2026-10-30T01:00", "2"),  # Friday
        ("2026-10-31T01:00", "1"),  # Saturday
        ("2026-10-01T01:00", "1"),  # a holiday on a Thursday
        ("2026-09-30T01:00", "2"),
    ],
)
def test_hours_weekdays_and_holidays_in_a_zone(at: str, expected: str) -> None:
    """All of them are looked up on the spot, and hold together."""
    prices = catalog(row({"input": "1"}), row({"input": "2"}, window=PEAK))
    assert price(prices, MILLION, at=datetime.fromisoformat(at).replace(tzinfo=UTC)).usd == Decimal(expected)
    aware = datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))
    assert price(prices, MILLION, at=aware).usd == Decimal(expected)


@pytest.mark.parametrize(
    ("at", "expected"), [("16:59", "1"), ("17:00", "2"), ("20:59", "2"), ("21:00", "1"), ("18:30", "2"), ("12:00", "1")]
)
def test_a_zone_of_half_an_hour_and_a_window_past_midnight(at: str, expected: str) -> None:
    """Half past ten at night in Kolkata is five in the afternoon in UTC."""
    prices = catalog(row({"input": "1"}), row({"input": "2"}, window=HALF_PAST))
    assert price(prices, MILLION, at=datetime.fromisoformat(f"2026-11-03T{at}+00:00")).usd == Decimal(expected)


def test_a_day_with_a_missing_hour() -> None:
    """The hour is that of the clock on the wall, in summer and in winter."""
    prices = catalog(row({"input": "1"}), row({"input": "2"}, window={"tz": "Europe/Berlin", "hours": ["08:00", "09:00"]}))
    for month, hour in ((1, 7), (7, 6)):
        assert price(prices, MILLION, at=datetime(2026, month, 5, hour, tzinfo=UTC)).usd == 2
        assert price(prices, MILLION, at=datetime(2026, month, 5, hour + 1, tzinfo=UTC)).usd == 1


@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_the_ends_of_time(at: datetime, zone: str) -> None:
    """Where the calendar of a zone ends, no window is open."""
    prices = catalog(row({"input": "1"}), row({"input": "2"}, window={"tz": zone, "days": [1, 2, 3, 4, 5, 6, 7]}))
    assert price(prices, MILLION, at=at).usd in (1, 2)


def test_named_holidays() -> None:
    """A catalog lists its holidays once."""
    entry = {"rows": [row({"input": "2"}, window={**PEAK, "holidays": "cn"})]}
    parsed = parse_prices(entry, {"cn": ["2026-10-01"]}).rows[0]
    assert parsed.window is not None
    assert not parsed.window.holds(datetime(2026, 10, 1, 1, tzinfo=UTC))
    with pytest.raises(CatalogError, match="no holidays 'cn'"):
        parse_prices(entry)


def test_a_system_without_time_zones_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clearly where a catalog is loaded; in a stream the price is missing and the rule says why."""

    def absent(name: str) -> ZoneInfo:
        raise ZoneInfoNotFoundError(name)

    rows.zone_of.cache_clear()
    monkeypatch.setattr(rows, "ZoneInfo", absent)
    with pytest.raises(CatalogError, match="pip install tzdata"):
        parse_row(row({"input": "2"}, window=PEAK))
    assert parse_row(row({"input": "2"}, window={"tz": "UTC"})).window
    prices = catalog(row({"input": "1"}), row({"input": "2"}, window=PEAK))
    cost = price(prices, MILLION)
    assert (cost.usd, cost.status) == (None, "missing_rate")
    assert "pip install tzdata" in (cost.match_rule or "")
    with pytest.raises(CatalogError, match="pip install tzdata") as raised:
        price(prices, MILLION, strict=True)
    assert raised.value.cost == cost


@pytest.mark.parametrize(
    "raw",
    [
        {"rates": {"input": "1"}, "unless": {}},
        {"rates": {"input": "1"}, "when": {"tier": 5}},
        {"rates": {"input": "1"}, "when": {"tier": []}},
        {"rates": {"input": "1"}, "window": {"days": [0]}},
        {"rates": {"input": "1"}, "window": {"hours": ["09:00", "09:75"]}},
        {"rates": {"input": "1"}, "window": {"tz": "Mars/Olympus"}},
        {"rates": {"input": "1"}, "window": {"tz": "../etc"}},
        {"rates": {"input": "1e99"}},
    ],
)
def test_what_is_no_row(raw: dict[str, Any]) -> None:
    """A condition that is not understood would be one that is ignored."""
    with pytest.raises(CatalogError):
        parse_row(raw)


@pytest.mark.parametrize(("region", "expected"), [("us", "2"), ("EU-west-1", "2"), ("jp", "3"), ("global", "1"), (None, "1")])
def test_regions(region: str | None, expected: str) -> None:
    """A cloud's own name of a region is known by its geography; rows without a region are those of "global"."""
    prices = catalog(
        row({"input": "1"}), row({"input": "2"}, when={"region": ["us", "eu"]}), row({"input": "3"}, when={"region": "jp"})
    )
    assert price(prices, MILLION, region=region).usd == Decimal(expected)


def test_a_region_that_no_row_names_is_unknown() -> None:
    """Unless no row names any: then the price is the same everywhere."""
    prices = catalog(row({"input": "1"}), row({"input": "2"}, when={"region": "us"}))
    cost = price(prices, MILLION, region="au")
    assert (cost.usd, cost.status, cost.unpriced) == (None, "missing_rate", ("region:au",))
    assert price(catalog(row({"input": "1"})), MILLION, region="au").usd == 1
    assert price(catalog(*prices._book.providers["p"]["models"]["m"]["rows"], regions=["au"]), MILLION, region="au").usd == 1


def test_the_regional_word_of_a_cloud_stands_for_all_its_regions() -> None:
    """Where a list has one price for all but the global endpoint."""
    prices = catalog(row({"input": "10"}), row({"input": "11"}, when={"region": "regional"}))
    assert [price(prices, MILLION, region=region).usd for region in ("europe-west4", "us", "global")] == [11, 11, 10]
    assert price(prices, MILLION, region="us-gov-east-1").status == "missing_rate"


def test_conditions_compose() -> None:
    """Date, tier, region, context and hours: the row holds where all of them do, and nowhere else."""
    special = row(
        {"input": "9"},
        start="2026-06-01",
        end="2026-07-01",
        when={"tier": "flex", "region": "eu"},
        above={"input": 500_000},
        window={"hours": ["09:00", "12:00"]},
    )
    prices = catalog(row({"input": "1"}, when={"tier": "*", "region": "*"}), row({}, when={"region": ["eu", "us"]}), special)
    moments = [datetime(2026, month, 3, hour, tzinfo=UTC) for month in (5, 6, 7) for hour in (8, 9, 12)]
    for at, tier, region, size in product(moments, ("flex", "batch"), ("eu", "us"), (500_000, 500_001)):
        usd = price(prices, Usage(input_tokens=size), at=at, tier=tier, region=region).usd
        inside = at == datetime(2026, 6, 3, 9, tzinfo=UTC) and tier == "flex" and region == "eu" and size > 500_000
        assert usd == Decimal(9 if inside else 1) * size / 1_000_000


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - made aware
    st.sampled_from([PEAK, HALF_PAST, {"tz": "Europe/Berlin", "hours": ["23:00", "24:00"]}, {"days": [6, 7]}]),
)
def test_windows_are_those_of_a_literal_reading(at: datetime, window: dict[str, Any]) -> None:
    """At any moment."""
    raw = row({"input": "1"}, window=window)
    assert parse_row(raw).holds(at, 0, {}) == holds(raw, 0, at, {}, {})


def test_the_rows_of_a_cost_say_their_conditions() -> None:
    """In words that a person can read."""
    rows_of = [
        row({"input": "1"}),
        row({"output": "2"}, start="2026-01-01", end="2027-01-01", when={"tier": "flex"}, above={"input": 5, "op": ">="}),
        row({"reasoning": "3"}, window={"hours": ["00:00", "24:00"], "days": [1], "holidays": ["2026-01-01"]}),
    ]
    cost = price(catalog(*rows_of), Usage(input_tokens=5), tier="flex", at=datetime(2026, 11, 2, tzinfo=UTC))
    assert cost.rows == (
        "standard",
        "tier flex, from 2026-01-01, to 2027-01-01, above 4 input tokens",
        "00:00-24:00 UTC on 1 but holidays",
    )


@given(st.text())
def test_geography_never_raises(text: str) -> None:
    """Any text is a region, if not a known one."""
    assert isinstance(geography(text), str)


def test_a_region_that_only_other_tiers_name_has_the_plain_price() -> None:
    """Where the provider's plain prices are those of that region; elsewhere it is unknown."""
    rows = [row({"input": "1"}), row({"input": "2"}, when={"region": "us", "tier": "batch"})]
    here = catalog(*rows, regions=["us"])
    assert price(here, MILLION, region="us-east-1").usd == 1
    assert price(here, MILLION, region="us-east-1", tier="batch").usd == 2
    assert price(here, MILLION, region="us-gov-east-1").status == "missing_rate"
    assert price(catalog(*rows), MILLION, region="us").status == "missing_rate"
