"""A real Prometheus scrapes demo traffic, and evaluates all expressions of the dashboards and the rules."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts.dashboards.promql import VARIABLES, VERSIONS, PromQL
from streamtally.exporters.instruments import MetricId
from streamtally.exporters.profiles import PROFILES, Semconv
from streamtally.records import StreamRecord
from tests.backends.scraped import WINDOW, Scraped, scraped
from tests.backends.traffic import REQUESTS

DASHBOARDS = Path(__file__).parents[2] / "dashboards"
METRICS: Mapping[MetricId, Callable[[StreamRecord], float | None]] = {
    "duration": lambda record: record.timing.duration,
    "time_to_first_chunk": lambda record: record.timing.time_to_first_chunk,
    "time_to_first_token": lambda record: record.timing.time_to_first_token,
    "tokens_per_second": lambda record: record.timing.tokens_per_second,
}
LATENCIES = {"duration", "time_to_first_chunk", "time_to_first_token"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    """Prometheus, and what it has scraped."""
    with scraped(tmp_path_factory.mktemp("prometheus")) as found:
        yield found


@pytest.fixture(params=VERSIONS)
def profile(request: pytest.FixtureRequest) -> Semconv:
    """Each version of the conventions."""
    version: Semconv = request.param
    return version


def board(profile: Semconv) -> dict[str, Any]:
    """The dashboard of a profile, as it is committed."""
    found: dict[str, Any] = json.loads((DASHBOARDS / f"streamtally-{profile}.json").read_text(encoding="utf-8"))
    return found


def expressions(profile: Semconv) -> Iterator[tuple[str, str]]:
    """Each panel's title and each of its expressions."""
    for panel in board(profile)["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def chosen(expr: str, job: str) -> str:
    """An expression as Grafana sends it, with this service and all values of the other variables selected."""
    expr = expr.replace("$__rate_interval", WINDOW).replace("$service", job)
    return re.sub(r"\$(provider|model|operation)", ".*", expr)


def test_every_panel_has_data(world: Scraped, profile: Semconv) -> None:
    """Every expression is evaluated, and has values that are numbers."""
    empty = []
    for title, expr in expressions(profile):
        found = world.query(chosen(expr, world.services[profile].job))
        if not found or any(math.isnan(sample.value) for sample in found):
            empty.append((title, expr, found))
    assert empty == []


def test_every_variable_offers_its_values(world: Scraped, profile: Semconv) -> None:
    """The variables offer the service, its providers, models and operations, and a selection filters the series."""
    job = world.services[profile].job
    queries = {one["name"]: one["query"] for one in board(profile)["templating"]["list"]}
    offered = {}
    for name in VARIABLES:
        series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", queries[name]).groups()  # type: ignore[union-attr]
        offered[name] = set(world.prometheus.api(f"label/{label}/values", **{"match[]": chosen(series, job)}))
    assert job in offered["service"]
    assert offered["provider"] >= REQUESTS.keys()
    assert offered["model"] >= set(REQUESTS.values())
    assert offered["operation"] >= {"chat", "text_completion", "generate_content"}
    (total,) = (expr for title, expr in expressions(profile) if title == "Outcomes")
    one = chosen(total.replace("$provider", "groq"), job)
    assert sum(sample.value for sample in world.query(one)) > 0
    none = chosen(total.replace("$provider", "groq").replace("$model", REQUESTS["anthropic"]), job)
    assert world.query(none) == []


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("metric_id", METRICS)
def test_a_quantile_is_in_the_bucket_of_the_records_own(world: Scraped, profile: Semconv, metric_id: MetricId, q: float) -> None:
    """The quantile of Prometheus and that of the records' values are between the same two bounds."""
    service = world.services[profile]
    timed = [one for one in service.records if metric_id not in LATENCIES or one.timing.started_from != "wrap"]
    values = sorted(value for one in timed if (value := METRICS[metric_id](one)) is not None)
    true = values[math.ceil(q * len(values)) - 1]
    ask = PromQL(PROFILES[profile], WINDOW, {"job": service.job})
    there = world.value(ask.quantile(q, metric_id))
    (bounds,) = (one.buckets for one in PROFILES[profile] if one.metric_id == metric_id)
    low, high = _bucket(true, bounds)
    assert there is not None
    assert low <= there <= high or there == pytest.approx(high), f"{there} for {true}"


def test_money_and_tokens_add_up(world: Scraped, profile: Semconv) -> None:
    """The sums equal those of the records of both rounds."""
    service = world.services[profile]
    (spend,) = world.query(f'sum(streamtally_cost_USD_total{{job="{service.job}"}})')
    costs = [one.cost.usd for one in service.records if one.cost.usd is not None]
    assert spend.value == pytest.approx(2 * float(sum(costs)))
    reasons = world.query(f'sum by (streamtally_finish_reason) (streamtally_finish_reasons_total{{job="{service.job}"}}) > 0')
    recorded = [reason for one in service.records for reason in one.finish_reasons if reason]
    assert {one.labels["streamtally_finish_reason"]: one.value for one in reasons} == {
        reason: 2 * recorded.count(reason) for reason in set(recorded)
    }


def test_one_stream_is_active(world: Scraped, profile: Semconv) -> None:
    """The gauge counts the stream that is still open, and no other."""
    assert world.value(f'sum(streamtally_active_streams{{job="{world.services[profile].job}"}})') == 1


def test_every_rule_runs(world: Scraped) -> None:
    """Prometheus evaluates the rules without errors, and every recorded series exists."""
    groups = world.prometheus.api("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == (DASHBOARDS / "rules.yml").read_text(encoding="utf-8").count("expr:")
    assert {rule.get("lastError", "") for rule in rules} == {""}
    recorded = {rule["name"] for rule in rules if rule["type"] == "recording"}
    for rule in rules:
        world.query(rule["query"])
    there = {f'group({name}{{job="{one.job}"}})': 1 for name in recorded for one in world.services.values()}
    world.prometheus.wait_for({**there, 'group(ALERTS{alertname="StreamtallyChunksLost", alertstate="firing"})': 1})


def test_exemplars_lead_to_the_trace(world: Scraped, profile: Semconv) -> None:
    """The exemplars of the histograms have the IDs of the application's traces."""
    service = world.services[profile]
    ask = PromQL(PROFILES[profile], WINDOW, {"job": service.job})
    found = world.prometheus.api("query_exemplars", query=ask.quantile(0.95, "time_to_first_token"), start="0", end="9999999999")
    traces = {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]}
    assert traces
    assert traces <= service.traces


def _bucket(value: float, bounds: tuple[float, ...]) -> tuple[float, float]:
    """The bounds around a value; above the last bound Prometheus returns the last one."""
    low = max((bound for bound in bounds if bound < value), default=0.0)
    return low, min((bound for bound in bounds if bound >= value), default=low)
