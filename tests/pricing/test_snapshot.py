import json
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest

from streamtally.pricing import UNITS, ModelCatalog, snapshot
from streamtally.pricing.rows import parse_prices

DATA = files("streamtally.pricing").joinpath("data")


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    """The bundled file."""
    return snapshot.bundled()


def test_the_revision_is_that_of_the_content(content: dict[str, Any]) -> None:
    """And packing again makes the same bytes."""
    assert content["revision"] == snapshot.revision_of(content) == ModelCatalog.bundled().revision
    assert snapshot.unpack(snapshot.pack(content)) == content


def test_every_price_list_is_sound(content: dict[str, Any]) -> None:
    """All rows parse, all token rates are whole quanta, all references lead somewhere."""
    for provider in content["providers"].values():
        assert all(name in content["providers"] for name in provider.get("fallbacks", ()))
        for entry in provider["models"].values():
            for row in parse_prices(entry, content["holidays"]).rows:
                assert all(round(Decimal(text), 9) == Decimal(text) for text in row.rates.values())
            assert {*entry.get("minimum", ()), *entry.get("maximum", ()), entry.get("undivided", "input")} <= set(UNITS)


def test_no_name_means_two_models(content: dict[str, Any]) -> None:
    """Within a provider, ids and aliases are distinct; across providers, so are hosts and provider names."""
    providers = content["providers"]
    for provider in providers.values():
        names = [*provider["models"], *(name for entry in provider["models"].values() for name in entry.get("aliases", ()))]
        assert len(names) == len({name.casefold() for name in names})
    for key in ("api_hosts", "aliases"):
        names = [name for provider in providers.values() for name in provider.get(key, ())]
        assert len(names) == len({*names} - (set(providers) if key == "aliases" else set()))


def test_the_sources_are_named_with_their_licence(content: dict[str, Any]) -> None:
    """Every source has its notice beside the data."""
    notice = DATA.joinpath("NOTICE").read_text(encoding="utf-8")
    assert "MIT licence" in notice
    for source in content["sources"]:
        assert source["licence"] == "MIT"
        assert source["copyright"] in notice
        assert source["url"] in notice


def test_every_entry_of_our_own_says_where_it_is_from() -> None:
    """A source, and what was read."""
    overrides = json.loads(files("streamtally.pricing").joinpath("data_sources", "overrides.json").read_text(encoding="utf-8"))
    assert overrides["models"]
    assert all(entry["source"].startswith("https://") and entry["read"] for entry in overrides["models"])


def test_the_size_stays_small() -> None:
    """It is part of every installation."""
    assert len(DATA.joinpath(snapshot.BUNDLED).read_bytes()) < 150_000
