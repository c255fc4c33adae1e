"""fireworks-ai: OpenAI's chat, with measurements beside the usage."""

from __future__ import annotations

from typing import Any

from ..case import Row
from ..chat_cases import MESSAGES, Chat, completion

_MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"
_METRICS = {"prompt-tokens": 12, "cached-prompt-tokens": 4, "server-time-to-first-token": 0.2}


def _ask(url: str) -> Any:
    from fireworks import Fireworks

    return Fireworks(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


def _aask(url: str) -> Any:
    from fireworks import AsyncFireworks

    return AsyncFireworks(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


def _complete(url: str) -> Any:
    from fireworks import Fireworks

    return Fireworks(api_key="none", base_url=url).completions.create(model=_MODEL, prompt="Hi", stream=True)


_CHAT = Chat("fireworks", _MODEL, "/chat/completions", _ask, _aask, apart=False, beside={"perf_metrics": _METRICS})

ROW = Row(
    "fireworks-ai",
    "1.2.30",
    (*_CHAT.cases, _CHAT.call, _CHAT.failure(), completion("fireworks", _MODEL, "/completions", _complete)),
)
