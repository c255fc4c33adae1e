"""Metrics in a registry of prometheus_client, read back through its own exposition and parser."""

from typing import Any

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streamtally.exporters import PrometheusExporter
from streamtally.exporters.profiles import PROFILES
from streamtally.records import Cost, ErrorDetails, Outcome, StreamType
from tests.exporters.samples import MARK, ended, marked, record, started

LABELS = {
    "gen_ai_operation_name": "chat",
    "gen_ai_provider_name": "openai",
    "gen_ai_request_model": "gpt-4o",
    "gen_ai_response_model": "gpt-4o-2024-08-06",
    "server_address": "api.openai.com",
    "server_port": "443",
}


@pytest.fixture
def registry() -> CollectorRegistry:
    """A private registry."""
    return CollectorRegistry()


def samples(registry: CollectorRegistry, name: str) -> list[tuple[dict[str, str], float]]:
    """The labels and values of one name, as in a scrape."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return [(dict(sample.labels), sample.value) for family in families for sample in family.samples if sample.name == name]


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """The value of the series of the sample chat."""
    return registry.get_sample_value(name, LABELS | labels)


def test_the_metrics_of_a_chat(registry: CollectorRegistry) -> None:
    """Each metric with its name and the shared labels."""
    PrometheusExporter(registry).export(record())
    assert value(registry, "gen_ai_client_operation_duration_seconds_sum", error_type="") == 2.5
    assert value(registry, "gen_ai_client_operation_duration_seconds_bucket", error_type="", le="2.56") == 1
    assert value(registry, "gen_ai_client_operation_duration_seconds_bucket", error_type="", le="1.28") == 0
    assert value(registry, "gen_ai_client_operation_time_to_first_chunk_seconds_sum") == 0.2
    assert value(registry, "gen_ai_client_operation_time_per_output_chunk_seconds_sum") == 0.0125
    assert value(registry, "gen_ai_client_token_usage_sum", gen_ai_token_type="output") == 180
    assert value(registry, "streamtally_time_to_first_token_seconds_count") == 1
    assert value(registry, "streamtally_tokens_per_second_sum") == 81.5
    assert value(registry, "streamtally_cost_USD_total") == 0.00205
    assert value(registry, "streamtally_streams_total", streamtally_outcome="completed") == 1
    assert value(registry, "streamtally_finish_reasons_total", streamtally_finish_reason="stop") == 1


@pytest.mark.parametrize("stream_type", StreamType)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_stream_type_and_outcome(registry: CollectorRegistry, stream_type: StreamType, outcome: Outcome) -> None:
    """No combination fails, and each is counted once."""
    PrometheusExporter(registry).export(ended(outcome, stream_type=stream_type))
    counted = {labels["streamtally_outcome"]: count for labels, count in samples(registry, "streamtally_streams_total") if count}
    assert counted == {outcome.value: 1}


def test_counters_exist_at_zero(registry: CollectorRegistry) -> None:
    """With every value that is known in advance, so that a rate includes the first increase."""
    PrometheusExporter(registry).export(record())
    assert value(registry, "streamtally_streams_total", streamtally_outcome="error") == 0
    assert value(registry, "streamtally_unpriced_streams_total", streamtally_cost_status="unknown_model") == 0
    assert value(registry, "streamtally_chunk_faults_total", streamtally_fault="late") == 0
    assert value(registry, "streamtally_stalls_total") == 0


def test_unknown_cost_is_no_cost(registry: CollectorRegistry) -> None:
    """The stream is counted as unpriced, by the reason."""
    PrometheusExporter(registry).export(record(cost=Cost(status="missing_rate")))
    assert value(registry, "streamtally_cost_USD_total") == 0
    assert value(registry, "streamtally_unpriced_streams_total", streamtally_cost_status="missing_rate") == 1


def test_active_streams_rise_and_fall(registry: CollectorRegistry) -> None:
    """With the labels at the start, whatever is known later; no other series exists at the start."""
    exporter = PrometheusExporter(registry)
    for request_id in ("a", "b", "c"):
        exporter.on_start(started(request_id=request_id))
    assert [count for _, count in samples(registry, "streamtally_active_streams")] == [3]
    assert samples(registry, "streamtally_streams_total") == []
    exporter.export(record(request_id="a"))
    exporter.export(record(request_id="never started"))
    assert [count for _, count in samples(registry, "streamtally_active_streams")] == [2]


def test_late_chunks_are_counted(registry: CollectorRegistry) -> None:
    """After the record was exported."""
    exporter = PrometheusExporter(registry)
    exporter.export(record())
    exporter.on_late(record())
    assert value(registry, "streamtally_chunk_faults_total", streamtally_fault="late") == 1


def test_a_second_exporter_shares_the_metrics(registry: CollectorRegistry) -> None:
    """Also if the first one was collected."""
    for _ in range(2):
        exporter = PrometheusExporter(registry)
        exporter.export(record())
        exporter.close()
        del exporter
    assert value(registry, "streamtally_streams_total", streamtally_outcome="completed") == 2


def test_metrics_that_were_unregistered_are_created_again(registry: CollectorRegistry) -> None:
    """The registry decides, not the list of earlier registrations."""
    for collector in list(PrometheusExporter(registry)._collectors.values()):
        registry.unregister(collector)
    PrometheusExporter(registry).export(record())
    assert value(registry, "streamtally_streams_total", streamtally_outcome="completed") == 1


def test_other_labels_on_the_same_registry_are_refused(registry: CollectorRegistry) -> None:
    """The message lists the labels that are registered."""
    PrometheusExporter(registry)
    with pytest.raises(ValueError, match=r"registered with other labels: gen_ai_operation_name"):
        PrometheusExporter(registry, labels=["team"])


def test_a_name_that_somebody_else_took_is_refused(registry: CollectorRegistry) -> None:
    """Two libraries on one metric would count twice."""
    Counter("streamtally_streams", "not ours", registry=registry)
    with pytest.raises(ValueError, match="streamtally_streams"):
        PrometheusExporter(registry)


@pytest.mark.parametrize("labels", [["le"], ["error.type"], ["gen_ai_request_model"], ["team", "team"]])
def test_labels_that_cannot_be(registry: CollectorRegistry, labels: list[str]) -> None:
    """Labels must be valid, and differ from the shared labels in Prometheus's notation."""
    with pytest.raises(ValueError, match="label"):
        PrometheusExporter(registry, labels=labels)


