"""together: OpenAI's chat."""

from __future__ import annotations

from typing import Any

from ..case import Row
from ..chat_cases import MESSAGES, Chat

_MODEL = "meta-llama/Llama-3.3-70B-Instruct-Turbo"


def _ask(url: str) -> Any:
    from together import Together

    return Together(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


def _aask(url: str) -> Any:
    from together import AsyncTogether

    return AsyncTogether(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


_CHAT = Chat("together", _MODEL, "/chat/completions", _ask, _aask, "reasoning", apart=False)

ROW = Row("together", "3.1.1", (*_CHAT.cases, _CHAT.call, _CHAT.failure()))
