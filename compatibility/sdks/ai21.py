"""ai21: OpenAI's chat, without `object`, model and tool calls in its chunks."""

from __future__ import annotations

from typing import Any

from ..case import Row
from ..chat_cases import Chat

_MODEL = "jamba-large"


def _ask(url: str) -> Any:
    from ai21 import AI21Client
    from ai21.models.chat import ChatMessage

    messages = [ChatMessage(role="user", content="Hi")]
    return AI21Client(api_key="none", api_host=url).chat.completions.create(model=_MODEL, messages=messages, stream=True)


async def _aask(url: str) -> Any:
    from ai21 import AsyncAI21Client
    from ai21.models.chat import ChatMessage

    messages = [ChatMessage(role="user", content="Hi")]
    client = AsyncAI21Client(api_key="none", api_host=url)
    return await client.chat.completions.create(model=_MODEL, messages=messages, stream=True)


_CHAT = Chat("ai21", _MODEL, "/chat/completions", _ask, _aask, None, apart=False)

ROW = Row("ai21", "4.3.0", (*_CHAT.cases, _CHAT.call, _CHAT.failure("ValidationError")))
