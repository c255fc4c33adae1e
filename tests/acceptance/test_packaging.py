"""T36: dependency floors are tested, and optional packages are imported only when they are used."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import run_python

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

RECORDED = """
with streamtally.wrap([{"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "hi"}}]}]) as stream:
    list(stream)
assert stream.record.text == "hi", stream.record
"""


def _run(program: str) -> str:
    """The output of a new interpreter, in which warnings are errors."""
    done = run_python("-W", "error", "-c", program, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def _blocked(*packages: str) -> str:
    return f"import sys; sys.modules.update(dict.fromkeys({packages}))\nimport streamtally\n"


def _floors(requirements: list[str]) -> dict[str, str]:
    return dict(requirement.split(">=") for requirement in requirements)


def _pins(file: str) -> dict[str, str]:
    lines = [line.split("#")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    return dict(line.split("==") for line in lines if line)


def test_t36_the_lowest_versions_are_the_floors() -> None:
    """`make lowest` installs exactly the floor of each core dependency, and no dependency has a ceiling."""
    extras = {name: needed for name, needed in PROJECT["optional-dependencies"].items() if name not in ("dev", "test")}
    requirements = [*PROJECT["dependencies"], *(one for needed in extras.values() for one in needed)]
    assert [one for one in requirements if "<" in one or "==" in one] == []
    pins = {name: version.removesuffix(".0").removesuffix(".0") for name, version in _pins("constraints-lowest.txt").items()}
    floors = {name: version.removesuffix(".0") for name, version in _floors(PROJECT["dependencies"]).items()}
    assert floors.items() <= pins.items()
    assert "-c constraints-lowest.txt" in (ROOT / "Makefile").read_text()


HEAVY = ("opentelemetry", "prometheus_client", "httpx2", "starlette", "uvicorn", "typer", "rich", "openai", "anthropic")


def test_t36_imports_are_lazy() -> None:
    """Importing, wrapping and recording import no backend, no SDK and no package of an extra."""
    loaded = _run(f"import sys, streamtally\n{RECORDED}\nprint(*sys.modules)").split()
    assert [name for name in loaded if name.split(".")[0] in HEAVY] == []


@pytest.mark.parametrize("exporter", ["otel", "prometheus", "jsonl", "console"])
def test_t36_an_exporter_loads_its_own_backend_only(exporter: str, tmp_path: Path) -> None:
    """Each exporter by its name, without the packages of the others."""
    backends = {"otel": "opentelemetry", "prometheus": "prometheus_client"}
    others = [package for name, package in backends.items() if name != exporter]
    name = f"jsonl:{tmp_path / 'records.jsonl'}" if exporter == "jsonl" else exporter
    absent = _blocked(*others, "rich", "httpx2", "starlette", "uvicorn")
    _run(f"{absent}sys.stderr = sys.stdout\nstreamtally.configure(exporters=[{name!r}])\n{RECORDED}\nstreamtally.configure()")


EXTRAS = {
    "client": ("httpx2", "streamtally.Client()"),
    "testing": ("starlette", "from streamtally.testing import FakeProvider; FakeProvider().start()"),
}


@pytest.mark.parametrize("extra", EXTRAS)
def test_t36_an_extra_that_is_absent_is_named(extra: str) -> None:
    """Without it everything else works, and the error states what to install."""
    package, use = EXTRAS[extra]
    program = f"""{_blocked(package)}{RECORDED}
try:
    {use}
except streamtally.MissingExtra as error:
    print(error)
"""
    assert f"streamtally[{extra}]" in _run(program)
