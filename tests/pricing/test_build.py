import copy
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from streamtally.pricing import snapshot
from streamtally.pricing.build import Notes, assemble, build, sources
from streamtally.pricing.build import __main__ as program
from streamtally.pricing.build.check import implausible_rates
from streamtally.pricing.build.rate_tables import STANDARD, Entry
from streamtally.pricing.build.references import ReferencePrices
from tests.waiting import run_python

SHIPPED = files("streamtally.pricing").joinpath("data", snapshot.BUNDLED).read_bytes()
MISSING = sources.missing_sources(sources.overrides()["sources"])
NEEDS_SOURCES = pytest.mark.skipif(bool(MISSING), reason=f"THE BUNDLED PRICES WERE NOT CHECKED: absent are {', '.join(MISSING)}")


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    """The content of the bundled catalog."""
    return snapshot.unpack(SHIPPED)


@NEEDS_SOURCES
def test_the_shipped_file_is_what_the_builder_makes() -> None:
    """Two builds give the bytes of the bundled file."""
    assert snapshot.pack(build()) == snapshot.pack(build()) == SHIPPED


@NEEDS_SOURCES
def test_the_program_reports_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program prints changes and a summary; a dry run writes nothing."""
    target = tmp_path / "prices.json.gz"
    monkeypatch.setattr(program, "TARGET", target)
    program.main(["--dry"])
    assert not target.exists()
    program.main([])
    assert target.read_bytes() == SHIPPED
    program.main(["--all"])
    assert "0 changes (0 shown)" in capsys.readouterr().out


def test_missing_sources_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing sources are named with the required and the installed version."""
    required = [{"name": "no-such-source", "version": "1"}, {"name": "pytest", "version": "0"}, {"name": "part of another"}]
    missing = sources.missing_sources(required)
    assert missing[0] == "no-such-source 1 (installed: none)"
    assert [text.partition(" (")[0] for text in missing] == ["no-such-source 1", "pytest 0"]
    monkeypatch.setattr(sources, "overrides", lambda: {"sources": required})
    with pytest.raises(ModuleNotFoundError, match="no-such-source 1"):
        build()
    with pytest.raises(ModuleNotFoundError, match="no package 'no_such_source'"):
        sources.data_of("no_such_source", "data.json")
    with pytest.raises(ModuleNotFoundError):
        sources.data_of("sys", "data.json")
    assert sources.data_of("streamtally.pricing", "data/prices.json.gz")["schema"] == snapshot.SCHEMA


def test_every_rate_is_plausible(shipped: dict[str, Any]) -> None:
    """All rows of the bundled catalog parse, and no rate is implausible."""
    assert list(implausible_rates(shipped["providers"], shipped["holidays"])) == []


def test_the_file_is_small_and_complete(shipped: dict[str, Any]) -> None:
    """The file is below 150 kB and has makers, clouds, hosts and every unit that a source has."""
    assert len(SHIPPED) <= 150_000
    models = [model for provider in shipped["providers"].values() for model in provider["models"].values()]
    assert len(models) > 3_500
    units = {unit for model in models for row in model["rows"] for unit in row["rates"]}
    assert shipped["units"].keys() - units <= {"cache_video_read"}
    assert {model.get("confidence") for model in models} == {"differs", "disputed", None}
    assert all(shipped["origins"][model["source"]] for model in models)


def test_disputes_have_all_rates_and_the_rule(shipped: dict[str, Any]) -> None:
    """Each dispute is about a rate in the catalog, which equals the picked one."""
    disputed = [
        (provider, name, item)
        for provider, table in shipped["disputes"].items()
        for name, items in table.items()
        for item in items
    ]
    assert len(disputed) > 20
    for provider, name, item in disputed:
        model = shipped["providers"][provider]["models"][name]
        assert len(set(item["rates"].values())) > 1
        assert item["rule"] in shipped["rules"]
        assert item["picked"] in item["rates"].values() or item["rule"] == "own"
        assert any(row["rates"].get(item["unit"]) == item["picked"] for row in model["rows"])


def test_combine_is_pure_and_resolves_disputes() -> None:
    """Small sources combine to the expected providers and disputes and stay unchanged."""
    base: dict[str, dict[str, Any]] = {
        "openai": {"m": {"rows": [{"rates": {"input": "1"}}]}, "own": {"rows": [{"rates": {"input": "1"}}]}}
    }
    entries = [Entry("openai", name, name, {STANDARD: {"input": "2"}}) for name in ("m", "own", "gone")]
    quote = ReferencePrices({STANDARD: {"input": "3"}})
    references = {"models-dev": {("openai", name): quote for name in ("m", "own", "gone")}}
    overrides = {
        "day": "2026-11-21",
        "providers": {
            "acme": {"api_hosts": ["api.acme.example"]},
            "openai": {"makes": {"models": ["*"], "source": "https://acme.example/models"}},
        },
        "models": [
            {"provider": "openai", "model": "own", "rows": [{"rates": {"input": "4"}}]},
            {"provider": "openai", "model": "m", "aliases": ["gone"]},
        ],
    }
    before = copy.deepcopy(base)
    providers, disputes = assemble.combine(base, entries, references, overrides)
    assert base == before
    assert providers["acme"] == {"models": {}, "api_hosts": ["api.acme.example"]}
    rates = {"genai-prices": "1", "litellm": "2", "models-dev": "3"}
    assert disputes == {
        "openai": {
            "m": [{"unit": "input", "rates": rates, "picked": "1", "rule": "curated"}],
            "own": [{"unit": "input", "rates": rates, "picked": "4", "rule": "own"}],
        }
    }


@NEEDS_SOURCES
def test_an_implausible_rate_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """An implausible rate of an override stops the build."""
    wrong = {**sources.overrides()}
    wrong["models"] = [{"provider": "openai", "model": "gpt-4o", "rows": [{"rates": {"input": "2500"}}]}]
    monkeypatch.setattr(sources, "overrides", lambda: wrong)
    with pytest.raises(ValueError, match="openai/gpt-4o: input at 2500"):
        build(Notes(Counter()))


def test_nothing_imports_the_builder() -> None:
    """Importing the package and the catalog does not import the builder."""
    code = "import sys, streamtally, streamtally.pricing.catalog; assert not any('pricing.build' in name for name in sys.modules)"
    run_python("-c", code, check=True)
