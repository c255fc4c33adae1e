"""sambanova: OpenAI's chat, with times and rates in its usage."""

from __future__ import annotations

from typing import Any

from ..case import Row
from ..chat_cases import MESSAGES, REPORT, Chat, completion

_MODEL = "Meta-Llama-3.3-70B-Instruct"
_REPORT = {
    **REPORT,
    "time_to_first_token": 0.2,
    "total_latency": 1.5,
    "total_tokens_per_sec": 11.3,
    "completion_tokens_per_sec": 3.3,
    "completion_tokens_after_first_per_sec": 4.1,
    "is_last_response": True,
    "start_time": 1_790_000_000.5,
    "stop_reason": "stop",
}


def _ask(url: str) -> Any:
    from sambanova import SambaNova

    return SambaNova(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


def _aask(url: str) -> Any:
    from sambanova import AsyncSambaNova

    return AsyncSambaNova(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


def _complete(url: str) -> Any:
    from sambanova import SambaNova

    return SambaNova(api_key="none", base_url=url).completions.create(model=_MODEL, prompt="Hi", stream=True)


_CHAT = Chat("sambanova", _MODEL, "/chat/completions", _ask, _aask, "reasoning", _REPORT)

ROW = Row(
    "sambanova", "1.13.0", (*_CHAT.cases, _CHAT.call, _CHAT.failure(), completion("sambanova", _MODEL, "/completions", _complete))
)
