"""What all tests share: Hypothesis profiles, the async backend, a clean environment, and the recorded streams."""

import os
import re
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.recordings import VARIABLE, Recording, folder, read_all, why_absent

# The machine may be busy, so no example has a deadline; what is slow shows in the benchmarks.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers, and take away what the developer's shell could say to the package: a test says it itself."""
    config.addinivalue_line("markers", "recordings(**fields): run for the recorded streams that have these fields")
    for name in list(os.environ):
        if name.startswith(("OTEL_", "STREAMTALLY_")) and name != VARIABLE:
            del os.environ[name]


SDKS_WITH_HIGHER_FLOORS = ("google", "mistralai")
"""Packages that `make lowest` cannot install beside the lowest versions of our own dependencies."""


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Skip a test file that imports one of these SDKs where it is not installed."""
    report = yield
    missing = re.search(r"ModuleNotFoundError: No module named '(\w+)", str(report.longrepr)) if report.failed else None
    if missing and missing[1] in SDKS_WITH_HIGHER_FLOORS:
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 1, f"{missing[1]} is not installed")
    return report


def pytest_report_header() -> str:
    """Say at the top whether the recorded streams are there."""
    return f"recorded streams: {folder() or why_absent()}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a `recording` once for each recorded stream; `@pytest.mark.recordings(api=…)` narrows it."""
    if "recording" not in metafunc.fixturenames:
        return
    path = folder()
    if path is None:
        absent = pytest.param(None, marks=pytest.mark.skip(reason=why_absent()), id="absent")
        metafunc.parametrize("recording", [absent])
        return
    marker = metafunc.definition.get_closest_marker("recordings")
    wanted = marker.kwargs if marker else {}
    chosen = [one for one in read_all(path) if all(getattr(one, field) == value for field, value in wanted.items())]
    metafunc.parametrize("recording", [pytest.param(one, id=f"{one.api}-{one.name}") for one in chosen])


@pytest.fixture
def anyio_backend() -> str:
    """Async tests (`@pytest.mark.anyio`) run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of recorded streams; the test is skipped, and says why, where there is none."""
    path = folder()
    if path is None:
        pytest.skip(why_absent())
    return path


@pytest.fixture(scope="session")
def recordings(corpus: Path) -> tuple[Recording, ...]:
    """All recorded streams."""
    return read_all(corpus)
