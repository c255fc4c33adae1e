"""T14–T16, T24: usage and parameters are exported exactly as the provider and the caller gave them."""

import io
import logging
from typing import Any

import anthropic
import openai
import pytest

from streamtally import Usage
from streamtally.exporters import ConsoleExporter
from streamtally.testing import FakeProvider, scenarios
from tests.acceptance.calls import CHAT, CLAUDE, CLAUDE_ANSWER, TEXT
from tests.acceptance.telemetry import ESTIMATED, TOKENS, Telemetry
from tests.dialects import gemini_wire as gemini
from tests.streams.sources import chat_chunk, chat_chunks


def _usage(telemetry: Telemetry) -> dict[str, Any]:
    return {name: value for name, value in telemetry.attributes().items() if ".usage." in name}


def _counted(telemetry: Telemetry, metric: str) -> tuple[float, float]:
    """Input and output tokens, the same in OpenTelemetry and Prometheus."""
    found = tuple(telemetry.total(metric, gen_ai__token__type=direction) for direction in ("input", "output"))
    suffix = "_sum" if metric == TOKENS else "_total"
    samples = telemetry.samples(metric.replace(".", "_") + suffix)
    scraped = [sum(one.value for one in samples if one.labels["gen_ai_token_type"] == way) for way in ("input", "output")]
    assert scraped == [*found]
    return found[0], found[1]


def test_t14_the_provider_s_counts_are_exact(telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider) -> None:
    """Totals and their parts are those of the usage chunk."""
    details = {"prompt_tokens_details": {"cached_tokens": 5}, "completion_tokens_details": {"reasoning_tokens": 2}}
    counts = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18, **details}
    provider.enqueue(scenarios.chat(TEXT, usage=counts))
    list(telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT, stream_options={"include_usage": True})))
    assert _usage(telemetry) == {
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 2,
    }
    assert _counted(telemetry, TOKENS) == (11, 7)


def test_t14_without_counts_there_are_none(telemetry: Telemetry, openai_client: openai.OpenAI, provider: FakeProvider) -> None:
    """No attribute, no value in a histogram, no cost: neither 0 nor an estimate."""
    provider.enqueue(scenarios.chat(TEXT, include_usage=False))
    list(telemetry.tally.wrap(lambda: openai_client.chat.completions.create(**CHAT)))
    assert _usage(telemetry) == {}
    assert not [name for name in telemetry.attributes() if name == "streamtally.cost.usd"]
    assert telemetry.count(TOKENS) == telemetry.scraped("gen_ai_client_token_usage_count") == 0
    assert _counted(telemetry, ESTIMATED) == (0, 0)


def test_t15_estimates_are_marked_and_counted_separately(telemetry: Telemetry) -> None:
    """Estimates are separate from the counts of providers: an attribute on the span, a separate metric, "~" on the console."""
    console = io.StringIO()
    with telemetry.tally.wrap(chat_chunks()[:-1]) as stream:
        list(stream)
    estimated = Usage(input_tokens=11, output_tokens=7, source="estimated")
    record = stream.record.model_copy(update={"request_id": "estimated", "usage": estimated})
    for exporter in (telemetry.otel, telemetry.prometheus, ConsoleExporter(console)):
        exporter.export(record)
    _, span = telemetry.finished
    assert span.attributes is not None
    assert (span.attributes["gen_ai.usage.output_tokens"], span.attributes["streamtally.usage.source"]) == (7, "estimated")
    assert _counted(telemetry, ESTIMATED) == (11, 7)
    assert telemetry.count(TOKENS) == telemetry.scraped("gen_ai_client_token_usage_count") == 0
    assert "~7 out" in console.getvalue()


def _openai_counts(prompt: int, completion: int) -> dict[str, Any]:
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return chat_chunk({"content": "x"}, "stop" if completion == 3 else None, usage=counts)


CUMULATIVE: dict[str, list[dict[str, Any]]] = {
    "openai.chat": [_openai_counts(9, count) for count in (1, 2, 3)],
    "gemini": [
        gemini.reply(gemini.text("x"), finish=finish, usage={"promptTokenCount": 9, "candidatesTokenCount": count})
        for count, finish in ((1, None), (2, None), (3, "STOP"))
    ],
}
"""Servers that report a running total with every chunk."""


@pytest.mark.parametrize("dialect", CUMULATIVE)
def test_t16_reports_of_the_count_so_far_are_not_added_up(telemetry: Telemetry, dialect: str) -> None:
    """The last report is used."""
    list(telemetry.tally.wrap(CUMULATIVE[dialect]))
    usage = _usage(telemetry)
    assert (usage["gen_ai.usage.input_tokens"], usage["gen_ai.usage.output_tokens"]) == (9, 3)
    assert _counted(telemetry, TOKENS) == (9, 3)


def test_t16_anthropic_counts_twice(telemetry: Telemetry, anthropic_client: Any, provider: FakeProvider) -> None:
    """Output tokens are those of the last report, and the input tokens of the first one are kept."""
    provider.enqueue(CLAUDE_ANSWER)
    list(telemetry.tally.wrap(lambda: anthropic_client.messages.create(**CLAUDE, stream=True)))
    assert _counted(telemetry, TOKENS) == (9, 3)


SENTINELS: dict[str, Any] = {
    "openai not given": openai.NOT_GIVEN,
    "openai omit": openai.omit,
    "anthropic not given": anthropic.NOT_GIVEN,
    "anthropic omit": anthropic.omit,
}


@pytest.mark.parametrize("name", SENTINELS)
def test_t24_what_was_not_given_is_no_parameter(telemetry: Telemetry, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """An SDK's object for "not given" is not exported, and OpenTelemetry logs no warning about a type."""
    names = ("temperature", "top_p", "max_tokens", "seed", "n", "stop", "service_tier", "reasoning_effort", "tools")
    params = {"model": "gpt-4.1-mini", **dict.fromkeys(names, SENTINELS[name])}
    with telemetry.tally.wrap(chat_chunks(), params=params, attributes={"team": SENTINELS[name]}) as stream:
        list(stream)
    assert stream.record.params == {"model": "gpt-4.1-mini"}
    attributes = {key for key in telemetry.attributes() if key.startswith(("gen_ai.request.", "openai.request."))}
    assert attributes == {"gen_ai.request.model", "gen_ai.request.stream"}
    assert "team" not in telemetry.attributes()
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []
