"""PromQL by what an instrument measures, so that no name is written twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from streamtally.exporters import names
from streamtally.exporters.instruments import Instrument, MetricId, prometheus_label
from streamtally.exporters.profiles import Semconv

JOB = "job"
"""The service: Prometheus gives this label to what it scrapes, and OpenTelemetry's translation makes it of `service.name`."""

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
"""What the reader of a dashboard can choose, and the label it chooses by."""

VERSIONS: tuple[Semconv, ...] = ("1.41", "latest")
"""The versions of the conventions that have a dashboard. Where both go out, either reads its own."""


class PromQL:
    """Expressions over the instruments of one profile.

    Args:
        instruments: a profile's instruments.
        window: the range of every rate, such as "5m".
        chosen: by label, the regular expression that each series must match. What measures the package and not streams has
            none of these labels but the job.

    Example:
        >>> PromQL(PROFILES["1.41"], "5m", {JOB: "chat"}).rate("cost", by=[MODEL])
        'sum by (gen_ai_request_model) (rate(streamtally_cost_USD_total{job=~"chat"}[5m]))'
    """

    def __init__(self, instruments: Iterable[Instrument], window: str, chosen: Mapping[str, str] | None = None) -> None:
        self._instruments = {one.metric_id: one for one in instruments}
        self._window = window
        self._chosen = chosen or {}

    def __contains__(self, metric_id: str) -> bool:
        """Whether the profile has an instrument that measures this."""
        return metric_id in self._instruments

    def series(self, metric_id: MetricId, *matchers: str, part: str = "") -> str:
        """The series of one instrument; of a histogram, `part` says which: "_sum", "_count" or "_bucket"."""
        instrument = self._instruments[metric_id]
        labels = [label for label in self._chosen if instrument.of_streams or label == JOB]
        inside = ", ".join((*[f'{label}=~"{self._chosen[label]}"' for label in labels], *matchers))
        return instrument.prometheus_name + part + (f"{{{inside}}}" if inside else "")

    def now(self, metric_id: MetricId, *, by: Iterable[str] = ()) -> str:
        """The present sum."""
        return f"{_of('sum', by)}({self.series(metric_id)})"

    def highest(self, metric_id: MetricId, *, by: Iterable[str] = ()) -> str:
        """The present maximum."""
        return f"{_of('max', by)}({self.series(metric_id)})"

    def rate(self, metric_id: MetricId, *matchers: str, part: str = "", by: Iterable[str] = ()) -> str:
        """How much is added per second."""
        return f"{_of('sum', by)}(rate({self.series(metric_id, *matchers, part=part)}[{self._window}]))"

    def increase(self, metric_id: MetricId, *matchers: str, by: Iterable[str] = ()) -> str:
        """How much was added within the window."""
        return f"{_of('sum', by)}(increase({self.series(metric_id, *matchers)}[{self._window}]))"

    def grew(self, metric_id: MetricId, *matchers: str, by: Iterable[str] = ()) -> str:
        """What was added within the window, where it was any; also to a series that begins with its first increase."""
        series, total = self.series(metric_id, *matchers), _of("sum", by)
        began = f"{total}({series} unless {series} offset {self._window})"
        return f"({self.increase(metric_id, *matchers, by=by)} > 0) or ({began} > 0)"

    def quantile(self, q: float, metric_id: MetricId, *, by: Iterable[str] = ()) -> str:
        """A quantile of a histogram."""
        return f"histogram_quantile({q}, {self.rate(metric_id, part='_bucket', by=('le', *by))})"


def _of(aggregation: str, by: Iterable[str]) -> str:
    labels = ", ".join(by)
    return f"{aggregation} by ({labels}) " if labels else aggregation
