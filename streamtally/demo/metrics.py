"""The metrics of the demo: a registry of its own, served over HTTP on this machine, and scraped from there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, start_http_server

from ..exporters import PrometheusExporter

_SAMPLE = re.compile(r"(?P<name>\w+)\{(?P<labels>.*)\} (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a scrape."""

    name: str
    labels: Mapping[str, str]
    value: float

    def showing(self, *labels: str) -> str:
        """The line, with these of its labels."""
        shown = ",".join(f'{label}="{self.labels[label]}"' for label in labels)
        return f"{self.name}{{{shown},…}} {self.value:g}"


class MetricsServer:
    """Serves `/metrics` on a free port of 127.0.0.1; what `exporter` takes is seen there. A context manager."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.exporter = PrometheusExporter(registry)
        self._server, self._thread = start_http_server(0, addr="127.0.0.1", registry=registry)
        self.url = f"http://127.0.0.1:{self._server.server_port}/metrics"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def scrape(url: str) -> list[Sample]:
    """What is served at `url`, read as Prometheus does."""
    address = urlsplit(url)
    connection = HTTPConnection(address.netloc, timeout=_TIMEOUT)
    try:
        connection.request("GET", address.path)
        lines = connection.getresponse().read().decode().splitlines()
    finally:
        connection.close()
    return [_sample(match) for match in map(_SAMPLE.fullmatch, lines) if match]


def total(samples: Iterable[Sample], name: str, **labels: str) -> float:
    """The sum of the samples of a metric that have these labels."""
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


def _sample(match: re.Match[str]) -> Sample:
    return Sample(match["name"], dict(_LABEL.findall(match["labels"])), float(match["value"]))
