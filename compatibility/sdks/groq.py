"""groq: OpenAI's chat, with its usage in the last chunk below `x_groq` too, and times in it."""

from __future__ import annotations

from typing import Any

from ..case import Row
from ..chat_cases import MESSAGES, REPORT, Chat

_MODEL = "llama-3.3-70b-versatile"
_REPORT = {**REPORT, "queue_time": 0.01, "prompt_time": 0.002, "completion_time": 0.1, "total_time": 0.102}


def _ask(url: str) -> Any:
    from groq import Groq

    return Groq(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


def _aask(url: str) -> Any:
    from groq import AsyncGroq

    return AsyncGroq(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


_CHAT = Chat(
    "groq",
    _MODEL,
    "/openai/v1/chat/completions",
    _ask,
    _aask,
    "reasoning",
    _REPORT,
    beside={"x_groq": {"id": "req_1", "usage": _REPORT}},
)

ROW = Row("groq", "1.7.0", (*_CHAT.cases, _CHAT.call, _CHAT.failure()))
