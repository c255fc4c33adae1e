"""The samples of the metrics for a record."""

from decimal import Decimal
from typing import Any, get_args

import pytest

from streamtally.exporters.measurements import Identity, error_type, operation, provider
from streamtally.exporters.profiles import PROFILES
from streamtally.records import Choice, Cost, CostStatus, ErrorDetails, Outcome, StreamRecord, StreamType, Timing, Usage
from tests.exporters.samples import PRICED, TIMING, ended, record, started


def measured(of: StreamRecord, profile: str = "1.41") -> dict[str, Any]:
    """All samples, by the name of the instrument."""
    found = {one.name: tuple(one.measure(of)) for one in PROFILES[profile] if one.measure is not None}
    return {name: values for name, values in found.items() if values}


def usage_of(of: StreamRecord) -> dict[str, Any]:
    """The samples of the token metrics of the latest conventions, by the end of their names."""
    found = measured(of, "latest")
    return {name.removeprefix(LATEST): values for name, values in found.items() if name.startswith(LATEST) and "token" in name}


LATEST = "gen_ai.client.inference."


def test_a_completed_chat_has_a_sample_of_each_metric() -> None:
    """Standard metrics and those of streamtally."""
    assert measured(record()) == {
        "gen_ai.client.operation.duration": ((2.5, ("",)),),
        "gen_ai.client.operation.time_to_first_chunk": ((0.2, ()),),
        "gen_ai.client.operation.time_per_output_chunk": ((TIMING.inter_chunk, ()),),
        "gen_ai.client.token.usage": ((100, ("input",)), (180, ("output",))),
        "streamtally.time_to_first_token": ((0.3, ()),),
        "streamtally.first_token_gap": ((pytest.approx(0.1), ()),),
        "streamtally.tokens_per_second": ((81.5, ()),),
        "streamtally.cost": ((0.00205, ()),),
        "streamtally.streams": ((1, ("completed",)),),
        "streamtally.finish_reasons": ((1, ("stop",)),),
    }


def test_what_is_unknown_is_not_measured() -> None:
    """An abandoned stream with no other known value has no sample of value 0."""
    bare = StreamRecord(request_id="r", stream_type=StreamType.CHAT, dialect="openai.chat", outcome=Outcome.ABANDONED)
    assert measured(bare) == {
        "streamtally.streams": ((1, ("abandoned",)),),
        "streamtally.unpriced_streams": ((1, ("no_usage",)),),
    }


@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome_is_counted_and_only_failures_have_an_error_type(outcome: Outcome) -> None:
    """Cancelled, abandoned, truncated and limited streams are no errors."""
    found = measured(ended(outcome))
    assert found["streamtally.streams"] == ((1, (outcome.value,)),)
    expected = {Outcome.ERROR: "server_error", Outcome.TIMEOUT: "timeout"}.get(outcome, "")
    assert found["gen_ai.client.operation.duration"] == ((2.5, (expected,)),)


def test_an_error_without_a_type_is_the_conventions_other() -> None:
    """Every failed stream has a type, and no other stream has one."""
    assert error_type(record(outcome="error")) == "_OTHER"
    assert error_type(record(outcome="cancelled", error=ErrorDetails(type="CancelledError"))) is None


def test_latencies_that_are_lower_bounds_are_left_out() -> None:
    """A stream that was already open when it was wrapped has no samples that count from the start."""
    found = measured(record(timing=TIMING.model_copy(update={"started_from": "wrap"})))
    assert not {name for name in found if name.endswith(("duration", "first_chunk", "first_token"))}
    assert {"gen_ai.client.operation.time_per_output_chunk", "streamtally.tokens_per_second"} <= found.keys()


@pytest.mark.parametrize("status", [status for status in get_args(CostStatus) if status != "priced"])
def test_an_unknown_cost_is_counted_and_not_observed(status: CostStatus) -> None:
    """The reason is the label; a partly known cost is both added and counted."""
    usd = Decimal("0.5") if status == "partial" else None
    found = measured(record(cost=Cost(usd=usd, status=status)))
    assert found["streamtally.unpriced_streams"] == ((1, (status,)),)
    assert found.get("streamtally.cost") == (((0.5, ()),) if usd else None)


def test_a_free_stream_costs_an_explicit_zero() -> None:
    """A cost of 0 is not unknown."""
    found = measured(record(cost=PRICED.model_copy(update={"usd": Decimal(0)})))
    assert found["streamtally.cost"] == ((0.0, ()),)
    assert "streamtally.unpriced_streams" not in found


def test_estimated_tokens_never_mix_with_the_providers_own() -> None:
    """Estimated tokens have a separate metric."""
    found = measured(record(usage=Usage(input_tokens=7, output_tokens=0, source="estimated")))
    assert "gen_ai.client.token.usage" not in found
    assert found["streamtally.estimated_tokens"] == ((7, ("input",)), (0, ("output",)))


def test_a_count_that_is_unknown_has_no_sample() -> None:
    """Usage may be known for the input or the output only."""
    assert measured(record(usage=Usage(input_tokens=7)))["gen_ai.client.token.usage"] == ((7, ("input",)),)


