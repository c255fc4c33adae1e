"""The trace of each stream in flight, for exemplars. OpenTelemetry is not imported here."""

from __future__ import annotations

import sys
from typing import Any

Exemplar = dict[str, str]
"""The labels that lead from a metric to a trace, with the names that the documentation of Prometheus and Grafana uses."""

_SPAN_CONTEXTS: dict[str, Any] = {}
"""The span contexts of the streams in flight, by request ID."""


def span_started(request_id: str, span_context: Any) -> None:
    """Register the span of a stream."""
    _SPAN_CONTEXTS[request_id] = span_context


def span_ended(request_id: str) -> None:
    """Forget the span of a stream."""
    _SPAN_CONTEXTS.pop(request_id, None)


def exemplar_of(request_id: str) -> Exemplar | None:
    """The exemplar of a stream: its own span, else the current one. None if there is no span, or it is not sampled."""
    context = _SPAN_CONTEXTS.get(request_id)
    if context is None:
        trace = sys.modules.get("opentelemetry.trace")
        if trace is None:
            return None
        context = trace.get_current_span().get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return None
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
