from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from streamtally import Choice, Cost, Outcome, Part, StreamRecord, StreamType, Timing, Usage
from streamtally.pricing import ModelCatalog
from streamtally.pricing.pricer import Pricer

from .lists import row

MILLION = Usage(input_tokens=1_000_000)


def catalog(**providers: dict[str, Any]) -> ModelCatalog:
    """A catalog of these providers."""
    return ModelCatalog({"schema": 1, "revision": "r", "generated_at": "2026-01-01", "providers": providers})


def models(**prices: Any) -> dict[str, Any]:
    """The models of a provider, each with rows or with a price of a million input tokens."""
    rows = {
        name: value if isinstance(value, list) else [row({"input": value, "output": value})] for name, value in prices.items()
    }
    return {"models": {name: {"rows": listed} for name, listed in rows.items()}}


PRICES = catalog(
    openai={**models(m="1", requested="2"), "api_hosts": ["api.openai.com"], "makes": {"models": ["m", "requested"]}},
    aws={**models(m="3"), "aliases": ["bedrock"], "api_hosts": ["bedrock-runtime.*.amazonaws.com"]},
    anthropic={**models(m="5", advisor="7"), "makes": {"models": ["advisor"]}},
)


def record(usage: Usage | None = MILLION, outcome: Outcome | None = Outcome.COMPLETED, **fields: Any) -> StreamRecord:
    """A record with a million input tokens."""
    fields = {"dialect": "openai.chat", "model": "m", **fields}
    return StreamRecord(request_id="r", stream_type=StreamType.CHAT, usage=usage, outcome=outcome, **fields)


def cost(of: StreamRecord, prices: ModelCatalog = PRICES) -> Cost:
    """The cost of a record."""
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
        ({"dialect": "anthropic.messages"}, 1),
        ({"dialect": "anthropic.messages", "provider": "anthropic"}, 5),
        ({"server_address": "gateway.example.com", "provider": "openai"}, 1),
    ],
)
def test_the_provider_to_price_by(fields: dict[str, Any], usd: int) -> None:
    """The provider is the parameter's, else the host's, else the record's, else the model's maker."""
    assert cost(record(**fields)).usd == usd


def test_the_host_determines_the_displayed_provider() -> None:
    """The provider of the host wins over the dialect's."""
    priced = Pricer(PRICES).priced(record(server_address="bedrock-runtime.eu-west-1.amazonaws.com", provider="openai"))
    assert priced.provider == "aws"


def test_the_answering_model_wins_over_the_requested_one() -> None:
    """The requested model is used only if the catalog lacks the one that answered; the match rule states it."""
    assert cost(record(requested_model="requested")).usd == 1
    fallen_back = cost(record(model="my-deployment", requested_model="requested"))
    assert (fallen_back.usd, fallen_back.match_rule) == (Decimal(2), "asked for: first party: exact")
    assert cost(record(model=None, requested_model="requested")).match_rule == "first party: exact"
    assert cost(record(model="what", requested_model="ever")).status == "unknown_model"