def test_parts_of_the_tokens() -> None:
    """Cached and reasoning tokens."""
    usage = Usage(input_tokens=9, output_tokens=9, cache_read_tokens=4, cache_write_tokens=0, reasoning_tokens=5)
    assert measured(record(usage=usage))["streamtally.token_parts"] == ((4, ("cache_read",)), (5, ("reasoning",)))


def test_faults_of_chunks_and_stalls() -> None:
    """By the kind of fault; missing ranges count their positions."""
    faulty = record(duplicates=2, conflicts=1, missing=((3, 5), (9, 10)), dropped_chunks=4, timing=Timing(stalls=2))
    found = measured(faulty)
    assert found["streamtally.chunk_faults"] == ((2, ("duplicate",)), (1, ("conflict",)), (3, ("missing",)), (4, ("dropped",)))
    assert found["streamtally.stalls"] == ((2, ()),)


def test_every_choice_has_its_finish_reason_counted() -> None:
    """Choices without a finish reason are not counted."""
    choices = (Choice(finish_reason="stop"), Choice(index=1, finish_reason=None), Choice(index=2, finish_reason="length"))
    assert measured(record(choices=choices))["streamtally.finish_reasons"] == ((1, ("stop",)), (1, ("length",)))


@pytest.mark.parametrize(
    ("stream_type", "expected"),
    [
        ("text.completion", "text_completion"),
        ("chat.completion", "chat"),
        ("responses", "chat"),
        ("audio.speech", "generate_content"),
        ("audio.transcription", "generate_content"),
        ("image.generation", "generate_content"),
    ],
)
def test_operations(stream_type: str, expected: str) -> None:
    """Each stream type has its operation."""
    assert operation(record(stream_type=stream_type)) == expected


def test_the_operation_is_unknown_until_the_dialect_is_recognised() -> None:
    """Until the first chunk it is None; for Gemini the conventions define generate_content."""
    unknown = {"stream_type": "text.completion", "dialect": "opaque"}
    assert operation(started(**unknown)) is None
    assert operation(record(**unknown)) == "text_completion"
    assert operation(record(dialect="gemini")) == "generate_content"


def test_providers_have_the_names_of_the_conventions() -> None:
    """Known names are translated, others stay, None stays None."""
    assert [provider(record(provider=name)) for name in ("bedrock", "x-ai", "acme", None)] == [
        "aws.bedrock",
        "x_ai",
        "acme",
        None,
    ]


def test_a_provider_that_nobody_named_has_a_label() -> None:
    """The conventions require the attribute in metrics."""
    assert [Identity.of(record(provider=name)).provider for name in (None, "bedrock")] == ["unknown", "aws.bedrock"]


def test_tokens_by_the_latest_conventions() -> None:
    """Totals once per operation, and counters by modality, with "unknown" for the rest."""
    usage = Usage(
        input_tokens=100,
        output_tokens=50,
        audio_input_tokens=30,
        image_input_tokens=20,
        text_output_tokens=50,
        cache_read_tokens=10,
        cache_read_audio_tokens=10,
        cache_write_tokens=0,
        reasoning_tokens=40,
    )
    assert usage_of(record(usage=usage)) == {
        "operation.input_tokens": ((100, ("",)),),
        "operation.output_tokens": ((50, ("",)),),
        "usage.input_tokens": ((20, ("image",)), (30, ("audio",)), (50, ("unknown",))),
        "usage.output_tokens": ((50, ("text",)),),
        "usage.cache_read.input_tokens": ((10, ("audio",)),),
        "usage.cache_write.input_tokens": ((0, ("unknown",)),),
        "usage.reasoning.output_tokens": ((40, ("unknown",)),),
    }


@pytest.mark.parametrize("usage", [None, Usage(input_tokens=7, output_tokens=8, source="estimated")])
def test_an_operation_without_usage_is_zero_by_the_latest_conventions(usage: Usage | None) -> None:
    """The latest conventions require 0 without reported usage, also if it is estimated; 1.41 has no sample."""
    failed = ended(Outcome.ERROR, usage=usage)
    assert usage_of(failed) == {
        "operation.input_tokens": ((0, ("server_error",)),),
        "operation.output_tokens": ((0, ("server_error",)),),
        "usage.input_tokens": ((0, ("unknown",)),),
        "usage.output_tokens": ((0, ("unknown",)),),
    }
    assert "gen_ai.client.token.usage" not in measured(failed)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("RateLimitError", "RateLimitError"),
        ("asyncio.CancelledError", "asyncio.CancelledError"),
        ("main.<locals>.Boom", "main.<locals>.Boom"),
        ("429", "429"),
        ("The model is overloaded", "_OTHER"),
        ("req_0123456789", "_OTHER"),
        ("x" * 81, "_OTHER"),
        ("", "_OTHER"),
    ],
)
def test_error_types_are_words(given: str, expected: str) -> None:
    """A message or an ID in place of the type becomes `_OTHER`."""
    assert error_type(record(outcome="error", error=ErrorDetails(type=given))) == expected
