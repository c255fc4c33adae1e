"""The metrics served by prometheus_client in each of its ways, for one process and for several, with exemplars."""

import asyncio
import json
import math
import tracemalloc
import urllib.request
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from prometheus_client import CollectorRegistry, make_asgi_app, make_wsgi_app, start_http_server
from prometheus_client.openmetrics import exposition, parser

from streamtally import StreamRecord, Tally, context
from streamtally.exporters import OtelExporter, PrometheusExporter
from streamtally.exporters.profiles import PROFILES
from streamtally.records import InterChunk, Outcome
from tests.exporters.samples import TIMING, ended, record, started
from tests.waiting import run_python


@pytest.fixture
def registry() -> CollectorRegistry:
    """A private registry."""
    return CollectorRegistry()


def total(registry: CollectorRegistry, name: str, **labels: str) -> float:
    """The sum of the samples of one name with these labels."""
    found = [sample for metric in registry.collect() for sample in metric.samples if sample.name == name]
    return sum(sample.value for sample in found if labels.items() <= sample.labels.items())


# ------------------------------------------------------------------------------------------------------------- serving

COUNTED = 'streamtally_outcome="completed"} 1.0'


def test_over_http(registry: CollectorRegistry) -> None:
    """prometheus_client's own server."""
    PrometheusExporter(registry).export(record())
    server, thread = start_http_server(0, "127.0.0.1", registry)
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as response:
        assert COUNTED in response.read().decode()
    server.shutdown()
    server.server_close()
    thread.join()


def test_in_a_wsgi_application(registry: CollectorRegistry) -> None:
    """The registry can be served by a WSGI application."""
    PrometheusExporter(registry).export(record())
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    body = b"".join(make_wsgi_app(registry)(environ, lambda *_: lambda _: None))
    assert COUNTED in body.decode()


def test_in_an_asgi_application(registry: CollectorRegistry) -> None:
    """The registry can be served by an ASGI application."""
    PrometheusExporter(registry).export(record())
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/metrics", "query_string": b"", "headers": []}
    asyncio.run(make_asgi_app(registry)(scope, receive, send))
    assert COUNTED in b"".join(message.get("body", b"") for message in sent).decode()


# ---------------------------------------------------------------------------------------------------------- conventions


@pytest.mark.parametrize("semconv", ["1.41", "latest", "both"])
def test_each_version_has_its_names(registry: CollectorRegistry, semconv: Any) -> None:
    """All metrics are registered, and those with a value in the record have samples."""
    PrometheusExporter(registry, semconv=semconv).export(record())
    assert {family.name for family in registry.collect()} == {
        one.prometheus_name.removesuffix("_total") for one in PROFILES[semconv]
    }
    old = total(registry, "gen_ai_client_token_usage_sum", gen_ai_token_type="output")
    new = total(registry, "gen_ai_client_inference_usage_output_tokens_total", gen_ai_token_modality="unknown")
    assert (old, new) == {"1.41": (180, 0), "latest": (0, 180), "both": (180, 180)}[semconv]


def test_each_chunk_is_in_its_bucket(registry: CollectorRegistry) -> None:
    """The histogram has a value for each chunk, not one for each stream."""
    counted = (1, 0, 2, 3, 0, 1, *[0] * 11, 4)
    waits = InterChunk(count=11, mean=2.0, p50=0.01, p95=90.0, p99=90.0, max=90.0, buckets=counted)
    PrometheusExporter(registry).export(record(timing=TIMING.model_copy(update={"inter_chunk": waits})))
    name = "gen_ai_client_operation_time_per_output_chunk_seconds"
    assert total(registry, f"{name}_count") == 11
    assert total(registry, f"{name}_sum") == 22.0
    bounds = {bound: total(registry, f"{name}_bucket", le=bound) for bound in ("0.01", "0.02", "0.04", "81.92", "+Inf")}
    assert bounds == {"0.01": 6, "0.02": 6, "0.04": 7, "81.92": 7, "+Inf": 11}


def test_one_stream_has_few_series(registry: CollectorRegistry) -> None:
    """Counters that alerts and ratios need have the value 0; no other series exists."""
    PrometheusExporter(registry).export(record())
    zeros = {
        sample.name
        for metric in registry.collect()
        for sample in metric.samples
        if sample.value == 0 and sample.name.endswith("_total")
    }
    assert zeros == {
        "streamtally_chunk_faults_total",
        "streamtally_dropped_records_total",
        "streamtally_stalls_total",
        "streamtally_streams_total",
        "streamtally_unpriced_streams_total",
    }


