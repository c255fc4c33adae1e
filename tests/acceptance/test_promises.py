"""Whatever the package declares, a real stream produces: metrics, times, outcomes, finish reasons, stream types, hooks.

Extras bring a package that something here imports, and whatever a build file names exists. What is declared is found by walking
the package, so that a new declaration without a producer is a failure, whose message names it and the place to mend.
"""

from __future__ import annotations

import ast
import importlib.metadata
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from streamtally import StreamRecord, StreamType, Tally
from streamtally.exporters.hooks import HOOKS
from streamtally.exporters.instruments import Instrument
from streamtally.exporters.profiles import PROFILES
from streamtally.records import CostStatus, FinishReason, InterChunk, Outcome, Timing
from streamtally.testing import FakeClock
from streamtally.testing.scenarios import chat
from tests.acceptance import producers
from tests.acceptance.hooks import CALLS
from tests.acceptance.producers import Producer, Stage
from tests.backends.traffic import Body, Play, asked
from tests.streams.sources import chat_chunks

ROOT = Path(__file__).parents[2]
HERE = "tests/acceptance/producers.py"

NOT_YET: Mapping[str, str] = {}
"""Promises whose producer is still to be built, and what each waits for."""


# ------------------------------------------------------------------------------------------------------------- metrics


def _promises() -> Iterator[Any]:
    """Each metric of every profile, with each value that its own label can have; "*" where the values are not known."""
    for one in PROFILES["both"]:
        if one.values is None:
            if one.of_streams:
                yield pytest.param(one, {}, id=one.name)
            yield pytest.param(one, dict.fromkeys(one.labels), id=f"{one.name} {one.labels[0]}=*")
        else:
            for own in product(*one.values):
                yield pytest.param(one, dict(zip(one.labels, own, strict=True)), id=" ".join((one.name, *own)))


def _row(one: Instrument, labels: Mapping[str, str | None]) -> str:
    return ":".join((one.metric_id, *(value or "*" for value in labels.values())))


@cache
def _played(producer: Producer) -> Stage:
    """Where a producer has played; each plays once."""
    return producer()


@pytest.mark.parametrize(("one", "labels"), list(_promises()))
def test_a_metric(one: Instrument, labels: dict[str, str | None]) -> None:
    """A real stream makes it greater than zero, in OpenTelemetry and in Prometheus."""
    row = _row(one, labels)
    if row in NOT_YET:
        pytest.skip(NOT_YET[row])
    where = f"{one.name} ({row}) has no producer: add a row to METRICS in {HERE}, or remove it from exporters/instruments.py"
    assert row in producers.METRICS, where
    stage = _played(producers.METRICS[row])
    assert stage.in_opentelemetry(one, labels) > 0, where
    assert stage.in_prometheus(one, labels) > 0, where


def test_no_producer_is_left_over() -> None:
    """A row of METRICS without a metric belongs to one that was renamed or removed."""
    declared = {_row(*one.values) for one in _promises()}
    assert producers.METRICS.keys() == declared, f"mend METRICS in {HERE}"


# -------------------------------------------------------------------------------------------------------------- timing

SLOW = chat("one two", reasoning="well").delayed(0.25, headers=0.5).stalled(3, 3.0)
"""Seven frames, a quarter of a second apart; the fourth, with the first word, keeps the reader waiting."""

CONSUMED = 0.125
"""Seconds that the reader takes for each frame."""

START = datetime(2026, 1, 1, tzinfo=UTC)

TIMES: Mapping[str, Any] = {
    "started_from": "request",
    "started_at": START,
    "ended_at": START.replace(second=6, microsecond=125_000),
    "time_to_first_chunk": 0.75,
    "time_to_first_token": 1.125,
    "time_to_first_text": 1.5,
    "duration": 6.125,
    "inter_chunk": {"count": 6, "mean": 0.75, "p50": 0.25, "p95": 3.25, "p99": 3.25, "max": 3.25},
    "time_per_output_token": 2.5,
    "tokens_per_second": 0.6,
    "provider_wait": 4.75,
    "consumer_wait": 0.75,
    "stalls": 1,
}
"""What the record of that stream has in each field of `Timing`."""


@cache
def _timing() -> Timing:
    clock = FakeClock()
    stream = Tally(clock=clock).wrap(lambda: Body(Play(SLOW, asked("openai")), clock), params=asked("openai"))
    for _ in stream:
        clock.advance(CONSUMED)
    return stream.record.timing


