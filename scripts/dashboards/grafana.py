"""A Grafana dashboard of the panels, built with Grafana's own library."""

from __future__ import annotations

from collections.abc import Iterator

from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    HeatmapCellLayout,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from streamtally.exporters.profiles import PROFILES, Semconv

from .panels import Panel, Query, Row, rows
from .promql import VARIABLES, PromQL

_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_HEIGHT = 8
_WIDTH = 24


def dashboard_json(profile: Semconv) -> str:
    """The dashboard for the names of one version of the conventions, as Grafana imports it."""
    ask = PromQL(PROFILES[profile], "$__rate_interval", {label: f"${name}" for name, label in VARIABLES.items()})
    board = (
        dashboard.Dashboard(f"LLM streams (semconv {profile})")
        .uid(f"streamtally-{profile.replace('.', '-')}")
        .description(f"Streams of LLM chunks measured by streamtally, with the metric names of the GenAI conventions {profile}.")
        .tags(["streamtally", "genai", "llm"])
        .time("now-3h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for variable in _variables(profile):
        board.with_variable(variable)
    number = 0
    for row in rows(ask):
        number += 1
        board.with_row(dashboard.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            board.with_panel(_panel(row, panel).id(number))
    return JSONEncoder(indent=2, sort_keys=True).encode(board.build()) + "\n"


def _variables(profile: Semconv) -> Iterator[dashboard.QueryVariable]:
    """Each variable offers the values of its label in the series that the variables before it select."""
    before: dict[str, str] = {}
    for name, label in VARIABLES.items():
        series = PromQL(PROFILES[profile], "", before).series("streams")
        yield (
            dashboard.QueryVariable(name)
            .label(name.capitalize())
            .datasource(_SOURCE)
            .query(f"label_values({series}, {label})")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
            .multi(True)
            .include_all(True)
            # Not the list of all values: a stream without a value is included.
            .all_value(".*")
            .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
        )
        before[label] = f"${name}"


def _panel(row: Row, panel: Panel) -> timeseries.Panel | heatmap.Panel:
    made = _heatmap(panel) if panel.shape == "heatmap" else _lines(panel)
    made.title(panel.title).description(panel.description).datasource(_SOURCE).height(_HEIGHT).span(_WIDTH // row.columns)
    for ref, query in zip("ABCDEFGH", panel.queries, strict=False):
        made.with_target(_target(query, panel).ref_id(ref))
    return made


def _lines(panel: Panel) -> timeseries.Panel:
    legend = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    made = timeseries.Panel().unit(panel.unit).min(0).legend(legend).tooltip(tooltip)
    if panel.stacked:
        made.fill_opacity(30).stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    return made


def _heatmap(panel: Panel) -> heatmap.Panel:
    rows_are_buckets = heatmap.RowsHeatmapOptions().layout(HeatmapCellLayout.LE)
    return heatmap.Panel().calculate(False).rows_frame(rows_are_buckets).y_axis(heatmap.YAxisConfig().unit(panel.unit))


def _target(query: Query, panel: Panel) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).range().datasource(_SOURCE)
    if query.exemplars:
        target.exemplar(True)
    return target.format(PromQueryFormat.HEATMAP) if panel.shape == "heatmap" else target
