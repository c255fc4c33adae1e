"""Shared by all tests: Hypothesis profiles, the async backend, a clean environment, and the recorded streams."""

import os
import re
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.recordings import VARIABLE, Recording, folder, read_all, skip_reason

# No example has a deadline, because the machine may be busy; speed is measured in benchmarks/.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and remove the developer's settings for the package from the environment."""
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
    """Return a header line that states whether the recorded streams are present."""
    return f"recorded streams: {folder() or skip_reason()}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the argument `recording` once for each recorded stream that `@pytest.mark.recordings` selects."""
    if "recording" not in metafunc.fixturenames:
        return
    path = folder()
    if path is None:
        absent = pytest.param(None, marks=pytest.mark.skip(reason=skip_reason()), id="absent")
        metafunc.parametrize("recording", [absent])
        return
    marker = metafunc.definition.get_closest_marker("recordings")
    wanted = marker.kwargs if marker else {}
    chosen = [
        recorded for recorded in read_all(path) if all(getattr(recorded, field) == value for field, value in wanted.items())
    ]
    metafunc.parametrize("recording", [pytest.param(recorded, id=f"{recorded.api}-{recorded.name}") for recorded in chosen])


@pytest.fixture
def anyio_backend() -> str:
    """Async tests (`@pytest.mark.anyio`) run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of recorded streams; without one the test is skipped."""
    path = folder()
    if path is None:
        pytest.skip(skip_reason())
    return path


@pytest.fixture(scope="session")
def recordings(corpus: Path) -> tuple[Recording, ...]:
    """All recorded streams."""
    return read_all(corpus)
