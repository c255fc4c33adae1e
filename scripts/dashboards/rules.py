"""Recording and alerting rules for Prometheus.

They read only metrics of streamtally, which are the same in all versions of the conventions: one file serves them all.
The thresholds are examples; each service sets its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from streamtally.exporters.instruments import OWN

from .panels import FAILED
from .promql import COST_STATUS, EXPORTER, FAULT, JOB, LABEL, MODEL, OUTCOME, PromQL

Rule = dict[str, Any]

_BY = (JOB, MODEL)
_LEVEL = "job_model"

FIRST_TOKEN = f"{_LEVEL}:streamtally_time_to_first_token_seconds:p95_5m"
ERRORS = f"{_LEVEL}:streamtally_errors:ratio_5m"
TRUNCATED = f"{_LEVEL}:streamtally_truncated:ratio_5m"
UNPRICED = f"{_LEVEL}:streamtally_unpriced:ratio_1h"
SPEND = "job:streamtally_cost_USD:increase_1h"

_NO_PRICE = f'{COST_STATUS}!="no_usage"'
"""Excludes streams without usage, which cannot be priced. All other reasons are gaps in the catalog."""


_MODEL = f"{{{{ $labels.{MODEL} }}}} of {{{{ $labels.{JOB} }}}}"
_SERVICE = f"{{{{ $labels.{JOB} }}}}"

CATALOG_DAYS = 90


def rules_yaml() -> str:
    """The content of the rules file."""
    groups = [{"name": "streamtally.recording", "rules": _recording()}, {"name": "streamtally.alerting", "rules": _alerting()}]
    return yaml.safe_dump({"groups": groups}, sort_keys=False, width=200)


def _recording() -> list[Rule]:
    five, hour = PromQL(OWN, "5m"), PromQL(OWN, "1h")
    streams = five.rate("streams", by=_BY)
    return [
        {"record": FIRST_TOKEN, "expr": five.quantile(0.95, "time_to_first_token", by=_BY)},
        {"record": ERRORS, "expr": f"{five.rate('streams', FAILED, by=_BY)} / {streams}"},
        {"record": TRUNCATED, "expr": f"{five.rate('streams', _ended('truncated'), by=_BY)} / {streams}"},
        {"record": UNPRICED, "expr": f"{hour.rate('unpriced', _NO_PRICE, by=_BY)} / {hour.rate('streams', by=_BY)}"},
        {"record": SPEND, "expr": hour.increase("cost", by=[JOB])},
    ]


def _alerting() -> list[Rule]:
    return [*_about_streams(), *_about_exporters(), *_about_labels_and_prices()]


def _about_streams() -> Iterator[Rule]:
    share = "{{ $value | humanizePercentage }} of the streams"
    yield _alert(
        "StreamtallyFirstTokenSlow",
        f"{FIRST_TOKEN} > 10",
        "10m",
        f"{_MODEL}: one stream in twenty waits longer than {{{{ $value | humanizeDuration }}}} for its first token",
    )
    yield _alert("StreamtallyErrorsHigh", f"{ERRORS} > 0.05", "10m", f"{_MODEL}: {share} fail", "critical")
    yield _alert("StreamtallyTruncatedHigh", f"{TRUNCATED} > 0.02", "10m", f"{_MODEL}: {share} end before their finish")
    yield _alert("StreamtallySpendHigh", f"{SPEND} > 100", "5m", f"{_SERVICE}: {{{{ $value | humanize }}}} USD in one hour")
    yield _alert("StreamtallyUnpriced", f"{UNPRICED} > 0.05", "30m", f"{_MODEL}: {share} have no full price")


def _about_exporters() -> Iterator[Rule]:
    ask = PromQL(OWN, "15m")
    lost = f'{FAULT}=~"missing|late|dropped"'
    yield _alert(
        "StreamtallyChunksLost",
        ask.grew("chunk_faults", lost, by=[JOB]),
        "0m",
        f"{_SERVICE}: chunks never came, came late or were not kept",
    )
    yield _alert(
        "StreamtallyExporterFailing",
        ask.grew("exporter_failures", by=[JOB, EXPORTER]),
        "5m",
        f"{_SERVICE}: the exporter {{{{ $labels.{EXPORTER} }}}} raises",
    )
    yield _alert(
        "StreamtallyRecordsDropped",
        ask.grew("dropped_records", by=[JOB]),
        "0m",
        f"{_SERVICE}: an exporter is too slow, and its queue was full",
    )


def _about_labels_and_prices() -> Iterator[Rule]:
    ask = PromQL(OWN, "15m")
    yield _alert(
        "StreamtallyLabelsOverflow",
        ask.grew("label_overflow", by=[JOB, LABEL]),
        "0m",
        f"{_SERVICE}: {{{{ $labels.{LABEL} }}}} has more values than it may have",
    )
    yield _alert(
        "StreamtallyCatalogOld",
        f"{ask.highest('catalog_age', by=[JOB])} > {CATALOG_DAYS} * 86400",
        "1h",
        f"{_SERVICE}: the prices are {{{{ $value | humanizeDuration }}}} old",
    )


def _alert(name: str, expr: str, lasting: str, summary: str, severity: str = "warning") -> Rule:
    return {
        "alert": name,
        "expr": expr,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": summary},
    }


def _ended(outcome: str) -> str:
    return f'{OUTCOME}="{outcome}"'
