"""Real streams, each played on a clock that stands still, and what the exporters made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from prometheus_client import CollectorRegistry

from streamtally import Exporter, Limits, StreamRecord, StreamType, Tally
from streamtally.exporters import OtelExporter, PrometheusExporter
from streamtally.exporters.instruments import Instrument
from streamtally.testing import FakeClock, RecordingExporter, Scenario
from streamtally.testing.scenarios import Call, chat, cohere, completions, images, responses, speech, transcription
from tests.backends.traffic import CACHED, Dropped, Play, anthropic, asked
from tests.streams.sources import chat_chunks

OPENAI = asked("openai")
ANSWER = chat("one two three", reasoning="well", usage=CACHED).delayed(0.25, headers=0.5)
CUT = chat("one two three").cut(400, clean=True)


class Stage:
    """A tally whose records become metrics under every name there is.

    Args:
        exporters: further exporters of the tally.
        max_values: how many values a label may have.
        options: further arguments of the tally.

    Attributes:
        held: streams that stay open.
    """

    def __init__(self, *, exporters: Iterable[Any] = (), max_values: int = 100, **options: Any) -> None:
        self.clock = FakeClock()
        self.held: list[Any] = []
        self.recorder = RecordingExporter()
        self._reader, self._registry = InMemoryMetricReader(), CollectorRegistry()
        tracers = TracerProvider(ALWAYS_OFF, shutdown_on_exit=False)
        meters = MeterProvider([self._reader], shutdown_on_exit=False)
        otel = OtelExporter(tracers, meters, semconv="both", max_values=max_values)
        prometheus = PrometheusExporter(self._registry, semconv="both", max_values=max_values)
        ours = (otel, prometheus, self.recorder)
        self.tally = Tally(exporters=[*ours, *exporters], clock=self.clock, **options)

    @property
    def record(self) -> StreamRecord:
        """The record of the last stream that ended."""
        return self.recorder.records[-1]

    def play(self, scenario: Scenario, params: Mapping[str, Any] = OPENAI, **options: Any) -> Stage:
        """Play one stream through `wrap`; the options are those of `Play`."""
        Play(scenario, dict(params), **options).run(self.tally, self.clock)
        return self

    def add(self, *indexes: int) -> Stage:
        """Add chunks of one chat stream through `Tally.add`, by their positions."""
        for index in indexes:
            self.tally.add("keyed", chat_chunks()[index], index=index)
        return self

    def in_opentelemetry(self, instrument: Instrument, labels: Mapping[str, str | None]) -> float:
        """The sum that OpenTelemetry's SDK collects of a metric, over the series with these labels; None is any value."""
        self.tally.flush()
        data: Any = self._reader.get_metrics_data()
        metrics = [one for resource in data.resource_metrics for scope in resource.scope_metrics for one in scope.metrics]
        points: Iterator[Any] = (point for one in metrics if one.name == instrument.name for point in one.data.data_points)
        return sum(
            point.sum if isinstance(point, HistogramDataPoint) else point.value
            for point in points
            if _has(point.attributes, labels)
        )

    def in_prometheus(self, instrument: Instrument, labels: Mapping[str, str | None]) -> float:
        """The sum that a scrape of the registry finds, over the series with these labels."""
        self.tally.flush()
        name = instrument.prometheus_name + ("_sum" if instrument.kind == "histogram" else "")
        wanted = {label.replace(".", "_"): value for label, value in labels.items()}
        samples = [one for metric in self._registry.collect() for one in metric.samples if one.name == name]
        return sum(one.value for one in samples if _has(one.labels, wanted) and not math.isnan(one.value))


def _has(labels: Mapping[str, Any], wanted: Mapping[str, str | None]) -> bool:
    return all(labels.get(name) == value if value else labels.get(name) for name, value in wanted.items())


class Raising(Exporter):
    """An exporter that fails."""

    def export(self, record: StreamRecord) -> None:  # noqa: ARG002 - the signature of the hook
        """Fail."""
        raise OSError("the disk is full")


class Idle(Exporter):
    """An exporter that has a queue."""

    def export(self, record: StreamRecord) -> None:
        """Take the record."""


