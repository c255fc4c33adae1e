"""Tables by stream type, outcome and finish reason have a row for each; the message of a failure names the table."""

from collections.abc import Iterable, Mapping
from functools import partial
from inspect import isfunction
from pathlib import Path
from typing import Any, get_args

import pytest

from streamtally.exporters import attributes, console, measurements, messages, otel
from streamtally.exporters.instruments import (
    ACTIVE_STREAMS,
    CATALOG_AGE,
    DROPPED_RECORDS,
    EXPORTER_FAILURES,
    LABEL_OVERFLOW,
    OWN,
)
from streamtally.exporters.profiles import PROFILES
from streamtally.records import FinishReason, Outcome, StreamType

TABLES: Mapping[str, tuple[Mapping[Any, object], Iterable[Any]]] = {
    "exporters/measurements.py: OPERATIONS": (measurements.OPERATIONS, StreamType),
    "exporters/measurements.py: FAILED": (measurements.FAILED, Outcome),
    "exporters/attributes.py: STREAM_TYPES": (attributes.STREAM_TYPES, StreamType),
    "exporters/otel.py: RETRIED": (otel.RETRIED, Outcome),
    "exporters/console.py: STYLES": (console.STYLES, Outcome),
    "exporters/messages.py: FINISH_REASONS": (messages.FINISH_REASONS, get_args(FinishReason)),
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_a_row_for_each_member(table: str) -> None:
    """A new stream type, outcome or finish reason needs a row in each table."""
    rows, members = TABLES[table]
    assert set(rows) == set(members), f"complete the table in streamtally/{table}"


@pytest.mark.parametrize("profile", PROFILES)
def test_every_metric_is_recorded_somewhere(profile: str) -> None:
    """From a record, or by `StreamMetrics` and `HealthMetrics`, which record the metrics without a `measure`."""
    recorded = {ACTIVE_STREAMS, EXPORTER_FAILURES, DROPPED_RECORDS, LABEL_OVERFLOW, CATALOG_AGE}
    missing = {one.metric_id for one in PROFILES[profile] if one.measure is None and one not in recorded}
    assert not missing, f"give {missing} a `measure` in streamtally/exporters/instruments.py"


def test_every_measure_has_an_instrument() -> None:
    """A function of `measurements` that nothing uses is a metric without an entry in the table of instruments."""
    public = {name for name, value in vars(measurements).items() if _is_measure(name, value)}
    used = {name for name in public for one in PROFILES["both"] if one.measure is getattr(measurements, name)}
    assert public == used, "add an Instrument to streamtally/exporters/instruments.py"
    assert len(public) > 20


def test_every_metric_of_our_own_is_documented() -> None:
    """In docs/telemetry.md, by its name."""
    text = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text()
    missing = {one.name for one in OWN if f"`{one.name}`" not in text}
    assert not missing, "add them to docs/telemetry.md"


def _is_measure(name: str, value: object) -> bool:
    if name.startswith("_") or name in ("operation", "provider", "failed", "error_type"):
        return False
    return isinstance(value, partial) or (isfunction(value) and value.__module__ == measurements.__name__)
