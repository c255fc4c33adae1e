"""The panels of the dashboard and their queries, as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from streamtally.exporters import measurements
from streamtally.exporters.instruments import MetricId

from .promql import COST_STATUS, ERROR_TYPE, EXPORTER, FAULT, FINISH_REASON, JOB, LABEL, MODEL, OUTCOME, TOKEN_TYPE, PromQL

FAILED = f'{OUTCOME}=~"{"|".join(sorted(outcome for outcome, is_error in measurements.FAILED.items() if is_error))}"'
"""Matches the outcomes that are errors. A cancelled or abandoned stream is none."""

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Query:
    """One expression, and the name of its series.

    Args:
        expr: PromQL.
        legend: Grafana's template of a series' name.
        exemplars: whether its exemplars are shown.
    """

    expr: str
    legend: str
    exemplars: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Args:
        title: its heading.
        description: how to read it.
        unit: Grafana's word for the unit.
        queries: the series that it shows.
        stacked: whether the series are stacked, because their sum has a meaning.
        shape: lines over time, or a heatmap of one histogram.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    stacked: bool = False
    shape: Literal["lines", "heatmap"] = "lines"


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading, `columns` of them side by side."""

    title: str
    columns: int
    panels: Sequence[Panel]


def rows(ask: PromQL) -> tuple[Row, ...]:
    """All panels, in the order of the dashboard."""
    return (
        Row("Traffic", 2, (*_requests(ask), *_load(ask))),
        Row("Latency", 3, (*_first_chunk(ask), *_speed(ask))),
        Row("Endings", 3, tuple(_endings(ask))),
        Row("Tokens", 3, tuple(_tokens(ask))),
        Row("Health", 2, tuple(_health(ask))),
    )


def _requests(ask: PromQL) -> Iterator[Panel]:
    yield Panel(
        "Requests",
        "Streams that ended, per second. Streams that were open before they were wrapped have no duration, and count only in "
        "the total.",
        "reqps",
        (
            Query(ask.rate("duration", part="_count", by=[MODEL]), _named(MODEL)),
            Query(ask.rate("streams"), "total"),
        ),
    )
    all_streams = ask.rate("duration", part="_count")
    yield Panel(
        "Error ratio",
        "The share of streams that ended in an error or a time-out, and by the type of the error.",
        "percentunit",
        (
            Query(f"{ask.rate('streams', FAILED)} / {ask.rate('streams')}", "all errors"),
            Query(
                f"{ask.rate('duration', _there(ERROR_TYPE), part='_count', by=[ERROR_TYPE])} / on () group_left () {all_streams}",
                _named(ERROR_TYPE),
            ),
        ),
    )


def _load(ask: PromQL) -> Iterator[Panel]:
    yield Panel(
        "Spend per minute",
        "US dollars per minute, of streams whose price is known.",
        "currencyUSD",
        (Query(f"60 * {ask.rate('cost', by=[MODEL])}", _named(MODEL)),),
        stacked=True,
    )
    yield Panel(
        "Active streams",
        "Streams that are open now.",
        "short",
        (Query(ask.now("active_streams", by=[MODEL]), _named(MODEL)),),
        stacked=True,
    )


def _first_chunk(ask: PromQL) -> Iterator[Panel]:
    yield _quantiles(
        ask,
        "time_to_first_chunk",
        "Time to first chunk",
        "From the request to the first chunk of any kind, also one without content.",
    )
    yield Panel(
        "First chunk and first token",
        "Some providers send a role at once and the first word much later; the gap is the time between them in each stream.",
        "s",
        (
            Query(ask.quantile(0.95, "time_to_first_chunk"), "first chunk p95"),
            Query(ask.quantile(0.95, "time_to_first_token"), "first token p95", exemplars=True),
            Query(ask.quantile(0.95, "first_token_gap"), "gap p95"),
        ),
    )


def _speed(ask: PromQL) -> Iterator[Panel]:
    yield _quantiles(ask, "time_per_output_chunk", "Time per output chunk", "The wait for a chunk after the first.")
    yield Panel(
        "Time per output chunk, distribution",
        "The number of waits in each bucket.",
        "s",
        (Query(ask.rate("time_per_output_chunk", part="_bucket", by=["le"]), "{{le}}"),),
        shape="heatmap",
    )
    yield _quantiles(ask, "duration", "Duration", "From the request to the end of the stream.")
    yield Panel(
        "Output tokens per second of one stream",
        "From its first token to its end; p5 is the speed of the slowest streams.",
        "none",
        (
            Query(ask.quantile(0.05, "tokens_per_second"), "p5"),
            Query(ask.quantile(0.5, "tokens_per_second"), "p50"),
            Query(ask.quantile(0.95, "tokens_per_second"), "p95"),
        ),
    )


