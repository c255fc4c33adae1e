"""qianfan: two APIs, one with pieces of a result, one in OpenAI's format."""

from __future__ import annotations

from typing import Any

from ..bodies import sse
from ..case import Case, Far, Row, Truth
from ..chat_cases import MESSAGES, Chat

_MODEL = "ernie-4.5-turbo-32k"
_USED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
_PLAIN = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17}


def _ask(url: str, version: str = "2", **model: str) -> Any:
    import qianfan

    config = qianfan.get_config()
    config.BASE_URL = config.CONSOLE_API_BASE_URL = url
    config.BEARER_TOKEN = config.ACCESS_TOKEN = "none"
    return qianfan.ChatCompletion(version=version).do(**(model or {"model": _MODEL}), messages=MESSAGES, stream=True)


def _first(far: Far) -> None:
    far.read(lambda: _ask(far.url, "1", endpoint="ours"))


def _piece(words: str, **fields: Any) -> dict[str, Any]:
    head = {"id": "as-1", "object": "chat.completion", "created": 1, "sentence_id": 0, "is_truncated": False}
    return {**head, "is_end": False, "result": words, "need_clear_history": False, "usage": _USED, **fields}


_CHAT = Chat("baidu", _MODEL, "/v2/chat/completions", _ask, apart=False)
_PATH = "/chat/ours"

ROW = Row(
    "qianfan",
    "0.4.12.3",
    (
        *_CHAT.cases,
        _CHAT.call,
        Case(
            "first API",
            _first,
            {_PATH: sse([_piece("Bring a "), _piece("coat."), _piece("", is_end=True)], done=False)},
            Truth("baidu", "Bring a coat.", usage=_PLAIN),
        ),
        Case(
            "first API, cut off",
            _first,
            {_PATH: sse([_piece("Bring "), _piece("a", is_end=True, is_truncated=True)], done=False)},
            Truth("baidu", "Bring a", finish_reason="length", usage=_PLAIN),
        ),
    ),
    variables={"QIANFAN_ENABLE_STAGING": "", "QIANFAN_DOT_ENV_CONFIG_FILE": "/nowhere"},
)
