"""The trace that a stream belongs to, for exporters that speak no OpenTelemetry. Loads none of it where nobody uses it."""

from __future__ import annotations

import sys
from typing import Any

Exemplar = dict[str, str]
"""The labels that lead from a metric to a trace, by the names that Prometheus' and Grafana's documentation use."""

_EXPORTED: dict[str, Any] = {}
"""The span contexts of the streams in flight, by request ID."""


def exported_as(request_id: str, span_context: Any) -> None:
    """Our own span of a stream has begun."""
    _EXPORTED[request_id] = span_context


def ended(request_id: str) -> None:
    """It has ended."""
    _EXPORTED.pop(request_id, None)


def exemplar(request_id: str) -> Exemplar | None:
    """Where to find the stream's trace: its own span, else the caller's. None where there is none, or it is not sampled."""
    context = _EXPORTED.get(request_id)
    if context is None:
        trace = sys.modules.get("opentelemetry.trace")
        if trace is None:
            return None
        context = trace.get_current_span().get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return None
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
