"""gigachat: its first API is like OpenAI's chat, with functions; its second has messages with parts, in named events."""

from __future__ import annotations

from typing import Any

from ..bodies import CALL, chat_chunks, sse, words
from ..case import Case, Far, Reply, Row, Truth

_MODEL = "GigaChat-2-Max"
_REPORT = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "precached_prompt_tokens": 4}
_COUNTS = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17, "cache_read_tokens": 4}
_REPORT_2 = {
    "input_tokens": 12,
    "output_tokens": 5,
    "total_tokens": 17,
    "input_tokens_details": {"prompt_tokens": 8, "cached_tokens": 4},
}
_FIRST, _SECOND = "/api/v1/chat/completions", "/api/v2/chat/completions"


def _client(url: str, kind: str = "GigaChat") -> Any:
    import gigachat

    return getattr(gigachat, kind)(base_url=f"{url}/api/v1", access_token="none", model=_MODEL, verify_ssl_certs=False)


def _first(far: Far) -> None:
    far.read(lambda: _client(far.url).stream("Hi"))


async def _afirst(far: Far) -> None:
    await far.aread(_client(far.url, "GigaChatAsyncClient").astream("Hi"))


def _second(far: Far) -> None:
    far.read(lambda: _client(far.url).chat.stream({"model": _MODEL, "messages": [{"role": "user", "content": "Hi"}]}))


def _message(content: Any, **fields: Any) -> dict[str, Any]:
    return {
        "model": _MODEL,
        "created_at": 1,
        "messages": [{"message_id": "m1", "role": "assistant", "content": content}],
        **fields,
    }


def _named(*messages: dict[str, Any]) -> Reply:
    names = ["response.message.delta"] * (len(messages) - 1) + ["response.message.done"]
    return sse(messages, names=names, done=False)


_ANSWER = sse(chat_chunks(*words("Rain ", "over ", field="reasoning_content"), *words("Bring a ", "coat."), model=_MODEL,
                          last={"usage": _REPORT}))  # fmt: skip
_WHOLE = Truth("gigachat", "Bring a coat.", "Rain over ", usage=_COUNTS, model=_MODEL)
_CALLED = Truth("gigachat", tool_calls=[CALL], finish_reason="tool_calls", usage=_COUNTS, model=_MODEL)
_FUNCTION = {"function_call": {"name": CALL[0], "arguments": CALL[1]}}

ROW = Row(
    "gigachat",
    "0.2.3",
    (
        Case("first API", _first, {_FIRST: _ANSWER}, _WHOLE),
        Case("first API, async", _afirst, {_FIRST: _ANSWER}, _WHOLE),
        Case(
            "first API, function call",
            _first,
            {_FIRST: sse(chat_chunks({"role": "assistant", "content": "", **_FUNCTION}, finish="function_call", model=_MODEL,
                                     last={"usage": _REPORT}))},
            _CALLED,
        ),
        Case(
            "second API",
            _second,
            {
                _SECOND: _named(
                    _message([{"text": "Bring a "}]),
                    _message([{"text": "coat."}]),
                    {"model": _MODEL, "finish_reason": "stop", "usage": _REPORT_2},
                )
            },
            Truth("gigachat", "Bring a coat.", usage=_COUNTS, model=_MODEL),
        ),
        Case(
            "second API, function call",
            _second,
            {_SECOND: _named(_message([_FUNCTION]), {"model": _MODEL, "finish_reason": "function_call", "usage": _REPORT_2})},
            _CALLED,
        ),
    ),
)  # fmt: skip
