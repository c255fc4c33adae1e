"""Where records go: the exporters, how they are named, and the way to them.

The exporters themselves are loaded when they are used, and with them what they need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .base import CallableExporter, Exporter
from .delivery import Delivery
from .lookup import from_environment, resolve
from .redaction import without_content

if TYPE_CHECKING:
    from .console import ConsoleExporter
    from .jsonl import JsonLinesExporter
    from .otel import OtelExporter
    from .prometheus import PrometheusExporter

__all__ = [
    "CallableExporter",
    "ConsoleExporter",
    "Delivery",
    "Exporter",
    "JsonLinesExporter",
    "OtelExporter",
    "PrometheusExporter",
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
