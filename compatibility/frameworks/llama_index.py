"""LlamaIndex over OpenAI, and over Anthropic, whose integration hands on mappings."""

from __future__ import annotations

from typing import Any

from ..answers import CALLED, MODEL, SPOKEN, UNSTATED, called, spoken
from ..bodies import sse
from ..case import Case, Far, Row, Truth

_CLAUDE = "claude-sonnet-4-5"


def _openai(far: Far) -> Any:
    from llama_index.llms.openai_like import OpenAILike

    url = f"{far.url}/v1"
    return OpenAILike(model=MODEL, api_key="none", api_base=url, is_chat_model=True, is_function_calling_model=True)


def _asked() -> Any:
    from llama_index.core.llms import ChatMessage

    return [ChatMessage(role="user", content="Hi")]


def _chat(far: Far) -> None:
    far.read(lambda: _openai(far).stream_chat(_asked()))


async def _async_chat(far: Far) -> None:
    await far.aread(await _openai(far).astream_chat(_asked()))


def _complete(far: Far) -> None:
    far.read(lambda: _openai(far).stream_complete("Hi"))


def _anthropic(far: Far) -> None:
    from llama_index.llms.anthropic import Anthropic

    far.read(lambda: Anthropic(model=_CLAUDE, api_key="none", base_url=far.url, max_tokens=512).stream_chat(_asked()))


def _message() -> list[dict[str, Any]]:
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": _CLAUDE,
        "content": [],
        "stop_reason": None,
    }
    counts = {"input_tokens": 12, "output_tokens": 5}
    pieces = [{"type": "text_delta", "text": text} for text in ("Bring a ", "coat.")]
    return [
        {"type": "message_start", "message": {**message, "usage": {"input_tokens": 12, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": piece} for piece in pieces),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": counts},
        {"type": "message_stop"},
    ]


_EVENTS = _message()

ROW = Row(
    "llama-index-core",
    "0.14.25",
    (
        Case("stream_chat", _chat, SPOKEN, spoken(), UNSTATED),
        Case("astream_chat", _async_chat, SPOKEN, spoken(), UNSTATED),
        Case("tool call", _chat, CALLED, called(), UNSTATED),
        Case("stream_complete", _complete, SPOKEN, spoken(), UNSTATED),
        Case(
            "Anthropic",
            _anthropic,
            {"/v1/messages": sse(_EVENTS, done=False, names=[event["type"] for event in _EVENTS])},
            Truth("anthropic", "Bring a coat.", usage={"input_tokens": 12, "output_tokens": 5}, model=_CLAUDE),
            {
                "provider": "the integration hands on mappings, and several providers use the format",
                "model": "the integration keeps the event that states it",
            },
        ),
    ),
    beside=("llama-index-llms-openai-like==0.8.1", "llama-index-llms-anthropic==0.12.3", "anthropic==0.125.0"),
)
