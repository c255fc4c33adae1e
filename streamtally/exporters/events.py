"""OpenTelemetry events, which are log records with a name: the details of a stream, and the exception that ended it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import Any

from opentelemetry import _logs, trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.trace import Span

from ..json_values import Json

logger = logging.getLogger("streamtally")


class Events:
    """Emits events in the context of a span.

    OpenTelemetry's API has had events (log records with a name, emitted by keyword) since 1.38. With an older API package
    nothing is emitted, and a warning is logged once if `requested`.

    Args:
        scope: name, version and schema URL of the instrumentation scope.
        provider: receives the events; the global logger provider by default.
        requested: whether the user wants events.
    """

    def __init__(
        self, scope: tuple[str, str | None, str | None], provider: _logs.LoggerProvider | None = None, *, requested: bool = False
    ) -> None:
        name, version, schema_url = scope
        self._logger: Any = _logs.get_logger(name, version or "", provider, schema_url)
        self.possible = "event_name" in inspect.signature(_logs.Logger.emit).parameters
        if requested and not self.possible:
            logger.warning("this version of opentelemetry-api has no events: only spans will have content")

    def emit(
        self, name: str, span: Span, attributes: Mapping[str, Json], timestamp: int | None, *, warning: bool = False
    ) -> None:
        """Emit one event; times are nanoseconds since the epoch."""
        if self.possible:
            self._logger.emit(
                event_name=name,
                attributes=dict(attributes),
                context=trace.set_span_in_context(span, Context()),
                timestamp=timestamp,
                severity_number=SeverityNumber.WARN if warning else SeverityNumber.INFO,
            )
