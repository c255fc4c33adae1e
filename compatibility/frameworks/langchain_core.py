"""LangChain: messages of its integrations with OpenAI and Anthropic, events of `astream_events`, and LangGraph's tuples."""

from __future__ import annotations

from typing import Any

from ..answers import CALLED, MODEL, RUN, SPOKEN, called, run, spoken
from ..bodies import CALL, sse
from ..case import Case, Far, Reply, Row, Truth

_MESSAGES, _CLAUDE = "/v1/messages", "claude-sonnet-4-5"


def _openai(far: Far) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=MODEL, api_key="none", base_url=f"{far.url}/v1", stream_usage=True)


def _stream(far: Far) -> None:
    far.read(lambda: _openai(far).stream("Hi"))


async def _astream(far: Far) -> None:
    await far.aread(_openai(far).astream("Hi"))


async def _events(far: Far) -> None:
    await far.aread(_openai(far).astream_events("Hi", version="v2"))


def _agent(far: Far) -> Any:
    from langchain_core.tools import tool
    from langgraph.prebuilt import create_react_agent

    def look_up(city: str) -> str:
        """The weather of a city."""
        return f"rain in {city}"

    return create_react_agent(_openai(far), [tool(look_up)])


_ASKED = {"messages": [("user", "Hi")]}


async def _agent_events(far: Far) -> None:
    await far.aread(_agent(far).astream_events(_ASKED, version="v2"))


def _agent_messages(far: Far) -> None:
    far.read(_agent(far).stream(_ASKED, stream_mode="messages"))


def _agent_modes(far: Far) -> None:
    far.read(_agent(far).stream(_ASKED, stream_mode=["messages", "values"], subgraphs=True))


def _anthropic(far: Far) -> None:
    from langchain_anthropic import ChatAnthropic

    model = ChatAnthropic(
        model=_CLAUDE, api_key="none", base_url=far.url, max_tokens=2048, thinking={"type": "enabled", "budget_tokens": 1024}
    )
    far.read(lambda: model.stream("Hi"))


def _message(usage: dict[str, Any]) -> list[dict[str, Any]]:
    """A message of Anthropic's with thinking, text and a call."""
    begun = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2}
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": _CLAUDE,
        "content": [],
        "stop_reason": None,
    }
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            [{"type": "thinking_delta", "thinking": "Rain."}, {"type": "signature_delta", "signature": "c2ln"}],
        ),
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in ("Bring a ", "coat.")]),
        (
            {"type": "tool_use", "id": "tu_1", "name": CALL[0], "input": {}},
            [{"type": "input_json_delta", "partial_json": text} for text in ('{"city": ', '"Ulm"}')],
        ),
    ]
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**message, "usage": begun}}]
    for index, (start, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    end = {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": usage}
    return [*events, end, {"type": "message_stop"}]


def _named(events: list[dict[str, Any]]) -> Reply:
    return sse(events, done=False, names=[event["type"] for event in events])


def _claude(**counts: int) -> Truth:
    return Truth("anthropic", "Bring a coat.", "Rain.", [CALL], "tool_calls", counts, _CLAUDE)


_ALL = {"input_tokens": 10, "output_tokens": 9, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2}
ROW = Row(
    "langchain-core",
    "1.8.3",
    (
        Case("stream", _stream, SPOKEN, spoken()),
        Case("astream", _astream, SPOKEN, spoken()),
        Case("tool call", _stream, CALLED, called()),
        Case("astream_events", _events, SPOKEN, spoken()),
        Case("astream_events of an agent", _agent_events, RUN, run()),
        Case("LangGraph, messages", _agent_messages, RUN, run()),
        Case("LangGraph, several modes", _agent_modes, RUN, run()),
        Case(
            "Anthropic",
            _anthropic,
            {_MESSAGES: _named(_message(_ALL))},
            _claude(input_tokens=15, output_tokens=9, total_tokens=24, cache_read_tokens=3, cache_write_tokens=2),
        ),
        Case(
            "Anthropic, output alone at the end",
            _anthropic,
            {_MESSAGES: _named(_message({"output_tokens": 9}))},
            _claude(input_tokens=15, output_tokens=9, cache_read_tokens=3, cache_write_tokens=2),
            dict.fromkeys(
                ("usage.input_tokens", "usage.cache_read_tokens", "usage.cache_write_tokens"),
                "langchain-anthropic reads the counts of `message_delta` alone",
            ),
        ),
    ),
    beside=("langchain-openai==1.7.4", "langchain-anthropic==1.7.10", "langgraph==1.2.24"),
)
