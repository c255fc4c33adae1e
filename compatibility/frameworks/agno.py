"""Agno over OpenAI: the content of a run, and all of its events."""

from __future__ import annotations

from typing import Any

from ..answers import MODEL, RUN, SPOKEN, run, spoken, without
from ..case import Case, Far, Row


def _agent(far: Far) -> Any:
    from agno.agent import Agent
    from agno.models.openai import OpenAIChat

    def look_up(city: str) -> str:
        """The weather of a city."""
        return f"rain in {city}"

    return Agent(model=OpenAIChat(id=MODEL, api_key="none", base_url=f"{far.url}/v1"), tools=[look_up], telemetry=False)


def _content(far: Far) -> None:
    far.read(_agent(far).run("Hi", stream=True))


def _events(far: Far) -> None:
    far.read(_agent(far).run("Hi", stream=True, stream_events=True))


async def _async_events(far: Far) -> None:
    await far.aread(_agent(far).arun("Hi", stream=True, stream_events=True))


_NO_FINISH = {"finish_reason": "no event states it"}
_CONTENT_ALONE = {
    "finish_reason": "no event states it",
    **dict.fromkeys(("provider", "usage", "model"), "only with `stream_events=True`"),
}

ROW = Row(
    "agno",
    "3.1.10",
    (
        Case("run", _content, SPOKEN, spoken(), _CONTENT_ALONE),
        Case("run, all events", _events, RUN, run(usage=without("total_tokens", times=2)), _NO_FINISH),
        Case("arun, all events", _async_events, RUN, run(usage=without("total_tokens", times=2)), _NO_FINISH),
    ),
    beside=("openai==3.57.0",),
)