def test_time_tier_and_region_are_those_of_the_record() -> None:
    """The price depends on the record's start time, served tier and the region of its host."""
    rows = [
        row({"input": "1"}),
        row({"input": "2"}, when={"tier": "priority"}),
        row({"input": "4"}, when={"region": "eu"}),
        row({"input": "8"}, end="2026-02-01"),
    ]
    prices = catalog(openai={**models(m=rows), "api_hosts": ["*.api.openai.com"], "makes": {"models": ["m"]}})
    requested: dict[str, Any] = {"params": {"service_tier": "priority"}}
    assert cost(record(**requested), prices).usd == 2
    assert cost(record(service_tier="default", **requested), prices).usd == 1
    assert cost(record(service_tier="flex"), prices).unpriced == ("tier:flex",)
    assert cost(record(server_address="eu.api.openai.com"), prices).usd == 4
    then = Timing(started_at=datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    assert cost(record(timing=then), prices).usd == 8


def test_rates_for_one_call() -> None:
    """The parameter `rates` gives the rates of the request; invalid rates make the cost unknown and are named."""
    assert cost(record(params={"rates": {"input": "0.25"}})).usd == Decimal("0.25")
    wrong = cost(record(params={"rates": {"inputs": "0.25"}}))
    assert (wrong.usd, wrong.status, wrong.unpriced) == (None, "missing_rate", ("rates",))
    assert wrong.match_rule is not None
    assert "inputs" in wrong.match_rule


def test_an_open_or_cut_stream_has_a_partial_cost() -> None:
    """The cost of an open or cut stream is a lower bound."""
    going = Pricer(PRICES).priced(record(outcome=None))
    assert (going.cost.usd, going.cost.status, going.cost.complete) == (Decimal(1), "partial", False)
    assert going.usage is MILLION
    cut = MILLION.model_copy(update={"partial": True})
    assert cost(record(cut, outcome=Outcome.CANCELLED)).status == "partial"
    assert cost(record(None, outcome=None)).status == "no_usage"


def test_an_estimate_is_marked() -> None:
    """Estimated usage is marked in usage and cost, and only ended streams are estimated."""
    ended = record(None, choices=(Choice(text="a b c d", finish_reason="stop"),), params={"input_tokens": 6})
    pricer = Pricer(PRICES, lambda text: len(text.split()))
    priced = pricer.priced(ended)
    assert priced.usage == Usage(input_tokens=6, output_tokens=4, source="estimated")
    assert (priced.cost.usd, priced.cost.status, priced.cost.usage_source) == (Decimal("0.00001"), "priced", "estimated")
    unknown = pricer.priced(ended.model_copy(update={"params": {}}))
    assert (unknown.cost.status, unknown.cost.usage_source, unknown.cost.usd) == ("partial", "estimated", Decimal("0.000004"))
    assert pricer.priced(ended.model_copy(update={"outcome": None})).usage is None
    assert cost(ended).status == "no_usage"


@pytest.mark.parametrize(
    ("counts", "complete", "inconsistent"),
    [
        ((6, 4), True, False),
        ((6, 0), False, True),
        ((6, None), False, False),
        ((None, 4), False, False),
        ((0, 4), True, False),
    ],
)
def test_words_whose_tokens_nobody_counted(counts: tuple[int | None, int | None], complete: bool, inconsistent: bool) -> None:
    """The cost of an answer is not complete where the count of its output, or of its input, is missing."""
    usage = Usage(input_tokens=counts[0], output_tokens=counts[1])
    answer = (Choice(text="a b c d", finish_reason="stop"),)
    found = cost(record(usage, choices=answer))
    assert (found.status, found.complete, found.inconsistent) == ("priced", complete, inconsistent)
    assert cost(record(usage, choices=())).complete
    stated = usage.model_copy(update={"cost_usd": Decimal("0.5")})
    assert (cost(record(stated, choices=answer)).usd, cost(record(stated, choices=answer)).complete) == (Decimal("0.5"), True)


def iterations(*others: dict[str, Any], **fields: Any) -> Usage:
    """Usage with model calls inside the request."""
    return Usage(input_tokens=1_000_000, raw={"iterations": list(others)}, **fields)


ADVICE = {"type": "advisor_message", "model": "advisor", "input_tokens": 1_000_000, "output_tokens": 0}


def test_calls_within_a_request_are_lines_of_their_model() -> None:
    """Each call is a line with the name of its model, at that model's rates."""
    answered = record(iterations(ADVICE), dialect="anthropic.messages", params={"provider": "anthropic"}, provider="anthropic")
    found = cost(answered)
    assert (found.usd, found.computed_usd, found.status, found.complete) == (Decimal(12), Decimal(12), "priced", True)
    assert [(line.name, line.unit, line.usd) for line in found.breakdown] == [
        (None, "input", Decimal(5)),
        ("advisor", "input", Decimal(7)),
    ]
    assert Cost.model_validate_json(found.model_dump_json()) == found


def test_a_call_within_a_request_that_has_no_price() -> None:
    """A call without a price is listed in `unpriced`, and the rest is charged."""
    other = {**ADVICE, "model": "nobody-knows"}
    found = cost(record(iterations(other, ADVICE), dialect="anthropic.messages"))
    assert (found.status, found.complete, found.unpriced) == ("unpriced_unit", False, ("model:nobody-knows",))
    assert found.usd == 1 + 7
    nowhere = cost(record(iterations(ADVICE), dialect="anthropic.messages", model="nobody-knows"))
    assert (nowhere.usd, nowhere.status) == (None, "unknown_model")


BARE = MILLION.model_copy(update={"cost_usd": Decimal("3.5"), "cost_stated_by": "gateway"})
"""A usage with a cost of which the report does not tell who stated it."""

GATEWAYS = catalog(**PRICES.content["providers"], openrouter={"models": {}, "api_hosts": ["openrouter.ai"]})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("computed", 1, None, 3.5)),
        ({"model": "nobody-knows"}, ("gateway", 3.5, None, 3.5)),
        ({"provider": "litellm_proxy"}, ("computed", 1, None, 3.5)),
        ({"provider": "openrouter"}, ("provider", 3.5, 3.5, None)),
        ({"server_address": "openrouter.ai"}, ("provider", 3.5, 3.5, None)),
    ],
)
def test_who_stated_a_cost(fields: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """The provider and the host tell whether a cost is billed; an estimate only counts where none can be computed."""
    priced = Pricer(GATEWAYS).priced(record(BARE, **fields))
    found = priced.cost
    assert (found.source, found.usd, found.provider_usd, found.gateway_usd) == expected
    assert priced.usage is not None
    assert priced.usage.cost_stated_by == ("provider" if found.source == "provider" else "gateway")


def test_an_estimate_that_its_source_has_marked_is_never_billed() -> None:
    """Not even where the provider bills what it states: a gateway stood between."""
    marked = BARE.model_copy(update={"raw": {"cost": 3.5, "cost_stated_by": "gateway"}})
    found = Pricer(GATEWAYS).priced(record(marked, provider="openrouter", model="nobody-knows")).cost
    assert (found.source, found.gateway_usd) == ("gateway", Decimal("3.5"))


def test_an_estimate_of_nothing_is_none() -> None:
    """Gateways state zero for models that they do not know."""
    found = cost(record(BARE.model_copy(update={"cost_usd": Decimal(0)}), model="nobody-knows"))
    assert found.usd is None
    assert (found.status, found.gateway_usd) == ("unknown_model", Decimal(0))


def test_an_estimate_stands_beside_the_calls_within() -> None:
    """They are priced as if nothing had been stated, and in parts the estimates are summed."""
    usage = iterations(ADVICE, cost_usd=Decimal("3.5"), cost_stated_by="gateway")
    found = cost(record(usage, dialect="anthropic.messages"))
    assert (found.usd, found.source, found.gateway_usd) == (Decimal(8), "computed", Decimal("3.5"))
    several = cost(record(BARE, parts=(Part(usage=BARE), Part(usage=BARE))))
    assert (several.usd, several.source, several.gateway_usd) == (Decimal(2), "computed", Decimal(7))


def test_the_host_tells_how_counts_are_meant() -> None:
    """A gateway counts the reasoning of some models beside the completion, also where only the host names it."""
    prices = catalog(vercel={**models(**{"google/m": "1"}), "api_hosts": ["gateway.example.com"]})
    usage = Usage(input_tokens=0, output_tokens=2, reasoning_tokens=25)
    answer = record(usage, model="google/m", server_address="gateway.example.com", parts=(Part(usage=usage), Part(usage=usage)))
    priced = Pricer(prices).priced(answer)
    assert priced.usage is not None
    assert (priced.usage.output_tokens, priced.cost.usd) == (27, Decimal("0.000054"))


def test_a_reported_cost_includes_the_calls_within() -> None:
    """A cost reported by the provider includes calls inside the request; the computed cost is kept beside it."""
    found = cost(record(iterations(ADVICE, cost_usd=Decimal("3.5")), dialect="anthropic.messages"))
    assert (found.usd, found.source, found.provider_usd, found.computed_usd) == (
        Decimal("3.5"),
        "provider",
        Decimal("3.5"),
        Decimal(1),
    )
