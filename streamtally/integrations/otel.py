"""For `opentelemetry-instrument`, which finds this by its entry point: the application's code stays as it is."""

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

    Where `STREAMTALLY_EXPORTERS` names exporters, records go there instead; an application that calls `configure` has the
    last word.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: an SDK that is not there is not wrapped."""
        return ()

    def _instrument(self, **options: Any) -> None:
        """Takes `tracer_provider` and `meter_provider`, as instrumentors do; the global ones by default."""
        if not os.environ.get(VARIABLE):
            configure(exporters=[OtelExporter(options.get("tracer_provider"), options.get("meter_provider"))])
        instrument()

    def _uninstrument(self, **options: Any) -> None:  # noqa: ARG002 - as the base class calls it
        uninstrument()
