"""Exporters by name, by object and by function."""

import json
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from streamtally import exporters
from streamtally.exporters import CallableExporter, ConsoleExporter, JsonLinesExporter, from_environment, lookup, resolve
from streamtally.records import StreamRecord
from tests.exporters.samples import record
from tests.waiting import run_python


@pytest.fixture
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_in_a_folder")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("console", "ConsoleExporter"),
        ("jsonl", "JsonLinesExporter"),
        ("otel", "OtelExporter"),
        ("prometheus", "PrometheusExporter"),
    ],
)
def test_built_in_names_need_no_metadata(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of built-in exporters work in a source tree that was never installed, and several times in one process."""
    monkeypatch.setattr(lookup, "entry_points", lambda **_: EntryPoints())
    for _ in range(2):
        exporter = resolve(name)
        assert type(exporter) is getattr(exporters, kind)
        exporter.close()


def test_an_argument_follows_a_colon(tmp_path: Path) -> None:
    """A path may itself have colons."""
    path = tmp_path / "calls:today.jsonl"
    exporter = resolve(f"jsonl:{path}")
    exporter.export(record())
    exporter.close()
    assert json.loads(path.read_text())["request_id"] == "request-1"


def test_an_entry_point_is_loaded_when_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other packages register exporters in the group: a class, or a function that returns an exporter."""
    theirs = EntryPoint("theirs", "streamtally.exporters:ConsoleExporter", lookup.GROUP)
    monkeypatch.setattr(lookup, "entry_points", lambda **by: EntryPoints([theirs]).select(**by))
    assert isinstance(resolve("theirs"), ConsoleExporter)
    with pytest.raises(ValueError, match=r"'their'; known: console, jsonl, otel, prometheus, theirs"):
        resolve("their")


def test_objects_classes_and_functions() -> None:
    """An exporter is returned, a class is called, a function is wrapped."""
    exporter = ConsoleExporter()
    assert resolve(exporter) is exporter
    assert isinstance(resolve(ConsoleExporter), ConsoleExporter)
    assert isinstance(resolve(print), CallableExporter)


def test_what_is_no_exporter_is_refused() -> None:
    """An object without the methods, and a coroutine function, which nothing would await."""

    async def export(record: StreamRecord) -> None: ...

    with pytest.raises(TypeError, match="neither"):
        resolve(42)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not awaited"):
        resolve(export)


def test_the_environment_names_exporters_in_order(tmp_path: Path) -> None:
    """Spaces and empty names are ignored; without the variable there are no exporters."""
    found = from_environment({"STREAMTALLY_EXPORTERS": f" console ,, jsonl:{tmp_path}/a.jsonl,"})
    assert [type(exporter) for exporter in found] == [ConsoleExporter, JsonLinesExporter]
    for exporter in found:
        exporter.close()
    assert from_environment({}) == from_environment({"STREAMTALLY_EXPORTERS": ""}) == ()


def test_the_process_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the function is called, not at import."""
    monkeypatch.setenv("STREAMTALLY_EXPORTERS", "nowhere")
    with pytest.raises(ValueError, match="unknown exporter 'nowhere'"):
        from_environment()


def test_each_exporter_loads_only_what_it_needs() -> None:
    """The package itself, the console and the file exporter load neither OpenTelemetry nor prometheus_client."""
    program = """
import sys, streamtally.exporters as exporters
exporters.Dispatcher([exporters.resolve(print)])
exporters.ConsoleExporter(), exporters.JsonLinesExporter
print([name for name in ("opentelemetry", "prometheus_client") if name in sys.modules])
exporters.PrometheusExporter
print("opentelemetry" in sys.modules, any(name.startswith("opentelemetry.sdk") for name in sys.modules))
exporters.OtelExporter()
print(any(name.startswith("opentelemetry.sdk") for name in sys.modules))
"""
    done = run_python("-c", program, check=True)
    assert done.stdout.split("\n")[:3] == ["[]", "False False", "False"]


def test_every_public_name_is_there() -> None:
    """Names that are imported on demand are listed and found; an unknown name is an AttributeError."""
    assert list(exporters.__all__) == sorted(exporters.__all__) == dir(exporters)
    assert all(getattr(exporters, name) for name in exporters.__all__)
    name = "NoExporter"
    with pytest.raises(AttributeError, match=name):
        getattr(exporters, name)
