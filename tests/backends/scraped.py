"""Demo traffic in a real Prometheus: one service for each version of the conventions, scraped before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry, start_http_server

from scripts.dashboards.promql import VERSIONS
from streamtally import Tally
from streamtally.exporters import PrometheusExporter
from streamtally.exporters.profiles import Semconv
from streamtally.records import Outcome, StreamRecord, Usage
from streamtally.testing import FakeClock
from streamtally.testing.scenarios import chat
from tests.backends import traffic
from tests.backends.prometheus import Prometheus, Sample, running
from tests.exporters.samples import TIMING, ended, record

RULES = Path(__file__).parents[2] / "dashboards" / "rules.yml"
WINDOW = "1m"
TEAMS = 4


@dataclass
class Service:
    """An application that streams and serves its metrics.

    Attributes:
        job: its name in Prometheus.
        address: the address of its metrics.
        records: the record of each stream of one round of its traffic.
        traces: the trace ID of each of them.
    """

    profile: Semconv
    job: str = ""
    address: str = ""
    records: list[StreamRecord] = field(default_factory=list)
    traces: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.job = f"chat-{self.profile}"
        registry = CollectorRegistry()
        # Fewer teams than there will be, and an exporter that fails: the package's own metrics must be exported too.
        self._exporter = PrometheusExporter(registry, ["team"], semconv=self.profile, max_values=TEAMS)
        self._clock = FakeClock()
        self._tally = Tally(clock=self._clock, exporters=[self._exporter, self.records.append, _fails])
        self._tracers = TracerProvider(shutdown_on_exit=False)
        self._server, self._thread = start_http_server(0, "127.0.0.1", registry)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def stream(self) -> None:
        """Run one round of traffic, each stream within a span of the application; every round is the same."""
        self.records.clear()
        with self._tracers.get_tracer("application").start_as_current_span("request") as span:
            self.traces.add(f"{span.get_span_context().trace_id:032x}")
            traffic.run_all(self._tally, self._clock)
        self._tally.flush()
        for one in _that_no_source_shows():
            self._exporter.export(one)
            self.records.append(one)

    def hold_one_open(self) -> Any:
        """A stream that is still open."""
        held = self._tally.wrap(iter(chat().frames), params=traffic.asked("openai"))
        next(held)
        return held

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._tally.close()
        self._tracers.shutdown()


@dataclass(frozen=True)
class Scraped:
    """Prometheus, the services that it has scraped, and the time of the last scrape.

    Queries are evaluated at that time: on a busy machine a later scrape may fail, and its series be absent for a while.
    """

    prometheus: Prometheus
    services: Mapping[Semconv, Service]
    moment: float

    def query(self, expr: str) -> list[Sample]:
        """The result of an expression."""
        return self.prometheus.query(expr, self.moment)

    def value(self, expr: str) -> float | None:
        """The value of the only series of an expression; None if there is none."""
        return self.prometheus.value(expr, self.moment)


@contextmanager
def scraped(folder: Path) -> Iterator[Scraped]:
    """Prometheus, after two rounds of traffic: a rate needs an increase between two scrapes."""
    with ExitStack() as stack:
        services = {profile: Service(profile) for profile in VERSIONS}
        for service in services.values():
            stack.callback(service.stop)
        held = [service.hold_one_open() for service in services.values()]
        # The first round ends before the first scrape, so that no rate has a part of it.
        counted = _stream(services, rounds=1)
        targets = {service.job: service.address for service in services.values()}
        prometheus = stack.enter_context(running(folder, targets=targets, rules=RULES))
        prometheus.wait_for(counted)
        moment = prometheus.wait_for(_stream(services, rounds=2))
        yield Scraped(prometheus, services, moment)
        for stream in held:
            stream.close()


def _stream(services: Mapping[Semconv, Service], *, rounds: int) -> dict[str, float]:
    """Run one round of traffic of each service; returns the numbers of streams after so many rounds, by expression."""
    for service in services.values():
        service.stream()
    counts = {service.job: rounds * len(service.records) for service in services.values()}
    return {f'sum(streamtally_streams_total{{job="{job}"}})': count for job, count in counts.items()}


def _fails(record: StreamRecord) -> None:
    raise ConnectionError(f"nobody takes {record.request_id}")


def _that_no_source_shows() -> list[StreamRecord]:
    stalled = TIMING.model_copy(update={"stalls": 2})
    estimated = Usage(input_tokens=100, output_tokens=180, source="estimated")
    return [record(timing=stalled), record(usage=estimated), ended(Outcome.LIMIT), ended(Outcome.ABANDONED)]
