"""The metrics of streamtally and of the OpenTelemetry conventions, each defined once, for every exporter.

To add a metric: write its function in `measurements`, and one `Instrument` here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from . import measurements, names
from .measurements import (
    CACHED_MODALITIES,
    DIRECTIONS,
    FAULTS,
    FINISH_REASONS,
    MODALITIES,
    OUTCOMES,
    TOKEN_PARTS,
    UNPRICED,
    Measure,
)

SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""Buckets of latencies, as the conventions recommend."""

TOKENS = tuple(4**power for power in range(14))
"""Buckets of token counts, as the conventions recommend: powers of four from 1 to 67,108,864."""

FIRST_TOKEN_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Our own buckets: reasoning models may take minutes, and the conventions' buckets end at 82 seconds."""

GAP_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Our own buckets: most providers send the first token with the first chunk or just after it; reasoning may lie between."""

RATES = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 150.0, 200.0, 400.0, 800.0, 1_600.0, 3_200.0)
"""Our own buckets, in tokens per second: dense at reading speed, and wide enough for the fastest hardware."""

Kind = Literal["counter", "histogram", "up_down_counter", "gauge"]

MetricId = str
"""The short name of what an instrument measures. It is the same in all versions of the conventions."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Instrument:
    """One metric.

    Args:
        metric_id: what it measures.
        kind: how its values are aggregated.
        name: the OpenTelemetry name.
        unit: the unit, in UCUM notation.
        description: one sentence.
        measure: returns its samples for a record; None if its values are not in a record: active streams, and the metrics of
            the package itself.
        labels: attributes beyond the labels that all metrics of streams share.
        values: all values that each of `labels` can have, if they are known in advance; None if they are not.
        buckets: upper bounds of a histogram, in `unit`.
        from_zero: whether a counter has the value 0 for each of its `values` as soon as one stream has its shared labels.
            Alerts and ratios need this: a rate ignores the first increase of a series that did not exist.
        of_streams: whether it measures streams, and so has the shared labels; the others measure the package itself.
        exemplars: whether its buckets can have exemplars, which lead to the trace of a slow stream.
        distribution: whether a sample is an `InterChunk`: all values of one stream.
    """

    metric_id: MetricId
    kind: Kind
    name: str
    unit: str
    description: str
    measure: Measure | None
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] | None = ()
    buckets: tuple[float, ...] = ()
    from_zero: bool = False
    of_streams: bool = True
    exemplars: bool = False
    distribution: bool = False

    @property
    def prometheus_name(self) -> str:
        """The name that OpenTelemetry's own translation to Prometheus gives, so that one dashboard reads both.

        Dots become underscores, the unit is the suffix (annotations in braces are no unit), a counter ends in `_total`.

        >>> DURATION.prometheus_name
        'gen_ai_client_operation_duration_seconds'
        """
        suffix = {"s": "_seconds", "USD": "_USD"}.get(self.unit, "")
        return prometheus_label(self.name) + suffix + ("_total" if self.kind == "counter" else "")


def prometheus_label(attribute: str) -> str:
    """The Prometheus label of an attribute: dots and dashes become underscores."""
    return attribute.replace(".", "_").replace("-", "_")


# ------------------------------------------------------------------------------------------------ metrics of streamtally

