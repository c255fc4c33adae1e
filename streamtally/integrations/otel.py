"""The instrumentor that `opentelemetry-instrument` finds by its entry point; the application's code is not changed."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

try:
    from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
except ImportError as error:
    from ..errors import MissingExtra

    raise MissingExtra("instrument", error.name or "opentelemetry-instrumentation") from error

from ..default import configure
from ..exporters import OtelExporter
from ..exporters.lookup import VARIABLE
from .patches import instrument, uninstrument


class StreamtallyInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # where the package is not installed
    """Wraps the streaming calls of the openai and anthropic SDKs, and exports spans and metrics to OpenTelemetry.

    Where `STREAMTALLY_EXPORTERS` names exporters, records go to those instead; a call of `configure` by the
    application replaces either.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """None are required: an SDK that is not installed is not wrapped."""
        return ()

    def _instrument(self, **options: Any) -> None:
        """Wrap the calls. Options are `tracer_provider` and `meter_provider`; by default the global ones are used."""
        if not os.environ.get(VARIABLE):
            configure(exporters=[OtelExporter(options.get("tracer_provider"), options.get("meter_provider"))])
        instrument()

    def _uninstrument(self, **options: Any) -> None:  # noqa: ARG002 - the signature of the base class
        uninstrument()
