from typing import Any

import pytest

from streamtally import StreamRecord, StreamType, Usage
from streamtally.pricing import request_context


def record(dialect: str = "openai.chat", raw: dict[str, Any] | None = None, **fields: Any) -> StreamRecord:
    """A record with these fields and a usage report of `raw`."""
    usage = None if raw is None else Usage(input_tokens=1, raw=raw)
    return StreamRecord(request_id="r1", dialect=dialect, stream_type=StreamType.CHAT, usage=usage, **fields)


@pytest.mark.parametrize(
    ("requested", "reported", "expected"),
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
def test_the_served_tier_wins(requested: Any, reported: str | None, expected: str | None) -> None:
    """The reported tier wins over the requested one, except for a batch, which only the request states."""
    params = {} if requested is None else {"service_tier": requested}
    assert request_context.tier(record(params=params, service_tier=reported)) == expected


def test_the_fast_mode_is_a_tier() -> None:
    """Anthropic reports the fast mode as `speed` beside the standard tier."""
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
    """The host of a cloud's endpoint states its region."""
    assert request_context.region(record(server_address=host)) == expected


def test_the_order_of_the_sources_of_a_region() -> None:
    """The parameter wins over the model names (requested, then answered), and these over the host."""
    host: dict[str, Any] = {"server_address": "bedrock-runtime.us-east-1.amazonaws.com"}
    assert request_context.region(record(requested_model="global.anthropic.claude-x-v1:0", model="claude-x", **host)) == "global"
    assert request_context.region(record(model="eu.amazon.nova-lite-v1:0", **host)) == "eu"
    assert request_context.region(record(model="amazon.nova-lite-v1:0", **host)) == "us-east-1"
    assert request_context.region(record(model="eu.amazon.nova-lite-v1:0", params={"region": "jp"}, **host)) == "jp"


@pytest.mark.parametrize(
    ("reported", "requested", "expected"),
    [
        ("us", None, "us"),
        ("global", "us", "global"),
        ("not_available", None, None),
        ("not_available", "us", None),
        (None, "us", "us"),
    ],
)
def test_the_geography_of_an_inference(reported: str | None, requested: str | None, expected: str | None) -> None:
    """Anthropic reports where a request was served; "not_available" is not a region."""
    raw = {} if reported is None else {"inference_geo": reported}
    params = {} if requested is None else {"inference_geo": requested}
    assert request_context.region(record("anthropic.messages", raw, params=params)) == expected