def test_labels_from_the_context(registry: CollectorRegistry) -> None:
    """Attributes of `streamtally.context` and `attributes=`, if the exporter declares them as labels."""
    with Tally(exporters=[PrometheusExporter(registry, labels=("team", "route"))]) as tally:
        with context(team="search", user="u-1"):
            list(tally.wrap(["hi"], attributes={"route": "/ask"}))
        assert total(registry, "streamtally_streams_total", team="search", route="/ask") == 1
        assert not any("user" in sample.labels for metric in registry.collect() for sample in metric.samples)


def test_names_of_the_catalog_keep_theirs(registry: CollectorRegistry) -> None:
    """Models in the tally's catalog do not count towards the cap, so all workers use the same values."""
    exporter = PrometheusExporter(registry, max_values=3)
    with Tally(exporters=[exporter]) as tally:
        for name in ("typo-1", "typo-2", "typo-3", "gpt-4o", "typo-4", "claude-sonnet-4-5"):
            list(tally.wrap(["hi"], params={"model": name}))
    models = {
        sample.labels["gen_ai_request_model"]
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "streamtally_streams_total" and sample.value
    }
    assert models == {"typo-1", "typo-2", "typo-3", "gpt-4o", "claude-sonnet-4-5", "other"}


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
def test_models_without_end_leave_memory_flat() -> None:
    """Once the cap is reached, memory does not grow."""
    exporter = PrometheusExporter(CollectorRegistry(), known_models=lambda name: name.endswith("7"))
    base = dict(ended(Outcome.ABANDONED, model=None).__dict__)

    def play(first: int, last: int) -> None:
        for number in range(first, last):
            exporter.export(StreamRecord.model_construct(**{**base, "requested_model": f"m-{number * 10}"}))

    tracemalloc.start()
    play(0, 2_000)
    series = sum(len(metric.samples) for metric in exporter.registry.collect())
    before, _ = tracemalloc.get_traced_memory()
    play(2_000, 10_000)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(len(metric.samples) for metric in exporter.registry.collect()) == series
    assert after - before < 50 * 8_000  # less than the names alone; Python's own free lists are in it


# ----------------------------------------------------------------------------------------------------------- exemplars


def exemplars(registry: CollectorRegistry) -> dict[str, dict[str, str]]:
    """The labels of the exemplars in a scrape, by the metric's name."""
    page: str = exposition.generate_latest(registry).decode()  # type: ignore[no-untyped-call]
    families = parser.text_string_to_metric_families(page)  # type: ignore[no-untyped-call]
    samples = [(family.name, sample) for family in families for sample in family.samples]
    return {name: sample.exemplar.labels for name, sample in samples if sample.exemplar is not None}


@pytest.mark.parametrize("first", ["otel", "prometheus"])
def test_exemplars_lead_to_our_span(registry: CollectorRegistry, first: str) -> None:
    """In either order of the two exporters."""
    tracers = TracerProvider(shutdown_on_exit=False)
    seen: list[Any] = []
    otel = OtelExporter(tracers, MeterProvider(shutdown_on_exit=False))
    pair: list[Any] = [otel, PrometheusExporter(registry)]
    for one in pair if first == "otel" else reversed(pair):
        one.on_start(started())
    seen.append(otel._open["request-1"].span.get_span_context())
    for one in pair if first == "otel" else reversed(pair):
        one.export(record())
    ids = {"trace_id": f"{seen[0].trace_id:032x}", "span_id": f"{seen[0].span_id:016x}"}
    assert exemplars(registry) == {
        "gen_ai_client_operation_duration_seconds": ids,
        "gen_ai_client_operation_time_to_first_chunk_seconds": ids,
        "streamtally_time_to_first_token_seconds": ids,
    }


def test_without_a_span_of_ours_exemplars_lead_to_the_callers(registry: CollectorRegistry) -> None:
    """The span that was current when the stream started."""
    exporter = PrometheusExporter(registry)
    with TracerProvider(shutdown_on_exit=False).get_tracer("caller").start_as_current_span("caller") as caller:
        exporter.on_start(started())
    exporter.export(record())
    found = exemplars(registry)["gen_ai_client_operation_duration_seconds"]
    assert found["trace_id"] == f"{caller.get_span_context().trace_id:032x}"


