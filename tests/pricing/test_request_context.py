from typing import Any

import pytest

from streamtally import StreamRecord, StreamType, Usage
from streamtally.pricing import request_context


def record(dialect: str = "openai.chat", raw: dict[str, Any] | None = None, **fields: Any) -> StreamRecord:
    """A record that was served so."""
    usage = None if raw is None else Usage(input_tokens=1, raw=raw)
    return StreamRecord(request_id="r1", dialect=dialect, stream_type=StreamType.CHAT, usage=usage, **fields)


@pytest.mark.parametrize(
    ("asked", "told", "expected"),
    [
        ("priority", "default", "default"),
        ("auto", "flex", "flex"),
        ("priority", None, "priority"),
        ({"type": "flex"}, None, "flex"),
        ("batch", "default", "batch"),
        (None, "priority", "priority"),
        (None, None, None),
        ({"type": 3}, None, "3"),
        (["flex"], None, None),
    ],
)
def test_the_served_tier_wins(asked: Any, told: str | None, expected: str | None) -> None:
    """Over the one that was asked for; only of a batch nobody but the caller knows."""
    params = {} if asked is None else {"service_tier": asked}
    assert request_context.tier(record(params=params, service_tier=told)) == expected


def test_the_fast_mode_is_a_tier() -> None:
    """Anthropic says it as the speed, beside a tier that is standard."""
    assert request_context.tier(record("anthropic.messages", {"speed": "fast"}, service_tier="standard")) == "fast"
    assert request_context.tier(record("anthropic.messages", {"speed": "standard"}, service_tier="standard")) == "standard"
    assert request_context.tier(record("bedrock.converse", params={"serviceTier": {"type": "priority"}})) == "priority"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("bedrock-mantle.eu-central-1.api.aws", "eu-central-1"),
        ("us-central1-aiplatform.googleapis.com", "us-central1"),
        ("europe-west4-aiplatform.googleapis.com", "europe-west4"),
        ("aiplatform.us.rep.googleapis.com", "us"),
        ("aiplatform.googleapis.com", "global"),
        ("eu.api.openai.com", "eu"),
        ("api.openai.com", None),
        ("generativelanguage.googleapis.com", None),
        ("my-bedrock.example.com", None),
        (None, None),
    ],
)
def test_the_region_of_a_host(host: str | None, expected: str | None) -> None:
    """Clouds have a host for each region."""
    assert request_context.region(record(server_address=host)) == expected


def test_who_says_the_region() -> None:
    """The caller, then the answer, then the model's name (either of the two), then the host."""
    host: dict[str, Any] = {"server_address": "bedrock-runtime.us-east-1.amazonaws.com"}
    assert request_context.region(record(requested_model="global.anthropic.claude-x-v1:0", model="claude-x", **host)) == "global"
    assert request_context.region(record(model="eu.amazon.nova-lite-v1:0", **host)) == "eu"
    assert request_context.region(record(model="amazon.nova-lite-v1:0", **host)) == "us-east-1"
    assert request_context.region(record(model="eu.amazon.nova-lite-v1:0", params={"region": "jp"}, **host)) == "jp"


@pytest.mark.parametrize(
    ("told", "asked", "expected"),
    [("us", None, "us"), ("global", "us", "global"), ("not_available", None, None), (None, "us", "us")],
)
def test_the_geography_of_an_inference(told: str | None, asked: str | None, expected: str | None) -> None:
    """Anthropic states where a request was served; that there is no choice of it is no place."""
    raw = {} if told is None else {"inference_geo": told}
    params = {} if asked is None else {"inference_geo": asked}
    assert request_context.region(record("anthropic.messages", raw, params=params)) == expected


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("bedrock.converse", "p"),
        ("cohere.v2", "p"),
        ("openai.chat", None),
        ("openai.responses", None),
        ("anthropic.messages", None),
    ],
)
def test_a_format_that_one_provider_speaks(dialect: str, expected: str | None) -> None:
    """Tells who that is; one that many speak does not."""
    assert request_context.provider(record(dialect, provider="p")) == expected