Producer = Callable[[], Stage]
"""Plays streams, and returns where they were played."""


def scenario(played: Scenario, params: Mapping[str, Any] = OPENAI, **options: Any) -> Producer:
    """One stream through `wrap`."""
    return lambda: Stage().play(played, params, **options)


answered = scenario(ANSWER)
stalled = scenario(ANSWER.stalled(3, 5.0))
truncated = scenario(CUT)
cancelled = scenario(ANSWER, leaves_after=2)
lost = scenario(CUT, error=Dropped("gone"))
timed_out = scenario(CUT.delayed(0.25), error=TimeoutError("no more"))


def abandoned() -> Stage:
    """A stream whose wrapper is collected before its end."""
    stage = Stage()
    next(stage.tally.wrap(chat_chunks()))
    stage.tally.flush()
    return stage


def limited() -> Stage:
    """A stream that its caller ends because of a limit: only the caller can know that."""
    stage = Stage().add(0, 1)
    stage.tally.finish("keyed", "limit")
    return stage


def in_flight() -> Stage:
    """A stream that is being read."""
    stage = Stage()
    stage.held.append(stage.tally.wrap(iter(chat_chunks())))
    next(stage.held[0])
    return stage


def repeated() -> Stage:
    """A keyed stream with a chunk that came twice, one that contradicts another, and a gap."""
    stage = Stage().add(0, 1, 1, 4)
    stage.tally.add("keyed", chat_chunks()[3], index=1)
    stage.tally.finish("keyed")
    return stage


def late() -> Stage:
    """A chunk that came after the end of its stream."""
    stage = Stage().add(0, 1)
    stage.tally.finish("keyed")
    return stage.add(2)


def overfull() -> Stage:
    """A keyed stream that holds as many chunks beyond a gap as it may."""
    stage = Stage(limits=Limits(held_chunks=1)).add(0, 2, 3)
    stage.tally.finish("keyed")
    return stage


def estimated() -> Stage:
    """A stream whose provider counted nothing, and a tokenizer that does."""
    return Stage(estimate=len).play(chat("one two three", include_usage=False), {**OPENAI, "input_tokens": 7})


def failing() -> Stage:
    """A stream whose record one exporter does not take."""
    return Stage(exporters=[Raising()]).play(ANSWER)


def closed() -> Stage:
    """A stream that ends after its tally was closed."""
    stage = Stage(exporters=[Idle()])
    stage.tally.close()
    return stage.play(ANSWER)


def crowded() -> Stage:
    """More models than a label may have values, none of which the catalog knows."""
    stage = Stage(max_values=1)
    for model in ("one", "two", "three"):
        stage.play(chat("so", model=model), {"provider": "openai", "model": model})
    return stage


def provider_failed() -> Stage:
    """A stream whose provider states that it failed."""
    stage = Stage()
    list(stage.tally.wrap(cohere("one", finish_reason="ERROR").frames))
    return stage


def years_later() -> Stage:
    """A stream that ends long after the prices were collected; the clock begins before that."""
    stage = Stage()
    stage.clock.advance(10 * 365 * 86_400)
    return stage.play(ANSWER)


def failed_after_usage() -> Stage:
    """A stream that reported tokens before its source failed."""
    return Stage().play(_begun(), asked("anthropic"), error=TimeoutError("no more"))


