from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from streamtally import Choice, Cost, Outcome, StreamRecord, StreamType, Timing, Usage
from streamtally.pricing import ModelCatalog
from streamtally.pricing.pricer import Pricer

from .lists import row

MILLION = Usage(input_tokens=1_000_000)


def catalog(**providers: dict[str, Any]) -> ModelCatalog:
    """A catalog of these providers."""
    return ModelCatalog({"schema": 1, "revision": "r", "generated_at": "2026-01-01", "providers": providers})


def models(**prices: Any) -> dict[str, Any]:
    """A provider's models, each with rows or with the price of a million tokens in."""
    rows = {
        name: value if isinstance(value, list) else [row({"input": value, "output": value})] for name, value in prices.items()
    }
    return {"models": {name: {"rows": listed} for name, listed in rows.items()}}


PRICES = catalog(
    openai={**models(m="1", asked="2"), "api_hosts": ["api.openai.com"]},
    aws={**models(m="3"), "aliases": ["bedrock"], "api_hosts": ["bedrock-runtime.*.amazonaws.com"]},
    anthropic=models(m="5", advisor="7"),
)


def record(usage: Usage | None = MILLION, outcome: Outcome | None = Outcome.COMPLETED, **fields: Any) -> StreamRecord:
    """A record of a million tokens."""
    fields = {"dialect": "openai.chat", "model": "m", **fields}
    return StreamRecord(request_id="r", stream_type=StreamType.CHAT, usage=usage, outcome=outcome, **fields)


def cost(of: StreamRecord, prices: ModelCatalog = PRICES) -> Cost:
    """What it costs."""
    return Pricer(prices).priced(of).cost


@pytest.mark.parametrize(
    ("fields", "usd"),
    [
        ({}, 1),
        ({"params": {"provider": "aws"}, "provider": "aws"}, 3),
        ({"server_address": "bedrock-runtime.eu-west-1.amazonaws.com"}, 3),
        ({"server_address": "api.openai.com", "params": {"provider": "bedrock"}, "provider": "bedrock"}, 3),
        ({"dialect": "bedrock.converse", "provider": "bedrock"}, 3),
        ({"dialect": "bedrock.converse", "provider": "bedrock", "server_address": "api.openai.com"}, 1),
        ({"dialect": "anthropic.messages", "provider": "anthropic"}, 1),
        ({"server_address": "gateway.example.com", "provider": "openai"}, 1),
    ],
)
def test_who_is_paid(fields: dict[str, Any], usd: int) -> None:
    """The provider that the caller names, else the host's, else that of a format which nobody else speaks, else the maker."""
    assert cost(record(**fields)).usd == usd


def test_the_host_shows_the_provider() -> None:
    """Better than the dialect does, which many servers speak."""
    priced = Pricer(PRICES).priced(record(server_address="bedrock-runtime.eu-west-1.amazonaws.com", provider="openai"))
    assert priced.provider == "aws"


def test_the_model_that_answered_wins_over_the_one_that_was_asked_for() -> None:
    """Whose name counts where nobody knows the other; the cost says so."""
    assert cost(record(requested_model="asked")).usd == 1
    fallen_back = cost(record(model="my-deployment", requested_model="asked"))
    assert (fallen_back.usd, fallen_back.match_rule) == (Decimal(2), "asked for: first party: exact")
    assert cost(record(model=None, requested_model="asked")).match_rule == "first party: exact"
    assert cost(record(model="what", requested_model="ever")).status == "unknown_model"


