import json
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatch
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from streamtally.pricing import ModelCatalog
from streamtally.records import Usage

from .lists import catalog, price

HERE = Path(__file__).parent
CLOSE = Decimal("1e-15")


def _load(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


CASES: list[dict[str, Any]] = _load("golden.json")["cases"]
WORKED: list[dict[str, Any]] = _load("golden_bifrost.json")["cases"]


@pytest.fixture(scope="module")
def bundled() -> ModelCatalog:
    """The catalog that ships with the package."""
    return ModelCatalog.bundled()


@pytest.mark.parametrize("case", WORKED, ids=[case["name"] for case in WORKED])
def test_worked_example(case: dict[str, Any]) -> None:
    """The worked examples of another implementation give the same cost with explicit rates."""
    prices = catalog(*case["rows"], defaults=case.get("defaults", {}))
    cost = price(prices, Usage(**case["usage"]), tier=case.get("tier"))
    assert cost.usd == (None if case["usd"] is None else Decimal(case["usd"]))
    assert cost.complete is (case["usd"] is not None)


def test_there_are_enough_cases_of_every_kind() -> None:
    """The cases cover providers, modalities, caches, tiers, context lengths, tools, regions and dates."""
    assert len(CASES) == len({case["id"] for case in CASES}) >= 300
    assert len({case["provider"] for case in CASES}) >= 20
    kinds = {tag for case in CASES for tag in case["tags"]}
    assert kinds >= {"text", "cache", "audio", "image", "video", "embedding", "rerank", "pages", "seconds", "characters"}
    assert kinds >= {"tier", "batch", "context", "region", "search", "history", "hours", "holiday", "weekend", "spelling"}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_golden_case(bundled: ModelCatalog, case: dict[str, Any]) -> None:
    """The cost of a case equals the sum of its published rates times counts."""
    by_hand = [Decimal(str(line["count"])) * Decimal(line["rate"]) / line["per"] for line in case["lines"]]
    assert abs(sum(by_hand, Decimal(0)) - Decimal(case["usd"])) <= CLOSE
    context = {"tier": case.get("tier"), "region": case.get("region"), "provider": case["provider"]}
    cost = bundled.price(case["model"], Usage(**case["usage"]), at=datetime.fromisoformat(case["at"]), **context)
    assert (cost.usd, cost.status, cost.complete) == (Decimal(case["usd"]), "priced", True)


def test_every_explanation_explains_a_case() -> None:
    """Each recorded disagreement of another library has a case, a reason and a source."""
    ids = [case["id"] for case in CASES]
    for entry in _load("golden_disagreements.json")["reasons"]:
        assert entry["why"]
        assert entry["source"]
        assert all(any(fnmatch(identity, text) for identity in ids) for text in entry["cases"]), entry


# Four known faults of other libraries


@pytest.mark.parametrize("provider", [None, "openai", "anthropic", "google", "nobody"])
@pytest.mark.parametrize("model", ["gpt-5.7", "claude-opus-9", "gemini-9-pro", "gpt-4o-mega", "no-such-model", ""])
def test_an_unknown_name_never_costs_nothing(bundled: ModelCatalog, model: str, provider: str | None) -> None:
    """An unknown model has no cost, not 0 and not a similar model's price."""
    cost = bundled.price(model, Usage(input_tokens=1000, output_tokens=1000), provider=provider)
    assert (cost.usd, cost.complete) == (None, False)
    assert cost.status in ("unknown_model", "unknown_provider")


@pytest.mark.parametrize("model", ["claude-sonnet-4.5", "claude-sonnet-4-5@20250929", "anthropic/claude-sonnet-4-5"])
def test_another_spelling_costs_the_same(bundled: ModelCatalog, model: str) -> None:
    """Names for which other libraries return 0 have the price of the model."""
    cost = bundled.price(model, Usage(input_tokens=1000, output_tokens=1000), provider="anthropic")
    assert cost.usd == Decimal("0.018")


MODALITIES = ("audio_input_tokens", "cache_read_audio_tokens", "text_input_tokens", "cache_read_tokens")


@pytest.mark.parametrize("stated", list(product([None, 0, 600], repeat=len(MODALITIES))))
def test_a_breakdown_that_leaves_out_a_modality_is_priced(bundled: ModelCatalog, stated: tuple[int | None, ...]) -> None:
    """Gemini audio with an implicit cache hit is priced with any part of its breakdown missing, and flagged if it cannot be."""
    usage = Usage(input_tokens=2000, output_tokens=10).model_copy(update=dict(zip(MODALITIES, stated, strict=True)))
    cost = bundled.price("gemini-2.5-flash", usage, provider="google")
    assert (cost.status, cost.complete) == ("priced", not cost.inconsistent)
    assert cost.usd is not None
    cheapest, dearest = Decimal(2000) * Decimal("0.03"), Decimal(2000) * Decimal(1)
    assert cheapest <= (cost.usd - Decimal("0.000025")) * 1_000_000 <= dearest


def test_user_rates_do_not_charge_a_cache_twice(bundled: ModelCatalog) -> None:
    """Cached tokens cost the same with catalog rates and with equal user rates."""
    rates = {"input": "3", "output": "15", "cache_read": "0.3", "cache_write": "3.75", "cache_write_1h": "6"}
    usage = Usage(
        input_tokens=20_000, cache_read_tokens=12_000, cache_write_tokens=6_000, cache_write_1h_tokens=1_000, output_tokens=800
    )
    mine = bundled.override("claude-sonnet-4-5", rates, provider="anthropic")
    listed = bundled.price("claude-sonnet-4-5", usage, provider="anthropic").usd
    assert listed == mine.price("claude-sonnet-4-5", usage, provider="anthropic").usd == Decimal("0.04635")


@pytest.mark.parametrize(
    ("moment", "dear"),
    [
        ("2026-11-16T00:59:59", False),
        ("2026-11-16T01:00:00", True),
        ("2026-11-16T03:59:59", True),
        ("2026-11-16T04:00:00", False),
        ("2026-11-16T06:00:00", True),
        ("2026-11-20T09:59:59", True),
        ("2026-11-20T10:00:00", False),
        ("2026-11-21T02:00:00", False),  # a Saturday
        ("2026-11-22T07:00:00", False),  # a Sunday
        ("2026-10-01T02:00:00", False),  # a Thursday, and China's national day
        ("2026-10-07T07:00:00", False),  # the last of its holidays
        ("2026-10-08T07:00:00", True),
        ("2026-09-26T02:00:00", False),
        ("2026-08-22T02:00:00", True),  # a Saturday on which the rule still was every day
        ("2026-08-23T02:00:00", False),
        ("2026-08-16T15:59:59", None),  # before there were hours
    ],
)
def test_weekends_and_holidays_are_off_peak(bundled: ModelCatalog, moment: str, dear: bool | None) -> None:
    """DeepSeek's peak hours hold from Monday to Friday in Beijing, except on public holidays."""
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    cost = bundled.price("deepseek-v4-pro", Usage(input_tokens=1_000_000), provider="deepseek", at=at)
    assert cost.usd == Decimal({True: "1.32", False: "0.66", None: "0.435"}[dear])