ACTIVE_STREAMS = Instrument(
    metric_id="active_streams",
    kind="up_down_counter",
    name="streamtally.active_streams",
    unit="{stream}",
    description="Streams that are open now.",
    measure=None,
)
CHUNK_FAULTS = Instrument(
    metric_id="chunk_faults",
    kind="counter",
    name="streamtally.chunk_faults",
    unit="{chunk}",
    description="Chunks that were repeated, contradicted another, were missing, came after the end, or were not kept.",
    measure=measurements.chunk_faults,
    labels=(names.FAULT,),
    values=(FAULTS,),
    from_zero=True,
)
OF_RECORDS = (
    Instrument(
        metric_id="time_to_first_token",
        kind="histogram",
        name="streamtally.time_to_first_token",
        unit="s",
        description="Time from the request to the first generated content of any kind.",
        measure=measurements.time_to_first_token,
        buckets=FIRST_TOKEN_SECONDS,
        exemplars=True,
    ),
    Instrument(
        metric_id="first_token_gap",
        kind="histogram",
        name="streamtally.first_token_gap",
        unit="s",
        description="Time from the first chunk of any kind to the first generated content.",
        measure=measurements.first_token_gap,
        buckets=GAP_SECONDS,
    ),
    Instrument(
        metric_id="tokens_per_second",
        kind="histogram",
        name="streamtally.tokens_per_second",
        unit="{token}/s",
        description="Output tokens per second of one stream, from its first token to its end.",
        measure=measurements.tokens_per_second,
        buckets=RATES,
    ),
    Instrument(
        metric_id="cost",
        kind="counter",
        name="streamtally.cost",
        unit="USD",
        description="Cost of the streams whose price is known.",
        measure=measurements.cost,
        from_zero=True,
    ),
    Instrument(
        metric_id="streams",
        kind="counter",
        name="streamtally.streams",
        unit="{stream}",
        description="Streams that ended, by how they ended.",
        measure=measurements.streams,
        labels=(names.OUTCOME,),
        values=(OUTCOMES,),
        from_zero=True,
    ),
    Instrument(
        metric_id="finish_reasons",
        kind="counter",
        name="streamtally.finish_reasons",
        unit="{choice}",
        description="Choices that the provider finished, by its reason in the normalised vocabulary.",
        measure=measurements.finish_reasons,
        labels=(names.FINISH_REASON,),
        values=(FINISH_REASONS,),
    ),
    Instrument(
        metric_id="token_parts",
        kind="counter",
        name="streamtally.token_parts",
        unit="{token}",
        description="Tokens within the input (cache_read, cache_write) and within the output (reasoning).",
        measure=measurements.token_parts,
        labels=(names.TOKEN_TYPE,),
        values=(tuple(TOKEN_PARTS.values()),),
    ),
    Instrument(
        metric_id="estimated_tokens",
        kind="counter",
        name="streamtally.estimated_tokens",
        unit="{token}",
        description="Tokens estimated locally, where the provider gave no count.",
        measure=measurements.estimated_tokens,
        labels=(names.TOKEN_TYPE,),
        values=(DIRECTIONS,),
    ),
    Instrument(
        metric_id="unpriced",
        kind="counter",
        name="streamtally.unpriced_streams",
        unit="{stream}",
        description="Streams whose cost is unknown, or known only in part, by the reason.",
        measure=measurements.unpriced,
        labels=(names.COST_STATUS,),
        values=(UNPRICED,),
        from_zero=True,
    ),
    CHUNK_FAULTS,
    Instrument(
        metric_id="stalls",
        kind="counter",
        name="streamtally.stalls",
        unit="{stall}",
        description="Waits between two chunks that were longer than the limit `stall_seconds`.",
        measure=measurements.stalls,
        from_zero=True,
    ),
)

# ------------------------------------------------------------------- metrics of the package itself, updated by `health`

EXPORTER_FAILURES = Instrument(
    metric_id="exporter_failures",
    kind="counter",
    name="streamtally.exporter.failures",
    unit="{failure}",
    description="Times that an exporter raised, by the exporter.",
    measure=None,
    labels=(names.EXPORTER,),
    values=None,
    of_streams=False,
)
DROPPED_RECORDS = Instrument(
    metric_id="dropped_records",
    kind="counter",
    name="streamtally.dropped_records",
    unit="{record}",
    description="Records that an exporter did not get, because its queue was full or closed.",
    measure=None,
    of_streams=False,
)
LABEL_OVERFLOW = Instrument(
    metric_id="label_overflow",
    kind="counter",
    name="streamtally.label_overflow",
    unit="{value}",
    description="Values of a label that were replaced by another value, because there were too many, by the label.",
    measure=None,
    labels=(names.LABEL,),
    values=None,
    of_streams=False,
)
CATALOG_AGE = Instrument(
    metric_id="catalog_age",
    kind="gauge",
    name="streamtally.catalog.age",
    unit="s",
    description="Age of the source data of the price catalog.",
    measure=None,
    of_streams=False,
)
OWN = (*OF_RECORDS, ACTIVE_STREAMS, EXPORTER_FAILURES, DROPPED_RECORDS, LABEL_OVERFLOW, CATALOG_AGE)
"""The metrics that the conventions do not define. They are the same in all versions."""

