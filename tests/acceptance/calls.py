"""The requests that the tests make with the SDKs, and the answers of the fake provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from streamtally.testing import Scenario, scenarios
from streamtally.testing.wire import event
from tests.streams.exits import Bench, possible_exits
from tests.streams.sources import Kind, Source

from .telemetry import Telemetry

TEXT = "one two three"
MESSAGES: Any = [{"role": "user", "content": "Hi"}]
CHAT: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": MESSAGES, "stream": True}
CLAUDE: dict[str, Any] = {"model": "claude", "messages": MESSAGES, "max_tokens": 9}

ANSWER = scenarios.chat(TEXT)
CLAUDE_EVENTS: tuple[dict[str, Any], ...] = (
    {
        "type": "message_start",
        "message": {
            "id": "msg_0",
            "type": "message",
            "role": "assistant",
            "model": "claude",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 9, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    *(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
        for word in ("one", " two", " three")
    ),
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
)


def claude(events: Iterable[Mapping[str, Any]] = CLAUDE_EVENTS) -> Scenario:
    """A stream of the Messages API (https://docs.claude.com/en/api/messages-streaming)."""
    return Scenario(tuple(event(each, name=each["type"]) for each in events))


CLAUDE_ANSWER = claude()


def kinds(mode: str, way: str) -> list[Kind]:
    """The kinds of source that can end in this way."""
    return [kind for name, kind in possible_exits(mode) if name == way]


def bench(source: Source, telemetry: Telemetry) -> Bench:
    """A bench that runs a source with this telemetry."""
    made = Bench(source)
    made.tally, made.exporter = telemetry.tally, telemetry.recorder
    return made
