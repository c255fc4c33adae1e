"""smolagents over OpenAI: a model, and the run of an agent."""

from __future__ import annotations

from typing import Any

from ..answers import CALLED, MODEL, PATH, SPOKEN, USAGE, called, spoken, without
from ..bodies import CALL, chat_chunks, sse
from ..case import Case, Far, Row, Truth


def _model(far: Far) -> Any:
    from smolagents import OpenAIServerModel

    return OpenAIServerModel(MODEL, api_key="none", api_base=f"{far.url}/v1")


def _stream(far: Far) -> None:
    far.read(_model(far).generate_stream([{"role": "user", "content": "Hi"}]))


def _agent(far: Far) -> None:
    from smolagents import ToolCallingAgent, tool

    def look_up(city: str) -> str:
        """The weather of a city.

        Args:
            city: the city.
        """
        return f"rain in {city}"

    agent = ToolCallingAgent(tools=[tool(look_up)], model=_model(far), stream_outputs=True, verbosity_level=0)
    far.read(agent.run("Hi", stream=True))


_END = ("final_answer", {"answer": "Bring a coat."})
_FUNCTION = {"name": _END[0], "arguments": '{"answer": "Bring a coat."}'}
_FINAL = {"tool_calls": [{"index": 0, "id": "call_2", "type": "function", "function": _FUNCTION}]}
_LAST = sse(chat_chunks(_FINAL, finish="tool_calls", model=MODEL, usage=USAGE))
_NOT_STATED = {
    **dict.fromkeys(("provider", "finish_reason", "model"), "a delta does not state it"),
    **dict.fromkeys(("usage.cache_read_tokens", "usage.reasoning_tokens"), "a delta has the totals alone"),
}

ROW = Row(
    "smolagents",
    "1.26.0",
    (
        Case("generate_stream", _stream, SPOKEN, spoken(), _NOT_STATED),
        Case("tool call", _stream, CALLED, called(), _NOT_STATED),
        Case(
            "run of an agent",
            _agent,
            {PATH: [CALLED[PATH], _LAST]},
            Truth("openai", tool_calls=[CALL, _END], finish_reason="tool_calls", usage=without(times=2), model=MODEL),
            _NOT_STATED,
        ),
    ),
    beside=("openai==3.57.0",),
)
