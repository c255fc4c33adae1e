"""zai-sdk: OpenAI's chat, without `object`."""

from __future__ import annotations

from typing import Any

from ..case import Row
from ..chat_cases import MESSAGES, Chat

_MODEL = "glm-4.6"


def _ask(url: str) -> Any:
    from zai import ZaiClient

    return ZaiClient(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


_CHAT = Chat("zai", _MODEL, "/chat/completions", _ask, apart=False)

ROW = Row("zai-sdk", "0.2.3", (*_CHAT.cases, _CHAT.call, _CHAT.failure("An error occurred during streaming")))
