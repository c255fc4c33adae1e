"""Agno: events of a run, or of a team's and its members' runs, which each event names.

| event | read as |
| --- | --- |
| `RunContentEvent` | a piece of text or of reasoning, a citation |
| `ReasoningContentDeltaEvent` | a piece of reasoning |
| `ToolCallStartedEvent` | a whole call |
| `ModelRequestStartedEvent`, `ModelRequestCompletedEvent` | the model; the usage of one of its answers |
| `RunCompletedEvent` | the usage of the run; its content repeats that of the pieces |
| `RunErrorEvent` | an error |
| any other event | nothing |

All but the first come with `stream_events=True` alone. Agno keeps the counts as the provider's API has them: those of Anthropic's
models do not include the cache in the input, and those of Gemini not the thoughts in the output. It states no finish reason.

Source: https://docs.agno.com/agents/run
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..chunks import Chunk, Delta, DetailDelta, TextDelta, ToolCallDelta, UsageDelta
from ..dialects.providers import provider_named
from ..json_readers import count_of, json_text, name_of, text_of
from ..json_values import json_value
from ..usage_reports import summed_usage
from .base import Row, Source
from .readable import no_content

_COUNTS = ("input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_tokens", "audio_input_tokens",
           "audio_output_tokens")  # fmt: skip
_CACHE_BESIDE = frozenset({"anthropic", "aws", "azurefoundry"})
"""Providers whose API counts the cache beside the input."""

_THOUGHTS_BESIDE = frozenset({"google"})
"""Providers whose API counts the thoughts beside the output."""


def _content(event: Any) -> Chunk:
    words = event.content if isinstance(event.content, str) else ""
    deltas: list[Delta] = []
    if thoughts := text_of(event.reasoning_content):
        deltas.append(TextDelta(thoughts, "reasoning", whole=False))
    if words:
        deltas.append(TextDelta(words, whole=False))
    if event.citations is not None:
        deltas.append(DetailDelta("annotations", [json_value(event.citations)]))
    return Chunk(tuple(deltas), answer=name_of(event.run_id))


def _reasoning(event: Any) -> Chunk:
    return Chunk((TextDelta(text_of(event.reasoning_content), "reasoning", whole=False),), answer=name_of(event.run_id))


def _call(event: Any) -> Chunk:
    tool = event.tool
    call = ToolCallDelta(json_text(tool.tool_args), None, name_of(tool.tool_call_id), name_of(tool.tool_name), final=True)
    return Chunk((call,), answer=name_of(event.run_id))


def _started(event: Any) -> Chunk:
    model = name_of(event.model)
    return Chunk(meta={"model": model} if model else {}, answer=name_of(event.run_id))


def _requested(event: Any) -> Chunk:
    report = _report(event, event.model_provider)
    return _started(event)._replace(deltas=(UsageDelta(report, "+"),) if report else ())


def _report(metrics: Any, provider: Any) -> dict[str, int]:
    """Counts with inclusive totals. All are 0 where a provider states nothing."""
    counts = {name: count for name in _COUNTS if (count := count_of(getattr(metrics, name, None)))}
    maker = provider_named(str(provider or "").partition(" ")[0])
    if maker in _CACHE_BESIDE and "input_tokens" in counts:
        counts["input_tokens"] += counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
    if maker in _THOUGHTS_BESIDE and "output_tokens" in counts:
        counts["output_tokens"] += counts.get("reasoning_tokens", 0)
    return counts


def _completed(event: Any) -> Chunk:
    """The end of a run, with the usage of all models that answered in it. If there were several, no single one did."""
    metrics = event.metrics
    if metrics is None:
        return Chunk(answer=name_of(event.run_id))
    models = list(_models(metrics))
    reports = [_report(one, one.provider) for one in models] or [_report(metrics, None)]
    names = {name_of(one.id) for one in models}
    model = next(iter(names)) if len(names) == 1 else None
    return Chunk(meta={"model": model} if model else {}, usage=summed_usage(reports) or None, answer=name_of(event.run_id))


def _models(metrics: Any) -> Iterator[Any]:
    return (model for models in (metrics.details or {}).values() for model in models)


def _error(event: Any) -> Chunk:
    error = {"type": name_of(event.error_type), "message": name_of(event.content), "code": name_of(event.error_id)}
    return Chunk(error=error, answer=name_of(event.run_id))


def _provider(event: Any) -> str | None:
    """The provider that an event states; at the end of a run, that of its models."""
    models = [] if getattr(event, "metrics", None) is None else list(_models(event.metrics))
    stated = getattr(event, "model_provider", None) or (models[0].provider if models else None)
    return provider_named(str(stated).partition(" ")[0]) if stated else None


SOURCE = Source(
    "agno",
    rows={
        "RunContentEvent": Row(chunk=_content),
        "ReasoningContentDeltaEvent": Row(chunk=_reasoning),
        "ToolCallStartedEvent": Row(chunk=_call),
        "RunStartedEvent": Row(chunk=_started),
        "ModelRequestStartedEvent": Row(chunk=_started),
        "ModelRequestCompletedEvent": Row(chunk=_requested),
        "RunCompletedEvent": Row(chunk=_completed),
        "RunErrorEvent": Row(chunk=_error),
        "BaseRunOutputEvent": Row(chunk=no_content),
    },
    stated_provider=_provider,
    is_framework=True,
)
