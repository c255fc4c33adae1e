"""Pydantic AI over OpenAI: events of a run, texts, whole answers, and a model called directly."""

from __future__ import annotations

from typing import Any

from ..answers import MODEL, PATH, RUN, SPOKEN, run, spoken, without
from ..bodies import chat_chunks, sse, words
from ..case import Case, Far, Row


def _model(far: Far) -> Any:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return OpenAIChatModel(MODEL, provider=OpenAIProvider(api_key="none", base_url=f"{far.url}/v1"))


def _agent(far: Far) -> Any:
    from pydantic_ai import Agent

    def look_up(city: str) -> str:
        """The weather of a city."""
        return f"rain in {city}"

    return Agent(_model(far), tools=[look_up])


async def _events(far: Far) -> None:
    await far.aread(_agent(far).run_stream_events("Hi"))


async def _text(far: Far, *, delta: bool = False) -> None:
    async with _agent(far).run_stream("Hi") as result:
        await far.aread(result.stream_text(delta=delta, debounce_by=None))


async def _pieces(far: Far) -> None:
    await _text(far, delta=True)


async def _output(far: Far) -> None:
    async with _agent(far).run_stream("Hi") as result:
        await far.aread(result.stream_output(debounce_by=None))


async def _answers(far: Far) -> None:
    async with _agent(far).run_stream("Hi") as result:
        await far.aread(result.stream_response(debounce_by=None))


async def _direct(far: Far) -> None:
    from pydantic_ai.direct import model_request_stream
    from pydantic_ai.messages import ModelRequest

    async with model_request_stream(_model(far), [ModelRequest.user_text_prompt("Hi")]) as response:
        await far.aread(response)


_ALONE = dict.fromkeys(("provider", "finish_reason", "usage", "model"), "the stream has texts and nothing else")
_AFTER = dict.fromkeys(("finish_reason", "usage", "model"), "no event has it: `get()` of the stream, after its end")
_LONG = {PATH: sse(chat_chunks(*words("Bring ", "a ", "warm ", "coat."), model=MODEL))}
_TEXT = spoken(text="Bring a warm coat.", usage={})

ROW = Row(
    "pydantic-ai-slim",
    "2.68.0",
    (
        Case("run_stream_events", _events, RUN, run(usage=without("total_tokens", times=2))),
        Case("stream_text", _text, _LONG, _TEXT, _ALONE),
        Case("stream_text, delta", _pieces, _LONG, _TEXT, _ALONE),
        Case("stream_output", _output, _LONG, _TEXT, _ALONE),
        Case("stream_response", _answers, SPOKEN, spoken(usage=without("total_tokens"))),
        Case("model_request_stream", _direct, SPOKEN, spoken(), _AFTER),
    ),
    beside=("openai==3.57.0",),
)
