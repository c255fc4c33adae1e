import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.errors import CatalogError
from streamtally.pricing import ModelCatalog
from streamtally.records import Cost, Usage

from .lists import catalog, price, row

USAGE = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
LISTED = catalog(row({"input": "3", "output": "15"}), row({"input": "6"}, when={"tier": "priority"}))

TOML = """
[[override]]
model = "M"
provider = "p"
rates = { input = 2, output = 8.1 }
from = 2026-03-01

[[override]]
model = "m"
rates = { input = "1" }
when = { tier = "batch" }

[[override]]
model = "other"
rates = { requests = 5 }
window = { hours = ["09:00", "12:00"], tz = "Asia/Shanghai" }

[[discount]]
name = "agreement"
percent = -12.5
provider = "p"
units = ["output"]

[[discount]]
name = "support"
percent = 3
"""

AS_JSON = {
    "override": [
        {"model": "M", "provider": "p", "rates": {"input": 2, "output": 8.1}, "from": "2026-03-01"},
        {"model": "m", "rates": {"input": "1"}, "when": {"tier": "batch"}},
        {"model": "other", "rates": {"requests": 5}, "window": {"hours": ["09:00", "12:00"], "tz": "Asia/Shanghai"}},
    ],
    "discount": [
        {"name": "agreement", "percent": -12.5, "provider": "p", "units": ["output"]},
        {"name": "support", "percent": 3},
    ],
}


@pytest.fixture(params=["toml", "json", "mapping"])
def mine(request: pytest.FixtureRequest, tmp_path: Path) -> ModelCatalog:
    """A catalog with the same overrides from a mapping, a TOML file and a JSON file."""
    if request.param == "mapping":
        return LISTED.with_overrides(AS_JSON)
    path = tmp_path / f"prices.{request.param}"
    path.write_text(TOML if request.param == "toml" else json.dumps(AS_JSON))
    return LISTED.with_overrides(path)


def test_a_file_of_overrides(mine: ModelCatalog) -> None:
    """Override rates hold from their date and in their tier; discounts are lines of the cost."""
    before, after = datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    old, new = price(mine, USAGE, at=before), price(mine, USAGE, at=after)
    assert (old.usd, new.usd) == (
        Decimal(18) - Decimal("1.875") + Decimal("0.54"),
        Decimal("10.1") - Decimal("1.0125") + Decimal("0.303"),
    )
    assert [(line.unit, line.name, line.count, line.rate, line.usd) for line in new.breakdown] == [
        ("input", None, Decimal(1_000_000), "2", Decimal(2)),
        ("output", None, Decimal(1_000_000), "8.1", Decimal("8.1")),
        ("discount", "agreement", Decimal("8.1"), "-12.5%", Decimal("-1.0125")),
        ("discount", "support", Decimal("10.1"), "+3%", Decimal("0.303")),
    ]
    at_ten = datetime(2026, 11, 2, 2, tzinfo=UTC)
    assert mine.price("other", Usage(input_tokens=0), provider="x", at=at_ten).usd == Decimal("0.00515")
    assert mine.price("other", Usage(input_tokens=0), provider="x", at=datetime(2026, 11, 2, 5, tzinfo=UTC)).usd is None


def test_overrides_make_a_new_catalog(mine: ModelCatalog) -> None:
    """The new catalog has another revision, and the original is unchanged."""
    assert mine.revision.startswith("r+user.")
    assert mine.revision != LISTED.override("m", {"input": 1}).revision
    assert price(LISTED, USAGE).usd == 18
    assert price(mine.override("m", {"input": 0, "output": 0}, provider="p"), USAGE).usd == 0


@pytest.mark.parametrize(
    "raw",
    [
        {"overrides": []},
        {"override": {}},
        {"override": ["m"]},
        {"override": [{"rates": {"input": 1}}]},
        {"override": [{"model": "m"}]},
        {"override": [{"model": "m", "rates": {"tokens": 1}}]},
        {"override": [{"model": "m", "rates": {"input": True}}]},
        {"override": [{"model": "m", "rates": {"input": 1}, "multiplier": 2}]},
        {"override": [{"model": "m", "rates": {"input": 1}, "when": "batch"}]},
        {"override": [{"model": "m", "rates": {"input": 1}, "from": "soon"}]},
        {"override": [{"model": "m", "provider": 5, "rates": {"input": 1}}]},
        {"discount": [{"name": "d"}]},
        {"discount": [{"name": "d", "percent": "much"}]},
        {"discount": [{"name": "d", "percent": -101}]},
        {"discount": [{"name": "d", "percent": "nan"}]},
        {"discount": [{"name": "d", "percent": 1, "units": ["tokens"]}]},
        {"discount": [{"name": "d", "percent": 1, "rate": 2}]},
    ],
)
def test_invalid_overrides_are_rejected(raw: dict[str, Any]) -> None:
    """An invalid override raises at once."""
    with pytest.raises(CatalogError):
        LISTED.with_overrides(raw)