def test_the_moment_and_the_tier_and_the_region_are_those_of_the_record() -> None:
    """What the response says of the tier wins, and the host tells the region."""
    rows = [
        row({"input": "1"}),
        row({"input": "2"}, when={"tier": "priority"}),
        row({"input": "4"}, when={"region": "eu"}),
        row({"input": "8"}, end="2026-02-01"),
    ]
    prices = catalog(openai={**models(m=rows), "api_hosts": ["*.api.openai.com"]})
    asked: dict[str, Any] = {"params": {"service_tier": "priority"}}
    assert cost(record(**asked), prices).usd == 2
    assert cost(record(service_tier="default", **asked), prices).usd == 1
    assert cost(record(service_tier="flex"), prices).unpriced == ("tier:flex",)
    assert cost(record(server_address="eu.api.openai.com"), prices).usd == 4
    then = Timing(started_at=datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    assert cost(record(timing=then), prices).usd == 8


def test_rates_for_one_call() -> None:
    """Among the request's parameters; what is no rate leaves the cost unknown, and says why."""
    assert cost(record(params={"rates": {"input": "0.25"}})).usd == Decimal("0.25")
    wrong = cost(record(params={"rates": {"inputs": "0.25"}}))
    assert (wrong.usd, wrong.status, wrong.unpriced) == (None, "missing_rate", ("rates",))
    assert wrong.match_rule is not None
    assert "inputs" in wrong.match_rule


def test_a_stream_that_goes_on_or_was_cut_costs_at_least_this() -> None:
    """All of it is a lower bound."""
    going = Pricer(PRICES).priced(record(outcome=None))
    assert (going.cost.usd, going.cost.status, going.cost.complete) == (Decimal(1), "partial", False)
    assert going.usage is MILLION
    cut = MILLION.model_copy(update={"partial": True})
    assert cost(record(cut, outcome=Outcome.CANCELLED)).status == "partial"
    assert cost(record(None, outcome=None)).status == "no_usage"


def test_an_estimate_is_marked() -> None:
    """In the usage and in the cost; only for streams that have ended, and never unless asked for."""
    said = record(None, choices=(Choice(text="a b c d", finish_reason="stop"),), params={"input_tokens": 6})
    pricer = Pricer(PRICES, lambda text: len(text.split()))
    priced = pricer.priced(said)
    assert priced.usage == Usage(input_tokens=6, output_tokens=4, source="estimated")
    assert (priced.cost.usd, priced.cost.status, priced.cost.usage_source) == (Decimal("0.00001"), "priced", "estimated")
    unknown = pricer.priced(said.model_copy(update={"params": {}}))
    assert (unknown.cost.status, unknown.cost.usage_source, unknown.cost.usd) == ("partial", "estimated", Decimal("0.000004"))
    assert pricer.priced(said.model_copy(update={"outcome": None})).usage is None
    assert cost(said).status == "no_usage"


def iterations(*others: dict[str, Any], **fields: Any) -> Usage:
    """The usage of an answer that had calls within it."""
    return Usage(input_tokens=1_000_000, raw={"iterations": list(others)}, **fields)


ADVICE = {"type": "advisor_message", "model": "advisor", "input_tokens": 1_000_000, "output_tokens": 0}


def test_calls_within_a_request_are_lines_of_their_model() -> None:
    """Each at its own rates; the sum is exact."""
    asked = record(iterations(ADVICE), dialect="anthropic.messages", params={"provider": "anthropic"}, provider="anthropic")
    found = cost(asked)
    assert (found.usd, found.computed_usd, found.status, found.complete) == (Decimal(12), Decimal(12), "priced", True)
    assert [(line.name, line.unit, line.usd) for line in found.breakdown] == [
        (None, "input", Decimal(5)),
        ("advisor", "input", Decimal(7)),
    ]
    assert Cost.model_validate_json(found.model_dump_json()) == found


def test_a_call_within_a_request_that_has_no_price() -> None:
    """The rest is known, and is not all."""
    other = {**ADVICE, "model": "nobody-knows"}
    found = cost(record(iterations(other, ADVICE), dialect="anthropic.messages", provider="anthropic"))
    assert (found.status, found.complete, found.unpriced) == ("unpriced_unit", False, ("model:nobody-knows",))
    assert found.usd == 1 + 7
    nowhere = cost(record(iterations(ADVICE), dialect="anthropic.messages", model="nobody-knows"))
    assert (nowhere.usd, nowhere.status) == (None, "unknown_model")


def test_what_the_provider_states_has_everything_in_it() -> None:
    """It is the cost, and ours stands beside it."""
    found = cost(record(iterations(ADVICE, cost_usd=Decimal("3.5")), dialect="anthropic.messages"))
    assert (found.usd, found.source, found.provider_usd, found.computed_usd) == (
        Decimal("3.5"),
        "provider",
        Decimal("3.5"),
        Decimal(1),
    )
