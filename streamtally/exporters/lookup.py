"""Exporters by name, by object or by function."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from ..records import StreamRecord
from .base import CallableExporter, ExporterLike
from .hooks import check_hooks

GROUP = "streamtally.exporters"
VARIABLE = "STREAMTALLY_EXPORTERS"

# Found without the package's metadata too, as in a source tree that was never installed.
_BUILT_IN = {
    "console": ("console", "ConsoleExporter"),
    "jsonl": ("jsonl", "JsonLinesExporter"),
    "otel": ("otel", "OtelExporter"),
    "prometheus": ("prometheus", "PrometheusExporter"),
}

Spec = str | ExporterLike | Callable[[StreamRecord], object]
"""An exporter as users give it: a name, an object, or a function that takes a record."""


def resolve(spec: Spec | type[ExporterLike]) -> ExporterLike:
    """The exporter that `spec` stands for.

    A name is one of console, jsonl, otel, prometheus, or an entry point of the group `streamtally.exporters`: a class or a
    function that returns an exporter. The text after a colon is its argument: `"jsonl:calls.jsonl"`. A class is called
    without arguments. Only the exporter that is named is imported.

    Raises:
        ValueError: the name is unknown; the message lists the known ones.
        TypeError: the object is no exporter and cannot be called, or its class misspells a hook.

    Example:
        >>> seen = []
        >>> resolve(seen.append).export("a record")
        >>> seen
        ['a record']
    """
    exporter = _named(spec) if isinstance(spec, str) else spec
    if isinstance(exporter, type):
        exporter = exporter()
    if isinstance(exporter, ExporterLike):
        check_hooks(exporter)
        return exporter
    if callable(exporter):
        return CallableExporter(exporter)
    raise TypeError(f"an exporter has export, flush and close, or can be called with a record; {exporter!r} is neither")


def from_environment(environ: Mapping[str, str] | None = None) -> tuple[ExporterLike, ...]:
    """The exporters that `STREAMTALLY_EXPORTERS` names, separated by commas, in its order; none if it is not set.

    Raises:
        ValueError: a name is unknown.

    Example:
        >>> from_environment({})
        ()
    """
    listed = (os.environ if environ is None else environ).get(VARIABLE, "")
    return tuple(resolve(name.strip()) for name in listed.split(",") if name.strip())


def known_names() -> tuple[str, ...]:
    """The names that `resolve` accepts, sorted."""
    return tuple(sorted(_BUILT_IN.keys() | entry_points(group=GROUP).names))


def _named(spec: str) -> Any:
    name, _, argument = spec.partition(":")
    factory = _factory(name)
    return factory(argument) if argument else factory()


def _factory(name: str) -> Any:
    if name in _BUILT_IN:
        module, attribute = _BUILT_IN[name]
        return getattr(import_module(f".{module}", __package__), attribute)
    for entry_point in entry_points(group=GROUP, name=name):
        return entry_point.load()
    raise ValueError(f"unknown exporter {name!r}; known: {', '.join(known_names())}")
