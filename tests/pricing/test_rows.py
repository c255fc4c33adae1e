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
    """Hours, weekdays and holidays are evaluated in the window's zone and must all match."""
    prices = catalog(row({"input": "1"}), row({"input": "2"}, window=PEAK))
    assert price(prices, MILLION, at=datetime.fromisoformat(at).replace(tzinfo=UTC)).usd == Decimal(expected)
    aware = datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))
    assert price(prices, MILLION, at=aware).usd == Decimal(expected)


@pytest.mark.parametrize(
    ("at", "expected"), [("16:59", "1"), ("17:00", "2"), ("20:59", "2"), ("21:00", "1"), ("18:30", "2"), ("12:00", "1")]
)
def test_a_zone_of_half_an_hour_and_a_window_past_midnight(at: str, expected: str) -> None:
    """A window may span midnight in a zone with a half-hour offset."""
    prices = catalog(row({"input": "1"}), row({"input": "2"}, window=HALF_PAST))
    assert price(prices, MILLION, at=datetime.fromisoformat(f"2026-11-03T{at}+00:00")).usd == Decimal(expected)


def test_a_day_with_a_missing_hour() -> None:
    """Windows follow local time across daylight saving changes."""
    prices = catalog(row({"input": "1"}), row({"input": "2"}, window={"tz": "Europe/Berlin", "hours": ["08:00", "09:00"]}))
    for month, hour in ((1, 7), (7, 6)):
        assert price(prices, MILLION, at=datetime(2026, month, 5, hour, tzinfo=UTC)).usd == 2
        assert price(prices, MILLION, at=datetime(2026, month, 5, hour + 1, tzinfo=UTC)).usd == 1


@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_the_limits_of_datetime(at: datetime, zone: str) -> None:
    """No window is open where the local time is outside the range of datetime."""
    prices = catalog(row({"input": "1"}), row({"input": "2"}, window={"tz": zone, "days": [1, 2, 3, 4, 5, 6, 7]}))
    assert price(prices, MILLION, at=at).usd in (1, 2)


def test_named_holidays() -> None:
    """A window may name a list of holidays of the catalog."""
    entry = {"rows": [row({"input": "2"}, window={**PEAK, "holidays": "cn"})]}
    parsed = parse_prices(entry, {"cn": ["2026-10-01"]}).rows[0]
    assert parsed.window is not None
    assert not parsed.window.holds(datetime(2026, 10, 1, 1, tzinfo=UTC))
    with pytest.raises(CatalogError, match="no list of holidays named 'cn'"):
        parse_prices(entry)


def test_a_system_without_time_zone_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a catalog raises; in a stream the price is missing and the match rule has the reason."""

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
def test_invalid_rows_are_rejected(raw: dict[str, Any]) -> None:
    """An unknown condition or an invalid value raises."""
    with pytest.raises(CatalogError):
        parse_row(raw)


@pytest.mark.parametrize(("region", "expected"), [("us", "2"), ("EU-west-1", "2"), ("jp", "3"), ("global", "1"), (None, "1")])
def test_regions(region: str | None, expected: str) -> None:
    """A cloud's region matches its geography; rows without a region hold for "global"."""
    prices = catalog(
        row({"input": "1"}), row({"input": "2"}, when={"region": ["us", "eu"]}), row({"input": "3"}, when={"region": "jp"})
    )
    assert price(prices, MILLION, region=region).usd == Decimal(expected)


def test_a_region_that_no_row_names_is_unknown() -> None:
    """A region without rows has no price, unless no row names any region."""
    prices = catalog(row({"input": "1"}), row({"input": "2"}, when={"region": "us"}))
    cost = price(prices, MILLION, region="au")
    assert (cost.usd, cost.status, cost.unpriced) == (None, "missing_rate", ("region:au",))
    assert price(catalog(row({"input": "1"})), MILLION, region="au").usd == 1
    assert price(catalog(*prices._index.providers["p"]["models"]["m"]["rows"], regions=["au"]), MILLION, region="au").usd == 1


def test_regional_matches_every_region_but_global() -> None:
    """ "regional" matches every region but "global"."""
    prices = catalog(row({"input": "10"}), row({"input": "11"}, when={"region": "regional"}))
    assert [price(prices, MILLION, region=region).usd for region in ("europe-west4", "us", "global")] == [11, 11, 10]
    assert price(prices, MILLION, region="us-gov-east-1").status == "missing_rate"


def test_conditions_compose() -> None:
    """A row holds only if date, tier, region, context length and hours all match."""
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
def test_windows_agree_with_the_reference(at: datetime, window: dict[str, Any]) -> None:
    """A window holds at any time exactly if the reference does."""
    raw = row({"input": "1"}, window=window)
    assert parse_row(raw).holds(at, 0, {}) == holds(raw, 0, at, {}, {})


def test_the_rows_of_a_cost_describe_their_conditions() -> None:
    """A cost describes the conditions of its rows in readable text."""
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
    """Any text is accepted as a region."""
    assert isinstance(geography(text), str)


def test_a_region_that_only_other_tiers_name_has_the_plain_price() -> None:
    """In the provider's default regions the rows without a region hold; elsewhere the price is unknown."""
    rows = [row({"input": "1"}), row({"input": "2"}, when={"region": "us", "tier": "batch"})]
    here = catalog(*rows, regions=["us"])
    assert price(here, MILLION, region="us-east-1").usd == 1
    assert price(here, MILLION, region="us-east-1", tier="batch").usd == 2
    assert price(here, MILLION, region="us-gov-east-1").status == "missing_rate"
    assert price(catalog(*rows), MILLION, region="us").status == "missing_rate"