def test_declared_labels(registry: CollectorRegistry) -> None:
    """Their values are in the record's attributes."""
    exporter = PrometheusExporter(registry, labels=["team", "cost.center"])
    exporter.export(record(attributes={"team": "search", "cost.center": 7, "user": "u"}))
    exporter.export(record())
    found = [labels for labels, _ in samples(registry, "streamtally_cost_USD_total")]
    assert [(labels["team"], labels["cost_center"]) for labels in found] == [("search", "7"), ("", "")]


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
def test_ten_thousand_models_stay_under_the_cap(registry: CollectorRegistry) -> None:
    """The first ones and known ones keep their names, and the rest become "other"."""
    exporter = PrometheusExporter(registry, max_values=50, known_models={"gpt-4o"}.__contains__)
    for number in range(10_000):
        exporter.export(ended(Outcome.ABANDONED, requested_model=f"model-{number}", model=None))
    exporter.export(record())
    found = {labels["gen_ai_request_model"]: count for labels, count in samples(registry, "streamtally_streams_total") if count}
    assert found == {**{f"model-{number}": 1 for number in range(50)}, "other": 9_950, "gpt-4o": 1}


def test_types_of_errors_stay_under_the_cap(registry: CollectorRegistry) -> None:
    """Their values are not known in advance."""
    exporter = PrometheusExporter(registry, max_values=5)
    for number in range(100):
        exporter.export(ended(Outcome.ERROR, error=ErrorDetails(type=f"error-{number}")))
    counts = samples(registry, "gen_ai_client_operation_duration_seconds_count")
    assert {labels["error_type"]: count for labels, count in counts} == {**{f"error-{n}": 1 for n in range(5)}, "other": 95}


def test_labels_are_few_and_hold_no_ids(registry: CollectorRegistry) -> None:
    """Neither ids nor content is anywhere in a scrape."""
    exporter = PrometheusExporter(registry)
    fields: dict[str, Any] = {"conversation_id": "talk-1", "attributes": {"user": "somebody"}}
    exporter.on_start(started(**fields))
    exporter.export(marked(**fields))
    page = generate_latest(registry).decode()
    assert not [word for word in ("request-1", "response-1", "talk-1", "somebody", MARK) if word in page]


def test_half_a_surrogate_pair_does_not_break_the_scrape(registry: CollectorRegistry) -> None:
    """A server may send any text."""
    PrometheusExporter(registry).export(record(model="gpt-\ud83d", outcome="error", error=ErrorDetails(type="\udc00")))
    assert b"gpt-\xef\xbf\xbd" in generate_latest(registry)


def test_the_default_is_the_global_registry() -> None:
    """The default registry is the one that `start_http_server` serves; a flush has nothing to write."""
    exporter = PrometheusExporter()
    assert exporter.registry is REGISTRY
    assert exporter.flush(0)
    assert PrometheusExporter()._collectors == exporter._collectors


def test_the_same_names_as_through_opentelemetry() -> None:
    """Every instrument of the table is registered, and nothing else."""
    registry = CollectorRegistry()
    PrometheusExporter(registry)
    families = {family.name for family in registry.collect()}
    assert families == {one.prometheus_name.removesuffix("_total") for one in PROFILES["1.41"]}
