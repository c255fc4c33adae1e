"""The scenario builders of the providers besides OpenAI, as far as the tests with their SDKs do not cover them."""

import json
import zlib
from typing import Any

import httpx2
import pytest

from streamtally import replay
from streamtally.testing import FakeProvider, Scenario, scenarios
from streamtally.testing.eventstream import message
from streamtally.testing.scenarios import Call

BUILDERS = {
    "anthropic.messages": scenarios.anthropic,
    "bedrock.converse": scenarios.converse,
    "bedrock.invoke": scenarios.invoke,
    "cohere.v2": scenarios.cohere,
    "gemini": scenarios.gemini,
    "mistral.chat": scenarios.mistral,
    "ollama.chat": scenarios.ollama,
}

ANSWER: dict[str, Any] = {"text": "one two", "reasoning": "Let me", "tool_calls": [Call("f", '{"a": 1}', "call_a")]}


@pytest.mark.parametrize("name", BUILDERS)
def test_bodies(name: str) -> None:
    """The body replays to the complete answer, whole or byte by byte."""
    for scenario in (BUILDERS[name](**ANSWER), BUILDERS[name](**ANSWER).rechunked(1)):
        record = replay(scenario.body, dialect=name)
        assert (record.text, record.reasoning) == ("one two", "Let me")
        assert [(call.name, call.arguments_json) for call in record.tool_calls] == [("f", {"a": 1})]
        assert (record.finish_reason, record.outcome) == ("tool_calls", "completed")
        assert record.usage is not None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("anthropic.messages", "max_tokens"),
        ("bedrock.converse", "max_tokens"),
        ("bedrock.invoke", "max_tokens"),
        ("cohere.v2", "MAX_TOKENS"),
        ("gemini", "MAX_TOKENS"),
        ("mistral.chat", "length"),
        ("ollama.chat", "length"),
    ],
)
def test_finish_reasons(name: str, reason: str) -> None:
    """The given finish reason is in the stream."""
    record = replay(BUILDERS[name](finish_reason=reason).body, dialect=name)
    assert (record.finish_reason, record.choices[0].finish_reason_raw) == ("length", reason)
    assert record.text == "Hello! How can I help you?"


PATHS = {
    "/v1/messages": scenarios.anthropic(model="m"),
    "/v1beta/models/m:streamGenerateContent?alt=sse": scenarios.gemini(model="m"),
    "/v1beta/models/m:streamGenerateContent": scenarios.gemini(model="m", sse=False),
    "/v2/chat": scenarios.cohere(),
    "/api/chat": scenarios.ollama(model="m"),
    "/api/generate": scenarios.ollama(model="m", generate=True),
    "/model/m/converse-stream": scenarios.converse(),
    "/model/m/invoke-with-response-stream": scenarios.invoke(model="m"),
}


@pytest.mark.parametrize("path", PATHS)
def test_paths(provider: FakeProvider, path: str) -> None:
    """Each API's path has a default response."""
    with httpx2.Client(verify=False) as client:
        response = client.post(f"{provider.url}{path}", json={"model": "m"})
    assert response.content == PATHS[path].body
    assert response.headers["content-type"] == PATHS[path].content_type


def test_gemini_as_one_array() -> None:
    """Without `alt=sse` the body is one JSON array."""
    payloads = json.loads(scenarios.gemini("one two", sse=False).body)
    assert [payload["candidates"][0]["content"]["parts"][0]["text"] for payload in payloads] == ["one", " two", ""]


def test_ollama_s_other_api() -> None:
    """`/api/generate` has `response` and `thinking` at the top level."""
    lines = scenarios.ollama("one", reasoning="Hm", generate=True).body.splitlines()
    first, second, last = map(json.loads, lines)
    assert (first["response"], first["thinking"], second["response"], last["done"]) == ("", "Hm", "one", True)


def test_messages_of_amazon() -> None:
    """Lengths and checksums of AWS messages are correct, and exceptions are marked."""
    data = message("throttlingException", b'{"message":"slow down"}', exception=True)
    assert int.from_bytes(data[:4]) == len(data)
    assert zlib.crc32(data[:8]) == int.from_bytes(data[8:12])
    assert zlib.crc32(data[:-4]) == int.from_bytes(data[-4:])
    record = replay(Scenario((*scenarios.converse("one two").frames[:3], data)).body)
    assert (record.dialect, record.text, record.outcome) == ("bedrock.converse", "one two", "error")
