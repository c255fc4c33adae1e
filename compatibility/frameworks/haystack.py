"""Haystack: the chunks that a generator gives to its callback, and those of an agent's run."""

from __future__ import annotations

from typing import Any

from ..answers import CALLED, MODEL, RUN, SPOKEN, called, run, spoken
from ..case import Case, Far, Row


def _generator(far: Far, **options: Any) -> Any:
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.utils import Secret

    settings = {"stream_options": {"include_usage": True}}
    key = Secret.from_token("none")
    return OpenAIChatGenerator(model=MODEL, api_key=key, api_base_url=f"{far.url}/v1", generation_kwargs=settings, **options)


def _asked() -> Any:
    from haystack.dataclasses import ChatMessage

    return [ChatMessage.from_user("Hi")]


def _chat(far: Far) -> None:
    chunks: list[Any] = []
    _generator(far, streaming_callback=chunks.append).run(_asked())
    far.read(chunks)


def _agent(far: Far) -> None:
    from haystack.components.agents import Agent
    from haystack.tools import tool

    def look_up(city: str) -> str:
        """The weather of a city."""
        return f"rain in {city}"

    chunks: list[Any] = []
    Agent(chat_generator=_generator(far), tools=[tool(look_up)], streaming_callback=chunks.append).run(messages=_asked())
    far.read(chunks)


_NOT_STATED = {"provider": "a chunk does not state it"}

ROW = Row(
    "haystack-ai",
    "3.4.1",
    (
        Case("callback", _chat, SPOKEN, spoken(), _NOT_STATED),
        Case("tool call", _chat, CALLED, called(), _NOT_STATED),
        Case("agent", _agent, RUN, run(), _NOT_STATED),
    ),
    variables={"HAYSTACK_TELEMETRY_ENABLED": "False"},
)
