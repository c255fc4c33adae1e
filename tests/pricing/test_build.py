import copy
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from streamtally.pricing import snapshot
from streamtally.pricing.build import Notes, assemble, build, sources
from streamtally.pricing.build import __main__ as program
from streamtally.pricing.build.check import faults
from streamtally.pricing.build.sheets import STANDARD, Entry
from streamtally.pricing.build.witnesses import Statement

SHIPPED = files("streamtally.pricing").joinpath("data", snapshot.BUNDLED).read_bytes()
LACKING = sources.absent(sources.overrides()["sources"])
NEEDS_SOURCES = pytest.mark.skipif(bool(LACKING), reason=f"THE BUNDLED PRICES WERE NOT CHECKED: absent are {', '.join(LACKING)}")


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    """The bundled catalog."""
    return snapshot.unpack(SHIPPED)


@NEEDS_SOURCES
def test_the_shipped_file_is_what_the_builder_makes() -> None:
    """Twice, to the byte."""
    assert snapshot.pack(build()) == snapshot.pack(build()) == SHIPPED


@NEEDS_SOURCES
def test_the_program_reports_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What changed, what is in it, what was left out; nothing is written in a dry run."""
    target = tmp_path / "prices.json.gz"
    monkeypatch.setattr(program, "TARGET", target)
    program.main(["--dry"])
    assert not target.exists()
    program.main([])
    assert target.read_bytes() == SHIPPED
    program.main(["--all"])
    assert "0 changes (0 shown)" in capsys.readouterr().out


def test_absent_sources_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the version that is wanted, and the one that is there."""
    wanted = [{"name": "no-such-source", "version": "1"}, {"name": "pytest", "version": "0"}, {"name": "part of another"}]
    lacking = sources.absent(wanted)
    assert lacking[0] == "no-such-source 1 (there is none)"
    assert [text.partition(" (")[0] for text in lacking] == ["no-such-source 1", "pytest 0"]
    monkeypatch.setattr(sources, "overrides", lambda: {"sources": wanted})
    with pytest.raises(ModuleNotFoundError, match="no-such-source 1"):
        build()
    with pytest.raises(ModuleNotFoundError, match="no package 'no_such_source'"):
        sources.data_of("no_such_source", "data.json")
    with pytest.raises(ModuleNotFoundError):
        sources.data_of("sys", "data.json")
    assert sources.data_of("streamtally.pricing", "data/prices.json.gz")["schema"] == snapshot.SCHEMA


def test_every_rate_can_be(shipped: dict[str, Any]) -> None:
    """All rows parse, and no rate is of the wrong size."""
    assert list(faults(shipped["providers"], shipped["holidays"])) == []


def test_the_file_is_small_and_knows_much(shipped: dict[str, Any]) -> None:
    """Makers, clouds and hosts; every unit but those that no source has."""
    assert len(SHIPPED) <= 150_000
    models = [model for provider in shipped["providers"].values() for model in provider["models"].values()]
    assert len(models) > 3_500
    units = {unit for model in models for row in model["rows"] for unit in row["rates"]}
    assert shipped["units"].keys() - units <= {"cache_video_read"}
    assert {model.get("confidence") for model in models} == {"differs", "disputed", None}
    assert all(shipped["origins"][model["source"]] for model in models)


def test_disputes_are_told_with_all_values_and_the_rule(shipped: dict[str, Any]) -> None:
    """Each is about a rate that the catalog has; what was picked is what it has."""
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


def test_combining_is_pure_and_settles() -> None:
    """From what sources say to providers and disputes, on a small example."""
    base: dict[str, dict[str, Any]] = {
        "openai": {"m": {"rows": [{"rates": {"input": "1"}}]}, "own": {"rows": [{"rates": {"input": "1"}}]}}
    }
    entries = [Entry("openai", name, name, {STANDARD: {"input": "2"}}) for name in ("m", "own", "gone")]
    said = Statement({STANDARD: {"input": "3"}})
    heard = {"models-dev": {("openai", name): said for name in ("m", "own", "gone")}}
    overrides = {
        "day": "2026-11-21",
        "providers": {"acme": {"api_hosts": ["api.acme.example"]}},
        "models": [
            {"provider": "openai", "model": "own", "rows": [{"rates": {"input": "4"}}]},
            {"provider": "openai", "model": "m", "aliases": ["gone"]},
        ],
    }
    before = copy.deepcopy(base)
    providers, disputes = assemble.combine(base, entries, heard, overrides)
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
def test_a_rate_that_cannot_be_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one of our own."""
    wrong = {**sources.overrides()}
    wrong["models"] = [{"provider": "openai", "model": "gpt-4o", "rows": [{"rates": {"input": "2500"}}]}]
    monkeypatch.setattr(sources, "overrides", lambda: wrong)
    with pytest.raises(ValueError, match="openai/gpt-4o: input at 2500"):
        build(Notes(Counter()))


def test_nothing_imports_the_builder() -> None:
    """Nor does it run at import."""
    code = "import sys, streamtally, streamtally.pricing.catalog; assert not any('pricing.build' in name for name in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