def test_what_is_not_sampled_or_not_wanted_has_no_exemplar(registry: CollectorRegistry) -> None:
    """The trace of a span that is not sampled does not exist."""
    tracer = TracerProvider(ALWAYS_OFF, shutdown_on_exit=False).get_tracer("caller")
    with trace.use_span(tracer.start_span("caller")):
        PrometheusExporter(registry).export(record())
    with TracerProvider(shutdown_on_exit=False).get_tracer("caller").start_as_current_span("caller"):
        PrometheusExporter(registry, exemplars=False).export(record())
    PrometheusExporter(registry).export(record())
    assert exemplars(registry) == {}


def test_no_opentelemetry_is_loaded_for_exemplars() -> None:
    """If OpenTelemetry is not loaded, there are no exemplars, and it stays unloaded."""
    program = (
        "import sys, prometheus_client, streamtally\n"
        "from streamtally.exporters import PrometheusExporter\n"
        "with streamtally.Tally(exporters=[PrometheusExporter(prometheus_client.CollectorRegistry())]) as tally:\n"
        "    list(tally.wrap(['hi']))\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    assert run_python("-c", program, check=True).stdout == "[]\n"


# ------------------------------------------------------------------------------------ metrics of the package itself


def test_the_metrics_of_the_package_itself(registry: CollectorRegistry) -> None:
    """Failures of exporters, overflow of labels, dropped records, and the age of the catalog."""

    def broken(_: StreamRecord) -> None:
        raise ZeroDivisionError

    exporter = PrometheusExporter(registry, labels=["team"], max_values=1)
    assert math.isnan(total(registry, "streamtally_catalog_age_seconds"))
    tally = Tally(exporters=[exporter, broken])
    for team in ("a", "b", "c"):
        list(tally.wrap(["hi"], attributes={"team": team}))
    tally.flush()
    tally.flush()
    failed = "test_the_metrics_of_the_package_itself.<locals>.broken"
    assert total(registry, "streamtally_exporter_failures_total", streamtally_exporter=failed) == 3
    assert total(registry, "streamtally_label_overflow_total", streamtally_label="team") >= 2
    assert total(registry, "streamtally_dropped_records_total") == 0
    assert total(registry, "streamtally_catalog_age_seconds") > 0
    tally.close()
    assert tally.delivery is not None
    tally.delivery.export(record())
    tally.delivery.flush()
    assert total(registry, "streamtally_dropped_records_total") == 1


# -------------------------------------------------------------------------------------------------------- many processes

WORKERS = 4

WORKER = f"""
import json, os, sys
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
import streamtally
from streamtally.exporters import PrometheusExporter

tally = streamtally.Tally(exporters=[PrometheusExporter(labels=("team",))])   # before the fork, as with --preload
parents = tally.wrap(["the parent's"])

def scrape():
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    found = {{}}
    for metric in registry.collect():
        for sample in metric.samples:
            if sample.name in ("streamtally_streams_total", "streamtally_active_streams", "streamtally_catalog_age_seconds"):
                found[sample.name] = found.get(sample.name, 0) + sample.value
            if sample.name.endswith("time_per_output_chunk_seconds_count"):
                found["chunks"] = found.get("chunks", 0) + sample.value
    return found

ready, go = os.pipe(), os.pipe()
children = []
for number in range({WORKERS}):
    child = os.fork()
    if not child:
        os.close(go[1])
        for _ in range(3):
            list(tally.wrap(["a", "b", "c"], attributes={{"team": "search"}}))
        left_open = tally.wrap(["a"])
        next(iter(left_open))
        tally.flush()
        os.write(ready[1], b".")
        os.read(go[0], 1)
        os._exit(0)
    children.append(child)
for _ in children:
    os.read(ready[0], 1)
alive = scrape()
os.close(go[1])
for child in children:
    assert os.waitpid(child, 0)[1] == 0
    mark_process_dead(child)
list(parents)
print(json.dumps([alive, scrape()]))
"""


def test_several_workers_are_summed_up(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers forked from a loaded application: each stream is counted once, and active ones only while their worker lives."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    done = run_python("-W", "error", "-c", WORKER)
    assert done.returncode == 0, done.stderr
    alive, after = json.loads(done.stdout)
    assert alive["streamtally_streams_total"] == 3 * WORKERS
    assert alive["chunks"] == 2 * 3 * WORKERS
    assert alive["streamtally_active_streams"] == WORKERS + 1
    assert alive["streamtally_catalog_age_seconds"] > 0
    assert after["streamtally_streams_total"] == 3 * WORKERS + 1
    assert after["streamtally_active_streams"] == 0
