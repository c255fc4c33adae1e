from datetime import date
from typing import Any

import pytest

from streamtally.pricing.build import sources
from streamtally.pricing.build.check import BOUNDS, TOKENS, implausible_rates, is_plausible
from streamtally.pricing.build.overrides import apply_overrides, unverified
from streamtally.pricing.build.report import changes
from streamtally.pricing.units import UNITS


def applied(models: dict[str, Any], *entries: dict[str, Any], **providers: Any) -> dict[str, Any]:
    """The models of one provider after these overrides."""
    content = {"p": {"models": {name: {"source": "litellm", **model} for name, model in models.items()}}}
    apply_overrides(content, {"providers": {"p": {}, **providers}, "models": [{"provider": "p", **entry} for entry in entries]})
    found: dict[str, Any] = content["p"]["models"]
    return found


def test_override_rows_win() -> None:
    """A row without dates is merged into all rows of its condition; a dated row is appended."""
    eras = [{"to": "2026-05-01", "rates": {"input": "9"}}, {"from": "2026-05-01", "rates": {"input": "3"}}]
    dated = {"from": "2026-07-01", "rates": {"input": "2"}}
    found = applied({"m": {"rows": eras}}, {"model": "m", "rows": [{"rates": {"images": "1"}}, dated]})["m"]
    rates = [row["rates"] for row in found["rows"]]
    assert rates == [{"input": "9", "images": "1"}, {"input": "3", "images": "1"}, {"input": "2"}]
    assert found["source"] == "litellm, own"
    late = [{"from": "2026-05-01", "rates": {"input": "3"}}]
    assert len(applied({"m": {"rows": late}}, {"model": "m", "rows": [{"rates": {"input": "1"}}]})["m"]["rows"]) == 2


def test_an_entry_can_replace_and_add_models() -> None:
    """An override can replace a model and add one, with all fields of a price list."""
    entry = {"model": ["m", "new"], "replace": True, "rows": [{"rates": {"input": "1"}}], "minimum": {"seconds": 10}}
    found = applied({"m": {"rows": [{"rates": {"output": "9"}}]}}, entry)
    assert found["m"] == found["new"] == {"rows": [{"rates": {"input": "1"}}], "source": "own", "minimum": {"seconds": 10}}


def test_an_entry_can_match_many_models() -> None:
    """A pattern applies to all models of the provider whose whole name matches."""
    entry = {"model": {"match": "gpt-.*"}, "undivided": "output_image"}
    found = applied({"gpt-a": {"rows": []}, "gpt-b": {"rows": []}, "my-gpt-c": {"rows": []}}, entry)
    assert [name for name, model in found.items() if "undivided" in model] == ["gpt-a", "gpt-b"]


def test_an_alias_moves() -> None:
    """An alias is removed from its former model; a model of that name becomes an alias with its own aliases."""
    models = {
        "old": {"rows": [], "aliases": ["Latest", "kept"]},
        "new": {"rows": []},
        "latest-2": {"rows": [], "aliases": ["latest-3"]},
    }
    found = applied(models, {"model": "new", "aliases": ["latest", "latest-2"]})
    assert {name: model.get("aliases") for name, model in found.items()} == {
        "old": ["kept"],
        "new": ["latest", "latest-2", "latest-3"],
    }


def test_a_name_means_one_model() -> None:
    """An alias that is also a model or an earlier alias is dropped."""
    models = {"a": {"rows": [], "aliases": ["x", "B"]}, "b": {"rows": [], "aliases": ["x", "y"]}}
    assert {name: model.get("aliases") for name, model in applied(models).items()} == {"a": ["x"], "b": ["y"]}


def test_every_entry_states_its_source() -> None:
    """Every override has a page, what was read, the date, and whether the page itself was read."""
    overrides = sources.overrides()
    for entry in overrides["models"]:
        assert entry["source"].startswith("https://")
        assert entry["read"]
        assert date.fromisoformat(entry["day"]) >= date(2026, 1, 1)
        assert isinstance(entry["checked"], bool)
    assert len(list(unverified(overrides))) <= len(overrides["models"])


# ------------------------------------------------------------------------------------------------------- sanity, report


@pytest.mark.parametrize(
    ("unit", "wrong"),
    [
        ("input", "0.0000025"),  # per token instead of per million
        ("input", "2500"),  # per thousand, times a million
        ("output_image", "0.04"),  # per image under a unit of tokens
        ("images", "30"),  # per million tokens under a unit of images
        ("seconds", "0.0001"),  # per second instead of per hour
        ("web_searches", "0.01"),  # per search instead of per thousand
        ("characters", "0.000015"),
        ("pages", "0.001"),
        ("search_units", "0.002"),
        ("video_seconds", "360"),
    ],
)
def test_a_rate_of_the_wrong_magnitude_is_implausible(unit: str, wrong: str) -> None:
    """Rates that are off by a factor of a thousand or a million are implausible."""
    assert not is_plausible(unit, wrong)
    content = {"p": {"models": {"m": {"rows": [{"rates": {unit: wrong}}]}}}}
    low, high = BOUNDS.get(unit, TOKENS)
    assert list(implausible_rates(content, {})) == [f"p/m: {unit} at {wrong}, plausible from {low} to {high}"]
    assert is_plausible(unit, "0")


def test_bounds_belong_to_units() -> None:
    """Every bound belongs to a unit and is a range."""
    assert all(unit in UNITS and low < high for unit, (low, high) in BOUNDS.items())


def test_the_report_lists_changes() -> None:
    """The report lists new, removed and changed models and marks tenfold changes."""

    def content(**models: str) -> dict[str, Any]:
        return {"providers": {"p": {"models": {name: {"rows": [{"rates": {"input": rate}}]} for name, rate in models.items()}}}}

    assert list(changes(content(a="1", b="1", c="1", d="1"), content(b="1", c="2", d="10", e="1"))) == [
        "+ p/e",
        "- p/a",
        "~ p/c: input 1 → 2",
        "! p/d: input 1 → 10",
    ]
    batch = {"when": {"tier": "batch"}, "above": {"input": 9}, "from": "2026-01-01", "rates": {"output": "2"}}
    rows = [{"rates": {"input": "1"}}, batch]
    assert list(changes(content(a="1"), {"providers": {"p": {"models": {"a": {"rows": rows}}}}})) == [
        "~ p/a: output tier=batch >9 from 2026-01-01 none → 2"
    ]
