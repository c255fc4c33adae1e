"""groq: OpenAI's chat, with its usage in the last chunk below `x_groq` too."""

from __future__ import annotations

from typing import Any

from ..bodies import CALL, call_deltas, chat_chunks, sse, words
from ..case import Case, Far, Row, Truth

_PATH = "/openai/v1/chat/completions"
_MODEL = "llama-3.3-70b-versatile"
_USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 5,
    "total_tokens": 17,
    "queue_time": 0.01,
    "prompt_time": 0.002,
    "completion_time": 0.1,
    "total_time": 0.102,
}
_COUNTS = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17}


def _open(far: Far) -> Any:
    from groq import Groq

    return Groq(api_key="none", base_url=far.url).chat.completions.create(
        model=_MODEL, messages=[{"role": "user", "content": "Hi"}], stream=True
    )


def _chat(far: Far) -> None:
    far.read(lambda: _open(far))


async def _async_chat(far: Far) -> None:
    from groq import AsyncGroq

    client = AsyncGroq(api_key="none", base_url=far.url)
    await far.aread(await client.chat.completions.create(model=_MODEL, messages=[{"role": "user", "content": "Hi"}], stream=True))


_SPOKEN = sse(
    chat_chunks(
        *words("Rain ", "over ", field="reasoning"),
        *words("Bring a ", "coat."),
        model=_MODEL,
        last={"x_groq": {"id": "req_1", "usage": _USAGE}},
        usage=_USAGE,
    )
)
_ANSWER = Truth("groq", "Bring a coat.", "Rain over ", usage=_COUNTS, model=_MODEL)

ROW = Row(
    "groq",
    "1.7.0",
    (
        Case("chat", _chat, {_PATH: _SPOKEN}, _ANSWER),
        Case("chat, async", _async_chat, {_PATH: _SPOKEN}, _ANSWER),
        Case(
            "tool call, usage below x_groq",
            _chat,
            {_PATH: sse(chat_chunks(*call_deltas(), finish="tool_calls", model=_MODEL, last={"x_groq": {"usage": _USAGE}}))},
            Truth("groq", tool_calls=[CALL], finish_reason="tool_calls", usage=_COUNTS, model=_MODEL),
        ),
        Case(
            "error in the stream",
            _chat,
            {
                _PATH: sse(
                    [
                        *chat_chunks(*words("Bring "), model=_MODEL)[:1],
                        {"error": {"message": "out of coats", "type": "server_error"}},
                    ]
                )
            },
            Truth("groq", "Bring ", finish_reason=None, model=_MODEL, outcome="error", error="out of coats"),
        ),
    ),
)
