"""Usage and service tier of Gemini answers."""

from typing import Any

import pytest

from streamtally import replay
from tests.dialects.gemini_wire import read_all, reply, sdk_objects, text
from tests.dialects.wire import Payload


def used(*reports: Payload) -> dict[str, Any]:
    """The usage of a stream with these reports, without defaults and without `raw`."""
    record = read_all([*(reply(text("a"), usage=report) for report in reports), reply(finish="STOP")])
    assert record.usage is not None
    return record.usage.model_dump(exclude_defaults=True, exclude={"raw"})


def test_the_last_report_counts() -> None:
    """Reports are cumulative, and the last may correct the prompt downwards; counts that it lacks stay."""
    first = {"promptTokenCount": 2560, "candidatesTokenCount": 1, "cachedContentTokenCount": 20, "totalTokenCount": 2561}
    last = {"promptTokenCount": 29, "candidatesTokenCount": 7, "totalTokenCount": 36}
    assert used(first, last) == {"input_tokens": 29, "output_tokens": 7, "total_tokens": 36, "cache_read_tokens": 20}


def test_input_and_output_are_inclusive() -> None:
    """Input from tools is input, and thoughts are output."""
    report = {"promptTokenCount": 10, "toolUsePromptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 7}
    assert used(report) == {"input_tokens": 15, "output_tokens": 9, "reasoning_tokens": 7}
    assert used({"promptTokenCount": 10, "thoughtsTokenCount": 7}) == {
        "input_tokens": 10,
        "output_tokens": 7,
        "reasoning_tokens": 7,
    }


def test_modalities() -> None:
    """Counts by modality; one that is absent is None, one without a count is zero."""

    def counts(**tokens: int | None) -> list[Payload]:
        return [{"modality": name, **({} if count is None else {"tokenCount": count})} for name, count in tokens.items()]

    report = {
        "promptTokenCount": 60,
        "toolUsePromptTokenCount": 3,
        "promptTokensDetails": counts(TEXT=10, AUDIO=20, IMAGE=30, DOCUMENT=5),
        "toolUsePromptTokensDetails": counts(TEXT=3),
        "candidatesTokenCount": 9,
        "candidatesTokensDetails": counts(AUDIO=9, VIDEO=None),
        "cachedContentTokenCount": 12,
        "cacheTokensDetails": counts(TEXT=5, AUDIO=7),
    }
    assert used(report) == {
        "input_tokens": 63,
        "output_tokens": 9,
        "cache_read_tokens": 12,
        "text_input_tokens": 13,
        "audio_input_tokens": 20,
        "image_input_tokens": 30,
        "audio_output_tokens": 9,
        "video_output_tokens": 0,
        "cache_read_audio_tokens": 7,
    }


def test_details_are_replaced_whole() -> None:
    """A list is one value: the last one counts, and entries without a modality are text."""
    first = {"promptTokenCount": 9, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 9}]}
    last = {
        "promptTokenCount": 4,
        "promptTokensDetails": [{"tokenCount": 1}, {"modality": "MODALITY_UNSPECIFIED", "tokenCount": 3}],
    }
    assert used(first, last) == {"input_tokens": 4, "text_input_tokens": 4}


@pytest.mark.parametrize(
    ("report", "tier"),
    [
        ({"trafficType": "ON_DEMAND"}, "on_demand"),
        ({"trafficType": "ON_DEMAND_FLEX"}, "flex"),
        ({"trafficType": "ON_DEMAND_PRIORITY"}, "priority"),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "provisioned_throughput"),
        ({"trafficType": "TRAFFIC_TYPE_UNSPECIFIED"}, None),
        ({"trafficType": 4}, "flex"),
        ({"serviceTier": "flex"}, "flex"),
        ({"serviceTier": "unspecified"}, None),
        ({"serviceTier": "PRIORITY", "trafficType": "ON_DEMAND"}, "priority"),
    ],
)
def test_the_tier(report: Payload, tier: str | None) -> None:
    """The tier that served the request has the name of the price list."""
    record = replay([reply(text("a"), finish="STOP", usage={"promptTokenCount": 1, **report})], dialect="gemini")
    assert record.service_tier == tier


def test_the_tier_that_the_sdk_shows_in_a_header() -> None:
    """The SDK drops the field, but keeps the headers."""
    (chunk,) = sdk_objects(
        [{**reply(text("a"), finish="STOP"), "sdkHttpResponse": {"headers": {"x-gemini-service-tier": "flex"}}}]
    )
    record = replay([chunk], dialect="gemini")
    assert (record.service_tier, record.extras) == ("flex", {})


def test_a_flex_request_has_its_own_price() -> None:
    """The catalog has prices for the provider and tier."""
    usage = {"promptTokenCount": 1_000_000, "candidatesTokenCount": 0}
    chunk = {**reply(text("a"), finish="STOP"), "modelVersion": "gemini-3.8-flash-tts"}
    costs = [
        replay([{**chunk, "usageMetadata": {**usage, "trafficType": traffic}}], params={"provider": "google"}).cost
        for traffic in ("ON_DEMAND", "ON_DEMAND_FLEX")
    ]
    assert [cost.status for cost in costs] == ["priced", "priced"]
    assert costs[0].usd != costs[1].usd


def test_an_interrupted_answer() -> None:
    """The reported counts are lower bounds."""
    record = replay([reply(text("a"), usage={"promptTokenCount": 9, "candidatesTokenCount": 1})], dialect="gemini")
    assert record.usage is not None
    assert (record.outcome, record.usage.partial, record.usage.output_tokens) == ("truncated", True, 1)
