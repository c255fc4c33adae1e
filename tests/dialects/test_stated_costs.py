"""Costs that usage reports state: the amount, and whether it may be an estimate."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.dialects.stated_costs import cost_fields

BILLED: dict[str, tuple[dict[str, Any], str]] = {
    "ticks": ({"cost_in_usd_ticks": 37_000_000}, "0.0037"),
    "an object": ({"cost": {"input_tokens_cost": 0.001, "total_cost": 0.006}}, "0.006"),
    "beside details": ({"cost": 0.0012, "cost_details": {"upstream_inference_cost": None}}, "0.0012"),
    "not with a key of the user": ({"cost": 0.0012, "is_byok": False}, "0.0012"),
    "a fee, with a key of the user": ({"cost": 0.05, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.95}}, "1.00"),
    "ticks beside a number": ({"cost": 0.5, "cost_in_usd_ticks": 10_000_000_000}, "1"),
}
ESTIMATED: dict[str, tuple[dict[str, Any], str]] = {
    "a number": ({"cost": 0.25}, "0.25"),
    "nothing": ({"cost": 0}, "0"),
    "named an estimate": ({"estimated_cost": 2.5e-06}, "0.0000025"),
    "marked": ({"cost": 0.25, "is_byok": False, "cost_stated_by": "gateway"}, "0.25"),
}


@pytest.mark.parametrize("name", BILLED)
def test_what_is_billed(name: str) -> None:
    """Fields that only those have who bill what they state."""
    report, amount = BILLED[name]
    assert cost_fields(report) == {"cost_usd": Decimal(amount)}


@pytest.mark.parametrize("name", ESTIMATED)
def test_what_may_be_an_estimate(name: str) -> None:
    """A bare number is an estimate, unless the provider bills it."""
    report, amount = ESTIMATED[name]
    assert cost_fields(report) == {"cost_usd": Decimal(amount), "cost_stated_by": "gateway"}


@pytest.mark.parametrize("report", [{}, {"cost": None}, {"cost": "free"}, {"cost": True}, {"cost": {}}, {"is_byok": True}])
def test_no_cost(report: dict[str, Any]) -> None:
    """Nothing is stated."""
    assert cost_fields(report) == {}


@given(st.decimals(0, 1000, places=9))
def test_amounts_are_exact(amount: Decimal) -> None:
    """The digits of a number are those of its text."""
    assert cost_fields({"cost": float(amount)})["cost_usd"] == Decimal(repr(float(amount)))