def _endings(ask: PromQL) -> Iterator[Panel]:
    yield Panel(
        "Outcomes",
        "How streams ended, per second.",
        "reqps",
        (Query(ask.rate("streams", by=[OUTCOME]), _named(OUTCOME)),),
        stacked=True,
    )
    yield Panel(
        "Finish reasons",
        "Why the provider stopped, in one vocabulary for all providers; per second, each choice once.",
        "none",
        (Query(ask.rate("finish_reasons", by=[FINISH_REASON]), _named(FINISH_REASON)),),
        stacked=True,
    )
    yield Panel(
        "Stalls",
        "Waits between two chunks that were longer than the limit `stall_seconds` (2 s by default), per minute.",
        "none",
        (Query(f"60 * {ask.rate('stalls', by=[MODEL])}", _named(MODEL)),),
    )


def _tokens(ask: PromQL) -> Iterator[Panel]:
    yield Panel(
        "Tokens",
        "Input and output tokens per second, as the provider counted them; estimates are separate.",
        "none",
        (*_token_rates(ask), Query(ask.rate("estimated_tokens", by=[TOKEN_TYPE]), f"{_named(TOKEN_TYPE)}, estimated")),
    )
    yield Panel(
        "Cache-hit ratio",
        "The share of the input tokens that the provider read from its cache.",
        "percentunit",
        (Query(f"{ask.rate('token_parts', _is(TOKEN_TYPE, 'cache_read'))} / {_token_rate(ask, 'input')}", "cached"),),
    )
    yield Panel(
        "Reasoning share",
        "The share of the output tokens that went into reasoning.",
        "percentunit",
        (Query(f"{ask.rate('token_parts', _is(TOKEN_TYPE, 'reasoning'))} / {_token_rate(ask, 'output')}", "reasoning"),),
    )


def _health(ask: PromQL) -> Iterator[Panel]:
    yield Panel(
        "Telemetry's own health",
        "Chunks that were lost, repeated or late, streams without a full price, exporters that failed, records and label values "
        "that were too many; per minute. All of it should be near 0.",
        "none",
        (
            Query(f"60 * {ask.rate('chunk_faults', by=[FAULT])}", f"chunks: {_named(FAULT)}"),
            Query(f"60 * {ask.rate('unpriced', by=[COST_STATUS])}", f"unpriced: {_named(COST_STATUS)}"),
            Query(f"60 * {ask.rate('exporter_failures', by=[EXPORTER])}", f"failures: {_named(EXPORTER)}"),
            Query(f"60 * {ask.rate('dropped_records')}", "dropped records"),
            Query(f"60 * {ask.rate('label_overflow', by=[LABEL])}", f"overflow: {_named(LABEL)}"),
        ),
    )
    yield Panel(
        "Age of the price catalog",
        "How old the prices are that spend is computed with.",
        "s",
        (Query(ask.highest("catalog_age", by=[JOB]), _named(JOB)),),
    )


def _quantiles(ask: PromQL, metric_id: MetricId, title: str, description: str) -> Panel:
    queries = [Query(ask.quantile(q, metric_id), name, exemplars=name == "p99") for name, q in QUANTILES.items()]
    return Panel(title, description, "s", queries)


def _token_rates(ask: PromQL) -> Iterator[Query]:
    for direction in ("input", "output"):
        yield Query(_token_rate(ask, direction, by=[MODEL]), f"{direction}: {_named(MODEL)}")


def _token_rate(ask: PromQL, direction: Literal["input", "output"], by: Sequence[str] = ()) -> str:
    """Tokens per second: 1.41 has one histogram with a label, later conventions one histogram for each direction."""
    if "token_usage" in ask:
        return ask.rate("token_usage", _is(TOKEN_TYPE, direction), part="_sum", by=by)
    metric_id: MetricId = "input_tokens" if direction == "input" else "output_tokens"
    return ask.rate(metric_id, part="_sum", by=by)


def _is(label: str, value: str) -> str:
    return f'{label}="{value}"'


def _there(label: str) -> str:
    return f'{label}!=""'


def _named(label: str) -> str:
    """The name of each series is the value of a label, in Grafana's notation."""
    return f"{{{{{label}}}}}"