@pytest.mark.parametrize(("name", "text"), [("a.toml", "= 1"), ("a.json", "{"), ("a.json", "[]"), ("absent.toml", None)])
def test_files_that_cannot_be_read(tmp_path: Path, name: str, text: str | None) -> None:
    """Damaged and missing files raise `CatalogError`."""
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(CatalogError):
        LISTED.with_overrides(tmp_path / name)


def test_the_call_wins_over_the_user_and_the_user_over_the_catalog() -> None:
    """Rates of a call win over overrides and these over the catalog; the match rule names the origin."""
    mine = LISTED.override("m", {"input": 2}, provider="p")
    costs = (price(LISTED, USAGE), price(mine, USAGE), price(mine, USAGE, rates={"input": "1"}))
    assert [cost.usd for cost in costs] == [18, 17, 16]
    assert [cost.match_rule for cost in costs] == ["exact", "user: exact", "call: exact"]
    assert price(mine, USAGE, rates={"input": 1}, tier="priority").usd == 16
    assert price(mine, USAGE).usd == 17


def test_rates_of_one_call_for_an_unknown_model() -> None:
    """Rates of a call price an unknown model; an unknown unit raises."""
    cost = LISTED.price("new", Usage(input_tokens=1_000_000), provider="p", rates={"input": 0.5})
    assert (cost.usd, cost.model_matched, cost.match_rule) == (Decimal("0.5"), "new", "call: exact")
    with pytest.raises(CatalogError):
        LISTED.price("m", USAGE, rates={"tokens": 1})


def test_override_with_dates_and_words() -> None:
    """An override holds from its start to before its end, and only in its tier."""
    mine = LISTED.override("m", {"input": 1}, start=date(2026, 1, 1), end="2026-02-01", when={"tier": "priority"})
    inside, outside = datetime(2026, 1, 31, 23, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    costs = [price(mine, USAGE, at=at, tier=tier).usd for at in (inside, outside) for tier in (None, "priority")]
    assert costs == [18, 16, 18, 21]


def test_an_override_does_not_rate_other_units_of_an_unknown_tier() -> None:
    """In a tier without rates only the overridden units are charged."""
    cost = price(LISTED.override("m", {"input": 1}), USAGE, tier="flex")
    assert (cost.usd, cost.status, cost.unpriced) == (Decimal(1), "unpriced_unit", ("output",))


def test_discounts_apply_under_their_conditions() -> None:
    """A discount applies at its provider, to its model under any name, to its units and in its time."""
    entry = {"name": "d", "percent": "-50", "provider": "P", "model": "M", "from": "2026-02-01", "to": "2026-03-01"}
    cheaper = LISTED.with_overrides({"discount": [entry]})
    days = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3)]
    assert [price(cheaper, USAGE, at=at).usd for at in days] == [18, 9, 18]
    assert LISTED.discount("d", -50, provider="q").price("m", USAGE, provider="p").usd == 18
    assert LISTED.discount("d", -50, model="n").price("m", USAGE, provider="p").usd == 18
    assert LISTED.discount("d", -50, units=frozenset({"input"})).price("m", USAGE, provider="p").usd == Decimal("16.5")
    assert LISTED.discount("d", 10).usd("m", USAGE, provider="p") == Decimal("19.8")
    assert LISTED.discount("d", 10).price("n", USAGE, provider="p").usd is None


@given(st.lists(st.decimals(-100, 100, places=3), max_size=4), st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_cost_is_the_sum_of_its_lines(percents: list[Decimal], given_input: int, given_output: int) -> None:
    """With any discounts the cost is the sum of its lines, and the other lines stay at list price."""
    mine = LISTED
    for place, percent in enumerate(percents):
        mine = mine.discount(f"d{place}", percent)
    usage = Usage(input_tokens=given_input, output_tokens=given_output)
    cost, listed = price(mine, usage), price(LISTED, usage)
    assert cost.usd == sum((line.usd for line in cost.breakdown), Decimal(0))
    assert [line for line in cost.breakdown if line.unit != "discount"] == list(listed.breakdown)
    assert Cost.model_validate_json(cost.model_dump_json()) == cost