@pytest.mark.parametrize("name", Timing.model_fields)
def test_a_time(name: str) -> None:
    """One stream has every field of `Timing`, exactly."""
    assert name in TIMES, f"Timing.{name} has no producer: add it to TIMES, and set it in accumulator/timing.py"
    value = getattr(_timing(), name)
    if isinstance(value, InterChunk):
        buckets, fields = value.buckets, value.model_dump(exclude={"buckets"})
        assert (fields, sum(buckets)) == (TIMES[name], value.count)
    else:
        assert value == TIMES[name], f"mend Timing.{name} in accumulator/timing.py"


def _given(tally: Tally) -> StreamRecord:
    stream = tally.wrap(chat_chunks(), started_at=tally.clock.monotonic_ns() / 1e9)
    return _read(stream)


STARTS: Mapping[str, Callable[[Tally], StreamRecord]] = {
    "request": lambda tally: _read(tally.wrap(lambda: iter(chat_chunks()))),
    "given": _given,
    "wrap": lambda tally: _read(tally.wrap(chat_chunks())),
}
"""A stream whose times count from each kind of start."""


@pytest.mark.parametrize("start", get_args(Timing.model_fields["started_from"].annotation))
def test_a_start(start: str) -> None:
    """Every kind of start of `Timing.started_from`."""
    assert start in STARTS, f"started_from={start!r} has no producer: add it to STARTS"
    assert STARTS[start](Tally(clock=FakeClock())).timing.started_from == start


def _read(stream: Any) -> StreamRecord:
    list(stream)
    record: StreamRecord = stream.record
    return record


# ------------------------------------------------------------------------------------ outcomes, finish reasons, types


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome(outcome: Outcome) -> None:
    """A real stream ends in it."""
    assert outcome in producers.OUTCOMES, f"{outcome!r} has no producer: add a row `streams:{outcome}` to METRICS in {HERE}"
    assert _played(producers.OUTCOMES[outcome]).record.outcome is outcome


@pytest.mark.parametrize("reason", get_args(FinishReason))
def test_a_finish_reason(reason: str) -> None:
    """A real stream has it."""
    row = f"finish_reasons:{reason}"
    assert row in producers.METRICS, f"finish reason {reason!r} has no producer: add a row `{row}` to METRICS in {HERE}"
    assert _played(producers.METRICS[row]).record.finish_reason == reason


@pytest.mark.parametrize("status", get_args(CostStatus))
def test_a_cost_status(status: str) -> None:
    """A real stream is priced so."""
    row = "cost" if status == "priced" else f"unpriced:{status}"
    assert row in producers.METRICS, f"cost status {status!r} has no producer: add a row `{row}` to METRICS in {HERE}"
    assert _played(producers.METRICS[row]).record.cost.status == status


@pytest.mark.parametrize("stream_type", StreamType)
def test_a_stream_type(stream_type: StreamType) -> None:
    """The bytes of a real stream are recognised as it, and finish."""
    assert stream_type in producers.TYPES, f"{stream_type!r} has no producer: add it to TYPES in {HERE}"
    record = Stage().play(producers.TYPES[stream_type]).record
    assert (record.stream_type, record.outcome) == (stream_type, Outcome.COMPLETED)


# --------------------------------------------------------------------------------------------------------------- hooks


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook(hook: str) -> None:
    """A real stream calls it."""
    where = f"nothing calls Exporter.{hook}: add it to CALLS in tests/acceptance/hooks.py, or remove it from exporters/base.py"
    assert hook in CALLS, where
    assert hook in CALLS[hook](), where


# -------------------------------------------------------------------------------------------------------------- extras

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: Mapping[str, list[str]] = PROJECT["project"]["optional-dependencies"]
OURS = ("all", "test", "dev")
"""The extra that brings every other one, and those that development needs."""

BROUGHT = [
    (extra, re.match(r"[\w.-]+", requirement)[0])  # type: ignore[index]  # every requirement begins with a name
    for extra, requirements in EXTRAS.items()
    for requirement in requirements
    if extra not in OURS
]


@cache
def _imported() -> frozenset[str]:
    """The modules that something in the package imports, anywhere in a file."""
    found = set[str]()
    for path in (ROOT / "streamtally").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


