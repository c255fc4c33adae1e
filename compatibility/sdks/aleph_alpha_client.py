"""aleph-alpha-client: items of completions and of chat, each of a class of its own. It streams asynchronously only."""

from __future__ import annotations

from typing import Any

from ..bodies import CALL, call_deltas, chat_chunks, sse, words
from ..case import Case, Far, Row, Truth

_MODEL = "pharia-1-llm-7b-control"
_USED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}


async def _complete(far: Far) -> None:
    from aleph_alpha_client import AsyncClient, CompletionRequest, Prompt

    async with AsyncClient(token="none", host=far.url) as client:
        request = CompletionRequest(prompt=Prompt.from_text("Hi"), maximum_tokens=9)
        await far.aread(client.complete_with_streaming(request, _MODEL))


async def _chat(far: Far) -> None:
    from aleph_alpha_client import AsyncClient
    from aleph_alpha_client.chat import ChatRequest, Message, Role, StreamOptions

    async with AsyncClient(token="none", host=far.url) as client:
        request = ChatRequest(_MODEL, [Message(Role.User, "Hi")], stream_options=StreamOptions(include_usage=True))
        await far.aread(client.chat_with_streaming(request, _MODEL))


def _items(finish: str) -> list[dict[str, Any]]:
    return [
        {"type": "stream_chunk", "index": 0, "completion": "Bring a "},
        {"type": "stream_chunk", "index": 0, "completion": "coat."},
        {"type": "stream_summary", "index": 0, "model_version": _MODEL, "finish_reason": finish},
        {"type": "completion_summary", "num_tokens_prompt_total": 12, "num_tokens_generated": 5},
    ]


_NO_MODEL = {"model": "the SDK drops it"}
_COUNTS = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17}
_SPOKEN = chat_chunks(*words("Bring a ", "coat."), usage=_USED, model=_MODEL)
_CALLING = chat_chunks(*call_deltas(), finish="tool_calls", usage=_USED, model=_MODEL)

ROW = Row(
    "aleph-alpha-client",
    "11.5.1",
    (
        Case(
            "completion",
            _complete,
            {"/complete": sse(_items("maximum_tokens"))},
            Truth(
                "aleph-alpha",
                "Bring a coat.",
                finish_reason="length",
                usage={"input_tokens": 12, "output_tokens": 5},
                model=_MODEL,
            ),
        ),
        Case(
            "chat",
            _chat,
            {"/chat/completions": sse(_SPOKEN)},
            Truth("aleph-alpha", "Bring a coat.", usage=_COUNTS, model=_MODEL),
            _NO_MODEL,
        ),
        Case(
            "chat, tool call",
            _chat,
            {"/chat/completions": sse(_CALLING)},
            Truth("aleph-alpha", tool_calls=[CALL], finish_reason="tool_calls", usage=_COUNTS, model=_MODEL),
            _NO_MODEL,
        ),
    ),
)
