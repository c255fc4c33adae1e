"""writer-sdk: OpenAI's chat with `prompt_token_details`, and completions of its own."""

from __future__ import annotations

from typing import Any

from ..bodies import sse
from ..case import Case, Far, Row, Truth
from ..chat_cases import MESSAGES, REPORT, Chat

_MODEL = "palmyra-x5"
_REPORT = {("prompt_token_details" if name == "prompt_tokens_details" else name): value for name, value in REPORT.items()}


def _client(url: str) -> Any:
    from writerai import Writer

    return Writer(api_key="none", base_url=url)


def _ask(url: str) -> Any:
    return _client(url).chat.chat(model=_MODEL, messages=MESSAGES, stream=True)


def _aask(url: str) -> Any:
    from writerai import AsyncWriter

    return AsyncWriter(api_key="none", base_url=url).chat.chat(model=_MODEL, messages=MESSAGES, stream=True)


def _complete(far: Far) -> None:
    far.read(lambda: _client(far.url).completions.create(model=_MODEL, prompt="Hi", stream=True))


_CHAT = Chat("writer", _MODEL, "/v1/chat", _ask, _aask, None, _REPORT)
_COMPLETION = Case(
    "completion",
    _complete,
    {"/v1/completions": sse([{"value": "Bring a "}, {"value": "coat."}])},
    Truth("writer", "Bring a coat.", finish_reason=None),
)

ROW = Row("writer-sdk", "3.0.0", (*_CHAT.cases, _CHAT.call, _CHAT.failure(event=True), _COMPLETION))
