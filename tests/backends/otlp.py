"""A receiver of OTLP over HTTP, which decodes protobuf on a free port and keeps it."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest, ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class ReceivedSpan(NamedTuple):
    """A span with its resource and scope."""

    span: Span
    attributes: dict[str, Any]
    scope: str
    schema_url: str
    resource: dict[str, Any]


class ReceivedMetric(NamedTuple):
    """A metric with its resource and scope."""

    metric: Metric
    scope: str
    schema_url: str
    resource: dict[str, Any]

    @property
    def points(self) -> Sequence[Any]:
        """The data points of the metric."""
        points: Sequence[Any] = getattr(self.metric, str(self.metric.WhichOneof("data"))).data_points
        return points


_TRACES, _METRICS, _LOGS = "/v1/traces", "/v1/metrics", "/v1/logs"
_FORMS: Mapping[str, tuple[type[Any], type[Any]]] = {
    _TRACES: (ExportTraceServiceRequest, ExportTraceServiceResponse),
    _METRICS: (ExportMetricsServiceRequest, ExportMetricsServiceResponse),
    _LOGS: (ExportLogsServiceRequest, ExportLogsServiceResponse),
}


class Receiver:
    """The requests that were received.

    Attributes:
        url: the address of the receiver.
        refused: requests that were not OTLP.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.refused: list[str] = []
        self.bodies: list[bytes] = []
        self._requests: dict[str, list[Any]] = {path: [] for path in _FORMS}

    def take(self, path: str, media_type: str, body: bytes) -> bytes | None:
        """Keep one request, and return its response, or None for a request that is not OTLP."""
        if media_type != "application/x-protobuf" or path not in _FORMS:
            self.refused.append(f"{path} {media_type}")
            return None
        request, response = _FORMS[path]
        self.bodies.append(body)
        self._requests[path].append(request.FromString(body))
        return bytes(response().SerializeToString())

    def spans(self) -> Iterator[ReceivedSpan]:
        """All spans, in the order of arrival."""
        for request in self._requests[_TRACES]:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        resource_attributes = values(resource.resource.attributes)
                        yield ReceivedSpan(span, values(span.attributes), scope.scope.name, scope.schema_url, resource_attributes)

    def last_metrics(self) -> dict[str, ReceivedMetric]:
        """The metrics of the last request, by name."""
        return {
            metric.name: ReceivedMetric(metric, scope.scope.name, scope.schema_url, values(resource.resource.attributes))
            for resource in self._requests[_METRICS][-1].resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def events(self) -> Iterator[tuple[LogRecord, dict[str, Any]]]:
        """All log records, each with its attributes."""
        for request in self._requests[_LOGS]:
            for resource in request.resource_logs:
                for scope in resource.scope_logs:
                    for record in scope.log_records:
                        yield record, values(record.attributes)


def values(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes as Python values."""
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = str(value.WhichOneof("value"))
    return tuple(map(_value, value.array_value.values)) if kind == "array_value" else getattr(value, kind)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            answer = receiver.take(self.path, self.headers.get("Content-Type", ""), body)
            self.send_response(400 if answer is None else 200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer or b"")))
            self.end_headers()
            self.wfile.write(answer or b"")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
