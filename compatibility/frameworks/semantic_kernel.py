"""Semantic Kernel over OpenAI: one content at a time, a list of contents, an agent."""

from __future__ import annotations

from typing import Any

from ..answers import CALLED, MODEL, PATH, RUN, SPOKEN, UNSTATED, called, run, spoken, without
from ..bodies import sse
from ..case import Case, Far, Row


def _service(far: Far) -> Any:
    from openai import AsyncOpenAI
    from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion

    return OpenAIChatCompletion(ai_model_id=MODEL, async_client=AsyncOpenAI(api_key="none", base_url=f"{far.url}/v1"))


def _asked(**settings: Any) -> tuple[Any, Any]:
    from semantic_kernel.connectors.ai.open_ai import OpenAIChatPromptExecutionSettings
    from semantic_kernel.contents import ChatHistory

    history = ChatHistory()
    history.add_user_message("Hi")
    return history, OpenAIChatPromptExecutionSettings(**settings)


async def _content(far: Far) -> None:
    await far.aread(_service(far).get_streaming_chat_message_content(*_asked()))


async def _contents(far: Far) -> None:
    await far.aread(_service(far).get_streaming_chat_message_contents(*_asked(number_of_responses=2)))


async def _agent(far: Far) -> None:
    from semantic_kernel.agents import ChatCompletionAgent
    from semantic_kernel.functions import kernel_function

    class Weather:
        """The tools of the agent."""

        @kernel_function(name="look_up")  # type: ignore[untyped-decorator]
        def look_up(self, city: str) -> str:
            """The weather of a city."""
            return f"rain in {city}"

    agent = ChatCompletionAgent(service=_service(far), name="a", plugins=[Weather()])
    await far.aread(agent.invoke_stream(messages="Hi"))


def _two_choices() -> list[dict[str, Any]]:
    """Chunks that have a piece of each of two choices, as servers of many models send them."""
    head = {"id": "c-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": MODEL}
    texts = (("Bring ", "Take "), ("a coat.", "a hat."))
    chunks = [
        {**head, "choices": [{"index": at, "delta": {"content": text}, "finish_reason": None} for at, text in enumerate(pair)]}
        for pair in texts
    ]
    ends: list[dict[str, Any]] = [{"index": at, "delta": {}, "finish_reason": "stop"} for at in (0, 1)]
    return [*chunks, {**head, "choices": ends}]


_KEPT = {
    "provider": "a content does not state it",
    **dict.fromkeys(("tool_calls", "finish_reason"), "the agent keeps the contents that have it"),
}

ROW = Row(
    "semantic-kernel",
    "1.45.0",
    (
        Case("streaming content", _content, SPOKEN, spoken(), UNSTATED),
        Case("tool call", _content, CALLED, called(), UNSTATED),
        Case("two choices in a chunk", _contents, {PATH: sse(_two_choices())}, spoken(usage={}), UNSTATED),
        Case("agent", _agent, RUN, run(usage=without("total_tokens", times=2)), _KEPT),
    ),
)
