"""Exporters: objects that receive finished records and send them to a backend.

Each exporter is imported when it is first used, and with it the library that it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .base import CallableExporter, Exporter, ExporterLike
from .dispatcher import Dispatcher
from .lookup import from_environment, resolve
from .redaction import without_content
from .tally_info import TallyInfo

if TYPE_CHECKING:
    from .console import ConsoleExporter
    from .jsonl import JsonLinesExporter
    from .otel import OtelExporter
    from .prometheus import PrometheusExporter

__all__ = [
    "CallableExporter",
    "ConsoleExporter",
    "Dispatcher",
    "Exporter",
    "ExporterLike",
    "JsonLinesExporter",
    "OtelExporter",
    "PrometheusExporter",
    "TallyInfo",
    "from_environment",
    "resolve",
    "without_content",
]

_ON_DEMAND = {
    "ConsoleExporter": "console",
    "JsonLinesExporter": "jsonl",
    "OtelExporter": "otel",
    "PrometheusExporter": "prometheus",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_ON_DEMAND[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
