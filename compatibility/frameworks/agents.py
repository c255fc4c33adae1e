"""The OpenAI Agents SDK over chat, whose events it makes itself, and over Responses."""

from __future__ import annotations

from typing import Any

from ..answers import MODEL, PATH, RUN, SPOKEN, UNSTATED, USAGE, run, spoken
from ..bodies import chat_chunks, sse, words
from ..case import Case, Far, Row


def _runner(far: Far, *, responses: bool = False) -> Any:
    from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
    from openai import AsyncOpenAI

    def look_up(city: str) -> str:
        """The weather of a city."""
        return f"rain in {city}"

    set_tracing_disabled(True)
    kind = OpenAIResponsesModel if responses else OpenAIChatCompletionsModel
    model = kind(model=MODEL, openai_client=AsyncOpenAI(api_key="none", base_url=f"{far.url}/v1"))
    return Runner.run_streamed(Agent(name="a", model=model, tools=[function_tool(look_up)]), "Hi")


async def _chat(far: Far) -> None:
    await far.aread(_runner(far).stream_events())


async def _responses(far: Far) -> None:
    await far.aread(_runner(far, responses=True).stream_events())


def _response(number: int, item: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """An answer of the Responses API with one item."""
    usage: dict[str, Any] = {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 17,
    }
    whole: dict[str, Any] = {
        "object": "response",
        "created_at": 1,
        "model": MODEL,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    response = {"id": f"resp_{number}", "status": "in_progress", "output": [], **whole}
    done = {**item, "status": "completed"}
    at = {"item_id": item["id"], "output_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": [], "arguments": ""}},
        *({**at, **delta} for delta in deltas),
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        {"type": "response.completed", "response": {**response, "status": "completed", "output": [done], "usage": usage}},
    ]
    return [{"sequence_number": sequence, **event} for sequence, event in enumerate(events)]


_ARGUMENTS = '{"city": "Ulm"}'
_CALL = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": _ARGUMENTS}
_TEXT: dict[str, Any] = {"type": "output_text", "text": "Bring a coat.", "annotations": []}
_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "content": [_TEXT]}
_ANSWERS = [
    _response(1, _CALL, {"type": "response.function_call_arguments.delta", "delta": _ARGUMENTS}),
    _response(
        2,
        _MESSAGE,
        {"type": "response.content_part.added", "content_index": 0, "part": {**_TEXT, "text": ""}},
        *(
            {"type": "response.output_text.delta", "content_index": 0, "delta": text, "logprobs": []}
            for text in ("Bring a ", "coat.")
        ),
    ),
]
_ZERO = {"cache_write_tokens": 0}
"""Over chat the SDK makes a count of it, which the answer does not state."""

_OVER_CHAT = run()
_MADE = {**UNSTATED, "finish_reason": "the SDK calls each answer of chat completed, also one that was cut"}
_CUT = {PATH: sse(chat_chunks(*words("Bring a "), finish="length", model=MODEL, usage=USAGE))}
_RESPONSES = [sse(events, done=False, names=[event["type"] for event in events]) for events in _ANSWERS]

ROW = Row(
    "openai-agents",
    "0.24.0",
    (
        Case("run over chat", _chat, RUN, run(usage={**_OVER_CHAT.usage, **_ZERO}), _MADE),
        Case("answer over chat", _chat, {PATH: SPOKEN[PATH]}, spoken(usage={**spoken().usage, **_ZERO}), _MADE),
        Case(
            "cut answer over chat",
            _chat,
            _CUT,
            spoken(text="Bring a ", finish_reason="length", usage={**spoken().usage, **_ZERO}),
            _MADE,
        ),
        Case("run over Responses", _responses, {"/responses": _RESPONSES}, _OVER_CHAT, UNSTATED),
    ),
)
