from collections import Counter
from datetime import date, time
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from streamtally.pricing.build import genai


def prices(**rates: Any) -> SimpleNamespace:
    """A set of prices in the source's form."""
    return SimpleNamespace(**{key: Decimal(rate) if isinstance(rate, str) else rate for key, rate in rates.items()})


def under(start: date | None, rates: SimpleNamespace, **fields: Any) -> SimpleNamespace:
    """A set of prices from a date on."""
    return SimpleNamespace(constraint=SimpleNamespace(start_date=start) if start else None, prices=rates, **fields)


def tiered(base: str, **tiers: str) -> SimpleNamespace:
    """A price by context length: `above_200000="2"`."""
    steps = [SimpleNamespace(start=int(name.removeprefix("above_")), price=Decimal(price)) for name, price in tiers.items()]
    return SimpleNamespace(base=Decimal(base), tiers=steps)


def model(name: str, listed: Any, *clauses: SimpleNamespace, variants: Any = None) -> SimpleNamespace:
    """A model in the source's form."""
    return SimpleNamespace(id=name, match=SimpleNamespace(or_=clauses), prices=listed, price_variants=variants)


def models_of(*models: SimpleNamespace, provider: str = "openai") -> dict[str, Any]:
    """The catalog form of one provider's models; a name resolves to the model whose clause has it."""

    def find(name: str) -> SimpleNamespace | None:
        return next((found for found in models if name in map(str.casefold, (found.id, *genai.literals(found.match)))), None)

    source = SimpleNamespace(id=provider, models=list(models), find_model=find)
    return genai.providers_of([source], Counter())[provider]


def equals(name: str) -> SimpleNamespace:
    """A match clause of the source."""
    return SimpleNamespace(equals=name)


def test_periods_hours_and_context() -> None:
    """Periods are consecutive rows, then come hours, and every context length is a row of its own."""
    hours = SimpleNamespace(start_time=time(1), end_time=time(4))
    eras = [
        under(None, prices(input_mtok="10")),
        under(date(2026, 5, 1), prices(input_mtok=tiered("2", above_199999="4"))),
        SimpleNamespace(constraint=hours, prices=prices(input_mtok="3")),
    ]
    assert models_of(model("m", eras))["m"]["rows"] == [
        {"to": "2026-05-01", "rates": {"input": "10"}},
        {"from": "2026-05-01", "rates": {"input": "2"}},
        {"from": "2026-05-01", "above": {"input": 200_000, "op": ">="}, "rates": {"input": "4"}},
        {"from": "2026-05-01", "window": {"hours": ["01:00", "04:00"]}, "rates": {"input": "3"}},
    ]


def test_variants_are_tiers() -> None:
    """A variant is a tier under any of the source's words; the later one wins, and the standard tier has no row."""
    variants = [
        under(date(2026, 6, 1), prices(input_mtok="1"), when={"processing": "batch"}),
        under(None, prices(input_mtok="2"), when={"processing": "batch"}),
        under(None, prices(input_mtok="4"), when={"service_tier": "default"}),
    ]
    assert models_of(model("m", prices(input_mtok="4"), variants=variants))["m"]["rows"] == [
        {"rates": {"input": "4"}},
        {"when": {"tier": "batch"}, "rates": {"input": "2"}},
        {"when": {"tier": "batch"}, "from": "2026-06-01", "rates": {"input": "1"}},
    ]


def test_price_keys_without_a_unit_are_counted() -> None:
    """A price key without a unit is counted, and contradicting prices of one unit raise."""
    left: Counter[str] = Counter()
    rates = {"input_mtok": Decimal("0.30000000001"), "input_text_messages_kcount": Decimal(4)}
    assert genai.rates_of(rates, left) == {"input": "0.3"}
    assert left == {"input_text_messages_kcount": 1}
    with pytest.raises(ValueError, match="two rates for seconds"):
        genai.rates_of({"audio_hours": Decimal(1), "input_audio_hours": Decimal(2)}, left)


def test_free_models_and_aliases() -> None:
    """A model with `:free` and no price is free; its aliases are the literals that resolve to it."""
    found = models_of(
        model("m:free", prices(), equals("M-2")),
        model("other", prices(input_mtok="1"), SimpleNamespace(starts_with="other-"), SimpleNamespace(and_=[equals("m-2")])),
    )
    assert found["m:free"] == {"rows": [{"rates": {"input": "0", "output": "0"}}], "aliases": ["m-2"]}
    assert "aliases" not in found["other"]


@pytest.mark.parametrize(("fee", "unit"), [("35", "grounded_prompts"), ("14", "grounded_queries"), ("10", "web_searches")])
def test_the_unit_of_a_google_search(fee: str, unit: str) -> None:
    """The fee determines the unit: prompts, queries, or searches."""
    assert models_of(model("m", prices(web_searches_kcount=fee)), provider="google")["m"]["rows"] == [{"rates": {unit: fee}}]


def test_bedrock_models_are_one_by_region() -> None:
    """The regional price is the base and the global one a row; without a regional entry the only one is the base."""
    found = models_of(
        model("global.a.m-v1:0", prices(input_mtok="3", output_mtok="15")),
        model("regional.a.m-v1:0", prices(input_mtok="3.3", output_mtok="15"), *map(equals, ("a.m-v1:0", "us.a.m-v1:0", "m"))),
        model("global.b.n", prices(input_mtok="1")),
        provider="aws",
    )
    assert found == {
        "a.m-v1:0": {
            "rows": [
                {"rates": {"input": "3.3", "output": "15"}},
                {"rates": {"input": "3", "output": "15"}, "when": {"region": "global"}},
            ],
            "aliases": ["m"],
        },
        "b.n": {"rows": [{"rates": {"input": "1"}}]},
    }
