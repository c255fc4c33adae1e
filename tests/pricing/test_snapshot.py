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
    """The content of the bundled file."""
    return snapshot.bundled()


def test_the_revision_is_that_of_the_content(content: dict[str, Any]) -> None:
    """The revision is the content's hash, and packing again gives the same bytes."""
    assert content["revision"] == snapshot.revision_of(content) == ModelCatalog.bundled().revision
    assert snapshot.unpack(snapshot.pack(content)) == content


def test_every_price_list_is_valid(content: dict[str, Any]) -> None:
    """All rows parse, all token rates are whole quanta, and all references resolve."""
    for provider in content["providers"].values():
        assert all(name in content["providers"] for name in provider.get("fallbacks", ()))
        for entry in provider["models"].values():
            for row in parse_prices(entry, content["holidays"]).rows:
                assert all(round(Decimal(text), 9) == Decimal(text) for text in row.rates.values())
            assert {*entry.get("minimum", ()), *entry.get("maximum", ()), entry.get("undivided", "input")} <= set(UNITS)


def test_no_name_means_two_models(content: dict[str, Any]) -> None:
    """Names are unique within a provider; hosts and provider names are unique across providers."""
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


def test_every_override_states_its_source() -> None:
    """Every override states a source and what was read."""
    overrides = json.loads(files("streamtally.pricing").joinpath("data_sources", "overrides.json").read_text(encoding="utf-8"))
    assert overrides["models"]
    assert all(entry["source"].startswith("https://") and entry["read"] for entry in overrides["models"])


def test_the_size_stays_small() -> None:
    """The bundled file stays below 150 kB."""
    assert len(DATA.joinpath(snapshot.BUNDLED).read_bytes()) < 150_000
