"""cerebras-cloud-sdk: OpenAI's chat, with times beside the usage."""

from __future__ import annotations

from typing import Any

from ..case import Row
from ..chat_cases import MESSAGES, Chat, completion

_MODEL = "llama-3.3-70b"
_TIMES = {"queue_time": 0.01, "prompt_time": 0.002, "completion_time": 0.1, "total_time": 0.11, "created": 1.5}


def _ask(url: str) -> Any:
    from cerebras.cloud.sdk import Cerebras

    client = Cerebras(api_key="none", base_url=url, warm_tcp_connection=False)
    return client.chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


async def _aask(url: str) -> Any:
    from cerebras.cloud.sdk import AsyncCerebras

    client = AsyncCerebras(api_key="none", base_url=url, warm_tcp_connection=False)
    return await client.chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


def _complete(url: str) -> Any:
    from cerebras.cloud.sdk import Cerebras

    return Cerebras(api_key="none", base_url=url, warm_tcp_connection=False).completions.create(
        model=_MODEL, prompt="Hi", stream=True
    )


_CHAT = Chat("cerebras", _MODEL, "/chat/completions", _ask, _aask, "reasoning", apart=False, beside={"time_info": _TIMES})

ROW = Row(
    "cerebras-cloud-sdk",
    "1.91.0",
    (*_CHAT.cases, _CHAT.call, _CHAT.failure(), completion("cerebras", _MODEL, "/completions", _complete)),
)
