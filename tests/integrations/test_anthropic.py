"""The anthropic SDK's calls are wrapped as openai's are."""

from typing import Any

import pytest

from streamtally import Outcome
from streamtally.testing import FakeProvider, RecordingExporter, Scenario

anthropic = pytest.importorskip("anthropic", reason="the anthropic SDK is not installed")

ASKED: dict[str, Any] = {"model": "claude-test", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}

_EVENTS = (
    '{"type":"message_start","message":{"id":"m1","type":"message","model":"claude-test","content":[],"usage":{"input_tokens":9}}}',
    '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"one two"}}',
    '{"type":"content_block_stop","index":0}',
    '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":3}}',
    '{"type":"message_stop"}',
)
ANSWER = Scenario(frames=tuple(f"event: {data.split(chr(34))[3]}\ndata: {data}\n\n".encode() for data in _EVENTS))


def _url(provider: FakeProvider) -> str:
    return provider.base_url.removesuffix("/v1")


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("way", ["create", "helper", "beta"])
def test_every_way_to_stream(provider: FakeProvider, exporter: RecordingExporter, way: str) -> None:
    """Each makes one record."""
    provider.enqueue(ANSWER)
    with anthropic.Anthropic(base_url=_url(provider), api_key="test", max_retries=0) as client:
        if way == "helper":
            with client.messages.stream(**ASKED) as stream:
                assert stream.get_final_text() == "one two"
        else:
            messages = client.beta.messages if way == "beta" else client.messages
            stream = messages.create(**ASKED, stream=True)
            assert isinstance(stream, anthropic.Stream)
            assert len(list(stream)) == len(_EVENTS)
    (record,) = exporter.records
    assert (record.outcome, record.text, record.dialect) == (Outcome.COMPLETED, "one two", "anthropic.messages")
    assert (record.timing.started_from, record.requested_model) == ("request", "claude-test")
    assert len(exporter.started) == 1


@pytest.mark.anyio
@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("way", ["create", "helper"])
async def test_every_way_to_stream_asynchronously(provider: FakeProvider, exporter: RecordingExporter, way: str) -> None:
    """Each makes one record."""
    provider.enqueue(ANSWER)
    async with anthropic.AsyncAnthropic(base_url=_url(provider), api_key="test", max_retries=0) as client:
        if way == "helper":
            async with client.messages.stream(**ASKED) as stream:
                assert await stream.get_final_text() == "one two"
        else:
            async for _ in await client.messages.create(**ASKED, stream=True):
                pass
    (record,) = exporter.records
    assert (record.outcome, record.text) == (Outcome.COMPLETED, "one two")
    assert len(exporter.started) == 1