@pytest.mark.parametrize(("extra", "name"), BROUGHT)
def test_an_extra(extra: str, name: str) -> None:
    """Each package that it brings is imported by something here."""
    files = {str(path) for path in importlib.metadata.files(name) or ()}
    modules = [module.replace(".", "/") for module in _imported()]
    used = {module for module in modules if {f"{module}.py", f"{module}/__init__.py"} & files}
    assert used, f"nothing in streamtally imports {name}: remove it from the extra {extra} in pyproject.toml, or use it"


def test_all_extras() -> None:
    """The extra `all` brings every other one, but what development needs."""
    others = ",".join(name for name in EXTRAS if name not in OURS)
    assert EXTRAS["all"] == [f"streamtally[{others}]"], "mend the extra `all` in pyproject.toml"


# --------------------------------------------------------------------------------------------------------- build files

TOOLS = PROJECT["tool"]
CONTRACTS: list[dict[str, Any]] = TOOLS["importlinter"]["contracts"]


def _paths() -> Iterator[tuple[str, str]]:
    """Each path or pattern of paths that a build file names, and where."""
    project = PROJECT["project"]
    yield from (("license-files", path) for path in (project["readme"], *project["license-files"]))
    yield from (("wheel", path) for path in TOOLS["hatch"]["build"]["targets"]["wheel"]["packages"])
    yield from (("sdist", path.lstrip("/")) for path in TOOLS["hatch"]["build"]["targets"]["sdist"]["include"])
    yield from (("per-file-ignores", path) for path in TOOLS["ruff"]["lint"]["per-file-ignores"])
    options = TOOLS["pytest"]["ini_options"]
    yield from (("testpaths", path) for path in options["testpaths"])
    yield from (("addopts", path.partition("=")[2]) for path in options["addopts"] if path.startswith("--ignore="))
    yield from (("coverage", path) for path in TOOLS["coverage"]["run"]["source"])
    makefile = (ROOT / "Makefile").read_text()
    named = re.findall(r"^SOURCES :=(.*)|\bfind ([\w ]+) -name", makefile, re.MULTILINE)
    yield from (("Makefile", path) for words in named for path in " ".join(words).split())
    yield from (("Makefile", path) for path in re.findall(r"[\w-]+\.(?:txt|toml)\b", makefile))


@pytest.mark.parametrize(("where", "path"), sorted(set(_paths())))
def test_a_path(where: str, path: str) -> None:
    """It exists, and a pattern fits something."""
    assert any(ROOT.glob(path)), f"there is no {path}: mend {where} in pyproject.toml or the Makefile"


def _modules() -> Iterator[tuple[str, str]]:
    """Each module of our own that a contract of import-linter names, and the contract."""
    for contract in CONTRACTS:
        for container in contract.get("containers", ()):
            words = re.split(r"[|:]", "|".join(contract["layers"]))
            yield from ((contract["name"], f"{container}.{word.strip(' ()')}") for word in words)
        sources = (*contract.get("ancestors", ()), *contract.get("source_modules", ()))
        importers = (row.partition(" ->")[0] for row in contract.get("ignore_imports", ()))
        yield from ((contract["name"], name) for name in (*sources, *importers))


@pytest.mark.parametrize(("contract", "name"), sorted(set(_modules())))
def test_a_module_of_a_contract(contract: str, name: str) -> None:
    """It exists."""
    path = name.removesuffix(".**").removesuffix(".*").replace(".", "/")
    assert (ROOT / path).is_dir() or (ROOT / f"{path}.py").is_file(), f"there is no {name}: mend {contract!r} in pyproject.toml"


@pytest.mark.parametrize("package", next(one for one in CONTRACTS if "third-party" in one["name"])["forbidden_modules"])
def test_a_package_with_a_home(package: str) -> None:
    """A third-party package whose importers are restricted: something imports it, or wraps its calls."""
    wrapped = {path.stem for path in (ROOT / "streamtally" / "sources").glob("*.py")}
    homes = wrapped | {module.partition(".")[0] for module in _imported()}
    assert package in homes, f"nothing in streamtally uses {package}: remove it from the contracts in pyproject.toml"


ENTRY_POINTS = [
    (group, name, value) for group, rows in PROJECT["project"]["entry-points"].items() for name, value in rows.items()
] + [("scripts", name, value) for name, value in PROJECT["project"]["scripts"].items()]


@pytest.mark.parametrize(("group", "name", "value"), ENTRY_POINTS)
def test_an_entry_point(group: str, name: str, value: str) -> None:
    """What it names can be loaded."""
    assert importlib.metadata.EntryPoint(name, value, group).load() is not None