def _begun() -> Scenario:
    whole = anthropic("one two three", "claude-sonnet-4-5")
    return whole.cut(len(whole.body) // 2, clean=True)


def _counted(**counts: Any) -> Producer:
    """A chat stream with this usage."""
    return scenario(chat("so", usage={"prompt_tokens": 90, "completion_tokens": 90, "total_tokens": 180, **counts}))


def gemini_modalities() -> Stage:
    """Cached input and generated output of every modality, as Gemini counts them."""
    counts = {"promptTokenCount": 90, "candidatesTokenCount": 90, "cachedContentTokenCount": 60, "totalTokenCount": 180}
    of_each = [{"modality": modality, "tokenCount": 20} for modality in ("TEXT", "IMAGE", "AUDIO")]
    lists = ("promptTokensDetails", "candidatesTokensDetails", "cacheTokensDetails")
    report = {**counts, **dict.fromkeys(lists, of_each)}
    payload = {
        "candidates": [{"content": {"parts": [{"text": "so"}], "role": "model"}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": report,
        "modelVersion": "gemini-2.5-flash",
    }
    stage = Stage()
    list(stage.tally.wrap([payload], dialect="gemini"))
    return stage


METRICS: Mapping[str, Producer] = {
    **dict.fromkeys(
        (
            "cost",
            "duration",
            "first_token_gap",
            "input_tokens",
            "output_tokens",
            "reasoning_usage:unknown",
            "time_per_output_chunk",
            "time_to_first_chunk",
            "time_to_first_token",
            "token_parts:cache_read",
            "token_parts:reasoning",
            "token_usage:input",
            "token_usage:output",
            "tokens_per_second",
        ),
        answered,
    ),
    "active_streams": in_flight,
    "catalog_age": years_later,
    "stalls": stalled,
    "duration:*": timed_out,
    "input_tokens:*": failed_after_usage,
    "output_tokens:*": failed_after_usage,
    "streams:completed": answered,
    "streams:truncated": truncated,
    "streams:cancelled": cancelled,
    "streams:abandoned": abandoned,
    "streams:timeout": timed_out,
    "streams:limit": limited,
    "streams:error": lost,
    "finish_reasons:stop": answered,
    "finish_reasons:length": scenario(chat(finish_reason="length")),
    "finish_reasons:tool_calls": scenario(chat(tool_calls=(Call("look_up", "{}"),))),
    "finish_reasons:content_filter": scenario(chat(finish_reason="content_filter")),
    "finish_reasons:error": provider_failed,
    "token_parts:cache_write": scenario(anthropic("one two", "claude-sonnet-4-5"), asked("anthropic")),
    "estimated_tokens:input": estimated,
    "estimated_tokens:output": estimated,
    "unpriced:partial": scenario(_begun(), asked("anthropic")),
    "unpriced:unknown_model": scenario(chat("so", model="no-such-model"), {**OPENAI, "model": "no-such-model"}),
    "unpriced:unknown_provider": scenario(chat("so", model="aurora-9-turbo"), asked("nobody")),
    "unpriced:missing_rate": scenario(chat("so"), {**OPENAI, "rates": {"no such unit": 1}}),
    "unpriced:unpriced_unit": _counted(citation_tokens=30),
    "unpriced:no_usage": truncated,
    "chunk_faults:duplicate": repeated,
    "chunk_faults:conflict": repeated,
    "chunk_faults:missing": repeated,
    "chunk_faults:late": late,
    "chunk_faults:dropped": overfull,
    "exporter_failures:*": failing,
    "dropped_records": closed,
    "label_overflow:*": crowded,
    "input_usage:text": gemini_modalities,
    "input_usage:image": gemini_modalities,
    "input_usage:audio": gemini_modalities,
    "input_usage:unknown": answered,
    "output_usage:text": gemini_modalities,
    "output_usage:image": gemini_modalities,
    "output_usage:audio": gemini_modalities,
    "output_usage:unknown": answered,
    "cache_read_usage:image": gemini_modalities,
    "cache_read_usage:audio": gemini_modalities,
    "cache_read_usage:unknown": answered,
    "cache_write_usage:unknown": scenario(anthropic("one two", "claude-sonnet-4-5"), asked("anthropic")),
}
"""What produces each metric: by its ID, then the value of its own label where it has one (`*` for one of any value)."""

OUTCOMES: Mapping[str, Producer] = {name.partition(":")[2]: one for name, one in METRICS.items() if name.startswith("streams:")}
"""What ends in each outcome."""

FINISH_REASONS: Mapping[str, Producer] = {
    name.partition(":")[2]: one for name, one in METRICS.items() if name.startswith("finish_reasons:")
}
"""What has each finish reason."""

TYPES: Mapping[StreamType, Scenario] = {
    StreamType.TEXT: completions(),
    StreamType.CHAT: chat(),
    StreamType.RESPONSES: responses(),
    StreamType.SPEECH: speech(sse=True),
    StreamType.TRANSCRIPTION: transcription(),
    StreamType.IMAGE: images(),
}
"""A stream of each type."""