# -------------------------------------------------------------------------------------------- metrics of the conventions

DURATION = Instrument(
    metric_id="duration",
    kind="histogram",
    name="gen_ai.client.operation.duration",
    unit="s",
    description="Time from the request to the end of the stream.",
    measure=measurements.duration,
    labels=(names.ERROR_TYPE,),
    values=None,
    buckets=SECONDS,
    exemplars=True,
)
TIME_TO_FIRST_CHUNK = Instrument(
    metric_id="time_to_first_chunk",
    kind="histogram",
    name="gen_ai.client.operation.time_to_first_chunk",
    unit="s",
    description="Time from the request to the first chunk of any kind.",
    measure=measurements.time_to_first_chunk,
    buckets=SECONDS,
    exemplars=True,
)
TIME_PER_OUTPUT_CHUNK = Instrument(
    metric_id="time_per_output_chunk",
    kind="histogram",
    name="gen_ai.client.operation.time_per_output_chunk",
    unit="s",
    description="Time that the provider took for a chunk after the first.",
    measure=measurements.time_per_output_chunk,
    buckets=SECONDS,
    distribution=True,
)
CONVENTIONS_1_41 = (
    DURATION,
    TIME_TO_FIRST_CHUNK,
    TIME_PER_OUTPUT_CHUNK,
    Instrument(
        metric_id="token_usage",
        kind="histogram",
        name="gen_ai.client.token.usage",
        unit="{token}",
        description="Tokens of one stream, as the provider counted them.",
        measure=measurements.token_usage,
        labels=(names.TOKEN_TYPE,),
        values=(DIRECTIONS,),
        buckets=TOKENS,
    ),
)


def _operation_tokens(metric_id: MetricId, measure: Measure, direction: str) -> Instrument:
    return Instrument(
        metric_id=metric_id,
        kind="histogram",
        name=f"gen_ai.client.inference.operation.{metric_id}",
        unit="{token}",
        description=f"{direction} tokens of one stream; 0 where the provider gave no count.",
        measure=measure,
        labels=(names.ERROR_TYPE,),
        values=None,
        buckets=TOKENS,
    )


def _usage(
    metric_id: MetricId, measure: Measure, *, name: str, description: str, modalities: tuple[str, ...] = ("unknown",)
) -> Instrument:
    return Instrument(
        metric_id=metric_id,
        kind="counter",
        name=f"gen_ai.client.inference.usage.{name}",
        unit="{token}",
        description=f"{description}, as the provider counted them.",
        measure=measure,
        labels=(names.TOKEN_MODALITY,),
        values=(modalities,),
    )


CONVENTIONS_LATEST = (
    replace(DURATION, name="gen_ai.client.inference.duration"),
    replace(TIME_TO_FIRST_CHUNK, name="gen_ai.client.inference.time_to_first_chunk"),
    replace(TIME_PER_OUTPUT_CHUNK, name="gen_ai.client.inference.time_per_output_chunk"),
    _operation_tokens("input_tokens", measurements.input_tokens, "Input"),
    _operation_tokens("output_tokens", measurements.output_tokens, "Output"),
    _usage(
        "input_usage",
        measurements.input_usage,
        name="input_tokens",
        description="Input tokens, cached ones included",
        modalities=MODALITIES,
    ),
    _usage(
        "output_usage",
        measurements.output_usage,
        name="output_tokens",
        description="Output tokens, reasoning included",
        modalities=MODALITIES,
    ),
    _usage(
        "cache_read_usage",
        measurements.cache_read_usage,
        name="cache_read.input_tokens",
        description="Input tokens read from the provider's cache",
        modalities=CACHED_MODALITIES,
    ),
    _usage(
        "cache_write_usage",
        measurements.cache_write_usage,
        name="cache_write.input_tokens",
        description="Input tokens written to the provider's cache",
    ),
    _usage(
        "reasoning_usage",
        measurements.reasoning_usage,
        name="reasoning.output_tokens",
        description="Output tokens spent on reasoning",
    ),
)
