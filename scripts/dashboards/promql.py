"""PromQL expressions, in which a metric is given by its `MetricId`, so that no name is written twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from streamtally.exporters import names
from streamtally.exporters.instruments import Instrument, MetricId, prometheus_label
from streamtally.exporters.profiles import Semconv

JOB = "job"
"""The label of the service: the name of the scrape job, or the `service.name` of metrics that come by OTLP."""

PROVIDER = prometheus_label(names.PROVIDER)
MODEL = prometheus_label(names.REQUEST_MODEL)
OPERATION = prometheus_label(names.OPERATION)
TOKEN_TYPE = prometheus_label(names.TOKEN_TYPE)
ERROR_TYPE = prometheus_label(names.ERROR_TYPE)
OUTCOME = prometheus_label(names.OUTCOME)
FINISH_REASON = prometheus_label(names.FINISH_REASON)
FAULT = prometheus_label(names.FAULT)
COST_STATUS = prometheus_label(names.COST_STATUS)
EXPORTER = prometheus_label(names.EXPORTER)
LABEL = prometheus_label(names.LABEL)

VARIABLES = {"service": JOB, "provider": PROVIDER, "model": MODEL, "operation": OPERATION}
"""The variables of a dashboard, and the label of each."""

VERSIONS: tuple[Semconv, ...] = ("1.41", "latest")
"""The versions of the conventions that have a dashboard. If both are exported, each dashboard reads its own names."""


class PromQL:
    """Expressions over the instruments of one profile.

    Args:
        instruments: a profile's instruments.
        window: the range of every rate, such as "5m".
        chosen: by label, the regular expression that each series must match. Of these labels, metrics of the package itself
            have only the job.

    Example:
        >>> PromQL(PROFILES["1.41"], "5m", {JOB: "chat"}).rate("cost", by=[MODEL])
        'sum by (gen_ai_request_model) (rate(streamtally_cost_USD_total{job=~"chat"}[5m]))'
    """

    def __init__(self, instruments: Iterable[Instrument], window: str, chosen: Mapping[str, str] | None = None) -> None:
        self._instruments = {one.metric_id: one for one in instruments}
        self._window = window
        self._chosen = chosen or {}

    def __contains__(self, metric_id: str) -> bool:
        """Whether the profile has this metric."""
        return metric_id in self._instruments

    def series(self, metric_id: MetricId, *matchers: str, part: str = "") -> str:
        """A selector of the series of one metric. For a histogram, `part` is "_sum", "_count" or "_bucket"."""
        instrument = self._instruments[metric_id]
        labels = [label for label in self._chosen if instrument.of_streams or label == JOB]
        inside = ", ".join((*[f'{label}=~"{self._chosen[label]}"' for label in labels], *matchers))
        return instrument.prometheus_name + part + (f"{{{inside}}}" if inside else "")

    def now(self, metric_id: MetricId, *, by: Iterable[str] = ()) -> str:
        """The current sum."""
        return f"{_of('sum', by)}({self.series(metric_id)})"

    def highest(self, metric_id: MetricId, *, by: Iterable[str] = ()) -> str:
        """The current maximum."""
        return f"{_of('max', by)}({self.series(metric_id)})"

    def rate(self, metric_id: MetricId, *matchers: str, part: str = "", by: Iterable[str] = ()) -> str:
        """The increase per second."""
        return f"{_of('sum', by)}(rate({self.series(metric_id, *matchers, part=part)}[{self._window}]))"

    def increase(self, metric_id: MetricId, *matchers: str, by: Iterable[str] = ()) -> str:
        """The increase within the window."""
        return f"{_of('sum', by)}(increase({self.series(metric_id, *matchers)}[{self._window}]))"

    def grew(self, metric_id: MetricId, *matchers: str, by: Iterable[str] = ()) -> str:
        """The increase within the window, if it is not zero, including that of a series that is new in the window."""
        series, total = self.series(metric_id, *matchers), _of("sum", by)
        began = f"{total}({series} unless {series} offset {self._window})"
        return f"({self.increase(metric_id, *matchers, by=by)} > 0) or ({began} > 0)"

    def quantile(self, q: float, metric_id: MetricId, *, by: Iterable[str] = ()) -> str:
        """A quantile of a histogram."""
        return f"histogram_quantile({q}, {self.rate(metric_id, part='_bucket', by=('le', *by))})"


def _of(aggregation: str, by: Iterable[str]) -> str:
    labels = ", ".join(by)
    return f"{aggregation} by ({labels}) " if labels else aggregation
